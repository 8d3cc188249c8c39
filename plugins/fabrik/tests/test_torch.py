"""FABRIK in PyTorch: the results of NumPy, and gradients that finite differences agree with."""

from __future__ import annotations

import numpy as np
import pytest

from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_fabrik.torch_solver import TorchFabrikSolver
from kinetoscope_spec import ValidationError

torch = pytest.importorskip("torch")
SOLVER = TorchFabrikSolver()


def problems(bones: int, batch: int, seed: int):
    """Return random chains, with straight and folded ones, and targets near, far and out of reach."""
    random = np.random.default_rng(seed)
    directions = random.normal(size=(batch, bones, 3))
    directions[::7] = directions[::7, :1]
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    lengths = random.uniform(0.05, 0.3, size=(batch, bones))
    lengths[::3] **= 3
    steps = np.cumsum(directions * lengths[..., None], axis=1)
    chains = np.concatenate([np.zeros((batch, 1, 3)), steps], axis=1) + random.normal(size=(batch, 1, 3))
    targets = chains[:, 0] + random.normal(size=(batch, 3)) * 0.2 * bones**0.5
    targets[::5] = chains[::5, -1]
    targets[::11] = chains[::11, 0]
    return chains, targets


@pytest.mark.parametrize("bones", [1, 2, 3, 4, 8, 20])
def test_results_are_those_of_numpy(bones) -> None:
    chains, targets = problems(bones, 600, bones)
    for iterations in (0, 3, 9, 100):
        here = SOLVER.solve(chains, targets, iterations=iterations, poles=targets + 1.0)
        there = FabrikSolver(compiled=False).solve(
            chains, targets, iterations=iterations, poles=targets + 1.0
        )
        np.testing.assert_allclose(here.positions, there.positions, atol=1e-9)
        np.testing.assert_array_equal(here.iterations, there.iterations)
        np.testing.assert_array_equal(here.converged, there.converged)


@pytest.mark.parametrize(("bones", "iterations"), [(2, 9), (4, 3), (4, 100), (7, 9), (12, 100)])
def test_a_solve_is_differentiated(bones, iterations) -> None:
    """Gradients of a loss over all joints against central differences in NumPy's solver, kinks left out."""
    chains, targets = problems(bones, 40, 100 + bones)
    weights = np.random.default_rng(0).normal(size=chains.shape)
    plain = FabrikSolver(compiled=False)
    given = [torch.tensor(array, requires_grad=True) for array in (chains, targets)]
    positions, count, _ = SOLVER.solve_tensors(*given, tolerance=1e-6, iterations=iterations)
    (positions * torch.tensor(weights)).sum().backward()
    assert all(torch.isfinite(tensor.grad).all() for tensor in given)
    checked = 0
    for row in range(len(chains)):
        if row % 11 == 0:
            continue  # a target at the root has no direction: there is no derivative
        for which, joint, axis in ((1, None, 0), (1, None, 2), (0, bones // 2, 1), (0, 0, 0)):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [chains[row : row + 1].copy(), targets[row : row + 1].copy()]
                if which:
                    moved[1][0, axis] += step
                else:
                    moved[0][0, joint, axis] += step
                sides.append(plain.solve(*moved, tolerance=1e-6, iterations=iterations))
            if any(side.iterations[0] != count[row] for side in sides):
                continue
            slope = ((sides[0].positions - sides[1].positions)[0] * weights[row]).sum() / 2e-6
            found = given[which].grad[row]
            found = float(found[axis] if which else found[joint, axis])
            # Chains that lie on the line to their target jump: their sides are far apart.
            if abs(slope) < 1e3:
                assert found == pytest.approx(slope, rel=2e-3, abs=2e-4), (row, which)
                checked += 1
    assert checked > 60


def test_a_reach_is_learnt() -> None:
    """Descend through the solver: find the target that brings the middle joint highest."""
    chain = torch.tensor([[[0.0, 0, 0], [0.4, 0.1, 0], [0.8, 0, 0.1]]], dtype=torch.float64)
    target = torch.tensor([[0.5, 0.1, 0.2]], dtype=torch.float64, requires_grad=True)
    heights = []
    for _ in range(30):
        positions, _, _ = SOLVER.solve_tensors(chain, target, tolerance=1e-6)
        height = positions[0, 1, 1]
        heights.append(float(height.detach()))
        (gradient,) = torch.autograd.grad(height, target)
        target = (target + 0.02 * gradient).detach().requires_grad_(True)
    assert heights[-1] > heights[0] + 0.05


def test_arrays_that_may_not_be_written_to_are_taken() -> None:
    chains, targets = problems(3, 5, 9)
    chains.setflags(write=False)
    targets.setflags(write=False)
    assert SOLVER.solve(chains, targets).positions.shape == chains.shape


def test_single_precision_and_mistakes() -> None:
    chains, targets = problems(4, 50, 3)
    single = [torch.tensor(array, dtype=torch.float32) for array in (chains, targets)]
    positions, _, converged = SOLVER.solve_tensors(*single)
    assert positions.dtype == torch.float32
    off = (positions[:, -1] - single[1]).norm(dim=-1)
    assert off[converged].max() < 1.1e-3
    lengths = [torch.diff(one, dim=1).norm(dim=-1) for one in (positions, single[0])]
    assert (lengths[0] - lengths[1]).abs().max() < 1e-5
    with pytest.raises(ValidationError, match="of one dtype"):
        SOLVER.solve_tensors(single[0], single[1].double())
    with pytest.raises(ValidationError, match="expected floating-point"):
        SOLVER.solve_tensors(single[0], single[1][:3])

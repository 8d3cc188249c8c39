"""The other solvers of chains, and starting from the last frame's pose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from kinetoscope_fabrik import providers
from kinetoscope_fabrik.ccd import CcdSolver
from kinetoscope_fabrik.jacobian import JacobianSolver
from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_fabrik.two_bone import TwoBoneSolver
from kinetoscope_spec import ValidationError

SOLVERS = [FabrikSolver(), CcdSolver(), JacobianSolver(), TwoBoneSolver()]


def test_fabrik_is_tried_first() -> None:
    assert {provider.name: provider.order for provider in providers()} == {
        "fabrik": 0, "fabrik-torch": -1, "two-bone": -1, "ccd": -1, "jacobian": -1,
    }  # fmt: skip


def test_two_bones_bend_as_the_law_of_cosines_says() -> None:
    random = np.random.default_rng(0)
    chains = np.cumsum(random.normal(size=(200, 3, 3)), axis=1)
    a, b = np.linalg.norm(np.diff(chains, axis=1), axis=-1).T
    way = random.normal(size=(200, 3))
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    distance = np.abs(a - b) + (a + b - np.abs(a - b)) * random.uniform(0.01, 0.99, 200)
    solution = TwoBoneSolver().solve(chains, chains[:, 0] + way * distance[:, None], tolerance=1e-9)
    assert solution.converged.all()
    assert solution.iterations.max() == 1
    into, out = np.diff(solution.positions, axis=1).swapaxes(0, 1)
    knee = np.arccos((into * -out).sum(axis=-1) / a / b)
    np.testing.assert_allclose(knee, np.arccos((a**2 + b**2 - distance**2) / (2 * a * b)), atol=1e-6)
    normal = np.cross(solution.positions[:, 1] - chains[:, 0], way)
    before = chains[:, 1] - chains[:, 0]
    along = (normal * before).sum(-1) / np.linalg.norm(normal, axis=-1) / np.linalg.norm(before, axis=-1)
    np.testing.assert_allclose(along, 0, atol=1e-6, err_msg="the middle joint left its plane")


def test_two_bone_takes_two_bones() -> None:
    with pytest.raises(ValidationError, match="chains have 4 joints, expected 3"):
        TwoBoneSolver().solve(np.zeros((1, 4, 3)), np.ones((1, 3)))


def test_a_damped_step_is_the_least_squares_answer() -> None:
    """The first step against SciPy's minimum of |J w - e|^2 + damping |w|^2, J by finite differences."""
    from kinetoscope_fabrik.jacobian import _stepped

    random = np.random.default_rng(3)
    steps = random.normal(size=(1, 4, 3)) * 0.2
    p = np.concatenate([np.zeros((1, 1, 3)), np.cumsum(steps, axis=1)], axis=1)
    goal = p[:, -1] + random.normal(size=(1, 3)) * 1e-4
    lengths = np.linalg.norm(steps, axis=-1)
    error = (goal - p[:, -1])[0]

    def end(turns):
        total = np.cumsum(turns.reshape(4, 3), axis=0)
        return Rotation.from_rotvec(total).apply(steps[0])

    damping = 0.5 * error @ error + 1e-6 * lengths.sum() ** 2
    jacobian = np.stack(
        [(end(1e-6 * row).sum(0) - end(-1e-6 * row).sum(0)) / 2e-6 for row in np.eye(12)], axis=1
    )
    best = least_squares(
        lambda w: np.concatenate([jacobian @ w - error, np.sqrt(damping) * w]), np.zeros(12), method="lm"
    ).x
    wanted = np.cumsum(end(best), axis=0)
    np.testing.assert_allclose(_stepped(p, lengths, goal)[0, 1:], wanted, atol=1e-9)


def test_coordinate_descent_bends_the_end_first() -> None:
    """What tells it from the others: a target near the end leaves the root's segments where they are."""
    chain = np.cumsum(np.array([[0.0, 0, 0], *[[0.1, 0.002 * i, 0] for i in range(10)]]), axis=0)[None]
    target = chain[:, -1] + [-0.01, 0.03, 0.0]
    moved = {
        type(solver).__name__: np.abs(solver.solve(chain, target).positions - chain)[0, 3].max()
        for solver in SOLVERS[:3]
    }
    assert moved["CcdSolver"] < 0.5 * min(moved["FabrikSolver"], moved["JacobianSolver"])


@pytest.mark.parametrize("solver", SOLVERS[:3], ids=lambda solver: type(solver).__name__)
def test_a_warm_start_saves_iterations_and_wears_nothing_down(solver) -> None:
    random = np.random.default_rng(1)
    chains = np.cumsum(random.normal(size=(40, 7, 3)) * 0.1, axis=1)
    reach = np.linalg.norm(np.diff(chains, axis=1), axis=-1)
    targets = chains[:, 0] + 0.5 * reach.sum(axis=1)[:, None] * np.array([0.0, 1.0, 0.0])
    pose, cold, warm = chains, 0, 0
    for step in range(300):
        moved = targets + 0.05 * np.sin(0.02 * step + np.arange(3))
        solution = solver.solve(chains, moved, start=pose)
        assert solution.converged.all()
        pose = solution.positions
        warm += solution.iterations.sum()
        cold += solver.solve(chains, moved).iterations.sum() if step % 30 == 0 else 0
    assert warm < 0.7 * 30 * cold
    np.testing.assert_allclose(np.linalg.norm(np.diff(pose, axis=1), axis=-1), reach, rtol=1e-12)
    np.testing.assert_array_equal(pose[:, 0], chains[:, 0])


def test_all_plant() -> None:
    assert all(callable(solver.plant) for solver in SOLVERS)


@pytest.mark.parametrize("solver", [FabrikSolver(), TwoBoneSolver(), CcdSolver(), JacobianSolver()])
def test_the_largest_that_is_taken_is_solved_as_the_small_is(solver) -> None:
    rng = np.random.default_rng(5)
    chains = np.cumsum(rng.normal(size=(50, 3, 3)), axis=1)
    targets = chains[:, 0] + rng.normal(size=(50, 3))
    largest = 1e40 / max(np.abs(chains).max(), np.abs(targets).max()) * (1 - 1e-12)
    small = solver.solve(chains, targets)
    large = solver.solve(chains * largest, targets * largest, tolerance=1e-3 * largest)
    np.testing.assert_allclose(large.positions / largest, small.positions, atol=1e-6)
    np.testing.assert_array_equal(large.converged, small.converged)
    with pytest.raises(ValidationError, match="expected at most"):
        solver.solve(chains * (2 * largest), targets * (2 * largest))


@pytest.mark.parametrize("solver", SOLVERS[:3], ids=lambda solver: type(solver).__name__)
def test_a_start_where_the_chain_stands_is_no_start(solver) -> None:
    """To the bit: put together anew from its bones, a chain would be rounded at every call."""
    chains = np.cumsum(np.random.default_rng(5).normal(size=(40, 7, 3)), axis=1)
    targets = chains[:, -1] + 0.1
    cold, warm = solver.solve(chains, targets), solver.solve(chains, targets, start=chains)
    np.testing.assert_array_equal(warm.positions, cold.positions)
    still = solver.solve(chains, chains[:, -1], start=chains)
    np.testing.assert_array_equal(still.positions, chains)


@pytest.mark.parametrize(
    "solver", [FabrikSolver(compiled=False), TwoBoneSolver(), CcdSolver(), JacobianSolver()]
)
@pytest.mark.parametrize("power", [-300, -200, 100])
def test_worlds_of_any_size_are_solved_alike(solver, power) -> None:
    rng = np.random.default_rng(6)
    chains = np.cumsum(rng.normal(size=(40, 3, 3)), axis=1)
    targets = chains[:, 0] + rng.normal(size=(40, 3)) * rng.choice([0.0, 0.5, 1.0, 3.0], size=(40, 1))
    scale = 2.0**power
    here = solver.solve(chains, targets)
    there = solver.solve(chains * scale, targets * scale, tolerance=1e-3 * scale)
    np.testing.assert_allclose(there.positions / scale, here.positions, atol=1e-12)
    np.testing.assert_array_equal(there.converged, here.converged)


def test_a_start_that_lost_a_bone_takes_its_way_from_the_chain() -> None:
    chains = np.array([[[0.0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]]])
    start = np.array([[[0.0, 0, 0], [1, 0, 0], [1, 0, 0], [1, -2, 0]]])
    begun = FabrikSolver(compiled=False).solve(chains, np.array([[0.5, 0.5, 0]]), start=start, iterations=0)
    np.testing.assert_allclose(begun.positions, [[[0, 0, 0], [1, 0, 0], [1, 0, 1], [1, -1, 1]]], atol=1e-12)

"""FABRIK in JAX gives what it gives in NumPy, alone, mapped and differentiated forwards."""

from __future__ import annotations

import subprocess
import sys

import jax
import numpy as np
import pytest

from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_solvers_jax.solver import JaxFabrikSolver, solve_arrays

PLAIN = FabrikSolver(compiled=False)


def problems(bones: int, batch: int, seed: int):
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


@pytest.mark.parametrize("bones", [1, 2, 4, 8])
def test_results_are_those_of_numpy(bones) -> None:
    chains, targets = problems(bones, 512, bones)
    for iterations in (0, 3, 9, 100):
        here = JaxFabrikSolver().solve(chains, targets, iterations=iterations, poles=targets + 1.0)
        there = PLAIN.solve(chains, targets, iterations=iterations, poles=targets + 1.0)
        # XLA joins products and sums into one rounding, so a knife's edge may fall to the other side.
        same = here.iterations == there.iterations
        assert same.mean() > 0.9
        np.testing.assert_allclose(here.positions[same], there.positions[same], atol=1e-6)
        assert (here.converged == there.converged)[same].all()


def test_it_is_mapped_and_differentiated() -> None:
    """The derivative by the target, forwards, against central differences in NumPy's solver."""
    chains, targets = problems(5, 12, 3)
    with jax.enable_x64(True):
        chain, target = jax.numpy.asarray(chains[2:3]), jax.numpy.asarray(targets[2:3])
        slope = jax.jacfwd(lambda t: solve_arrays(chain, t, 1e-6, 3)[0])(target)
        mapped = jax.vmap(lambda c, t: solve_arrays(c[None], t[None], 1e-6, 3)[0][0])(chains, targets)
    np.testing.assert_allclose(
        mapped, PLAIN.solve(chains, targets, tolerance=1e-6, iterations=3).positions, atol=1e-9
    )
    for axis in range(3):
        step = 1e-6 * np.eye(3)[axis]
        sides = [
            PLAIN.solve(chains[2:3], targets[2:3] + s, tolerance=1e-6, iterations=3) for s in (step, -step)
        ]
        wanted = (sides[0].positions - sides[1].positions)[0] / 2e-6
        np.testing.assert_allclose(slope[0, ..., 0, axis], wanted, atol=1e-5)


def test_an_empty_batch_and_the_precision_of_others() -> None:
    assert JaxFabrikSolver().solve(np.zeros((0, 4, 3)), np.zeros((0, 3))).positions.shape == (0, 4, 3)
    assert jax.numpy.ones(1).dtype == np.float32, "JAX is left in the precision that its user chose"


def test_importing_the_plugin_is_cheap() -> None:
    code = "import sys, kinetoscope_solvers_jax as p; p.providers(); print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

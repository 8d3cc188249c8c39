"""What FABRIK promises beyond the contract: dead locks, poles, reach, and Numba equal to NumPy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_fabrik.contract import poses, turns
from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_spec import ValidationError, rotation

COMPILED, PLAIN = FabrikSolver(compiled=True), FabrikSolver(compiled=False)


def chains_and_targets(bones: int, batch: int, seed: int):
    """Return chains of all sorts: very uneven lengths, zero lengths, straight ones, targets near and far."""
    random = np.random.default_rng(seed)
    directions = random.normal(size=(batch, bones, 3))
    directions[::7] = directions[::7, :1]
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    lengths = random.uniform(0.05, 0.3, size=(batch, bones))
    lengths[::3] **= 3
    lengths[::5, : bones // 2] = 0
    steps = np.cumsum(directions * lengths[..., None], axis=1)
    chains = np.concatenate([np.zeros((batch, 1, 3)), steps], axis=1) + random.normal(size=(batch, 1, 3))
    targets = chains[:, 0] + random.normal(size=(batch, 3)) * 0.2 * bones**0.5
    along = lengths[::7].sum(axis=1) * random.uniform(-1, 1, len(lengths[::7]))
    targets[::7] = chains[::7, 0] + directions[::7, 0] * along[:, None]
    targets[::11] = chains[::11, 0]
    return chains, targets, lengths


@pytest.mark.parametrize("bones", [1, 2, 3, 4, 7, 20])
def test_numba_and_numpy_agree(bones) -> None:
    chains, targets, _ = chains_and_targets(bones, 3000, seed=bones)
    for iterations in (0, 1, 8, 9, 100):
        fast = COMPILED.solve(chains, targets, iterations=iterations, poles=targets[::-1])
        plain = PLAIN.solve(chains, targets, iterations=iterations, poles=targets[::-1])
        np.testing.assert_array_equal(fast.positions, plain.positions)
        np.testing.assert_array_equal(fast.iterations, plain.iterations)
        np.testing.assert_array_equal(fast.converged, plain.converged)
        assert fast.iterations.max() <= iterations


@pytest.mark.parametrize("bones", [2, 3, 4, 7, 20])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_every_target_in_the_shell_of_reach_is_reached(bones, tolerance) -> None:
    chains, targets, lengths = chains_and_targets(bones, 4000, seed=100 + bones)
    distance = np.linalg.norm(targets - chains[:, 0], axis=1)
    reachable = (distance <= lengths.sum(axis=1)) & (
        distance >= 2 * lengths.max(axis=1) - lengths.sum(axis=1)
    )
    assert reachable.mean() > 0.15
    solution = COMPILED.solve(chains, targets, tolerance=tolerance)
    off = np.linalg.norm(solution.positions[:, -1] - targets, axis=1)
    loop = distance == 0  # an end back at its root converges slowly: not to micrometres
    assert off[reachable & ~loop].max() <= tolerance * (1 + 1e-9)
    assert (off[reachable & loop] <= 1e-3).all()
    np.testing.assert_array_equal(solution.converged, off <= tolerance)
    nearest = np.abs(
        distance - np.clip(distance, 2 * lengths.max(axis=1) - lengths.sum(axis=1), lengths.sum(axis=1))
    )
    beyond = off[~reachable] - nearest[~reachable]
    assert beyond.min() > -1e-9
    assert (off[~reachable] <= np.maximum(nearest[~reachable] + 1e-9, tolerance)).all()


@pytest.mark.parametrize("bones", [2, 3, 8])
@pytest.mark.parametrize("share", [-0.95, -0.5, 0.0, 0.3, 0.9, 0.999])
def test_a_straight_chain_leaves_its_line(bones, share) -> None:
    for axis in np.eye(3):
        chain = (np.arange(bones + 1) / bones)[None, :, None] * axis
        solution = COMPILED.solve(chain, share * axis[None])
        assert solution.converged.all()
        if share > 0:
            aside = solution.positions[0] - (solution.positions[0] @ axis)[:, None] * axis
            assert np.linalg.norm(aside, axis=1).max() > 0.01, "it bends instead of folding onto its line"


def test_a_slight_bend_says_which_way() -> None:
    chain = np.array(
        [[[0.0, 0, 0], [0, -0.5, 1e-5], [0, -1, 0]], [[0.0, 0, 0], [0, -0.5, -1e-5], [0, -1, 0]]]
    )
    knees = COMPILED.solve(chain, np.array([[0.0, -0.8, 0]] * 2)).positions[:, 1, 2]
    assert knees[0] > 0.2
    assert knees[1] < -0.2


@settings(deadline=None, max_examples=50)
@given(poses(bones=6), turns())
def test_poles_turn_the_chain_as_a_whole(drawn, turn) -> None:
    chains, other = drawn
    poles = chains[:, 0] + rotation.rotate(turn, np.array([0.3, 5.0, -2.0]))
    without = COMPILED.solve(chains, other[:, -1])
    bent = COMPILED.solve(chains, other[:, -1], poles=poles)
    distances = np.linalg.norm(without.positions[:, :, None] - without.positions[:, None], axis=-1)
    after = np.linalg.norm(bent.positions[:, :, None] - bent.positions[:, None], axis=-1)
    np.testing.assert_allclose(after, distances, atol=1e-9)
    np.testing.assert_allclose(bent.positions[:, -1], without.positions[:, -1], atol=1e-9)
    again = COMPILED.solve(bent.positions, other[:, -1], poles=poles)
    np.testing.assert_allclose(again.positions, bent.positions, atol=1e-8)


def test_a_knee_points_to_its_pole() -> None:
    chain = np.array([[[0.0, 0.9, 0], [0.05, 0.5, 0.1], [0, 0.1, 0]]])
    for pole in ([3.0, 0.5, 0], [0, 0.5, -3], [-1, 4, -1]):
        knee = COMPILED.solve(chain, np.array([[0.0, 0.3, 0]]), poles=np.array([pole]), tolerance=1e-9)
        knee = knee.positions[0, 1]
        way = np.array([pole[0], 0, pole[2]]) / np.hypot(pole[0], pole[2])
        np.testing.assert_allclose(knee[[0, 2]] / np.hypot(knee[0], knee[2]), way[[0, 2]], atol=1e-9)


def test_many_pole_solves_keep_the_lengths() -> None:
    """Solving again and again, one iteration each, doesn't wear segments down."""
    chains, targets, _ = chains_and_targets(6, 20, seed=5)
    before = np.linalg.norm(np.diff(chains, axis=1), axis=-1)
    random = np.random.default_rng(0)
    for _ in range(1000):
        targets = targets + random.normal(size=targets.shape) * 0.02
        chains = COMPILED.solve(chains, targets, iterations=1, poles=targets + 1.0).positions
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(chains, axis=1), axis=-1), before, rtol=1e-9, atol=1e-12
    )


@settings(deadline=None, max_examples=50)
@given(turns(), st.integers(0, 10_000))
def test_bent_chains_turn_with_the_world(turn, seed) -> None:
    random = np.random.default_rng(seed)
    chains = np.cumsum(random.normal(size=(4, 5, 3)), axis=1)
    targets = chains[:, 0] + random.normal(size=(4, 3)) * 2
    here = COMPILED.solve(chains, targets)
    there = COMPILED.solve(rotation.rotate(turn, chains) + 7.0, rotation.rotate(turn, targets) + 7.0)
    np.testing.assert_array_equal(here.iterations, there.iterations)
    np.testing.assert_allclose(there.positions, rotation.rotate(turn, here.positions) + 7.0, atol=1e-8)


def test_precision_batches_and_tiny_or_huge_worlds() -> None:
    chains, targets, _ = chains_and_targets(4, 50, seed=1)
    single = COMPILED.solve(chains.astype(np.float32), targets.astype(np.float32))
    assert single.positions.dtype == np.float32
    assert COMPILED.solve(np.zeros((0, 4, 3)), np.zeros((0, 3))).positions.shape == (0, 4, 3)
    for scale in (1e-30, 1e30):
        scaled = COMPILED.solve(chains * scale, targets * scale, tolerance=1e-3 * scale)
        assert np.isfinite(scaled.positions).all()
        np.testing.assert_array_equal(scaled.converged, COMPILED.solve(chains, targets).converged)
    whole = COMPILED.solve(np.array([[[0, 0, 0], [0, 1, 0], [0, 2, 0]]]), np.array([[1, 1, 0]]))
    assert whole.converged.all()
    assert whole.positions.dtype == np.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chains": np.zeros((2, 3))}, r"chains is float64 \[2, 3\], expected numbers \[any, any, 3\]"),
        ({"chains": np.zeros((2, 0, 3))}, "no joint"),
        ({"targets": np.zeros((3, 3))}, r"targets .* expected numbers \[2, 3\]"),
        ({"poles": np.zeros((2, 2))}, "poles"),
        ({"targets": np.array([[0, 0, 0], [0, np.nan, 0]])}, r"targets\[1, 1\] is not finite"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"tolerance": np.inf}, "tolerance"),
        ({"iterations": -1}, "iterations"),
        ({"iterations": 1.5}, "iterations is 1.5, expected a whole number"),
        ({"iterations": np.nan}, "iterations"),
        ({"iterations": 2**40}, "iterations"),
        (
            {"targets": np.array([[0, 0, 0], [0, 0, -1e200]])},
            r"targets\[1, 2\] is -1e\+200, expected at most",
        ),
        ({"chains": np.full((2, 3, 3), 1e60)}, r"chains\[0, 0, 0\]"),
        ({"chains": np.full((2, 3, 3), "a")}, "expected numbers"),
    ],
)
def test_mistakes_are_named(options, message) -> None:
    given = {"chains": np.zeros((2, 3, 3)), "targets": np.zeros((2, 3))} | options
    with pytest.raises(ValidationError, match=message):
        COMPILED.solve(given.pop("chains"), given.pop("targets"), **given)


def test_lists_are_taken_as_arrays_are() -> None:
    chains, targets = np.array([[[0.0, 0, 0], [0, 1, 0], [0, 2, 0]]]), np.array([[1.0, 0.5, 0]])
    found = COMPILED.solve(chains.tolist(), targets.tolist())
    np.testing.assert_array_equal(found.positions, COMPILED.solve(chains, targets).positions)


def test_importing_the_plugin_is_cheap() -> None:
    code = (
        "import sys, kinetoscope_fabrik, kinetoscope_fabrik.hooks as h; kinetoscope_fabrik.providers(); h.addhooks();"
        "print(sorted({'numpy', 'numba', 'hypothesis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_planting_needs_no_compiler() -> None:
    code = (
        "import sys\nfrom kinetoscope_fabrik.solver import FabrikSolver\nFabrikSolver()\n"
        "import kinetoscope_fabrik.planting\nprint('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_numba_numpy_solves() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np\nfrom kinetoscope_fabrik.solver import FabrikSolver\n"
        "s = FabrikSolver().solve(np.array([[[0., 0, 0], [0, 1, 0], [0, 2, 0]]]), np.ones((1, 3)))\n"
        "print(s.converged.all())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"

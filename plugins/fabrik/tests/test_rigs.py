"""Rigs: several ends, loops, orientations, poles, weights, a root that comes along."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_fabrik._tree import Task
from kinetoscope_fabrik._tree_fabrik import _inwards
from kinetoscope_fabrik.ccd import CcdSolver
from kinetoscope_fabrik.contract import turns
from kinetoscope_fabrik.contract_rigs import _stand, beyond
from kinetoscope_fabrik.hooks import Cone, Goal, Hinge, Rig
from kinetoscope_fabrik.jacobian import JacobianSolver
from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_spec import Skeleton, ValidationError

SOLVERS = [FabrikSolver(compiled=False), CcdSolver(), JacobianSolver()]
IDS = ["fabrik", "ccd", "jacobian"]
BODY = (-1, 0, 1, 2, 3, 4, 2, 6, 7, 0, 9, 10, 0, 12, 13)
"""A pelvis, two spine joints, two arms of three, two legs of three."""
ENDS = (5, 8, 11, 14)
LIMITS = {
    4: Hinge([0, 1, 0], -2.4, 0), 7: Hinge([0, 1, 0], 0, 2.4), 10: Hinge([1, 0, 0], 0, 2.5), 13: Hinge([1, 0, 0], 0, 2.5),
    1: Cone([0, 1, 0], 0.5, -0.4, 0.4), 9: Cone([0, -1, 0], 1.2, -0.6, 0.6), 12: Cone([0, -1, 0], 1.2, -0.6, 0.6),
}  # fmt: skip


def body(limits=()) -> Rig:
    arm, leg = [[0.2, 0.15, 0], [0.3, 0, 0], [0.27, 0, 0]], [[0.1, -0.1, 0], [0, -0.42, 0], [0, -0.4, 0]]
    spine = [[0, 0, 0], [0, 0.2, 0], [0, 0.25, 0]]
    left, other = np.array(arm), np.array(leg)
    flip = np.array([-1, 1, 1])
    return Rig(BODY, np.concatenate([spine, left, left * flip, other, other * flip]), dict(limits))


def poses(rig: Rig, batch: int, seed: int):
    random = np.random.default_rng(seed)
    local = Rotation.from_rotvec(random.uniform(-0.8, 0.8, (batch * len(BODY), 3))).as_quat()
    local = local.reshape(batch, len(BODY), 4)
    for joint, limit in rig.limits.items():
        local[:, joint] = limit.clamp(local[:, joint])
    local[:, 0] = [0, 0, 0, 1]
    return local


def quaternions(frames):
    return Rotation.from_matrix(frames).as_quat()


@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
@pytest.mark.parametrize("turned", [False, True])
def test_several_ends_share_a_body(solver, turned) -> None:
    rig = body()
    start, end = poses(rig, 60, 1), poses(rig, 60, 2)
    places, frames = _stand(rig, end)
    goals = [Goal(e, places[:, e], quaternions(frames[:, e]) if turned else None) for e in ENDS]
    posed = solver.pose(rig, start, goals)
    # Coordinate descent crawls where ends share joints: four fifths are there after 100 rounds.
    assert posed.converged.mean() >= (0.75 if isinstance(solver, CcdSolver) else 0.98)
    after, stands = _stand(rig, posed.rotations)
    np.testing.assert_allclose(after, posed.positions, atol=1e-9)
    off = np.linalg.norm(after[:, ENDS] - places[:, ENDS], axis=-1)
    assert off[posed.converged].max() <= 1e-3
    np.testing.assert_allclose(off.max(axis=1), posed.off_m, atol=1e-9)
    if turned:
        angles = Rotation.from_matrix(
            (stands[:, ENDS].swapaxes(-1, -2) @ frames[:, ENDS]).reshape(-1, 3, 3)
        ).magnitude()
        assert angles.reshape(60, 4)[posed.converged].max() <= 1.1e-3


@pytest.mark.parametrize(("solver", "share"), list(zip(SOLVERS, (0.95, 0.2, 0.95), strict=True)), ids=IDS)
def test_ends_are_reached_within_limits(solver, share) -> None:
    """What poses within the limits reach is mostly reached again; what the limits are never gives."""
    rig = body(LIMITS)
    start, end = poses(rig, 60, 3), poses(rig, 60, 4)
    places, _ = _stand(rig, end)
    posed = solver.pose(rig, start, [Goal(e, places[:, e]) for e in ENDS])
    assert posed.converged.mean() >= share
    # Joints that their limits stopped leave the rest of the step to the others: twice as many without.
    assert share < 0.5 or posed.iterations.mean() < 8
    assert beyond(rig, posed.rotations) < 1e-6
    assert np.median(posed.off_m) <= (5e-3 if share < 0.5 else 1e-3)


@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
def test_a_loop_closes(solver) -> None:
    """Both hands in one place, and that place given: the arms are one closed chain."""
    rig = body()
    rig = Rig(rig.parents, rig.offsets, loops=[(5, 8)])
    posed = solver.pose(rig, poses(rig, 20, 5), [])
    assert posed.converged.all()
    places, _ = _stand(rig, posed.rotations)
    assert np.linalg.norm(places[:, 5] - places[:, 8], axis=-1).max() <= 1e-3
    there = np.tile([0.05, 0.5, 0.3], (20, 1))
    posed = solver.pose(rig, poses(rig, 20, 6), [Goal(5, there)])
    assert posed.converged.mean() >= 0.9
    places, _ = _stand(rig, posed.rotations)
    assert np.linalg.norm(places[:, 8] - there, axis=-1)[posed.converged].max() <= 2e-3


@pytest.mark.parametrize("solver", [SOLVERS[0], SOLVERS[2]], ids=["fabrik", "jacobian"])
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.1, 1.0), min_size=2, max_size=4),
    st.lists(st.floats(0.1, 1.0), min_size=2, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_any_ring_that_can_close_closes(solver, left, right, seed) -> None:
    """Two chains from one root, of any bones: their ends meet, and no bone changes its length."""
    parents = (-1, *range(len(left)), 0, *range(len(left) + 1, len(left) + len(right)))
    random = np.random.default_rng(seed)
    way = random.normal(size=(len(left) + len(right), 3))
    offsets = way / np.linalg.norm(way, axis=1, keepdims=True) * np.array(left + right)[:, None]
    # The first bones of both hang on the root, which turns them as one: what closes is the ring of the others
    # and of the line between their ends.
    ring = [np.linalg.norm(offsets[0] - offsets[len(left)]), *left[1:], *right[1:]]
    assume(max(ring) < 0.8 * (sum(ring) - max(ring)))  # a ring that is all but straight converges slowly
    ends = (len(left), len(left) + len(right))
    rig = Rig(parents, np.concatenate([np.zeros((1, 3)), offsets]), loops=[ends])
    rest = np.tile([0.0, 0, 0, 1], (1, len(parents), 1))
    posed = solver.pose(rig, rest, [])
    assert posed.converged.all()
    places, _ = _stand(rig, posed.rotations)
    assert np.linalg.norm(places[0, ends[0]] - places[0, ends[1]]) <= 1e-3
    bones = np.linalg.norm(places[0, 1:] - places[0, list(parents[1:])], axis=-1)
    np.testing.assert_allclose(bones, left + right, rtol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
def test_a_free_root_comes_along(solver) -> None:
    """Feet planted two metres away: with a root that stays they are out of reach, with a free one not."""
    rig = body()
    start = poses(rig, 10, 7)
    places, _ = _stand(rig, start)
    goals = [Goal(foot, places[:, foot] + np.array([2.0, -0.2, 0.5])) for foot in (11, 14)]
    assert not solver.pose(rig, start, goals).converged.any()
    posed = solver.pose(rig, start, goals, free_root=True)
    assert posed.converged.all()
    assert np.linalg.norm(posed.roots, axis=-1).min() > 0.5
    hips = [*goals, Goal(0, posed.roots + np.array([0, -0.05, 0]))]
    sunk = solver.pose(rig, posed.rotations, hips, roots=posed.roots, free_root=True)
    assert sunk.converged.mean() >= 0.9
    assert np.abs(sunk.roots - posed.roots - [0, -0.05, 0])[sunk.converged].max() <= 1e-3


@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
def test_weights_say_who_gives_way(solver) -> None:
    """One joint, two ends that can't both be met: the heavier goal is missed by less."""
    rig = Rig((-1, 0, 1, 1), [[0, 0, 0], [0, 0.5, 0], [0.3, 0.3, 0], [-0.3, 0.3, 0]])
    rest = np.tile([0.0, 0, 0, 1], (1, 4, 1))
    left, right = np.array([[0.9, 0.6, 0.0]]), np.array([[-0.9, 0.6, 0.0]])
    for heavy in (0, 1):
        goals = [Goal(2, left, weight=(20, 1)[heavy]), Goal(3, right, weight=(1, 20)[heavy])]
        posed = solver.pose(rig, rest, goals)
        off = [np.linalg.norm(posed.positions[0, goal.joint] - goal.position[0]) for goal in goals]
        assert off[heavy] <= off[1 - heavy] + 1e-9, off
        assert not posed.converged[0]


def test_a_sub_base_goes_to_the_weighted_middle() -> None:
    """Inwards, each branch asks for the place at its length from its goal; the weights share it out."""
    rig = Rig((-1, 0, 0), [[0, 0, 0], [1, 0, 0], [0, 2, 0]])
    positions = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 2, 0]]])
    goals = [Goal(1, np.array([[5.0, 0, 0]]), weight=3.0), Goal(2, np.array([[0.0, 4, 0]]), weight=1.0)]
    wanted = _inwards(Task.of(rig, goals, True), positions)
    np.testing.assert_allclose(wanted[0, 0], (3 * np.array([4.0, 0, 0]) + np.array([0, 2.0, 0])) / 4)


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
def test_larger_and_moved_rigs_are_solved_alike(solver, free) -> None:
    rig, start, end = body(LIMITS), poses(body(LIMITS), 5, 9), poses(body(LIMITS), 5, 10)
    places, _ = _stand(rig, end)
    places = places + free * np.array([0.5, 0, 0])
    here = solver.pose(rig, start, [Goal(e, places[:, e]) for e in ENDS], iterations=12, free_root=free)
    large = Rig(rig.parents, rig.offsets * 4, rig.limits)
    goals = [Goal(e, places[:, e] * 4) for e in ENDS]
    there = solver.pose(large, start, goals, tolerance=4e-3, iterations=12, free_root=free)
    np.testing.assert_allclose(there.positions, 4 * here.positions, atol=1e-9)
    np.testing.assert_array_equal(there.iterations, here.iterations)
    move = np.array([3.0, -1.0, 2.0])
    goals = [Goal(e, places[:, e] + move) for e in ENDS]
    there = solver.pose(rig, start, goals, roots=np.tile(move, (5, 1)), iterations=12, free_root=free)
    np.testing.assert_allclose(there.positions, here.positions + move, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
def test_more_iterations_never_miss_by_more(solver) -> None:
    """Also where goals can't be met and steps go back and forth: the best pose is kept."""
    rig, start = body(LIMITS), poses(body(LIMITS), 12, 11)
    random = np.random.default_rng(12)
    goals = [Goal(e, random.uniform(-2, 2, (12, 3))) for e in ENDS]
    before = np.full(12, np.inf)
    for iterations in range(0, 24, 2):
        posed = solver.pose(rig, start, goals, iterations=iterations)
        off = sum(((posed.positions[:, g.joint] - g.position) ** 2).sum(axis=-1) for g in goals)
        assert (off <= before + 1e-9).all()
        before = off


@pytest.mark.parametrize("solver", SOLVERS[1:], ids=IDS[1:])
def test_a_pole_never_costs_the_goal(solver) -> None:
    """These two turn limbs to their poles last, where limits may say no."""
    rig, start, end = body(LIMITS), poses(body(LIMITS), 60, 3), poses(body(LIMITS), 60, 4)
    places, _ = _stand(rig, end)
    poles = np.random.default_rng(5).normal(size=(60, 3)) * 3
    plain = solver.pose(rig, start, [Goal(e, places[:, e]) for e in ENDS], iterations=30)
    bent = solver.pose(rig, start, [Goal(e, places[:, e], pole=poles) for e in ENDS], iterations=30)
    assert (bent.rotations != plain.rotations).any()
    after, _ = _stand(rig, bent.rotations)
    off = np.linalg.norm(after[:, ENDS] - places[:, ENDS], axis=-1).max(axis=1)
    assert (off <= plain.off_m + 1e-8).all()


def test_no_iterations_leave_a_pose_as_it_is() -> None:
    rig, start = body(), poses(body(), 4, 2)
    for far in (0.3, 9.0):
        posed = FabrikSolver(compiled=False).pose(rig, start, [Goal(8, np.full((4, 3), far))], iterations=0)
        np.testing.assert_array_equal(posed.rotations, start)
        assert not posed.iterations.any()


@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e30])
def test_weights_and_sizes_of_any_kind_are_solved(solver, scale) -> None:
    rig, start, end = body(LIMITS), poses(body(LIMITS), 5, 9), poses(body(LIMITS), 5, 10)
    rig, places = Rig(rig.parents, rig.offsets * scale, rig.limits), _stand(rig, end)[0] * scale
    goals = [Goal(e, places[:, e], weight=w) for e, w in zip(ENDS, (1e-30, 1.0, 1e9, 1e30), strict=True)]
    posed = solver.pose(rig, start, goals, tolerance=1e-3 * scale, iterations=20, free_root=True)
    assert np.isfinite(posed.positions).all()
    off = np.linalg.norm(posed.positions[:, ENDS[3]] - places[:, ENDS[3]], axis=-1) / scale
    assert off.max() < 0.1  # the heaviest has its way
    lengths = np.linalg.norm(posed.positions[:, 1:] - posed.positions[:, BODY[1:]], axis=-1)
    np.testing.assert_allclose(lengths, np.tile(np.linalg.norm(rig.offsets[1:], axis=-1), (5, 1)), rtol=1e-9)


def test_a_pole_turns_a_limb() -> None:
    """An elbow points to its pole, on a chain alone and below a sub-base, with an orientation too."""
    rig, solver = body(), SOLVERS[0]
    start = poses(rig, 5, 8)
    places, frames = _stand(rig, start)
    for ends in ((5,), ENDS):
        for side in (1.0, -1.0):
            shoulder = places[:, 3]
            goals = [Goal(e, places[:, e] * 0.8 + 0.2 * places[:, 0]) for e in ends if e != 5]
            target = shoulder + 0.7 * (places[:, 5] - shoulder)
            pole = shoulder + np.array([0.0, 0.0, 5.0 * side])
            goals.append(Goal(5, target, quaternions(frames[:, 5]), pole=pole))
            posed = solver.pose(rig, start, goals, tolerance=1e-5, angle=1e-2)
            limb = posed.positions[:, [3, 4, 5]] if len(ends) > 1 else posed.positions[:, [0, 1, 2, 3, 4, 5]]
            line = limb[:, -1] - limb[:, 0]
            line /= np.linalg.norm(line, axis=-1, keepdims=True)
            bend = (limb - limb[:, :1]).sum(axis=1)
            bend -= (bend * line).sum(axis=-1, keepdims=True) * line
            way = pole - limb[:, 0]
            way = way - (way * line).sum(axis=-1, keepdims=True) * line
            cosine = (bend * way).sum(-1) / np.linalg.norm(bend, axis=-1) / np.linalg.norm(way, axis=-1)
            assert cosine.min() > (0.99 if len(ends) == 1 else 0.9), (ends, side, cosine)


def test_a_single_goal_out_of_reach_leaves_a_straight_arm() -> None:
    rig = Rig((-1, 0, 1, 2), [[0, 0, 0], [0.3, 0, 0], [0.2, 0.1, 0], [0, 0.3, 0]])
    start = Rotation.from_rotvec(np.random.default_rng(0).normal(size=(12, 3))).as_quat().reshape(3, 4, 4)
    for solver in SOLVERS:
        posed = solver.pose(rig, start, [Goal(3, np.tile([0.0, 3.0, 4.0], (3, 1)))])
        way = np.array([0, 0.6, 0.8])
        np.testing.assert_allclose(posed.positions - (posed.positions @ way)[..., None] * way, 0, atol=1e-6)
        assert not posed.converged.any()


@settings(deadline=None, max_examples=60)
@given(turns(), st.integers(0, 10**6))
def test_clamping_is_nearest_for_hinges_and_idempotent(turn, seed) -> None:
    """A hinge's clamp against a search over its whole range with SciPy; clamping twice is clamping once."""
    random = np.random.default_rng(seed)
    low = random.uniform(-3, 2)
    axis = random.normal(size=3)
    hinge = Hinge(axis, low, random.uniform(low, 3), random.normal(size=4))
    clamped = hinge.clamp(turn[None])[0]
    assert hinge.excess(clamped) < 1e-12
    np.testing.assert_array_equal(hinge.clamp(clamped), clamped)
    angles = np.linspace(hinge.low, hinge.high, 2001)
    allowed = Rotation.from_quat(hinge.zero) * Rotation.from_rotvec(angles[:, None] * hinge.axis)
    best = (allowed.inv() * Rotation.from_quat(turn)).magnitude().min()
    mine = (Rotation.from_quat(clamped).inv() * Rotation.from_quat(turn)).magnitude()
    assert mine <= best + 1e-6
    cone = Cone(axis, random.uniform(0, 3), hinge.low, hinge.high, random.normal(size=4))
    inside = cone.clamp(turn[None])[0]
    assert cone.excess(inside) < 1e-12
    np.testing.assert_array_equal(cone.clamp(inside), inside)


@pytest.mark.parametrize("solver", SOLVERS, ids=IDS)
def test_limits_hold_for_joints_that_no_goal_pulls(solver) -> None:
    """One free arm to solve, and a knee that begins outside of its hinge."""
    rig = body({10: LIMITS[10]})
    start = poses(body(), 8, 11)
    assert beyond(rig, start) > 0.1
    posed = solver.pose(rig, start, [Goal(5, np.tile([0.4, 0.3, 0.2], (8, 1)))])
    assert posed.converged.all()
    assert beyond(rig, posed.rotations) < 1e-6


def test_a_skeleton_is_a_rig() -> None:
    skeleton = Skeleton(("a", "b", "c"), (-1, 0, 1), np.array([[0, 0, 0], [0, 1, 0], [0, 1, 0]], float))
    rig = Rig.of(skeleton, limits={"b": Hinge([1, 0, 0], 0, 1)})
    assert rig.parents == (-1, 0, 1)
    assert set(rig.limits) == {1}
    with pytest.raises(ValidationError, match="no joint is named 'knee'"):
        Rig.of(skeleton, limits={"knee": Hinge([1, 0, 0], 0, 1)})


def _pose(*goals, **options):
    rig = Rig((-1, 0), [[0, 0, 0], [0, 1, 0]])
    return SOLVERS[0].pose(rig, np.tile([0.0, 0, 0, 1], (1, 2, 1)), goals, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hinge([0, 0, 0], 0, 1), "axis"),
        (lambda: Hinge([0, 0, 1], 1, 0), "hinge from 1 to 0"),
        (lambda: Cone([0, 0, 1], 4), "cone of 4"),
        (lambda: Cone([0, 0, 1], 1, 2, 1), "twist from 2"),
        (lambda: Cone([0, 0, 1], 1, zero=[0, 0, 0, 0]), "zero"),
        (lambda: Rig((-1, 2, 1), np.zeros((3, 3))), "parents that come before"),
        (lambda: Rig((-1, 0), np.zeros((3, 3))), "2 parents and 3 offsets"),
        (lambda: Rig((-1,), [[0, 0, np.nan]]), "finite"),
        (lambda: Rig((-1, 0), np.zeros((2, 3)), loops=[(0, 2)]), "joint 2"),
        (lambda: _pose(Goal(2, np.zeros((1, 3)))), "goal is at joint 2"),
        (lambda: _pose(Goal(1, np.zeros((1, 3)), weight=0)), "weight 0"),
        (lambda: _pose(Goal(1, np.zeros((2, 3)))), r"position at joint 1 .* expected numbers \[1, 3\]"),
        (lambda: _pose(Goal(1, rotation=np.ones((1, 4)))), "not of length 1"),
        (_pose, "no goal and no loop"),
        (lambda: _pose(Goal(1, np.zeros((1, 3))), tolerance=-1), "tolerance"),
    ],
)
def test_mistakes_are_named(make, message) -> None:
    with pytest.raises(ValidationError, match=message):
        make()

"""The systems: each through the contract, and against what is known of it otherwise."""

from __future__ import annotations

import importlib.util
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.spatial.transform import Rotation, Slerp

from kinetoscope import Host
from kinetoscope_spec import Asset, Motion, Path, ValidationError, kinematics
from kinetoscope_spec.body import capsule_character
from kinetoscope_stage import (
    Along,
    Animator,
    BlendValues,
    CameraRig,
    Follower,
    GlobalPose,
    GlobalTransform,
    Inertia,
    Library,
    LookAt,
    Loop,
    Parent,
    Pose,
    Reach,
    Rig,
    RootMotion,
    Schedule,
    Skin,
    Spring,
    Sway,
    Take,
    Transform,
    World,
    camera,
    play,
    sway,
)
from kinetoscope_stage.character import character, scene
from kinetoscope_stage.clips import Clip
from kinetoscope_stage.hooks import SystemContract
from kinetoscope_stage.springs import SpringSystem, damp, oscillate
from kinetoscope_stage.systems.animation import AnimationSystem
from kinetoscope_stage.systems.cameras import FIXED, FREE, ORBIT, THIRD_PERSON, CameraSystem
from kinetoscope_stage.systems.movement import FollowSystem
from kinetoscope_stage.systems.poses import LookAtSystem, PoseSystem
from kinetoscope_stage.systems.recorder import RecorderSystem
from kinetoscope_stage.systems.sway import SwaySystem
from kinetoscope_stage.transforms import TransformSystem

_spec = importlib.util.spec_from_file_location("clips", File(__file__).with_name("clips.py"))
clips = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(clips)
SKELETON = clips.SKELETON
ALL = (
    AnimationSystem,
    LookAtSystem,
    SwaySystem,
    SpringSystem,
    FollowSystem,
    TransformSystem,
    PoseSystem,
    CameraSystem,
    RecorderSystem,
)


def crowd(world, count, seed):
    random = np.random.default_rng(seed)
    library = world.resource(Library)
    numbers = [library.clip(clips.clip(i)) for i in range(3)]
    numbers.append(library.tree(Along(0, {0.0: numbers[0], 1.0: numbers[1]})))
    library.path(Path([[0, 0], [3, 1], [4, 5]]))
    ids = character(world, SKELETON).spawn(
        world,
        count,
        Animator(clip=random.choice(numbers, count), time=random.uniform(0, 3, count)),
        LookAt(joint=2, target=random.normal(size=(count, 3)) * 4),
        Spring(goal=random.normal(size=(count, 3))),
        CameraRig(yaw=random.normal(size=count)),
        Follower(path=0, speed=random.normal(size=count)),
        sway(SKELETON, "neck", "hand"),
        BlendValues(random.uniform(-1, 2, (count, 4))),
    )
    for entity in ids[::2]:
        play(world, int(entity), numbers[0])
    return ids


class _Crowd(SystemContract):
    def populate(self, world, count, seed):
        return crowd(world, count, seed)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@pytest.mark.parametrize("law", [law.name for law in SystemContract.laws()])
def test_contract(kind, law) -> None:
    from kinetoscope_spec.contracts import check

    check(_Crowd.of(kind()), examples=10, seed=0, laws=[law]).require()


def test_the_host_finds_them_all() -> None:
    with Host() as host:
        assert {host.provider("system", kind.name).name for kind in ALL} == {kind.name for kind in ALL}
        assert host.provider("system", "reach").writes == (Pose,)


def test_the_order_of_all_together() -> None:
    order = Schedule([kind() for kind in reversed(ALL)]).order
    assert order.index("animation") < order.index("transforms") < order.index("look-at")
    assert order.index("look-at") < order.index("poses")
    assert order.index("look-at") < order.index("recorder")


# -- reaching -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_reaches_and_keeps_its_bones(seed) -> None:
    random = np.random.default_rng(seed)
    world = World()
    number = world.resource(Library).clip(clips.clip(seed))
    count = 6
    ids = character(world, SKELETON, clip=number, root_motion=False).spawn(
        world,
        count,
        Transform(random.normal(size=(count, 3)), Rotation.random(count, random_state=seed).as_quat(), 1.4),
        Reach(root=1, end=4, weight=np.array([1, 1, 1, 1, 0.5, 0])),
    )
    with Host() as host:
        reach = host.provider("system", "reach")
        plain = Schedule([AnimationSystem(), TransformSystem(), PoseSystem()])
        plain.run(world, 0.0)
        before = np.array([world.get(int(e), GlobalPose).positions.copy() for e in ids])
        # Any pose of the chain is within reach: where the hand is once its joints are turned about.
        bones = np.diff(before[:, [1, 3, 4]], axis=1)
        turned = [Rotation.random(2, random_state=seed + i).apply(b).sum(axis=0) for i, b in enumerate(bones)]
        targets = before[:, 1] + np.array(turned)
        for entity, target in zip(ids, targets, strict=True):
            world.get(int(entity), Reach).target[:] = target
        Schedule([AnimationSystem(), TransformSystem(), reach, PoseSystem()]).run(world, 0.0)
    after = np.array([world.get(int(e), GlobalPose).positions.copy() for e in ids])
    off = np.linalg.norm(after[:, 4] - targets, axis=1)
    assert off[:4].max() < 3e-3
    # Half way there may lie nearer to the shoulder than the chain can fold.
    half = (before[4, 4] + targets[4]) / 2
    upper, lower = np.linalg.norm(bones[4], axis=1)
    hole = max(0.0, abs(upper - lower) - np.linalg.norm(half - before[4, 1]))
    assert np.linalg.norm(after[4, 4] - half) == pytest.approx(hole, abs=3e-3)
    np.testing.assert_allclose(after[5], before[5], atol=1e-9)
    np.testing.assert_allclose(after[:, :2], before[:, :2], atol=1e-9)
    for a, b in ((1, 3), (3, 4), (1, 2)):
        lengths = [np.linalg.norm(held[:, a] - held[:, b], axis=1) for held in (before, after)]
        np.testing.assert_allclose(lengths[0], lengths[1], rtol=1e-9)


def test_reach_names_what_is_no_chain() -> None:
    world, entity, _ = stage(clips.clip(1))
    with Host() as host:
        schedule = Schedule([host.provider("system", "reach")])
        for root, end, words in ((2, 4, "not below Reach.root"), (0, 9, "Reach.end is 9")):
            world.insert(entity, Reach(root=root, end=end))
            with pytest.raises(ValidationError, match=words):
                schedule.run(world, 0.1)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_limbs_of_one_character_reach_like_those_of_many(seed, bodies) -> None:
    """Children with a `Reach` bend their parent; two chains of one body are solved one after the other."""
    random = np.random.default_rng(seed)
    targets = random.normal(size=(len(bodies), 3)) * 0.3 + [0, 1.3, 0]
    chains = [(1, 4) if random.integers(2) else (0, 2) for _ in bodies]

    def stage_of(together: bool) -> list[np.ndarray]:
        found = []
        for group in [range(4)] if together else [[i] for i in range(4)]:
            world = World()
            number = world.resource(Library).clip(clips.clip(seed))
            made = character(world, SKELETON, clip=number, root_motion=False)
            ids = dict(zip(group, made.spawn(world, len(group)), strict=True))
            with Host() as host:
                schedule = Schedule([AnimationSystem(), TransformSystem(), host.provider("system", "reach")])
                for body, target, (root, end) in zip(bodies, targets, chains, strict=True):
                    if body in ids:
                        world.spawn(Parent(ids[body]), Reach(root=root, end=end, target=target))
                schedule.run(world, 0.1)
            found += [world.get(int(ids[i]), Pose).rotations.copy() for i in group]
        return found

    for a, b in zip(stage_of(True), stage_of(False), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_a_limb_moves_what_it_hangs_on_and_nobody_else() -> None:
    world = World()
    number = world.resource(Library).clip(clips.clip(1))
    made = character(world, SKELETON, clip=number, root_motion=False, reach=[("spine", "hand")])
    ids = made.spawn(world, 3)
    loose = world.spawn(Reach(root=1, end=4, target=[0, 1, 1]), Parent(0))
    with Host() as host:
        schedule = Schedule(
            [AnimationSystem(), TransformSystem(), host.provider("system", "reach"), PoseSystem()]
        )
        schedule.run(world, 0.1)
        before = [world.get(int(i), GlobalPose).positions.copy() for i in ids]
        (chunk,) = world.query(Reach, Parent, without=(Pose,))
        middle = chunk[Parent].entity == ids[1]
        chunk[Reach].weight[middle] = 1.0
        goal = before[1][1] + [0.1, 0.2, 0.2]
        chunk[Reach].target[middle] = goal
        schedule.run(world, 0.0)
    after = [world.get(int(i), GlobalPose).positions for i in ids]
    np.testing.assert_allclose(after[0], before[0], atol=1e-12)
    np.testing.assert_allclose(after[2], before[2], atol=1e-12)
    np.testing.assert_allclose(after[1][4], goal, atol=3e-3)
    assert world.alive(loose).all()
    with pytest.raises(ValidationError, match="joint 'tail' is not"):
        character(world, SKELETON, reach=[("spine", "tail")])


# -- swinging -------------------------------------------------------------------------------------


def swinging(motion, *names, dt=1 / 60, **options):
    world, entity, _ = stage(motion, root_motion=False, inertia=False)
    world.insert(entity, sway(SKELETON, *names, **options))
    return world, entity, Schedule([AnimationSystem(), TransformSystem(), SwaySystem(), PoseSystem()])


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 50),
    st.floats(0.2, 6),
    st.floats(0, 1),
    st.floats(0, 2),
    st.lists(st.floats(0, 0.2), max_size=8),
)
def test_what_swings_keeps_its_bones_and_its_cone(seed, hertz, damping, most, dts) -> None:
    world, entity, schedule = swinging(
        clips.clip(seed), "neck", "arm", "hand", frequency=hertz, damping=damping, most=most
    )
    plain, other, still = swinging(clips.clip(seed), "neck", weight=0.0)
    for dt in dts:
        at = world.get(entity, Transform)
        at.position[:] += [0.3, -0.2, 0.1]
        plain.get(other, Transform).position[:] = at.position
        schedule.run(world, dt)
        still.run(plain, dt)
        shown, clip = world.get(entity, GlobalPose), plain.get(other, GlobalPose)
        for a, b in ((0, 1), (1, 2), (1, 3), (3, 4)):
            length = np.linalg.norm(SKELETON.rest_positions[b])
            assert np.linalg.norm(shown.positions[a] - shown.positions[b]) == pytest.approx(length, abs=1e-9)
        held = world.get(entity, Sway)
        for joint, at_ in zip(held.joints, held.at, strict=True):
            arm = Rotation.from_quat(shown.rotations[joint]).apply(held.ends[list(held.joints).index(joint)])
            np.testing.assert_allclose(shown.positions[joint] + arm, at_, atol=1e-9)
        # The neck hangs on no other joint that swings: its cone is around the clip's own neck.
        turned = Rotation.from_quat(clip.rotations[2]).inv() * Rotation.from_quat(shown.rotations[2])
        assert turned.magnitude() <= most + 1e-6


def test_what_is_not_moved_comes_to_rest_and_gravity_pulls() -> None:
    still = Motion(SKELETON, SKELETON.rest_positions[None], np.tile([0.0, 0, 0, 1], (1, 5, 1)), 30.0)
    world, entity, schedule = swinging(still, "arm", frequency=2.0, damping=0.4)
    schedule.run(world, 0.1)
    rest = world.get(entity, GlobalPose).positions.copy()
    world.get(entity, Transform).position[:] += [0, 0, 0.2]
    schedule.run(world, 1 / 120)
    lag = world.get(entity, GlobalPose).positions - [0, 0, 0.2] - rest
    assert lag[4, 2] < -0.1  # the hand is left behind
    hands = []
    for _ in range(600):
        schedule.run(world, 1 / 120)
        hands.append(world.get(entity, GlobalPose).positions[4, 2] - 0.2 - rest[4, 2])
    assert max(hands) > 0.005  # it swings through
    np.testing.assert_allclose(world.get(entity, GlobalPose).positions - [0, 0, 0.2], rest, atol=1e-4)
    world.get(entity, Sway).pull[:] = [0, -0.1, 0]
    for _ in range(600):
        schedule.run(world, 1 / 120)
    assert world.get(entity, GlobalPose).positions[4, 1] < rest[4, 1] - 0.05


def test_swinging_does_not_know_the_frame_rate() -> None:
    still = Motion(SKELETON, SKELETON.rest_positions[None], np.tile([0.0, 0, 0, 1], (1, 5, 1)), 30.0)
    ends = []
    for steps in (60, 960):
        world, entity, schedule = swinging(still, "arm")
        schedule.run(world, 0.0)
        world.get(entity, Sway).velocity[:] = [[0.1, 0.2, 0.1]]
        for _ in range(steps):
            schedule.run(world, 0.5 / steps)
        ends.append(world.get(entity, GlobalPose).positions[4].copy())
    # Free weights follow their springs exactly; the bone bends their way a little at every step.
    np.testing.assert_allclose(ends[0], ends[1], atol=2e-3)


def test_sway_names_joints_that_are_not_there() -> None:
    with pytest.raises(ValidationError, match="'tail'"):
        sway(SKELETON, "neck", "tail")


# -- springs --------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.floats(-3, 3),
    st.floats(-9, 9),
    st.floats(-3, 3),
    st.floats(0.02, 2),
    st.lists(st.floats(0, 0.5), max_size=6),
)
def test_springs_do_not_know_the_frame_rate(x, v, goal, halflife, dts) -> None:
    once = damp(np.array(x), np.array(v), goal, halflife, sum(dts))
    many = np.array(x), np.array(v)
    for dt in dts:
        many = damp(*many, goal, halflife, dt)
    np.testing.assert_allclose(many, once, atol=1e-9)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-9, 9), st.floats(0.1, 1))
def test_springs_solve_their_equation(x, v, halflife) -> None:
    w = 1.6783469900166605 / halflife
    exact = solve_ivp(
        lambda _, y: [y[1], -2 * w * y[1] - w * w * (y[0] - 1)], (0, 0.4), [x, v], rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(damp(np.array(x), np.array(v), 1.0, halflife, 0.4), exact.y[:, -1], atol=1e-6)
    assert damp(np.array(0.0), np.array(0.0), 1.0, halflife, halflife)[0] == pytest.approx(0.5)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-9, 9), st.floats(0, 4), st.floats(0, 1), st.floats(0, 0.6))
def test_swinging_springs_solve_their_equation(x, v, hertz, damping, time) -> None:
    w = 2 * np.pi * hertz
    exact = solve_ivp(
        lambda _, y: [y[1], -2 * damping * w * y[1] - w * w * (y[0] - 1)],
        (0, max(time, 1e-9)),
        [x, v],
        rtol=1e-10,
        atol=1e-10,
    )
    found = oscillate(np.array(x), np.array(v), 1.0, hertz, damping, time)
    np.testing.assert_allclose(found, exact.y[:, -1], atol=2e-6)


@settings(deadline=None)
@given(st.floats(0, 4), st.floats(0, 1), st.lists(st.floats(0, 0.5), max_size=6))
def test_swinging_springs_do_not_know_the_frame_rate(hertz, damping, dts) -> None:
    once = oscillate(np.array(1.0), np.array(-2.0), 0.5, hertz, damping, sum(dts))
    many = np.array(1.0), np.array(-2.0)
    for dt in dts:
        many = oscillate(*many, 0.5, hertz, damping, dt)
    np.testing.assert_allclose(many, once, atol=1e-8)


# -- clips ----------------------------------------------------------------------------------------


def test_sampling_is_slerp_and_lerp() -> None:
    motion = clips.clip(3)
    times = np.linspace(0, motion.duration, 77)
    p, q = Clip.of(motion).sample(times)
    frames = np.arange(motion.frame_count) / motion.framerate
    for j in range(clips.JOINTS):
        expected = Slerp(frames, Rotation.from_quat(motion.rotations[:, j]))(np.minimum(times, frames[-1]))
        assert (expected.inv() * Rotation.from_quat(q[:, j])).magnitude().max() < 1e-7
        for axis in range(3):
            np.testing.assert_allclose(
                p[:, j, axis], np.interp(times, frames, motion.positions[:, j, axis]), atol=1e-12
            )


def stage(motion, *more, dt=1 / 60, **options):
    world = World()
    number = world.resource(Library).clip(motion)
    (entity,) = character(world, motion.skeleton, clip=number, **options).spawn(world, 1, *more)
    return (
        world,
        int(entity),
        Schedule([AnimationSystem(), TransformSystem(), PoseSystem(), RecorderSystem()]),
    )


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=12), st.integers(0, 5), st.floats(-3, 3))
def test_root_motion_upon_pose_is_the_clip(dts, seed, turn) -> None:
    motion = clips.clip(seed, turn=turn)
    world, entity, schedule = stage(motion, Animator(clip=0, loop=False), inertia=False)
    # Where the clip's root stands and faces at first is where the character does.
    first = Clip.of(motion).root[0]
    at = world.get(entity, Transform)
    at.position[:] = [first[0], 0, first[1]]
    at.rotation[:] = Rotation.from_rotvec([0, first[2], 0]).as_quat()
    for dt in dts:
        schedule.run(world, dt)
    time = np.array([min(sum(dts), motion.duration)])
    p, q = Clip.of(motion).sample(time)
    shown = world.get(entity, GlobalPose)
    np.testing.assert_allclose(shown.positions[0], p[0, 0], atol=1e-9)
    assert (Rotation.from_quat(shown.rotations[0]).inv() * Rotation.from_quat(q[0, 0])).magnitude() < 1e-7


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 4.0), st.integers(0, 3), st.sampled_from((1.0, -1.0)))
def test_root_motion_goes_on_over_the_ends_of_a_loop(total, seed, way) -> None:
    motion = clips.clip(seed, turn=0.9)
    ends = []
    for steps in (1, 97):
        world, entity, schedule = stage(motion, Animator(clip=0, speed=way), inertia=False)
        for _ in range(steps):
            schedule.run(world, total / steps)
        at = world.get(entity, Transform)
        ends.append((at.position.copy(), Rotation.from_quat(at.rotation)))
    np.testing.assert_allclose(ends[0][0], ends[1][0], atol=1e-8)
    assert (ends[0][1].inv() * ends[1][1]).magnitude() < 1e-7


def shown(world, entity):
    held = world.get(entity, Pose)
    return held.positions.copy(), held.rotations.copy()


def test_a_cross_fade_begins_here_and_ends_there() -> None:
    world, entity, schedule = stage(clips.clip(1), inertia=False, root_motion=False)
    other = world.resource(Library).clip(clips.clip(2))
    schedule.run(world, 0.3)
    before = shown(world, entity)
    play(world, entity, other, fade=0.2)
    schedule.run(world, 0.0)
    np.testing.assert_allclose(shown(world, entity)[0], before[0], atol=1e-12)
    schedule.run(world, 0.1)
    mixed = shown(world, entity)
    schedule.run(world, 0.1)
    schedule.run(world, 0.1)
    p, q = world.resource(Library).clips[other].sample(np.array([0.3]))
    np.testing.assert_allclose(shown(world, entity)[0], p[0], atol=1e-12)
    np.testing.assert_allclose(shown(world, entity)[1], q[0], atol=1e-12)
    halves = [
        held.sample(np.array([t])) for held, t in zip(world.resource(Library).clips, (0.4, 0.1), strict=False)
    ]
    np.testing.assert_allclose(mixed[0], 0.5 * (halves[0][0][0] + halves[1][0][0]), atol=1e-12)


@pytest.mark.parametrize("rate", [60, 240])
def test_an_inertialised_transition_does_not_pop(rate) -> None:
    def run(inertia: bool):
        world, entity, schedule = stage(clips.clip(1), inertia=inertia, root_motion=False)
        if inertia:
            world.get(entity, Inertia).halflife[...] = 0.3
        other = world.resource(Library).clip(clips.clip(2, frames=121))
        frames = []
        for i in range(5 * rate // 2):
            if i == rate // 2:
                play(world, entity, other, fade=0.0)
            schedule.run(world, 1 / rate)
            frames.append(shown(world, entity)[1])
        q = Rotation.from_quat(np.array(frames)[:, 4])
        speed = (q[1:] * q[:-1].inv()).as_rotvec() * rate
        clip = world.resource(Library).clips[other].sample(np.array([2.0]))[1][0, 4]
        return (
            np.abs(speed).max(),
            np.abs(np.diff(speed, axis=0)).max() * rate,
            (q[-1].inv() * Rotation.from_quat(clip)).magnitude(),
        )

    cut, soft = run(False), run(True)
    assert cut[0] > 0.02 * rate  # the cut jumps by an angle, whatever the rate
    assert soft[0] < 12
    assert soft[1] < 250  # rad/s2, bounded independently of the rate
    assert soft[2] < 2e-2


@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize("rate", [60, 240])
def test_the_seam_of_a_loop_does_not_pop(rate, tree) -> None:
    """A clip that does not end as it began, in a loop."""

    def run(inertia: bool) -> float:
        world, entity, schedule = stage(clips.clip(1, frames=50), inertia=inertia)
        if tree:
            held = world.resource(Library)
            world.get(entity, Animator).clip[...] = held.tree(Along(0, {0.0: 0, 1.0: 0}))
        frames = []
        for _ in range(5 * rate):
            schedule.run(world, 1 / rate)
            frames.append(shown(world, entity)[1])
        q = Rotation.from_quat(np.array(frames)[:, 4])
        return float((q[1:] * q[:-1].inv()).magnitude().max() * rate)

    assert run(False) > 0.2 * rate  # the seam jumps by an angle, whatever the rate
    assert run(True) < 15


def test_inertia_is_bounded_at_any_rate() -> None:
    world, entity, schedule = stage(clips.clip(1), root_motion=False)
    schedule.run(world, 1 / 60)
    schedule.run(world, 1 / 60)
    before = shown(world, entity)
    play(world, entity, world.resource(Library).clip(clips.clip(2)))
    schedule.run(world, 0.0)
    np.testing.assert_allclose(shown(world, entity)[0], before[0], atol=1e-12)
    turned = Rotation.from_quat(shown(world, entity)[1]).inv() * Rotation.from_quat(before[1])
    assert turned.magnitude().max() < 1e-7


def test_play_refuses_what_does_not_fit() -> None:
    world, entity, _ = stage(clips.clip(1))
    for clip, fade, words in ((7, 0.1, "clip is 7"), (0, -1, "fade is -1")):
        with pytest.raises(ValidationError, match=words):
            play(world, entity, clip, fade=fade)


# -- looking, following, filming, recording -------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 3.0))
def test_looks_at_the_target_or_as_far_as_the_neck_allows(seed, most) -> None:
    random = np.random.default_rng(seed)
    world = World()
    library = world.resource(Library)
    number = library.clip(clips.clip(seed))
    target = world.spawn(Transform(random.normal(size=3) * 5), GlobalTransform())
    turn = Rotation.random(random_state=seed).as_quat()
    (entity,) = character(world, SKELETON, clip=number, root_motion=False).spawn(
        world,
        1,
        Transform(random.normal(size=3), turn, 1.3),
        LookAt(joint=2, entity=target, most=most, halflife=0.0),
    )
    plain = Schedule([AnimationSystem(), TransformSystem(), PoseSystem()])
    plain.run(world, 0.0)
    before = Rotation.from_quat(world.get(int(entity), GlobalPose).rotations[2].copy()).apply([0, 0, 1])
    Schedule([AnimationSystem(), LookAtSystem(), TransformSystem(), PoseSystem()]).run(world, 0.0001)
    posed = world.get(int(entity), GlobalPose)
    way = world.get(target, GlobalTransform).position - posed.positions[2]
    way /= np.linalg.norm(way)
    ahead = Rotation.from_quat(posed.rotations[2]).apply([0, 0, 1])
    asked = np.arccos(np.clip(before @ way, -1, 1))
    turned = np.arccos(np.clip(before @ ahead, -1, 1))
    assert turned <= most + 2e-3
    assert np.arccos(np.clip(ahead @ way, -1, 1)) == pytest.approx(max(asked - most, 0), abs=2e-3)


def test_follows_a_path_facing_along_it() -> None:
    world = World()
    path = Path([[0, 0], [2, 3], [6, 3], [9, 0]])
    number = world.resource(Library).path(path)
    there = world.spawn(Transform([0, 0.7, 0]), Follower(path=number, speed=1.5))
    back = world.spawn(Transform(), Follower(path=number, distance=1.0, speed=-1.0))
    round_ = world.spawn(Transform(), Follower(path=number, distance=path.length - 0.5, speed=1.0, loop=True))
    for _ in range(120):
        Schedule([FollowSystem()]).run(world, 1 / 60)
    held = world.get(there, Transform)
    np.testing.assert_allclose(held.position, [*path.at(3.0)[:1], 0.7, path.at(3.0)[1]], atol=1e-9)
    ahead = Rotation.from_quat(held.rotation).apply([0, 0, 1])
    np.testing.assert_allclose(ahead[[0, 2]], path.direction(3.0), atol=1e-9)
    assert world.get(back, Follower).distance == 0
    assert float(world.get(round_, Follower).distance) == pytest.approx(1.5)


@pytest.mark.parametrize("mode", [FREE, FIXED, ORBIT, THIRD_PERSON])
def test_cameras_glide_to_where_they_are_wanted(mode) -> None:
    world = World()
    turn = Rotation.from_rotvec([0, np.pi / 2, 0]).as_quat()
    hero = world.spawn(Transform([3, 0, 0], turn), GlobalTransform())
    rig = world.spawn(CameraRig(mode=ORBIT, entity=hero, distance=2.0, pitch=0.0, offset=[1, 2, 3]))
    run = Schedule([TransformSystem(), CameraSystem()])
    run.run(world, 1 / 60)
    assert camera(world, rig).position == pytest.approx([3, 1, -2])  # at once in the first step
    world.get(rig, CameraRig).mode[...] = mode
    places = [camera(world, rig).position]
    for _ in range(240):
        run.run(world, 1 / 60)
        places.append(camera(world, rig).position)
    wanted = {FREE: [1, 2, 3], FIXED: [1, 2, 3], ORBIT: [3, 1, -2], THIRD_PERSON: [1, 1, 0]}[mode]
    looks = {FREE: [1, 2, 5], FIXED: [3, 1, 0], ORBIT: [3, 1, 0], THIRD_PERSON: [3, 1, 0]}[mode]
    assert places[-1] == pytest.approx(wanted, abs=1e-5)
    assert camera(world, rig).target == pytest.approx(looks, abs=1e-5)
    # A critically damped spring of rate w goes at most w/e times its way a second; turns are taken
    # on the longer of both arms.
    held = world.get(rig, CameraRig)
    arms = np.abs(held.arm - [0, 0, 2.0]) * [max(2.0, held.arm[2])] * np.array([1, 1, 0]) + [
        0,
        0,
        abs(held.arm[2] - 2),
    ]
    way = arms.sum() + np.linalg.norm(np.array(looks) - [3, 1, 0])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps.max() <= 1.6783469900166605 / 0.12 / np.e / 60 * way + 1e-9
    world.despawn(hero)
    run.run(world, 1 / 60)
    assert camera(world, rig).target == pytest.approx(looks, abs=1e-4)


@settings(deadline=None, max_examples=20)
@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(0.5, 5))
def test_cameras_go_around_what_they_show_and_not_through(yaw, other, pitch, steeper, distance) -> None:
    world = World()
    hero = world.spawn(Transform([3, 0, 0]), GlobalTransform())
    rig = world.spawn(CameraRig(entity=hero, yaw=yaw, pitch=pitch, distance=distance))
    run = Schedule([TransformSystem(), CameraSystem()])
    run.run(world, 0.01)
    held = world.get(rig, CameraRig)
    began = float(held.arm[0])
    held.yaw[...], held.pitch[...] = other, steeper
    turned = []
    for _ in range(200):
        run.run(world, 0.02)
        shown = camera(world, rig)
        assert np.linalg.norm(shown.position - shown.target) == pytest.approx(distance, abs=1e-9)
        turned.append(float(held.arm[0]))
    assert np.ptp([began, *turned]) <= np.pi + 1e-6
    level = np.cos(steeper)
    ahead = np.array([np.sin(other) * level, -np.sin(steeper), np.cos(other) * level])
    assert camera(world, rig).position == pytest.approx([3, 1, 0] - distance * ahead, abs=1e-6)


def test_a_camera_straight_above_has_an_up() -> None:
    world = World()
    hero = world.spawn(Transform(), GlobalTransform())
    rig = world.spawn(CameraRig(entity=hero, pitch=np.pi / 2))
    fixed = world.spawn(CameraRig(mode=FIXED, entity=hero, offset=[0, 5, 0]))
    Schedule([TransformSystem(), CameraSystem()]).run(world, 0.01)
    for entity in (rig, fixed):
        right = camera(world, entity).view_matrix()[0, :3]
        assert right == pytest.approx([-1, 0, 0], abs=1e-9)


def test_what_is_recorded_is_what_was_shown(tmp_path) -> None:
    motion = clips.clip(4)
    world, entity, schedule = stage(motion, Transform([1, 0, 2], scale=1.5))
    poses = []
    loop = Loop(world, schedule, steps_per_second=30)
    for _ in range(50):
        loop.headless(1)
        poses.append(world.get(entity, GlobalPose).positions.copy())
    take = world.resource(Take).motion(world, entity)
    assert take.framerate == pytest.approx(30)
    np.testing.assert_allclose(take.global_transforms()[0], poses, atol=1e-9)
    with Host() as host:
        from kinetoscope_spec import Asset

        host.importer("glb").write(Asset("take", SKELETON, (take,)), str(tmp_path / "take.glb"))
        again = host.open(str(tmp_path / "take.glb")).motions[0]
    np.testing.assert_allclose(
        again.global_transforms()[0][:, -1], take.global_transforms()[0][:, -1], atol=1e-4
    )


def dressed() -> Asset:
    mesh = capsule_character(SKELETON).meshes
    return Asset("doll", SKELETON, (), mesh)


def test_what_is_drawn_and_written_is_what_stands_there(tmp_path) -> None:
    world = World()
    doll = dressed()
    number = world.resource(Library).clip(clips.clip(4))
    (entity,) = character(world, doll, clip=number).spawn(world, 1, Transform([1, 0, 2], scale=1.5))
    character(world, SKELETON).spawn(world)
    loop = Loop(world, Schedule([AnimationSystem(), TransformSystem(), PoseSystem(), RecorderSystem()]))
    loop.headless(40)
    (actor,) = scene(world).actors
    assert scene(world).actors[0].character is actor.character
    take = world.resource(Take).asset(world, int(entity))
    last = take.motions[0].frame_count - 1
    np.testing.assert_allclose(take.motions[0].global_matrices()[last], actor.pose, atol=1e-9)
    drawn = kinematics.skinned_vertices(take, 0, 0, last)
    with Host() as host:
        host.importer("glb").write(take, str(tmp_path / "take.glb"))
        again = host.open(str(tmp_path / "take.glb"))
    np.testing.assert_allclose(
        np.sort(kinematics.skinned_vertices(again, 0, 0, last), axis=0), np.sort(drawn, axis=0), atol=1e-4
    )
    world.get(int(entity), Skin).asset[...] = 5
    with pytest.raises(ValidationError, match="asset 5"):
        scene(world)


def test_a_whole_stage_repeats_itself() -> None:
    def run(threads: int) -> str:
        world = World(seed=4)
        crowd(world, 7, 1)
        world.insert(
            np.concatenate([chunk.entities for chunk in world.query(Rig)])[:3],
            RootMotion(0.5),
            Inertia(offset=np.zeros((5, 3))),
        )
        schedule = Schedule([kind() for kind in ALL], threads=threads)
        Loop(world, schedule).headless(40)
        schedule.close()
        return world.digest()

    assert run(1) == run(1) == run(3)

"""Bodies against what Newton and Coulomb say of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope import Host
from kinetoscope_mujoco import BOX, CAPSULE, SPHERE, Body, Physics
from kinetoscope_mujoco.system import RigidBodySystem
from kinetoscope_spec import ValidationError
from kinetoscope_stage import Loop, Parent, Recording, Schedule, Transform, World

G = 9.81


def stage(*more, **options):
    world = World()
    if options:
        world.provide(Physics(**options))
    return world, Schedule([RigidBodySystem(), *more])


def run(world, schedule, seconds, rate=60) -> None:
    for _ in range(round(seconds * rate)):
        schedule.run(world, 1 / rate)


def test_the_host_finds_it() -> None:
    with Host() as host:
        assert host.provider("system", "rigid-bodies").writes == (Body, Transform)


@settings(deadline=None, max_examples=20)
@given(
    st.tuples(*[st.floats(-5, 5)] * 3),
    st.tuples(*[st.floats(-5, 5)] * 3),
    st.sampled_from((SPHERE, CAPSULE, BOX)),
    st.sampled_from((30, 60, 120)),
)
def test_what_is_thrown_flies_a_parabola(velocity, spin, shape, rate) -> None:
    world, schedule = stage(ground=None)
    began = Rotation.from_rotvec([0.3, -0.8, 0.5])
    body = world.spawn(
        Transform([1, 2, 3], began.as_quat()),
        Body(shape=shape, size=[0.2, 0.2, 0.2], velocity=velocity, spin=spin),
    )
    run(world, schedule, 1.0, rate)
    expected = np.array([1, 2, 3]) + velocity + [0, -G / 2, 0]
    held, at = world.get(body, Body), world.get(body, Transform)
    # Semi-implicit steps fall ahead by half a step: g h t / 2.
    np.testing.assert_allclose(at.position, expected, atol=G * 0.004 / 2 + 1e-6)
    np.testing.assert_allclose(held.velocity, np.array(velocity) - [0, G, 0], atol=1e-6)
    if shape != CAPSULE:  # a ball and a cube turn on as they are
        np.testing.assert_allclose(held.spin, spin, atol=1e-3)
        turned = Rotation.from_quat(at.rotation) * (Rotation.from_rotvec(spin) * began).inv()
        assert turned.magnitude() < 5e-3


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 100))
def test_bodies_that_meet_keep_their_momentum(seed) -> None:
    random = np.random.default_rng(seed)
    world, schedule = stage(ground=None, gravity=(0, 0, 0))
    mass = random.uniform(0.5, 3, 6)
    ids = world.spawn_many(
        6,
        Transform(random.normal(size=(6, 3)) * 0.3),
        Body(
            shape=random.integers(0, 3, 6),
            size=[0.2, 0.2, 0.2],
            mass=mass,
            velocity=random.normal(size=(6, 3)),
        ),
    )
    before = sum(m * world.get(int(i), Body).velocity for m, i in zip(mass, ids, strict=True))
    run(world, schedule, 0.5)
    after = sum(m * world.get(int(i), Body).velocity for m, i in zip(mass, ids, strict=True))
    np.testing.assert_allclose(after, before, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "size", "turn", "height"),
    [
        (SPHERE, [0.3, 9, 9], [0, 0, 0], 0.3),
        (BOX, [0.2, 0.4, 0.3], [0, 1, 0], 0.4),
        (CAPSULE, [0.2, 0.5, 9], [0, 0, np.pi / 2], 0.2),
        (CAPSULE, [0.2, 0.5, 9], [0, 0, 0], 0.7),
    ],
)
def test_what_falls_comes_to_lie_on_the_ground(shape, size, turn, height) -> None:
    world, schedule = stage(ground=-1.0)
    at = Transform([0, height - 0.8, 0], Rotation.from_rotvec(turn).as_quat())
    body = world.spawn(at, Body(shape=shape, size=size, friction=1.0))
    run(world, schedule, 2.0)
    assert world.get(body, Transform).position[1] == pytest.approx(height - 1, abs=0.01)
    assert np.abs(world.get(body, Body).velocity).max() < 0.02


@settings(deadline=None, max_examples=8)
@given(st.floats(0.15, 1.2), st.floats(1, 4))
def test_friction_stops_a_box_after_its_way(friction, speed) -> None:
    world, schedule = stage()
    body = world.spawn(Transform([0, 0.1, 0]), Body(size=[0.3, 0.1, 0.3], friction=friction))
    run(world, schedule, 0.3)
    start = world.get(body, Transform).position[0].copy()
    world.get(body, Body).velocity[:] = [speed, 0, 0]
    run(world, schedule, speed / (friction * G) + 0.5)
    way = world.get(body, Transform).position[0] - start
    assert way == pytest.approx(speed**2 / (2 * friction * G), rel=0.1, abs=0.02)


def test_a_force_moves_by_its_mass_and_scale_makes_larger() -> None:
    world, schedule = stage(gravity=(0, 0, 0), ground=None)
    body = world.spawn(Transform(), Body(mass=4.0, force=[8, 0, 0]))
    run(world, schedule, 1.0)
    assert world.get(body, Body).velocity[0] == pytest.approx(2.0, abs=1e-9)
    world, schedule = stage()
    big = world.spawn(Transform([0, 2, 0], scale=3.0), Body(shape=SPHERE, size=[0.2, 0, 0]))
    run(world, schedule, 3.0)
    assert world.get(big, Transform).position[1] == pytest.approx(0.6, abs=0.01)


def test_a_walking_capsule_pushes_what_is_in_its_way_and_is_not_moved() -> None:
    from kinetoscope_stage import system

    @system(reads=[Transform], writes=[Transform], name="walk", before=["rigid-bodies"])
    def walk(view, dt) -> None:
        for chunk in view.query(Transform):
            moving = chunk.entities == walker
            chunk[Transform].position[moving, 0] += 1.2 * dt

    world, schedule = stage(walk)
    walker = world.spawn(Transform(), Body(shape=CAPSULE, size=[0.25, 0.6, 0], center=[0, 0.9, 0], mass=0.0))
    box = world.spawn(Transform([1.0, 0.3, 0]), Body(size=[0.3, 0.3, 0.3], mass=5.0, friction=0.5))
    away = world.spawn(Transform([0, 0.3, 3]), Body(size=[0.3, 0.3, 0.3]))
    child = world.spawn(Transform([0, 5, 0]), Body(), Parent(walker))
    run(world, schedule, 2.0)
    assert world.get(walker, Transform).position.tolist() == pytest.approx([2.4, 0, 0])
    assert world.get(box, Transform).position[0] > 2.4 + 0.25 + 0.3 - 0.05
    np.testing.assert_allclose(world.get(away, Transform).position, [0, 0.3, 3], atol=0.01)
    assert world.get(child, Transform).position.tolist() == [0, 5, 0]


def heap(system) -> tuple[World, Schedule, list[int]]:
    """Three boxes that fall on one another."""
    world = World()
    boxes = [
        world.spawn(Transform([0.05 * i, 0.3 + 0.5 * i, 0.02 * i]), Body(shape=BOX, size=[0.2, 0.2, 0.2]))
        for i in range(3)
    ]
    return world, Schedule([system]), boxes


def test_another_world_leaves_nothing_behind_in_the_engine() -> None:
    """Contacts are solved from where the last ones ended, unless the engine forgets: so it must."""
    system = RigidBodySystem()
    alone, schedule, _ = heap(RigidBodySystem())
    beside, shared, _ = heap(system)
    other, same, _ = heap(system)
    for step in range(90):
        schedule.run(alone, 1 / 60)
        shared.run(beside, 1 / 60)
        if step % 3 == 0:
            same.run(other, 1 / 60)
        assert beside.digest() == alone.digest()


def test_where_a_body_stands_in_its_table_does_not_matter() -> None:
    straight, schedule, boxes = heap(RigidBodySystem())
    moved, other, same = heap(RigidBodySystem())
    assert boxes == same
    world, entity = moved, same[0]
    world.insert([entity], Parent(same[1]))  # into another table
    world.remove([entity], Parent)  # and back, to its end
    assert [c.entities.tolist() for c in world.query(Body)] != [
        c.entities.tolist() for c in straight.query(Body)
    ]
    run(straight, schedule, 1.5)
    run(moved, other, 1.5)
    for box in boxes:
        for kind, field in ((Transform, "position"), (Transform, "rotation"), (Body, "velocity")):
            one, two = (getattr(held.get(box, kind), field) for held in (straight, moved))
            np.testing.assert_array_equal(one, two)


def test_replay_is_bit_equal_while_bodies_come_and_go() -> None:
    from kinetoscope_stage import system

    @system(reads=[Body], name="rain")
    def rain(view, dt) -> None:
        if view.step_count % 9 == 0:
            view.spawn(
                Transform([*view.random.normal(size=2), 0.1]), Body(shape=int(view.random.integers(3)))
            )
        for chunk in view.query(Body):
            view.despawn(chunk.entities[5:6])

    def loop(recording=None):
        world, schedule = stage(rain)
        return Loop(world, schedule, recording=recording)

    live = loop(Recording())
    digests = []
    for dt in (0.1, 0.033, 0.2, 0.0, 0.08, 0.3):
        live.tick(dt)
        digests.append(live.world.digest())
    again = loop()
    assert again.replay(live.recording) == digests
    assert len(live.world) >= 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"shape": 7}, "shape of entity .* is 7"),
        ({"size": [0.1, 0.0, 0.1]}, "size of entity"),
        ({"mass": -1.0}, "mass of entity .* is -1"),
        ({"friction": -0.5}, "friction of entity .* 0 or more"),
        ({"mass": -1.0}, "mass of entity .* expected 0, or"),
        ({"mass": 1e-20}, "mass of entity"),
        ({"mass": 1e-8, "size": [1e-6, 1e-6, 1e-6]}, "MuJoCo takes none"),
    ],
)
def test_what_is_no_body_is_named(given, words) -> None:
    world, schedule = stage()
    world.spawn(Transform(), Body(**given))
    with pytest.raises(ValidationError, match=words):
        schedule.run(world, 0.1)


def test_what_flies_apart_is_said_and_nothing_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    world, schedule = stage()
    world.spawn(Transform([0, 1, 0]), Body(velocity=[1e30, 0, 0]))
    with pytest.raises(ValidationError, match="flew apart"):
        schedule.run(world, 0.1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"gravity": (0, 1)}, {"ground": np.nan}, {"longest_step": 0.5}])
def test_physics_that_is_none_is_refused(options) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        Physics(**options)

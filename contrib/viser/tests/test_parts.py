"""What the page is made of, without a browser: time, following, colours, places, what is told."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import attrs
import numpy as np
import pytest
import view_bodies as bodies
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope import Host
from kinetoscope_spec import (
    Asset,
    Character,
    Column,
    Feature,
    FeatureSchema,
    Material,
    Mesh,
    Motion,
    Scene,
    Skeleton,
    ValidationError,
)
from kinetoscope_spec.body import capsule_character
from kinetoscope_stage import Library, Loop, Schedule, World
from kinetoscope_stage.character import character, scene
from kinetoscope_viser import Viewer
from kinetoscope_viser._bake import bake
from kinetoscope_viser._clock import Clock
from kinetoscope_viser._colors import MOST_COLORS, painted
from kinetoscope_viser._deviation import deviation
from kinetoscope_viser._features import grouped
from kinetoscope_viser._follow import HALFLIFE_S, Follower
from kinetoscope_viser._track import Track


def sample_walk() -> Motion:
    """A person's joints, swinging a little."""
    with Host() as host, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walk.sample.toml"
        path.write_text("# kinetoscope sample\naction = 'walk'\nseconds = 1.0\n")
        return host.open(path).motions[0]


POINTS = st.lists(st.floats(-10, 10), min_size=3, max_size=3).map(np.array)


@given(POINTS, POINTS, st.lists(st.floats(0.001, 0.2), min_size=1, max_size=8))
def test_following_does_not_depend_on_the_frame_rate(
    start: np.ndarray, goal: np.ndarray, steps: list[float]
) -> None:
    once, often = Follower(start.copy()), Follower(start.copy())
    for held in (once, often):
        held.step(start, 0.0)
    for dt in steps:
        often.step(goal, dt)
    np.testing.assert_allclose(once.step(goal, sum(steps)), often.point, atol=1e-9)


def test_half_of_a_distance_is_caught_up_in_the_halflife_and_nothing_overshoots() -> None:
    held = Follower()
    held.step(np.zeros(3), 0.0)
    goal = np.array([1.0, 0, 0])
    assert held.step(goal, HALFLIFE_S)[0] == pytest.approx(0.5, abs=0.01)
    way = [float(held.step(goal, 0.05)[0]) for _ in range(60)]
    assert way == sorted(way)
    assert way[-1] == pytest.approx(1, abs=1e-3)
    assert held.step(goal + 5, 0.0, jumped=True)[0] == pytest.approx(way[-1] + 5)


def test_the_clock_goes_round_waits_and_stops() -> None:
    clock = Clock(duration=2.0, speed=2.0)
    clock.advance(0.75)
    assert clock.time == 1.5
    clock.advance(0.5)
    assert (clock.time, clock.jumps) == (0.5, 1)
    clock.seek(9.0, hold_s=0.4)
    clock.advance(0.3)
    assert (clock.time, clock.held_s) == (2.0, pytest.approx(0.1))
    clock.loop = False
    clock.seek(1.0)
    clock.advance(5.0)
    assert (clock.time, clock.playing) == (2.0, False)
    clock.play(True)
    assert (clock.time, clock.playing) == (0.0, True)


def test_tracks_begin_late_and_hold_their_ends() -> None:
    track = Track("late", bodies.character(), bodies.motion())
    track.delay = 1.0
    assert track.end == pytest.approx(1.0 + 1.1)
    # Each frame's own time shows that frame, however it was computed.
    shown = [track.frame(1.0 + i / 10.0) for i in range(bodies.FRAMES)]
    assert shown == list(range(bodies.FRAMES))
    assert (track.frame(0.2), track.frame(99.0)) == (0, bodies.FRAMES - 1)


def test_scales_that_stay_are_in_the_vertices_and_those_that_change_are_told() -> None:
    body = bodies.character()
    for scale in (0.01, 3.0):
        moved = bodies.motion(scale)
        baked = bake(body, bodies.globals_of(moved, 0))
        pose = bodies.globals_of(moved, 5)
        np.testing.assert_allclose(baked.shown(pose), bodies.skinned(body, pose), atol=1e-9)
        assert deviation(body, baked, moved).max_mm < 1e-6
    moved = bodies.motion(2.0)
    scales = np.array(moved.scales)
    scales[6:, 0] = 2.2
    growing = attrs.evolve(moved, scales=scales)
    baked = bake(body, bodies.globals_of(growing, 0))
    far = [
        1000 * np.linalg.norm(baked.shown(pose) - bodies.skinned(body, pose), axis=1)
        for pose in (bodies.globals_of(growing, frame) for frame in range(bodies.FRAMES))
    ]
    assert np.max(far) > 10
    assert deviation(body, baked, growing).max_mm == pytest.approx(np.max(far))


def test_rigid_meshes_follow_their_nodes_mirrored_and_stretched() -> None:
    """A stretched, mirrored node carries its mesh as it is; faces turn, so that the outside stays outside."""
    corner = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    bones = Skeleton(["root", "box"], (-1, 0), np.zeros((2, 3)), np.tile([0, 0, 0, 1.0], (2, 1)))
    body = Character("box", bones, (Mesh.from_triangles("box", corner, faces, node=1),))
    turned = np.array([0.3, -0.5, 0.1, 0.8])
    turned /= np.linalg.norm(turned)
    scales = np.array([[[1, 1, 1], [2.0, -0.5, 3.0]]])
    moved = Motion(
        bones, np.array([[[1, 2, 3], [0.5, 0, 0.0]]]), np.stack([[turned, turned]]), 30.0, scales=scales
    )
    pose = bodies.globals_of(moved, 0)
    baked = bake(body, pose)
    wanted = corner @ pose[1, :3, :3].T + pose[1, :3, 3]
    np.testing.assert_allclose(baked.shown(pose), wanted, atol=1e-9)
    (part,) = baked.parts
    shown = part.vertices[part.faces]
    assert np.linalg.det(shown - part.vertices.mean(axis=0)).sum() > 0


def test_textures_become_a_few_colours_and_what_is_cut_out_goes() -> None:
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, :4], image[:, 4:] = (255, 0, 0, 255), (0, 0, 255, 255)
    image[4:, 4:, 3] = 0
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    uvs = np.concatenate([square * 0.3 + [x, y] for x in (0.1, 0.6) for y in (0.1, 0.6)])
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * i for i in range(4)])
    mesh = Mesh.from_triangles("quads", np.random.default_rng(0).normal(size=(16, 3)), faces, uvs=uvs)
    material = Material(
        "two", base_color=np.ones(4), base_color_image=image, alpha_mode="mask", double_sided=True
    )
    paints, chosen = painted(mesh, [material])
    assert {paint.color for paint in paints} == {(255, 0, 0), (0, 0, 255)}
    assert all(paint.double_sided and paint.opacity is None for paint in paints)
    colors = [None if i < 0 else paints[i].color for i in chosen]
    assert colors == [(255, 0, 0)] * 4 + [(0, 0, 255)] * 2 + [None] * 2
    noise = np.random.default_rng(1).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    paints, _ = painted(mesh, [Material("noise", base_color_image=noise)])
    assert len(paints) <= MOST_COLORS


def test_what_is_wrong_is_said_before_a_page_is_there() -> None:
    with pytest.raises(ValidationError, match="by which names"):
        Viewer(address="0.0.0.0")
    with pytest.raises(ValidationError, match="framerate is 0"):
        Viewer(framerate=0)


def test_contacts_and_ways_are_the_motions() -> None:
    """A person who stands on the left foot and swings the right one."""
    names = ["Hips", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot"]
    places = np.array(
        [[0, 1, 0], [0.1, 0, 0], [0, -0.45, 0], [0, -0.45, 0], [-0.1, 0, 0], [0, -0.45, 0], [0, -0.45, 0]]
    )
    bones = Skeleton(names, (-1, 0, 1, 2, 0, 4, 5), places, np.tile([0, 0, 0, 1.0], (7, 1)))
    moved = np.repeat(places[None], 30, axis=0)
    moved[10:20, 6, 1] += 0.3
    moved[:, 0, 2] = 0.0
    track = Track(
        "stand", Character("bare", bones), Motion(bones, moved, np.tile([0, 0, 0, 1.0], (30, 7, 1)), 30.0)
    )
    assert track.feet == [3, 6]
    assert track.contacts[:, 0].all()
    assert not track.contacts[10:20, 1].any()
    assert track.contacts[:8, 1].all()
    np.testing.assert_allclose(track.way, np.zeros((30, 3)), atol=1e-6)
    np.testing.assert_allclose(track.subject(4), [0, 1, 0], atol=1e-6)


def test_a_stage_is_shown_whenever_its_loop_renders_a_frame() -> None:
    """Ticked and headless alike, as it is between its last two steps; the stage does not wait."""
    walk = sample_walk()
    figure = capsule_character(walk.skeleton, sides=6, motion=walk)
    body = Asset("walker", walk.skeleton, (walk,), figure.meshes, figure.materials)
    world = World(seed=1)
    clip = world.resource(Library).clip(walk)
    character(world, body, clip=clip).spawn(world, 2)
    drawn: list[Scene] = []
    with Host() as host, Viewer(panel=False) as viewer:
        systems = [host.provider("system", name) for name in ("animation", "transforms", "poses")]
        watching = viewer.attach(world, lambda held, **given: drawn.append(scene(held, **given)) or drawn[-1])
        loop = Loop(world, Schedule([*systems, watching]), steps_per_second=60)
        with viewer.lock:
            before = viewer.dropped
            loop.headless(5)
            loop.tick(0.02)
        assert len(drawn) == 6
        assert viewer.dropped - before == 5
        for _ in range(200):
            if sorted(viewer.actors) == [1, 2]:
                break
            time.sleep(0.05)
        for actor in drawn[-1].actors:
            np.testing.assert_array_equal(viewer.actors[actor.id], actor.pose)


class Heights:
    """Heights of two joints, and a number that is the frame's."""

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        names = skeleton.names
        columns = [
            Column("height", "m", names[0], "y"),
            Column("count"),
            Column("height", "m", names[2], "y", 0.5),
        ]
        return FeatureSchema(columns)

    def compute(self, motion: Motion, frames: object = None) -> np.ndarray:
        places = motion.global_transforms()[0]
        return np.stack([places[:, 0, 1], np.arange(len(places)), places[:, 2, 1]], axis=1)


def test_features_are_grouped_by_what_they_speak_of_and_failures_are_told() -> None:
    track = Track("tumble", bodies.character(), bodies.motion())
    held = grouped(Heights(), track)
    assert {name: names for name, (names, _) in held.items()} == {
        "height joint0, m": ["y"],
        "count, 1": ["1"],
        "height joint2, m": ["y +0.50 s"],
    }
    wanted = [bodies.globals_of(track.motion, frame)[2, 1, 3] for frame in range(bodies.FRAMES)]
    np.testing.assert_allclose(held["height joint2, m"][1][:, 0], wanted)

    def broken() -> Feature:
        raise ValidationError("no feet in this skeleton")

    with Viewer(features={"heights": Heights, "broken": broken}) as viewer:
        viewer.clock.playing = False
        viewer.add(track)
        shown = viewer._panel._features
        with viewer.lock:
            shown.choose("broken")
            assert shown._now.content == "broken: no feet in this skeleton"
            shown.choose("heights")
            assert shown.columns.options == tuple(held)
            viewer.clock.seek(0.7)
            shown.draw("count, 1")
            shown.columns.value = "count, 1"
            shown.tell()
            assert shown._now.content == "frame 7: 1 **7**"


def test_a_track_turns_to_another_motion_of_its_file() -> None:
    first, other = bodies.motion(), bodies.motion(seed=9).slice(0, 5)
    track = Track("two", bodies.character(), first, motions=(first, other))
    with Viewer() as viewer:
        viewer.clock.playing = False
        viewer.shown.trajectory = True
        viewer.add(track)
        viewer.clock.seek(1.0)
        assert (len(track.joints), len(track.velocities)) == (bodies.FRAMES, bodies.FRAMES)
        viewer.turn_to(track, other)
        assert (viewer.clock.duration, viewer.clock.time) == pytest.approx((0.4, 0.4))
        np.testing.assert_allclose(track.joints[4], bodies.globals_of(other, 4)[:, :3, 3], atol=1e-6)
        np.testing.assert_allclose(track.pose(track.frame(0.4)), bodies.globals_of(other, 4), atol=1e-9)
        assert track.deviation.of == 5


def test_a_camera_that_follows_leaves_the_subject_where_it_was_on_the_page() -> None:
    """The world goes back by as much as the subject goes on; seen from an orbit it stays."""
    bones = bodies.skeleton()
    places = np.repeat(np.asarray(bones.rest_positions)[None], 51, axis=0)
    places[:, 0, 2] += 0.1 * np.arange(51)  # a metre a second along +Z
    moved = Motion(bones, places, np.repeat(np.asarray(bones.rest_rotations)[None], 51, axis=0), 10.0)
    with Viewer() as viewer:
        viewer.clock.playing = False
        viewer.show(bodies.character(), moved)

        def world(time: float) -> np.ndarray:
            with viewer.lock:
                viewer.clock.seek(time)
                viewer._send(0.0)
                return np.asarray(viewer._root.position)

        np.testing.assert_allclose(world(3.0), 0)
        viewer.look("follow")
        np.testing.assert_allclose(world(0.0), 0, atol=1e-9)
        np.testing.assert_allclose(world(3.0), [0, 0, -3], atol=1e-6)
        np.testing.assert_allclose(viewer._ground.position, 0, atol=1e-6)  # whole squares of the floor
        np.testing.assert_allclose(world(4.25), [0, 0, -4.25], atol=0.051)  # the frame that has begun
        viewer.frame_all()
        viewer.look("orbit")
        np.testing.assert_allclose(world(2.0), 0, atol=1e-9)
        with pytest.raises(ValidationError, match="camera is 'crane'"):
            viewer.look("crane")

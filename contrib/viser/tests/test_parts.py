"""What the page is made of, without a browser: time, following, colours, places, what is told."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import view_bodies as bodies
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope import Host
from kinetoscope.shot import film
from kinetoscope_spec import (
    Actor,
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
    kinematics,
)
from kinetoscope_spec.body import capsule_character
from kinetoscope_spec.ghosts import Ghost
from kinetoscope_stage import Library, Loop, Schedule, World
from kinetoscope_stage.character import character, scene
from kinetoscope_viser import Viewer, _glb
from kinetoscope_viser._bake import bake
from kinetoscope_viser._clock import Clock
from kinetoscope_viser._colors import Paint, painted
from kinetoscope_viser._deviation import deviation
from kinetoscope_viser._features import grouped
from kinetoscope_viser._follow import HALFLIFE_S, Follower
from kinetoscope_viser._live import same_body
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


def test_colours_are_the_materials_and_what_is_cut_out_goes() -> None:
    faces = np.arange(12).reshape(-1, 3)
    points = np.random.default_rng(0).normal(size=(12, 3))
    mesh = Mesh.from_triangles("four", points, faces, face_material=np.array([0, 1, 2, 7]))
    materials = [
        Material("glass", base_color=np.array([1, 0, 0, 0.5]), alpha_mode="blend", double_sided=True),
        Material("hole", base_color=np.array([1, 1, 1, 0.2]), alpha_mode="mask"),
        Material("lamp", base_color=np.array([0, 0, 1, 1.0]), emissive=np.array([0, 1, 0])),
    ]
    paints, chosen = painted(mesh, materials)
    held = [None if i < 0 else paints[i] for i in chosen]
    assert held[0] == Paint((255, 0, 0), 0.5, True)
    assert held[1] is None
    assert held[2] == Paint((0, 255, 255))
    assert held[3].color == (231, 231, 231)  # the material that is meant where there is none: 0.8


def test_a_glb_reader_finds_all_of_a_dressed_character_in_what_the_page_gets(tmp_path: Path) -> None:
    """Texture, seam, normals, weights and shapes, by the reader that reads everybody's files."""
    body = bodies.dressed()
    mesh = body.meshes[0]
    baked = bake(body, bodies.globals_of(bodies.motion(), 0))
    assert not baked.plain
    path = tmp_path / "dressed.glb"
    path.write_bytes(baked.glb)
    with Host() as host:
        read = host.open(path)
    assert read.warnings == ()
    (found,), (material,) = read.meshes, read.materials
    np.testing.assert_array_equal(material.base_color_image, body.materials[0].base_color_image)
    assert (material.wrap, material.alpha_mode) == (("clamp", "mirror"), "opaque")
    assert len(found.faces) == len(mesh.faces)
    for name in ("uvs", "normals"):
        corners = getattr(mesh, name)[mesh.faces]
        np.testing.assert_allclose(getattr(found, name)[found.faces], corners, atol=2e-4)
    rest = bodies.shaped(body)
    ends = mesh.corner_vertex[mesh.faces].ravel(), found.corner_vertex[found.faces].ravel()
    np.testing.assert_allclose(found.vertices[ends[1]], rest[ends[0]], atol=1e-6)
    np.testing.assert_allclose(found.morphs[:, ends[1]], mesh.morphs[:, ends[0]], atol=1e-6)
    assert np.abs(kinematics.morphed_vertices(found) - found.vertices).max() == 0
    page, own = (np.zeros((len(rest), bodies.JOINTS)) for _ in range(2))
    bones = baked.nodes[found.skin.joints]  # its bones are numbered as ours are
    for held, joints, weights, at in (
        (page, bones, found.skin.weights, found.vertices),
        (own, mesh.skin.bones[mesh.skin.joints], mesh.skin.weights, rest),
    ):
        where = np.linalg.norm(at[:, None] - rest[None], axis=-1).argmin(axis=1)
        for v, row, part in zip(where, joints, weights, strict=True):
            held[v] = 0
            np.add.at(held[v], row, part)
    np.testing.assert_allclose(page, own, atol=1e-6)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 9))
def test_textures_that_are_too_large_are_averaged_down(high: int, wide: int, most: int) -> None:
    image = np.random.default_rng(high * 31 + wide).integers(0, 256, (high, wide, 3)).astype(np.uint8)
    small = _glb.fitting(image, most)
    assert small.shape == (min(high, most), min(wide, most), 3)
    # Each texel is the mean of those around the same place, of which none is left out.
    for i, j in np.ndindex(small.shape[:2]):
        rows, cols = (
            slice(round(at * size / count), round((at + 1) * size / count))
            for at, size, count in ((i, high, small.shape[0]), (j, wide, small.shape[1]))
        )
        np.testing.assert_allclose(small[i, j], image[rows, cols].mean(axis=(0, 1)), atol=0.51)


def changed(mesh: Mesh) -> list[Mesh]:
    """Return a mesh with other colours, and so on: one for all that the page shows of it."""
    corners = len(mesh.corner_vertex)
    return [
        attrs.evolve(mesh, **{name: held})
        for name, held in {
            "vertices": mesh.vertices + 0.1,
            "faces": mesh.faces[::-1],
            "normals": np.tile([0.0, 1.0, 0.0], (corners, 1)),
            "uvs": np.full((corners, 2), 0.25),
            "colors": np.full((corners, 4), 0.5),
            "face_material": np.zeros(len(mesh.faces), np.int64),
            "morph_names": mesh.morph_names[::-1],
        }.items()
    ]


def test_who_speaks_is_one_figure_whatever_the_shape_of_the_face() -> None:
    """`film.morphed` makes another character of each frame; what has changed otherwise is another body."""
    body = bodies.dressed()
    moved = attrs.evolve(bodies.motion(), morph_weights={"smile": np.linspace(0, 1, bodies.FRAMES)})
    spoken = film.morphed(body, moved, 5)
    assert spoken is not body
    assert same_body(body, spoken)
    assert same_body(film.morphed(body, moved, 2), spoken)
    others = (
        attrs.evolve(body, materials=(attrs.evolve(body.materials[0], name="other"),)),
        attrs.evolve(body, meshes=(attrs.evolve(body.meshes[0], morphs=2 * body.meshes[0].morphs),)),
        attrs.evolve(body, meshes=()),
        *(attrs.evolve(body, meshes=(mesh,)) for mesh in changed(body.meshes[0])),
    )
    assert not any(same_body(body, other) for other in others)
    with Viewer(panel=False) as viewer:
        for frame in range(4):
            actor = Actor(film.morphed(body, moved, frame), bodies.globals_of(moved, frame), id=3)
            with viewer.lock:
                viewer.draw(Scene([actor]))
                viewer._send(0.0)
                (figure,) = viewer._stage.figures.values()
                assert figure.name == "actor3"
                pose = bodies.globals_of(moved, frame)
                wanted = bodies.skinned(
                    body, pose, vertices=bodies.shaped(body, smile=frame / (bodies.FRAMES - 1))
                )
                factors = figure.baked.factors(meshes=actor.character.meshes)
                np.testing.assert_allclose(figure.baked.shown(pose, factors), wanted, atol=1e-6)


def test_shapes_that_a_motion_plays_are_measured_with_all_else() -> None:
    body = bodies.dressed()
    curves = {"smile": np.linspace(0, 1, bodies.FRAMES), "frown": np.linspace(1, 0, bodies.FRAMES)}
    track = Track("face", body, attrs.evolve(bodies.motion(), morph_weights=curves))
    assert track.deviation.max_mm < 1e-3
    shape = bodies.shaped(body, smile=curves["smile"][7], frown=curves["frown"][7])
    pose = bodies.globals_of(track.motion, 7)
    np.testing.assert_allclose(
        track.baked.shown(pose, track.factors(7)), bodies.skinned(body, pose, vertices=shape), atol=1e-6
    )
    with Viewer(panel=False) as viewer:
        name = viewer.show(body)
        with pytest.raises(ValidationError, match=r"weight of 'grin' is 1.0, expected .*'frown', 'smile'"):
            viewer.push(name, pose, {"grin": 1.0})


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


def test_ghosts_are_where_the_body_was_and_will_be_and_go_when_they_are_not_wanted() -> None:
    """Those of `Ghosts.of` that are within the clip, by what the page is told of their bones."""
    body, moved = bodies.character(), bodies.motion()
    with Viewer(panel=False) as viewer:
        viewer.clock.playing = False
        viewer.show(body, moved)

        def shown(time: float) -> list[Any]:
            with viewer.lock:
                viewer.clock.seek(time)
                viewer._send(0.0)
                held = viewer._haunts.get("track0")
                return [mesh for _, mesh in held[0]._held if mesh.visible] if held else []

        assert shown(0.5) == []
        with viewer.lock:
            viewer.shown.ghosts = True
            viewer.refresh()
        meshes = shown(0.5)
        track = viewer.tracks[0]
        # Four before and two ahead, a quarter of a second apart; the farthest first, paler than the nearest.
        for mesh, step in zip(meshes, (-5, -2, 5, 2), strict=True):
            pose = bodies.globals_of(moved, 5 + step)
            carried = [bodies.matrix(b.position, np.roll(b.wxyz, -1)) for b in mesh.bones]
            part = track.baked.whole
            found = np.einsum(
                "vk,vkij,vj->vi",
                part.weights,
                np.stack(carried)[part.joints],
                np.c_[part.vertices, np.ones(len(part.vertices))],
            )[:, :3]
            nearest = np.linalg.norm(bodies.skinned(body, pose)[:, None] - found[None], axis=-1).min(axis=1)
            assert nearest.max() < 1e-5
        assert meshes[0].opacity < meshes[1].opacity
        assert meshes[2].color != meshes[0].color  # what is to come is blue
        assert len(shown(0.0)) == 2  # nothing before the first frame; the same meshes are kept for later
        with viewer.lock:
            viewer.shown.ghosts = False
            viewer.refresh()
        assert shown(0.5) == []
        assert viewer._haunts == {}


def test_ghosts_of_a_scene_are_drawn_and_what_is_none_is_refused() -> None:
    body = bodies.character()
    poses = [bodies.globals_of(bodies.motion(), frame) for frame in range(3)]
    with Viewer(panel=False) as viewer, viewer.lock:
        for count in (2, 1):
            ghosts = [Ghost(body, pose, 0.3, (1.0, 0, 0)) for pose in poses[:count]]
            viewer.draw(Scene([Actor(body, poses[2], id=1)], annotations={"ghosts": ghosts}))
            viewer._send(0.0)
            seen = [mesh for _, mesh in viewer._stage._haunt._held if mesh.visible]
            assert [(tuple(mesh.color), mesh.opacity) for mesh in seen] == [((255, 0, 0), 0.3)] * count
        moved = attrs.evolve(bodies.motion(), morph_weights={"smile": np.linspace(0, 1, bodies.FRAMES)})
        face = bodies.dressed()
        spoken = [film.morphed(face, moved, frame) for frame in range(4)]
        for frame in range(3):  # another character each time, of one body
            ghosts = [Ghost(who, bodies.globals_of(moved, 0)) for who in spoken[frame : frame + 2]]
            viewer.draw(Scene(annotations={"ghosts": ghosts}))
            viewer._send(0.0)
        assert len(viewer._stage._haunt._held) == 2 + 2
        viewer.draw(Scene(annotations={"ghosts": [body]}))
        with pytest.raises(ValidationError, match="something other than a sequence of Ghost"):
            viewer._send(0.0)


def test_the_timeline_ends_in_whole_steps_and_not_before_the_last_frame() -> None:
    walk = bodies.motion()
    with Viewer() as viewer:
        for rate in (30.0, 29.97, 60.0, 10.0):
            viewer.show(bodies.character(), attrs.evolve(walk, framerate=rate))
            end, duration = viewer._panel._time.max, viewer.clock.duration
            assert duration - 1e-6 <= end < duration + 1e-3
            assert round(1000 * end) == pytest.approx(1000 * end, abs=1e-6)

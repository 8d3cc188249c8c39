"""Levels of detail: crowds are drawn with fewer triangles, and look the same to a pixel."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Actor, Camera, Character, Material, Mesh, Skeleton, Skin, detail

pytestmark = pytest.mark.gl

CAMERA = Camera((0.3, 1.2, 2.8), (0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def body(kit):
    """A ball of 9,000 triangles whose upper half follows a second bone."""
    points, faces = kit.sphere(0.8, rings=48)
    share = np.clip(0.5 + points[:, 1], 0, 1)
    skin = Skin(
        np.tile([0, 1], (len(points), 1)),
        np.stack([1 - share, share], 1),
        np.arange(2),
        np.tile(np.eye(4), (2, 1, 1)),
    )
    mesh = Mesh.from_triangles("ball", points, faces, skin=skin)
    return Character("body", Skeleton(("hip", "head"), [-1, 0], np.zeros((2, 3))), (mesh,))


def crowd(kit, body, count=16):
    """Bent bodies, the farther ones behind."""
    actors = []
    for n in range(count):
        pose = np.tile(np.eye(4), (2, 1, 1))
        c, s = np.cos(0.5), np.sin(0.5)
        pose[1, :2, :2] = [[c, -s], [s, c]]
        pose[:, :3, 3] = 1.9 * (n % 4 - 1.5), 0.0, -3.0 * (n // 4)
        actors.append(Actor(body, pose, id=n + 1))
    return kit.scene(*actors)


def drawn(sessions, scene, quality, **passes):
    return sessions(quality, size=(320, 180), buffers=("id", "depth"), **passes).render(scene, CAMERA)


@pytest.mark.parametrize(("quality", "most_px"), [("draft", 2.0), ("medium", 1.0), ("high", 0.5)])
def test_a_crowd_is_drawn_with_fewer_triangles_and_looks_the_same(kit, body, sessions, quality, most_px):
    scene = crowd(kit, body)
    full, fewer = (drawn(sessions, scene, quality, lod=on) for on in (False, True))
    triangles = len(body.meshes[0].faces)
    assert full.work["geometry.triangles"] == 16 * triangles
    assert not any("triangles_level" in name for name in full.work)
    levels = {name: n for name, n in fewer.work.items() if "triangles_level" in name}
    assert levels
    assert sum(levels.values()) <= fewer.work["geometry.triangles"] < 0.5 * 16 * triangles
    wrong = full.buffers["id"] != fewer.buffers["id"]
    # A pixel is wrong only within the error, and half a pixel for its centre, of an outline of the full picture.
    ids = np.pad(full.buffers["id"].astype(int), 3, mode="edge")
    reach = int(np.ceil(most_px + 0.5))
    high, wide = wrong.shape
    around = [
        ids[3 + y : 3 + y + high, 3 + x : 3 + x + wide]
        for y in range(-reach, reach + 1)
        for x in range(-reach, reach + 1)
    ]
    beside = np.ptp(around, axis=0) > 0
    assert not (wrong & ~beside).any()
    assert wrong.sum() < 0.35 * beside.sum()
    off = np.abs(full.color.astype(int) - fewer.color).max(axis=-1)
    assert off[~beside].mean() < 1.0


def test_coarser_presets_and_farther_bodies_take_less(kit, body, sessions):
    near = crowd(kit, body)
    moved = []
    for actor in near.actors:
        pose = np.array(actor.pose)
        pose[:, 2, 3] -= 20.0
        moved.append(attrs.evolve(actor, pose=pose))
    counts = [
        drawn(sessions, scene, quality, lod=True).work["geometry.triangles"]
        for quality, scene in (("high", near), ("draft", near), ("draft", attrs.evolve(near, actors=moved)))
    ]
    assert counts[0] > counts[1] > counts[2], counts


def test_few_bodies_are_drawn_in_full(kit, body, sessions):
    """One who fills the picture, and one before whose nose the camera stands, whatever the others are."""
    alone = crowd(kit, body, count=1)
    full, same = (drawn(sessions, alone, "medium", lod=on) for on in (False, True))
    np.testing.assert_array_equal(full.color, same.color)
    assert same.work["geometry.triangles"] == len(body.meshes[0].faces)


def test_the_same_scene_gives_the_same_picture_whatever_came_before(kit, body, sessions):
    scene = crowd(kit, body)
    first = drawn(sessions, scene, "medium", lod=True)
    sessions("medium", size=(320, 180), buffers=("id", "depth"), lod=True).render(
        scene, attrs.evolve(CAMERA, position=(0, 3, 30))
    )
    again = drawn(sessions, scene, "medium", lod=True)
    np.testing.assert_array_equal(first.color, again.color)


def test_what_is_seen_through_stays_so_at_every_level(kit, body, sessions):
    """The one corner that lets light through is among those that no level takes."""
    (mesh,) = body.meshes
    colors = np.ones((len(mesh.corner_vertex), 4))
    kept = np.concatenate([choice.corners for choice in detail.coarser(mesh)])
    colors[np.setdiff1d(np.arange(len(colors)), kept)[0], 3] = 0.5
    glass = attrs.evolve(
        body,
        meshes=(attrs.evolve(mesh, colors=colors),),
        materials=(Material("glass", np.ones(4), alpha_mode="blend"),),
    )
    frame = drawn(sessions, crowd(kit, glass), "medium", lod=True)
    assert any(
        "triangles_level" in name for name in drawn(sessions, crowd(kit, body), "medium", lod=True).work
    )
    assert frame.work["transparent.layers"] > 0
    assert not frame.buffers["id"].any()

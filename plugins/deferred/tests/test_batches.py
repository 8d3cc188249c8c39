"""Crowds in few draws: the very picture that single draws make, buffer by buffer."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from kinetoscope_deferred.passes import batches, geometry, shadow, transparent
from kinetoscope_spec import Actor, Camera, Character, Ground, Material, Mesh, Skeleton, Skin

pytestmark = pytest.mark.gl

CAMERA = Camera((0.3, 2.2, 5.2), (0.0, 0.4, 0.0))
BUFFERS = ("depth", "normal", "albedo", "material", "motion", "id", "hdr", "final")


def body(kit, rng, material, blending="linear"):
    """A ball of three bones with holes or without, whose vertices all follow two of them."""
    points, faces = kit.sphere(0.45, rings=14)
    joints = np.array([rng.permutation(3)[:2] for _ in points])
    share = rng.uniform(0.2, 0.8, len(points))
    skin = Skin(
        joints, np.stack([share, 1 - share], 1), np.arange(3), np.tile(np.eye(4), (3, 1, 1)), blending
    )
    swollen = 0.1 * points[None]
    mesh = Mesh.from_triangles(
        "ball", points, faces, skin=skin, uvs=points[:, :2], morphs=swollen, morph_names=("swollen",)
    )
    return Character("body", Skeleton(("a", "b", "c"), [-1, 0, 1], np.zeros((3, 3))), (mesh,), (material,))


def crowd(kit, count=14):
    """Several bodies that share meshes, in turns: solid, cut out, glass, glowing; some mirrored, some morphed."""
    rng = np.random.default_rng(4)
    image = rng.integers(0, 256, (6, 6, 4), dtype=np.uint8)
    kinds = [
        body(kit, rng, Material("solid", np.array([0.7, 0.4, 0.2, 1.0]))),
        body(kit, rng, Material("net", np.ones(4), alpha_mode="mask", base_color_image=image)),
        body(kit, rng, Material("glass", np.array([0.3, 0.5, 0.9, 0.4]), alpha_mode="blend")),
        body(kit, rng, Material("lamp", np.ones(4), emissive=np.array([2.0, 1.0, 0.2])), "dual_quaternion"),
    ]
    (mesh,) = kinds[0].meshes
    kinds.append(attrs.evolve(kinds[0], meshes=(attrs.evolve(mesh, morph_weights={"swollen": 1.0}),)))
    actors = []
    for n in range(count):
        pose = np.tile(np.eye(4), (3, 1, 1))
        pose[:, :3, :3] += rng.normal(scale=0.1, size=(3, 3, 3))
        pose[:, :3, 3] = 1.1 * (n % 4 - 1.5), 0.5, -1.0 * (n // 4)
        if n % 3 == 1:
            pose[:, 0] *= [-1, -1, -1, 1]
        past = pose.copy()
        past[:, :3, 3] += rng.normal(scale=0.05, size=3)
        actors.append(Actor(kinds[n % len(kinds)], pose, id=n + 1, previous_pose=past))
    return kit.scene(*actors, ground=Ground())


@pytest.mark.parametrize("passes", [{}, {"transparent": False}], ids=["layers", "dithered"])
def test_a_crowd_is_the_picture_that_single_draws_make(kit, sessions, monkeypatch, passes):
    scene = crowd(kit)
    session = sessions("medium", size=(200, 112), buffers=BUFFERS, **passes)
    together = session.render(scene, CAMERA)
    for module in (geometry, shadow, transparent):
        monkeypatch.setattr(module, "batched", lambda draws: [[draw] for draw in draws])
    alone = session.render(scene, CAMERA)
    for name in BUFFERS:
        np.testing.assert_array_equal(together.buffers[name], alone.buffers[name], err_msg=name)
    # Five kinds, of which each is mirrored now and then.
    assert together.work["geometry.batches"] <= 10 < alone.work["geometry.batches"] == 14
    assert together.work["shadow.batches"] < alone.work["shadow.batches"] == alone.work["shadow.draws"]
    for name in ("geometry.draws", "geometry.triangles", "shadow.draws", "transparent.layers"):
        assert together.work.get(name) == alone.work.get(name)
    assert len(np.unique(together.buffers["id"])) > 8
    assert np.abs(together.buffers["motion"]).max() > 0.5


def test_instances_beyond_a_row_have_their_own_bones_and_ids(kit, sessions):
    """300 small bodies on a grid, seen from above: under the pixel of each centre lies its own id."""
    rng = np.random.default_rng(1)
    one = body(kit, rng, Material("solid"))
    actors = []
    for n in range(300):
        pose = np.tile(np.diag([0.4, 0.4, 0.4, 1.0]), (3, 1, 1))
        pose[:, :3, 3] = n % 20 - 9.5, 0.0, n // 20 - 7.0
        actors.append(Actor(one, pose, id=n + 1))
    down = Camera((0.0, 20.0, 0.0), (0.0, 0.0, 0.0), up=(0.0, 0.0, -1.0))
    session = sessions("draft", size=(320, 180), buffers=("id",))
    frame = session.render(kit.scene(*actors), down)
    assert frame.work["geometry.batches"] == 1
    places = np.array([actor.pose[0, :3, 3] for actor in actors])
    x, y = np.floor(down.project(places, (320, 180))[:, :2]).astype(int).T
    np.testing.assert_array_equal(frame.buffers["id"][y, x], np.arange(300) + 1)


def test_lots_keep_their_order_and_part_what_is_mirrored():
    class Drawn:
        def __init__(self, mesh, mirrored):
            self.mesh, self.mirrored = mesh, mirrored

    one, other = object(), object()
    given = [Drawn(one, False), Drawn(other, False), Drawn(one, True), Drawn(one, False)]
    assert [[given.index(draw) for draw in lot] for lot in batches.batched(given)] == [[0, 3], [1], [2]]

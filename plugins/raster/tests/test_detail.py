"""Levels of detail: those that the renderer on OpenGL shows, and pictures that look the same to a pixel."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import (
    Actor,
    Camera,
    Character,
    Ground,
    Material,
    Mesh,
    ProviderUnavailable,
    Scene,
    Skeleton,
    Skin,
    detail,
)

SIZE = (320, 180)
VIEW = Camera((0.3, 1.2, 2.8), (0.0, 0.0, 0.0))
BUFFERS = ("id", "depth")


@pytest.fixture(scope="module")
def body(kit):
    """A ball of 9,000 triangles whose upper half follows a second bone."""
    points, faces = kit.ball(0.8)
    share = np.clip(0.5 + points[:, 1], 0, 1)
    skin = Skin(
        np.tile([0, 1], (len(points), 1)),
        np.stack([1 - share, share], 1),
        np.arange(2),
        np.tile(np.eye(4), (2, 1, 1)),
    )
    mesh = Mesh.from_triangles("ball", points, faces, skin=skin)
    return Character("body", Skeleton(("hip", "head"), [-1, 0], np.zeros((2, 3))), (mesh,))


def crowd(body, count=16):
    """Bent bodies, the farther ones behind."""
    actors = []
    for n in range(count):
        pose = np.tile(np.eye(4), (2, 1, 1))
        c, s = np.cos(0.5), np.sin(0.5)
        pose[1, :2, :2] = [[c, -s], [s, c]]
        pose[:, :3, 3] = 1.9 * (n % 4 - 1.5), 0.0, -3.0 * (n // 4)
        actors.append(Actor(body, pose, id=n + 1))
    return Scene(actors=actors, ground=Ground(height=-0.8))


def drawn(scene, camera=VIEW, quality="medium", renderer=RasterRenderer, **passes):
    with renderer().open(SIZE, quality, buffers=BUFFERS, passes=passes) as session:
        return session.render(scene, camera)


def by_level(frame):
    return {
        name: count
        for name, count in frame.work.items()
        if name.startswith(("geometry.draws", "geometry.tri"))
    }


def beside(ids, reach):
    """Return which pixels have others than their own id within `reach` pixels."""
    padded = np.pad(ids.astype(int), reach, mode="edge")
    high, wide = ids.shape
    around = [padded[y : y + high, x : x + wide] for y in range(2 * reach + 1) for x in range(2 * reach + 1)]
    return np.ptp(around, axis=0) > 0


@pytest.mark.parametrize(("quality", "most_px"), [("draft", 2.0), ("high", 0.5)])
def test_a_crowd_is_drawn_with_fewer_triangles_and_looks_the_same(body, quality, most_px):
    full, fewer = (drawn(crowd(body), quality=quality, lod=on) for on in (False, True))
    whole = 16 * len(body.meshes[0].faces)
    assert by_level(full) == {"geometry.draws": 16, "geometry.triangles": whole}
    levels = [count for name, count in by_level(fewer).items() if "level" in name]
    assert levels
    assert sum(levels) <= fewer.work["geometry.triangles"] < 0.5 * whole
    assert fewer.work["shadow.triangles"] < full.work["shadow.triangles"]
    # A pixel is wrong only within the error, and half a pixel for its centre, of an outline of the full picture.
    outline = beside(full.buffers["id"], int(np.ceil(most_px + 0.5)))
    wrong = full.buffers["id"] != fewer.buffers["id"]
    assert not (wrong & ~outline).any()
    assert wrong.sum() < 0.35 * outline.sum()
    off = np.abs(full.color.astype(int) - fewer.color).max(axis=-1)
    assert off[~outline].mean() < 1.0


@pytest.mark.gl
@pytest.mark.parametrize("quality", ["draft", "medium", "high"])
@pytest.mark.parametrize("blending", ["linear", "dual_quaternion"])
def test_levels_are_those_of_opengl(body, quality, blending):
    """Each renderer stays what the other is held to: in crowds, too, they draw the same triangles."""
    deferred = pytest.importorskip("kinetoscope_deferred.renderer").DeferredRenderer
    scene = crowd(body.blended(blending))
    for camera in (VIEW, attrs.evolve(VIEW, position=(3.0, 2.0, 9.0))):
        try:
            theirs = drawn(scene, camera, quality, deferred)
        except ProviderUnavailable as error:
            pytest.skip(f"no OpenGL driver: {error}")
        ours = drawn(scene, camera, quality)
        assert by_level(ours) == by_level(theirs)
        assert any("level" in name for name in by_level(ours))
        assert (ours.buffers["id"] != theirs.buffers["id"]).mean() < 1e-3
        both = (ours.buffers["id"] == theirs.buffers["id"]) & (ours.buffers["id"] > 0)
        off = np.abs(ours.buffers["depth"][both] / theirs.buffers["depth"][both] - 1)
        assert np.percentile(off, 99) < 5e-4


def test_few_bodies_are_drawn_in_full(body):
    alone = crowd(body, count=1)
    full, same = (drawn(alone, lod=on) for on in (False, True))
    np.testing.assert_array_equal(full.color, same.color)
    assert by_level(full) == by_level(same)


def test_the_same_scene_gives_the_same_picture_whatever_came_before(body):
    scene, far = crowd(body), attrs.evolve(VIEW, position=(0, 3, 30))
    with RasterRenderer().open(SIZE, "medium") as session:
        first = session.render(scene, VIEW)
        between = session.render(scene, far)
        again = session.render(scene, VIEW)
    assert by_level(between) != by_level(first)
    np.testing.assert_array_equal(first.color, again.color)


def test_what_is_seen_through_stays_so_at_every_level(body):
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
    frame = drawn(crowd(glass))
    assert any("level" in name for name in by_level(frame))
    assert frame.work["transparent.layers"] > 0
    assert not frame.buffers["id"].any()

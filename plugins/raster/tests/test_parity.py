"""What both renderers draw: ribbons, motion, glow and the floor, each against the one on OpenGL."""

import attrs
import numpy as np
import pytest

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import Camera, Ground, Material, ProviderUnavailable, Scene, ValidationError

SIZE = (160, 90)
VIEW = Camera(position=(0.4, 1.6, 3.2), target=(0.0, 0.4, 0.0))
RIBBON = [
    {"points": np.array([[-1.2, 0.6], [0.0, 0.9], [1.2, 0.3]]), "color": (0.9, 0.1, 0.05), "width": 0.2}
]


def drawn(scene, camera=VIEW, buffers=("hdr",), **passes):
    """Return the frames of `raster` and `deferred`."""
    deferred = pytest.importorskip("kinetoscope_deferred.renderer")
    frames = []
    for renderer in (RasterRenderer, deferred.DeferredRenderer):
        try:
            with renderer().open(SIZE, "medium", buffers=buffers, passes=passes) as session:
                frames.append(session.render(scene, camera))
        except ProviderUnavailable as error:
            pytest.skip(f"no OpenGL driver: {error}")
    return frames


@pytest.mark.gl
def test_a_ribbon_is_the_same_on_opengl(kit):
    ball = kit.actor(kit.ball(0.3), at=(0.0, 0.3, 0.8), number=2)
    scene = Scene(actors=(ball,), ground=Ground(), annotations={"trajectory": RIBBON})
    names = ("id", "depth", "normal", "albedo")
    ours, theirs = (frame.buffers for frame in drawn(scene, buffers=names))
    red = (theirs["albedo"][..., 0] > 0.85) & (theirs["id"] == 0)
    assert red.mean() > 0.01
    same = (ours["id"] == theirs["id"]) & (np.abs(ours["albedo"] - theirs["albedo"]).max(axis=-1) < 0.02)
    assert same[red].mean() > 0.97
    inner = red & same
    np.testing.assert_allclose(ours["depth"][inner], theirs["depth"][inner], rtol=1e-3)
    assert (np.abs(ours["normal"][inner] - [0, 1, 0]) < 1e-3).all()
    with RasterRenderer().open(SIZE, "medium", buffers=names, passes={"annotations": False}) as session:
        assert (session.render(scene, VIEW).buffers["albedo"][red][:, 0] < 0.85).all()


def test_a_wrong_trajectory_is_said():
    scene = Scene(annotations={"trajectory": np.zeros((3, 4))})
    with RasterRenderer().open(SIZE) as session, pytest.raises(ValidationError, match="trajectory"):
        session.render(scene, VIEW)


@pytest.mark.gl
def test_motion_is_the_same_on_opengl(kit):
    ball = kit.actor(kit.ball(0.4), at=(0.1, 0.5, 0.2), number=2)
    before = ball.pose.copy()
    before[0, :3, 3] -= (0.2, 0.05, -0.1)
    glows = Material("glows", emissive=np.ones(3))
    lamp = kit.actor(kit.ball(0.1), at=(0.9, 0.3, 0.2), number=3, material=glows)
    scene = Scene(actors=(attrs.evolve(ball, previous_pose=before), lamp), ground=Ground())
    for actors in (scene.actors, scene.actors[:1]):
        ours, theirs = (
            frame.buffers for frame in drawn(attrs.evolve(scene, actors=actors), buffers=("motion", "id"))
        )
        both = (ours["id"] == 2) & (theirs["id"] == 2)
        assert np.abs(theirs["motion"][both]).max() > 3
        np.testing.assert_allclose(ours["motion"][both], theirs["motion"][both], atol=2e-2)
        assert np.abs(ours["motion"][ours["id"] != 2]).max() < 1e-4
        assert np.abs(theirs["motion"][theirs["id"] != 2]).max() < 1e-4


@pytest.mark.gl
@pytest.mark.parametrize("power", [3.0, 40.0])
def test_glow_is_that_of_opengl(kit, power):
    glows = Material("glows", base_color=np.array([0, 0, 0, 1.0]), emissive=np.array([power, power / 2, 0]))
    lamp = kit.actor(kit.ball(0.2), at=(0.0, 0.5, 0.0), number=3, material=glows)
    dark = np.zeros(3)
    scene = Scene(actors=(lamp,), lights=(), sky=dark, earth=dark, background=np.array([0.0, 0.0, 0.0, 1.0]))
    ours, theirs = (frame.color.astype(int) for frame in drawn(scene, fxaa=False))
    beside = drawn(scene, buffers=("id",))[0].buffers["id"] == 0
    assert theirs[beside].max() > 30
    assert np.percentile(np.abs(ours - theirs).max(axis=-1)[beside], 95) <= 6


@pytest.mark.gl
def test_the_floor_fades_as_on_opengl():
    far = Camera(position=(0.0, 1.7, 0.0), target=(0.0, 1.5, -3.0))
    ours, theirs = (frame.color.astype(int) for frame in drawn(Scene(ground=Ground()), far, ssao=False))
    assert np.percentile(np.abs(ours - theirs).max(axis=-1), 98) <= 4


def test_blended_surfaces_are_dithered_to_their_coverage(kit):
    half = Material("half", base_color=np.array([1.0, 1.0, 1.0, 0.3]), alpha_mode="blend")
    veil = kit.actor(kit.sheet(3.0), number=4, material=half)
    down = Camera(position=(0.0, 4.0, 0.0), target=(0.0, 0.0, 0.0), up=(0.0, 0.0, -1.0))
    with RasterRenderer().open(SIZE, "draft", buffers=("id",)) as session:
        ids = session.render(Scene(actors=(veil,)), down).buffers["id"]
    assert (ids[20:70, 40:120] == 4).mean() == pytest.approx(0.3, abs=0.02)

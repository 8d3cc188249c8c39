"""Ghosts in both renderers: against the same poses drawn solid, and mixed in NumPy."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import Camera, Ground, Light, Material, ProviderUnavailable, Scene, ValidationError
from kinetoscope_spec.contracts._raycast import cast, triangles
from kinetoscope_spec.ghosts import HIDDEN_WITHIN, Ghost

SIZE = (160, 90)
VIEW = Camera(position=(0.4, 1.6, 3.2), target=(0.0, 0.4, 0.0))
BUFFERS = ("hdr", "depth", "id", "normal", "albedo", "material", "motion")
PLAIN = {"ssao": False, "bloom": False, "fxaa": False}
LAMPS = (
    Light(direction=np.array([0.5, -1.0, -0.3])),
    Light(kind="point", position=np.array([0.6, 1.2, 0.9]), intensity=3.0, radius=4.0),
)


@pytest.fixture(scope="module", params=["raster", pytest.param("deferred", marks=pytest.mark.gl)])
def session(request):
    renderer = RasterRenderer
    if request.param == "deferred":
        renderer = pytest.importorskip("kinetoscope_deferred.renderer").DeferredRenderer
    try:
        opened = renderer().open(SIZE, "medium", buffers=BUFFERS, passes=PLAIN)
    except ProviderUnavailable as error:
        pytest.skip(f"no OpenGL driver: {error}")
    with opened:
        yield opened


@pytest.fixture(scope="module")
def stage(kit):
    """A floor, a ball on it, and a second one that stands apart, which is to be a ghost."""
    ball = kit.actor(kit.ball(0.35), at=(0.0, 0.35, 0.0), number=3)
    blue = Material("blue", np.array([0.1, 0.2, 0.8, 1.0]), roughness=0.4)
    other = kit.actor(kit.ball(0.3), at=(0.3, 0.5, 0.4), number=9, material=blue)
    scene = Scene(actors=(ball,), ground=Ground(), lights=LAMPS, background=np.zeros(4))
    return scene, other


def ghost(actor, opacity=0.4, **more):
    return Ghost(actor.character, actor.pose, opacity, **more)


def haunted(scene, *ghosts):
    return attrs.evolve(scene, annotations={**scene.annotations, "ghosts": ghosts})


def solid(session, scene, actor):
    """Return the frame with `actor` in it as if it were there, casting no shadow, and where it is seen."""
    unshadowed = [attrs.evolve(lamp, shadow=False) for lamp in scene.lights]
    frame = session.render(attrs.evolve(scene, actors=(*scene.actors, actor), lights=unshadowed), VIEW)
    return frame.buffers["hdr"], frame.buffers["id"] == actor.id


def test_a_ghost_is_mixed_with_what_is_behind_it(session, stage):
    scene, other = stage
    scene = attrs.evolve(scene, lights=[attrs.evolve(lamp, shadow=False) for lamp in scene.lights])
    before = session.render(scene, VIEW).buffers["hdr"]
    light, seen = solid(session, scene, other)
    found = session.render(haunted(scene, ghost(other)), VIEW)
    assert seen.mean() > 0.02
    expected = np.where(seen[..., None], 0.4 * light + 0.6 * before, before)
    np.testing.assert_allclose(found.buffers["hdr"], expected, atol=4e-3)
    assert found.work["ghosts.layers"] == 1


def test_a_ghost_of_what_glows_glows_where_nothing_else_does(session, stage, kit):
    scene, other = stage
    lamp = Material("lamp", np.array([0.0, 0.0, 0.0, 1.0]), emissive=np.array([1.5, 0.5, 0.25]))
    glowing = attrs.evolve(other, character=attrs.evolve(other.character, materials=(lamp,)))
    dark = attrs.evolve(
        other, character=attrs.evolve(other.character, materials=(attrs.evolve(lamp, emissive=np.zeros(3)),))
    )
    lit, unlit = (
        session.render(haunted(scene, ghost(who, 0.4)), VIEW).buffers["hdr"] for who in (glowing, dark)
    )
    _, seen = solid(session, scene, other)
    np.testing.assert_allclose((lit - unlit)[seen], np.tile(0.4 * lamp.emissive, (seen.sum(), 1)), atol=4e-3)
    np.testing.assert_allclose(lit[~seen], unlit[~seen], atol=1e-6)


def test_a_ghost_stands_where_rays_meet_it(session, stage, kit):
    scene, _ = stage
    other = kit.actor(kit.ball(0.3, rings=9), at=(0.3, 0.5, 0.4))
    bare = attrs.evolve(scene, actors=(), ground=None)
    alpha = session.render(haunted(bare, ghost(other, 0.6)), VIEW).color[..., 3]
    met = cast(VIEW, SIZE, triangles((other,)), edge_px=0.25)
    expected = np.where(met.met.any(axis=0), round(0.6 * 255), 0)
    assert (np.abs(alpha.astype(int) - expected) <= 1)[met.sure].all()
    assert met.sure.mean() > 0.7


def test_no_buffer_and_no_shadow_has_ghosts(session, stage):
    scene, other = stage
    plain, found = (session.render(s, VIEW) for s in (scene, haunted(scene, ghost(other))))
    for name in set(BUFFERS) - {"hdr"}:
        np.testing.assert_array_equal(found.buffers[name], plain.buffers[name], name)
    _, seen = solid(session, scene, other)
    np.testing.assert_array_equal(found.buffers["hdr"][~seen], plain.buffers["hdr"][~seen])
    assert (found.buffers["hdr"] != plain.buffers["hdr"]).any()
    # It would cast one: it hangs between the sun and the floor.
    lit = session.render(attrs.evolve(scene, actors=(*scene.actors, other)), VIEW)
    assert (lit.buffers["hdr"] < 0.7 * plain.buffers["hdr"]).any(axis=-1)[~seen].mean() > 0.005


def test_without_ghosts_a_frame_is_what_it_was(session, stage):
    scene, other = stage
    first = session.render(scene, VIEW)
    session.render(haunted(scene, ghost(other)), VIEW)
    for again in (scene, haunted(scene), haunted(scene, ghost(other, 0.0))):
        frame = session.render(again, VIEW)
        np.testing.assert_array_equal(frame.color, first.color)
        for name in BUFFERS:
            np.testing.assert_array_equal(frame.buffers[name], first.buffers[name])


def test_what_is_in_front_hides_a_ghost(session, stage, kit):
    scene, _ = stage
    hidden = kit.actor(kit.ball(0.1), at=(0.0, 0.35, 0.0))
    plain, found = (session.render(s, VIEW) for s in (scene, haunted(scene, ghost(hidden))))
    np.testing.assert_array_equal(found.color, plain.color)
    assert found.work["ghosts.layers"] <= 1


@pytest.mark.parametrize("away", [1.0, 4.0])
@pytest.mark.parametrize("share", [0.0, 1e-6, 5e-5, 1e-3, 1e-2])
def test_a_ghost_that_coincides_with_what_is_there_is_hidden(session, stage, share, away):
    """Drawn together about the camera it covers the same pixels, each nearer by the same share of the distance."""
    scene, _ = stage
    camera = attrs.evolve(VIEW, position=VIEW.target + away * (VIEW.position - VIEW.target))
    nearer = np.eye(4)
    nearer[:3, :3] *= 1 - share
    nearer[:3, 3] = share * camera.position
    (ball,) = scene.actors
    moved = attrs.evolve(ball, pose=nearer @ ball.pose)
    plain, found = (
        session.render(s, camera) for s in (scene, haunted(scene, ghost(moved, 1.0, color=(1, 0, 0))))
    )
    changed = (found.buffers["hdr"] != plain.buffers["hdr"]).any(axis=-1)
    if share < HIDDEN_WITHIN:
        np.testing.assert_array_equal(found.buffers["hdr"], plain.buffers["hdr"])
    else:
        body = plain.buffers["id"] == ball.id
        assert (changed == body).mean() > 0.998  # rounding takes edges to one side or the other
        assert body.sum() > 20


def test_ghosts_fade_and_nearer_ones_lie_over_farther_ones(session, stage, kit):
    scene, _ = stage
    ahead = Camera((0.0, 1.0, 6.0), (0.0, 1.0, 0.0))
    bare = attrs.evolve(scene, actors=(), ground=None)
    balls = [kit.actor(kit.ball(0.2), at=(0.6 * i - 0.9, 1.0, 0.0)) for i in range(4)]
    row = haunted(bare, *(ghost(ball, 0.2 * (i + 1)) for i, ball in enumerate(balls)))
    alpha = session.render(row, ahead).color[45, :, 3].astype(int)
    places = [round(float(ahead.project(ball.pose[0, :3, 3], SIZE)[0])) for ball in balls]
    np.testing.assert_allclose(alpha[places] / 255, [0.2, 0.4, 0.6, 0.8], atol=0.01)

    red, green = (Material(n, np.array([*c, 1.0])) for n, c in (("r", (1, 0, 0)), ("g", (0, 1, 0))))
    near = ghost(kit.actor(kit.ball(0.3), at=(0.0, 1.0, 1.0), material=red), 0.75)
    far = ghost(kit.actor(kit.ball(0.3), at=(0.0, 1.0, -1.0), material=green), 0.75)
    frames = [session.render(haunted(bare, *order), ahead) for order in ((near, far), (far, near))]
    np.testing.assert_array_equal(frames[0].color, frames[1].color)
    r, g, _ = frames[0].buffers["hdr"][45, 80]
    assert r > 2 * g > 0
    assert frames[0].color[45, 80, 3] == pytest.approx(255 * (1 - 0.25**2), abs=1)


def test_a_ghost_may_have_a_colour_of_its_own(session, stage):
    scene, other = stage
    bare = attrs.evolve(scene, actors=(), ground=None)
    painted = attrs.evolve(
        other,
        character=attrs.evolve(
            other.character,
            materials=[attrs.evolve(other.character.materials[0], base_color=np.array([0.9, 0.1, 0.3, 1.0]))],
        ),
    )
    found = session.render(haunted(bare, ghost(other, color=(0.9, 0.1, 0.3))), VIEW)
    expected = session.render(haunted(bare, ghost(painted)), VIEW)
    np.testing.assert_allclose(found.buffers["hdr"], expected.buffers["hdr"], atol=2e-3)


def test_what_is_no_ghost_is_an_error(session, stage):
    with pytest.raises(ValidationError, match="ghosts"):
        session.render(haunted(stage[0], "boo"), VIEW)


def test_ghosts_are_switched_off_as_a_pass_is(stage):
    scene, other = stage
    with RasterRenderer().open(SIZE, "draft", passes={"ghosts": False}) as off:
        frames = [off.render(s, VIEW).color for s in (scene, haunted(scene, ghost(other)))]
    np.testing.assert_array_equal(*frames)


@pytest.mark.gl
def test_ghosts_are_the_same_on_opengl(kit, stage):
    deferred = pytest.importorskip("kinetoscope_deferred.renderer")
    scene, other = stage
    cloth = Material("net", np.array([0.9, 0.7, 0.2, 0.5]), alpha_mode="blend")
    ghosts = [
        ghost(other),
        ghost(kit.actor(kit.ball(0.3), at=(-0.5, 0.4, 0.5), material=cloth), 0.7),
        ghost(kit.actor(kit.ball(0.25), at=(-0.2, 0.3, 0.6)), 0.3, color=(0.1, 0.5, 0.2)),
    ]
    found = []
    for renderer in (RasterRenderer, deferred.DeferredRenderer):
        try:
            with renderer().open(SIZE, "medium", buffers=("hdr",), passes=PLAIN) as opened:
                found.append(opened.render(haunted(scene, *ghosts), VIEW))
        except ProviderUnavailable as error:
            pytest.skip(f"no OpenGL driver: {error}")
    off = np.abs(found[0].buffers["hdr"] - found[1].buffers["hdr"]).max(axis=-1)
    assert (off > 0.03).mean() < 0.01  # outlines
    assert found[0].work["ghosts.layers"] == found[1].work["ghosts.layers"] == 3

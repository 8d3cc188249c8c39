"""From light to picture: background, bloom, tone curve, anti-aliasing, orientation, alpha."""

from __future__ import annotations

import numpy as np
import pytest

from kinetoscope_spec import Camera, Ground, Light, Material

pytestmark = pytest.mark.gl

FRONT = Camera((0, 0, 4), (0, 0, 0))
BLACK = {"lights": (), "sky": (0, 0, 0), "earth": (0, 0, 0), "background": (0, 0, 0, 1)}


def srgb(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


def aces(x):
    return x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)


def glowing(kit, light, half=0.5, **kwargs):
    material = Material(base_color=np.array([0, 0, 0, 1.0]), emissive=np.asarray(light, float))
    return kit.actor(*kit.quad((0, 0, 0), (half, 0, 0), (0, half, 0)), material=material, **kwargs)


def test_an_empty_scene_is_its_background(sessions, kit):
    for background in ((0.5, 0.25, 0.125, 1.0), (0.0, 1.0, 0.001, 1.0)):
        color = sessions().render(kit.scene(background=background), FRONT).color
        assert color.shape == (90, 160, 4)
        np.testing.assert_allclose(
            color[..., :3], np.broadcast_to(srgb(background[:3]), (90, 160, 3)), atol=0.51
        )
        assert (color[..., 3] == 255).all()


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_a_clear_background_keeps_its_alpha(sessions, kit, alpha):
    scene = kit.scene(glowing(kit, (0.4, 0, 0)), **BLACK | {"background": (0, 0.3, 0, alpha)})
    for quality in ("draft", "high"):
        color = sessions(quality).render(scene, FRONT).color
        assert color[45, 80, 3] == 255
        assert abs(int(color[5, 5, 3]) - round(255 * alpha)) <= 1
        assert color[45, 80, 0] > 100
        assert color[45, 80, 1] <= 2


def test_up_is_up_and_left_is_left(sessions, kit):
    def spot(at, light, id):  # noqa: A002
        return glowing(kit, light, 0.3, at=at, id=id)

    camera = Camera((0, 0, 4), (0, 0, 0))
    red, green = spot((0, 1.2, 0), (1, 0, 0), 1), spot((1.8, 0, 0), (0, 1, 0), 2)
    names = ("id", "depth", "normal", "albedo", "hdr", "final", "material")
    frame = sessions(buffers=names).render(kit.scene(red, green, **BLACK), camera)
    pixels = camera.project(np.array([(0, 1.2, 0), (1.8, 0, 0)]), kit.SIZE)
    for (x, y, _), channel in zip(pixels, (0, 1), strict=True):
        assert np.argmax(frame.color[int(y), int(x), :3]) == channel
        assert frame.buffers["id"][int(y), int(x)] == channel + 1
        assert np.argmax(frame.buffers["hdr"][int(y), int(x)]) == channel
        assert np.isfinite(frame.buffers["depth"][int(y), int(x)])
    assert pixels[0, 1] < 30
    assert pixels[1, 0] > 100
    np.testing.assert_array_equal(frame.buffers["final"], frame.color)


@pytest.mark.parametrize("exposure", [0.5, 1.0, 2.0])
def test_the_tone_curve(sessions, kit, exposure):
    for light in (0.01, 0.18, 0.5, 1.0, 4.0):
        value = (light, light / 2, light / 8)
        scene = kit.scene(glowing(kit, value, 5.0), **BLACK, exposure=exposure)
        exposed = np.array(value) * exposure
        curved = sessions(bloom=False, fxaa=False).render(scene, FRONT).color[45, 80, :3]
        np.testing.assert_allclose(curved, srgb(aces(exposed)), atol=1.01)
        plain = sessions(bloom=False, fxaa=False, tonemap=False).render(scene, FRONT).color[45, 80, :3]
        np.testing.assert_allclose(plain, srgb(exposed), atol=1.01)


def test_the_neutral_curve_keeps_the_colour_of_a_surface(sessions, kit):
    """Below its shoulder light comes out as it went in, less what every surface mirrors; far above, white."""
    render = sessions(bloom=False, fxaa=False).render
    for light, out in (
        ((0.64, 0.34, 0.12), (0.60, 0.30, 0.08)),
        ((0.2, 0.1, 0.04), (0.17, 0.07, 0.01)),  # 0.04 - 6.25 * 0.04 ** 2 is taken off
        ((1e4, 5e3, 2e3), (1.0, 1.0, 1.0)),
    ):
        color = render(kit.scene(glowing(kit, light, 5.0), **BLACK, tone="neutral"), FRONT).color[45, 80, :3]
        np.testing.assert_allclose(color, srgb(out), atol=1.6)


def test_bloom_spreads_only_what_is_bright(sessions, kit):
    def around(light, **passes):
        scene = kit.scene(glowing(kit, light), **BLACK)
        return sessions(fxaa=False, **passes).render(scene, FRONT).color[45, :, :3].astype(int)

    dim = (0.95, 0.6, 0.3)
    np.testing.assert_array_equal(around(dim), around(dim, bloom=False))
    glow, plain = around((20, 20, 20)), around((20, 20, 20), bloom=False)
    edge = np.flatnonzero(plain[:, 0] > 0).min()
    assert plain[edge - 1].max() == 0
    falling = glow[edge - 1 :: -4, 0]
    assert falling[0] > 20
    assert (np.diff(falling[:8]) <= 0).all()
    assert falling[7] < falling[0] / 2


def test_glow_does_not_move_what_glows(sessions, kit):
    """The haze is centred on its source: a chain of mips that is off by a texel drifts."""
    scene = kit.scene(glowing(kit, (30, 30, 30), 0.25), **BLACK)
    color = sessions(fxaa=False).render(scene, FRONT).color[..., 0].astype(float)
    weight = np.where(color < 250, color, 0)
    y, x = np.mgrid[:90, :160] + 0.5
    assert (weight * x).sum() / weight.sum() == pytest.approx(80, abs=0.6)
    assert (weight * y).sum() / weight.sum() == pytest.approx(45, abs=0.6)


def smoothed(session, picture):
    """Run the anti-aliasing pass alone over `picture [H, W]`, 0 to 255."""
    from kinetoscope_deferred.passes.post import FxaaPass
    from kinetoscope_deferred.view import build_view
    from kinetoscope_spec import Scene

    session.render(Scene(), FRONT)
    device = session.device
    rgba = np.repeat(picture[..., None], 4, axis=-1).astype(np.uint8)
    rgba[..., 3] = 255
    with device.context:
        device.textures["picture"].write(np.ascontiguousarray(rgba[::-1]).tobytes())
        view = build_view(Scene(), FRONT, session.size, session._cache)
        FxaaPass().draw(device, view, session.quality)
        got = np.frombuffer(device.textures["smooth"].read(), np.uint8).reshape(90, 160, 4)[::-1]
    return got[..., 0].astype(int)


@pytest.mark.parametrize("quality", ["medium", "high"])
def test_smoothing_touches_slopes_alone(sessions, quality):
    session = sessions(quality)
    y, x = np.mgrid[:90, :160] + 0.5
    inner = (slice(4, -4), slice(4, -4))
    for still in (np.full((90, 160), 137.0), np.where(x < 80, 30.0, 220.0), np.where(y < 45, 30.0, 220.0)):
        np.testing.assert_array_equal(smoothed(session, still)[inner], still[inner])
    hard = np.where(y - 45 < 0.23 * (x - 80), 30.0, 220.0)
    # The truth: sixteen by sixteen samples a pixel.
    fine_y, fine_x = np.mgrid[: 90 * 16, : 160 * 16] / 16 + 1 / 32
    truth = np.where(fine_y - 45 < 0.23 * (fine_x - 80), 30.0, 220.0)
    truth = truth.reshape(90, 16, 160, 16).mean(axis=(1, 3))
    before = np.abs(hard - truth)[inner].sum()
    after = np.abs(smoothed(session, hard) - truth)[inner].sum()
    assert after < 0.6 * before
    blur = 0.25 * (np.roll(hard, 1, 0) + np.roll(hard, -1, 0) + 2 * hard)
    assert after < np.abs(blur - truth)[inner].sum()


def full_scene(kit, offset=(0, 0, 0)):
    ball = kit.sphere(0.5, rings=24)
    at = np.asarray(offset, float)
    return kit.scene(
        kit.actor(*ball, at=at + np.array([0, 0.5, 0])),
        kit.actor(*ball, at=at + np.array([0.9, 0.5, 0.3]), id=2),
        lights=(Light(), Light(kind="point", position=at + np.array([0, 2, 2]))),
        ground=Ground(height=at[1]),
        annotations={"trajectory": (np.array([[0, 1], [1, 1.4], [2, 1]]) + at[[0, 2]])},
    ), Camera(at + np.array([1, 1.5, 4]), at + np.array([0, 0.5, 0]))


def test_the_same_scene_gives_the_same_picture(sessions, kit):
    first = sessions("high").render(*full_scene(kit)).color
    again = sessions("high").render(*full_scene(kit)).color
    other = sessions("high", buffers=("id",)).render(*full_scene(kit)).color
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, other)


def test_moving_the_world_and_the_camera_changes_nothing(sessions, kit):
    here = sessions("high").render(*full_scene(kit)).color.astype(int)
    for offset in ((15.0, 0.0, -40.0), (100_000.0, 0.0, -35_000.0)):
        there = sessions("high").render(*full_scene(kit, offset)).color.astype(int)
        differ = np.abs(here - there).max(axis=-1)
        assert (differ > 3).mean() < 0.01
        assert differ.mean() < 0.3


def test_a_trajectory_is_drawn_on_the_floor(sessions, kit):
    path = {"points": [(-1.0, 0.0), (1.0, 0.0)], "color": (1.0, 0.0, 0.0), "width": 0.1}
    camera = Camera((0, 3, 0.5), (0, 0, 0))
    names = ("albedo", "depth", "id")
    session = sessions(buffers=names)
    scene = kit.scene(ground=Ground(color=(0, 0, 0.5), spacing=0), annotations={"trajectory": path})
    albedo = session.render(scene, camera).buffers["albedo"]
    red = albedo[..., 0] > 0.5
    for point, there in (
        ((0, 0, 0), True),
        ((0.9, 0, 0.03), True),
        ((1.2, 0, 0), False),
        ((0, 0, 0.12), False),
    ):
        x, y, _ = camera.project(np.array(point, float), kit.SIZE)
        assert red[int(y), int(x)] == there
    world_width = red[:, 80].sum() * 3 * 2 * np.tan(np.radians(22.5)) / 90
    assert world_width == pytest.approx(0.1, abs=0.04)
    off = sessions(buffers=names, annotations=False).render(scene, camera).buffers["albedo"]
    assert off[..., 0].max() < 0.01


def test_the_grid_has_lines_at_whole_metres(sessions, kit):
    camera = Camera((0.5, 2.0, 0.501), (0.5, 0, 0.5))
    ground = Ground(color=(0.5, 0.5, 0.5), line_color=(0, 0, 0), spacing=1.0)
    albedo = sessions(buffers=("albedo",)).render(kit.scene(ground=ground), camera).buffers["albedo"][..., 0]
    for z in (0.0, 1.0):
        _, y, _ = camera.project(np.array((0.5, 0.0, z)), kit.SIZE)
        rows = albedo[int(y) - 2 : int(y) + 3, 80]
        # A line 1.6 cm wide under pixels 1.8 cm apart: together they lack one line of light.
        pixel = 2 * 2 * np.tan(np.radians(22.5)) / 90
        assert (0.5 - rows).sum() * pixel == pytest.approx(0.5 * (0.016 if z else 0.03), rel=0.25)
    assert albedo[45, 80] == pytest.approx(0.5, abs=0.01)

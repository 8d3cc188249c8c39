"""Light from a picture: `render --environment`, and what shot files say of it."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import attrs
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.shot import film, settings
from kinetoscope.shot.layers import Layers
from kinetoscope.shot.page import _inputs
from kinetoscope.shot.report import facts
from kinetoscope.shot.surroundings import Surroundings, dim, surroundings
from kinetoscope_spec import Camera, FormatError
from kinetoscope_spec.environment import Environment, directions

SIZE = (128, 96)
CLIP = (
    "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT b\n{\nOFFSET 0 50 0\n"
    "CHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 50 0\n}\n}\n}\nMOTION\nFrames: 1\n"
    "Frame Time: 0.1\n0 50 0 0 0 0\n"
)


def radiance(light):
    """Return a Radiance file of linear light `[H, W, 3]`, pixel by pixel."""
    exponent = np.floor(np.log2(np.maximum(light.max(axis=-1), 1e-9))) + 1
    mantissa = np.round(light * 2.0 ** (8 - exponent[..., None])).clip(0, 255)
    pixels = np.concatenate([mantissa, exponent[..., None] + 128], axis=-1).astype(np.uint8)
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % light.shape[:2] + pixels.tobytes()


def sunny(azimuth, elevation, height=64):
    """Return a dim sky with a bright spot, and the way to that; degrees, the azimuth from +Z towards +X."""
    azimuth, elevation = np.radians([azimuth, elevation])
    way = np.array(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)]
    )
    near = directions(height, 2 * height) @ way
    return np.full((height, 2 * height, 3), 0.02) + 40 * (near > np.cos(np.radians(4)))[..., None], way


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.bvh"
    path.write_text(CLIP)
    return path


def render(clip, *options, out="out.png"):
    out = clip.with_name(out)
    asked = ["--size", f"{SIZE[0]}x{SIZE[1]}", "--quality", "draft", "--provider", "raster"]
    done = CliRunner().invoke(main, ["render", str(clip), str(out), *asked, *map(str, options)])
    return done, (np.asarray(Image.open(out)).astype(float) if done.exit_code == 0 else None)


def camera(clip):
    with Host() as host:
        motion, _ = film.stand_in(host.open(clip), 0)
    return film.cameras(settings.Camera(kind="follow"), motion, None)[0]


@pytest.mark.parametrize("turn", [0, 200, -75])
def test_the_spot_stands_in_the_picture_where_a_pinhole_puts_it(clip, tmp_path, turn):
    """A spot that is seen above the horizon after the surroundings were turned, wherever it was before."""
    seen = camera(clip)
    ahead = np.subtract(seen.target, seen.position)
    azimuth, elevation = np.degrees(np.arctan2(ahead[0], ahead[2])) + 9, 4
    image, _ = sunny(azimuth - turn, elevation)
    (tmp_path / "sky.hdr").write_bytes(radiance(image))
    asked = ("--environment", tmp_path / "sky.hdr", "--environment-rotation", turn, "--pass=-bloom")
    done, picture = render(clip, *asked, "--background", "environment", "--pass=-fxaa")
    assert done.exit_code == 0, done.output
    rows, columns = np.nonzero(picture.min(axis=-1) > 250)
    _, way = sunny(azimuth, elevation)
    eye = seen.view_matrix()[:3, :3] @ way
    focal = 0.5 * SIZE[1] / np.tan(0.5 * seen.field_of_view)
    assert columns.mean() + 0.5 == pytest.approx(SIZE[0] / 2 + focal * eye[0] / -eye[2], abs=2)
    assert rows.mean() + 0.5 == pytest.approx(SIZE[1] / 2 - focal * eye[1] / -eye[2], abs=2)
    _, hidden = render(clip, *asked)
    even = (hidden == hidden[0, 0]).all(axis=-1)  # the stage's own background
    assert even.mean() > 0.2
    assert (picture[even] != hidden[0, 0]).any(axis=-1).all()


def test_light_comes_from_where_it_is(clip, tmp_path):
    """The side of the body that the spot is on is the bright one; with twice the light it is twice as bright."""
    ahead = np.subtract(camera(clip).target, camera(clip).position)
    azimuth = np.degrees(np.arctan2(ahead[0], ahead[2]))
    sides = []
    for aside in (-90, 90):
        image, way = sunny(azimuth + aside, 10)
        (tmp_path / "sky.hdr").write_bytes(radiance(image))
        light = settings.Light(environment="sky.hdr")
        with Host() as host:
            around = surroundings(host.provider("media"), tmp_path / "sky.hdr", light)
            motion, character = film.stand_in(host.open(clip), 0)
            output = settings.Output(size=SIZE, quality="draft", passes=("-ssao", "-ground", "-shadow"))
            twice = surroundings(
                host.provider("media"), tmp_path / "sky.hdr", attrs.evolve(light, ambient=2.0)
            )
            frames = [
                next(
                    film.frames(
                        host.provider("renderer", "raster"), output, light, character, motion, [camera(clip)],
                        buffers=("hdr", "normal", "id"), around=each,
                    )
                ).buffers
                for each in (around, twice)
            ]  # fmt: skip
        body = frames[0]["id"] > 0
        facing = frames[0]["normal"][body] @ way
        lit = frames[0]["hdr"][body].mean(axis=-1)
        assert np.corrcoef(lit, np.maximum(facing, 0))[0, 1] > 0.9
        np.testing.assert_allclose(frames[1]["hdr"][body], 2 * frames[0]["hdr"][body], rtol=1e-3)
        columns = np.nonzero(body)[1]
        sides.append((columns * lit).sum() / lit.sum() - columns.mean())
    assert sides[0] * sides[1] < 0


def test_a_picture_in_levels_is_taken_and_said_to_be_dim(clip, tmp_path):
    Image.new("RGB", (64, 32), (188, 188, 188)).save(tmp_path / "sky.png")
    done, _ = render(clip, "--environment", tmp_path / "sky.png")
    assert done.exit_code == 0, done.output
    assert "sky.png holds no light brighter than white" in done.output
    with Host() as host:
        around = surroundings(host.provider("media"), tmp_path / "sky.png", settings.Light(ambient=2.0))
    assert around.environment.image.mean() == pytest.approx(2 * 0.5029, abs=1e-3)
    assert dim(tmp_path / "sky.png", around) is not None  # what it is multiplied by adds no lamp


@pytest.mark.parametrize("ambient", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("brightest", [1.0, 3.0])
def test_whether_a_picture_is_dim_is_not_said_of_how_much_of_it_is_taken(brightest, ambient):
    image = np.full((4, 8, 3), 0.5, np.float32)
    image[1, 2] = brightest
    media = SimpleNamespace(read_light=lambda path: image)
    around = surroundings(media, "a.exr", settings.Light(ambient=ambient))
    assert (dim("a.exr", around) is None) == (brightest > 1)


def test_exr_lights_as_radiance_does(clip, tmp_path):
    library = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    image = np.random.default_rng(2).integers(1, 255, (16, 32, 3)) / 64
    (tmp_path / "sky.hdr").write_bytes(radiance(image))
    with Host() as host:
        light = host.provider("media").read_light(tmp_path / "sky.hdr")
    with library.File({"type": library.scanlineimage}, {"RGB": light}) as file:
        file.write(str(tmp_path / "sky.exr"))
    pictures = [render(clip, "--environment", tmp_path / name)[1] for name in ("sky.hdr", "sky.exr")]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--background", "environment"), "need an --environment"),
        (("--environment-rotation", "3"), "need an --environment"),
        (("--environment", "square.png"), "square.png: is 32 x 32 pixels (expected surroundings"),
        (("--environment", "missing.hdr"), "missing.hdr: can't be read"),
        (("--environment", "clip.bvh"), "clip.bvh: is no picture"),
    ],
)
def test_what_is_wrong_with_surroundings_is_said(clip, tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (32, 32)).save("square.png")
    done, _ = render(clip, *options)
    assert done.exit_code != 0
    assert says in " ".join(done.output.split())
    assert not (tmp_path / "out.png").exists()


def test_surroundings_are_not_overwritten(clip, tmp_path):
    Image.new("RGB", (32, 16)).save(tmp_path / "sky.png")
    done = CliRunner().invoke(
        main, ["render", str(clip), str(tmp_path / "sky.png"), "--environment", str(tmp_path / "sky.png")]
    )
    assert done.exit_code != 0
    with Image.open(tmp_path / "sky.png") as left:
        assert left.size == (32, 16)


def test_numbers_below_nothing_are_nothing():
    class Media:
        def read_light(self, path):
            return np.array([[[-0.1, 0.5, 2.0]] * 2], np.float32)

    around = surroundings(Media(), "a.exr", settings.Light())
    np.testing.assert_array_equal(around.environment.image[0, 0], np.array([0, 0.5, 2], np.float32))

    class Wide:
        def read_light(self, path):
            return np.ones((1, 3, 3), np.float32)

    with pytest.raises(FormatError, match=r"a\.exr: is 3 x 1 pixels"):
        surroundings(Wide(), "a.exr", settings.Light())


def test_light_that_no_number_holds_is_said_of_its_file():
    media = SimpleNamespace(read_light=lambda path: np.full((1, 2, 3), 1e37, np.float32))
    with pytest.raises(
        FormatError, match=r"a\.exr: holds light of 1e\+37, which ambient = 50 makes too bright"
    ):
        surroundings(media, "a.exr", settings.Light(ambient=50))
    assert surroundings(media, "a.exr", settings.Light(ambient=10)).environment.image.max() == np.float32(
        1e38
    )


def test_the_sun_in_a_picture_casts_the_shadow(clip, tmp_path):
    """The floor is dark where the ray to the spot meets the body, a post, and lit beside that."""
    image, way = sunny(70, 40, height=128)
    (tmp_path / "sky.hdr").write_bytes(radiance(image))
    light = settings.Light(environment="sky.hdr", rotation=30)
    with Host() as host:
        around = surroundings(host.provider("media"), tmp_path / "sky.hdr", light)
        (sun,) = around.lights(2.0)
        motion, character = film.stand_in(host.open(clip), 0)
        output = settings.Output(size=SIZE, quality="draft", passes=("-ssao",))
        over = Camera(position=(0.0, 6.0, 0.01), target=(0.0, 0.0, 0.0))
        (frame,) = film.frames(
            host.provider("renderer", "raster"), output, light, character, motion, [over],
            buffers=("hdr", "id", "depth"), around=around,
        )  # fmt: skip
    _, way = sunny(100, 40)
    np.testing.assert_allclose(-sun.direction / np.linalg.norm(sun.direction), way, atol=0.02)
    assert sun.color.max() * sun.intensity == pytest.approx(2 * around.sun.irradiance.max())
    held = frame.buffers
    floor = (held["id"] == 0) & np.isfinite(held["depth"])
    width, height = SIZE
    scale = 6.0 * np.tan(0.5 * over.field_of_view) * 2 / height
    x = (np.arange(width) + 0.5 - width / 2)[None] * scale
    z = (np.arange(height) + 0.5 - height / 2)[:, None] * scale
    along = -(x * way[0] + z * way[2]) / np.hypot(way[0], way[2])
    aside = np.abs(x * way[2] - z * way[0]) / np.hypot(way[0], way[2])
    shaded = floor & (along > 0.3) & (along < 0.8) & (aside < 0.02)
    lit = floor & (along < -0.3) & (aside < 1)
    assert shaded.sum() > 3
    bright = held["hdr"].mean(axis=-1)
    assert bright[shaded].mean() < 0.6 * np.median(bright[lit])


class Plain:
    """A layer that is the frame it was made of."""

    @staticmethod
    def of(frame, **shadowed):
        return frame


def test_a_performer_over_a_plate_is_lit_by_surroundings_that_are_not_seen(clip):
    with Host() as host:
        motion, character = film.stand_in(host.open(clip), 0)
        renderer = host.provider("renderer", "raster")
    output = settings.Output(size=SIZE, quality="draft", shutter=0.0)
    for color in ([1.0, 0.1, 0.1], [0.1, 0.1, 1.0]):
        around = Surroundings(Environment(np.full((4, 8, 3), color)), None)
        layers = Layers(
            Plain, renderer, SIZE, output, settings.Light(), False, character, motion, [camera(clip)], 10.0,
            around=around,
        )  # fmt: skip
        (layer,) = layers
        alpha, shown = layer.color[..., 3], layer.color[layer.color[..., 3] == 255]
        assert {0, 255} <= set(alpha.ravel().tolist())
        bright, faint = (shown[:, 0], shown[:, 2]) if color[0] == 1 else (shown[:, 2], shown[:, 0])
        assert bright.mean() > 1.5 * faint.mean()


@pytest.mark.parametrize("named", [True, False])
def test_a_report_names_the_picture_and_tells_what_it_holds_by_its_hash(tmp_path, named):
    sky = tmp_path / "sky.hdr"
    sky.write_bytes(b"light")
    shot = {"performer": {"mocap": ["a"], "path": [[0, 0], [1, 1]]}}
    given = settings.shot_file(shot | {"light": {"environment": str(sky)} if named else {}})
    job = SimpleNamespace(shot=given.shot, shot_file=given, stages=SimpleNamespace(to_json=list), warnings=[])
    learned = SimpleNamespace(record={"losses": [], "perplexity": 0.0})
    kept = SimpleNamespace(seconds=1.0, frames=30)
    outputs = SimpleNamespace(**dict.fromkeys(("film", "page", "motion", "unplanted"), tmp_path / "film"))
    told = facts(job, SimpleNamespace(sources=(), warnings=[]), learned, {}, outputs, None, None, kept)
    digest = hashlib.sha256(b"light").hexdigest()
    assert told["environment"] == ({"path": str(sky), "sha256": digest} if named else None)
    assert (digest[:16] in _inputs(told)) == ("sky.hdr" in _inputs(told)) == named


def test_light_from_all_around_has_no_lamp_beside_it():
    environment = Environment(np.ones((4, 8, 3)))
    assert not film.light_scene(settings.Light(), Surroundings(environment, None)).lights
    assert len(film.light_scene(settings.Light()).lights) == 1

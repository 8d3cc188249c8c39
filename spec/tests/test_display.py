"""What notebooks show: pictures that hold what they say, whatever names files give."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET

import attrs
import numpy as np
import pytest
from PIL import Image

from kinetoscope_spec import Asset, Character, Frame, Material, Mesh, Motion, Skeleton, Skin
from kinetoscope_spec.display import character_picture, drawn_bones, motion_svg, png

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["Hips", "Spine", "Head"]


def bones() -> Skeleton:
    return Skeleton(
        NAMES, (-1, 0, 1), np.array([[0, 1, 0], [0, 0.4, 0], [0, 0.3, 0]]), np.tile([0, 0, 0, 1.0], (3, 1))
    )


def walk(frames: int = 10, name: str = "walk") -> Motion:
    """Straight along +X, a decimetre a frame."""
    places = np.repeat(np.asarray(bones().rest_positions)[None], frames, axis=0)
    places[:, 0, 0] += 0.1 * np.arange(frames)
    return Motion(bones(), places, np.tile([0, 0, 0, 1.0], (frames, 3, 1)), 20.0, name=name)


def box(color: tuple[float, float, float], size: tuple[float, float, float] = (1, 1, 1)) -> Character:
    """A box on a joint, twice as far from its bind pose as it looks."""
    corner = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) * size
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([half for a, b, c, d in quads for half in ((a, b, c), (a, c, d))])
    skin = Skin(np.zeros((8, 1), int), np.ones((8, 1)), [0], np.eye(4)[None])
    mesh = Mesh.from_triangles("box", corner, faces, skin=skin)
    return Character("box", bones(), (mesh,), (Material("paint", base_color=np.array([*color, 1.0])),))


@pytest.mark.parametrize("channels", [3, 4])
def test_a_png_is_what_pillow_reads(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, channels)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)
    with pytest.raises(ValueError, match="2 channels"):
        png(pixels[..., :2])


def test_a_frame_is_shown_as_it_is() -> None:
    color = np.random.default_rng(0).integers(0, 256, (4, 6, 4)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(Frame(color)._repr_png_()))), color)


def test_a_motion_moves_at_its_speed_and_keeps_its_proportions() -> None:
    """Bones that stand upright are drawn upright and as long as each other says, at even steps aside."""
    drawn = ET.fromstring(motion_svg(walk()))
    path = drawn.find(f"{SVG}path")
    moves = path.find(f"{SVG}animate")
    assert (moves.get("dur"), moves.get("repeatCount")) == ("0.5s", "indefinite")
    frames = moves.get("values").split(";")
    assert len(frames) == 10
    assert path.get("d") == frames[0]
    points = np.array([[float(n) for n in re.findall(r"[-\d.]+", frame)] for frame in frames]).reshape(
        10, 2, 2, 2
    )
    assert np.abs(points[:, :, 0, 0] - points[:, :, 1, 0]).max() < 0.11
    spine, neck = (points[:, i, 0, 1] - points[:, i, 1, 1] for i in (0, 1))
    np.testing.assert_allclose(spine / neck, 4 / 3, rtol=0.02)
    steps = np.diff(points[:, 0, 0, 0])
    assert steps.min() > 0
    assert np.ptp(steps) < 0.21
    wide, high = float(drawn.get("width")), float(drawn.get("height"))
    assert ((points >= 0) & (points <= [wide, high])).all()


def test_long_motions_and_stills_stay_small() -> None:
    assert len(motion_svg(walk(5000))) < 12_000
    assert "<animate" not in motion_svg(walk(1))
    single = Skeleton(["dot"], (-1,), np.zeros((1, 3)), np.array([[0, 0, 0, 1.0]]))
    ET.fromstring(motion_svg(Motion(single, np.zeros((3, 1, 3)), np.tile([0, 0, 0, 1.0], (3, 1, 1)), 1.0)))


def test_a_character_is_drawn_in_its_colour_and_proportions_without_holes() -> None:
    picture = character_picture(box((0.8, 0.0, 0.0), (1, 3, 1))).astype(float)
    inside = picture[..., 3] == 255
    assert (picture[inside, 0] > 100).all()
    assert picture[inside, 1:3].max() == 0
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    # An upright box has no hole in any row: from its left to its right all is covered.
    for row in rows:
        held = np.flatnonzero(picture[row, :, 3])
        assert len(held) == held[-1] - held[0] + 1
    wide, high = np.ptp(cols), np.ptp(rows)
    yaw, pitch = np.radians(30), np.radians(10)
    across = np.sin(yaw) + np.cos(yaw)
    assert high / wide == pytest.approx((3 * np.cos(pitch) + across * np.sin(pitch)) / across, rel=0.03)


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_hides_the_farther(order: int) -> None:
    """Two boxes one behind the other, as they are seen from a little aside and above: one is seen."""
    yaw, pitch = np.radians(30), np.radians(10)
    towards = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    far, near = box((0.8, 0.0, 0.0)), box((0.0, 0.8, 0.0))
    moved = attrs.evolve(
        near.meshes[0], vertices=near.meshes[0].vertices + 3 * towards, face_material=np.ones(12, int)
    )
    both = Character("both", bones(), (far.meshes[0], moved)[::order], (*far.materials, *near.materials))
    picture = character_picture(both)
    inside = picture[..., 3] == 255
    assert (picture[inside, 1] > 100).all()
    assert (picture[inside, 0] == 0).mean() > 0.99


def test_names_from_files_are_text() -> None:
    evil = "<script>alert(1)</script>"
    body = box((0.5, 0.5, 0.5))
    asset = Asset(evil, bones(), (walk(name=evil),), body.meshes, body.materials)
    for shown in (walk(name=evil), attrs.evolve(body, name=evil), asset):
        told = shown._repr_html_()
        assert "<script" not in told
        assert "&lt;script&gt;" in told
        assert "http" not in told.replace("http://www.w3.org/2000/svg", "")
    pictures = re.findall(r"base64,([\w+/=]+)", asset._repr_html_())
    assert Image.open(io.BytesIO(base64.b64decode(pictures[0]))).size[1] > 100
    assert Asset("bare", bones())._repr_html_().startswith("<figure")


def test_no_line_leads_from_a_root_behind_the_figure_to_its_hips() -> None:
    rooted = Skeleton(
        ["Root", "Hips", "Spine", "Head"], (-1, 0, 1, 2), np.zeros((4, 3)), np.tile([0, 0, 0, 1.0], (4, 1))
    )
    assert drawn_bones(rooted).tolist() == [2, 3]
    chain = Skeleton(["a", "b", "c"], (-1, 0, 1), np.zeros((3, 3)), np.tile([0, 0, 0, 1.0], (3, 1)))
    assert drawn_bones(chain).tolist() == [1, 2]


def test_skins_that_blend_dual_quaternions_keep_their_girth() -> None:
    """Half a turn about the axis of a tube: its middle is a waist of nothing by matrices, and as wide as ever else."""
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([0.3 * np.cos(around), 0 * around, 0.3 * np.sin(around)], axis=1)
    points = np.concatenate([ring + np.array([0.0, y, 0.0]) for y in (-1, 0, 1)])
    here, there = np.arange(24), np.roll(np.arange(24), -1)
    side = np.concatenate(
        [np.stack([here, there + 24, there], 1), np.stack([here, here + 24, there + 24], 1)]
    )
    share = np.repeat([0.0, 0.5, 1.0], 24)
    skin = Skin(
        np.tile([0, 1], (72, 1)), np.stack([1 - share, share], 1), np.arange(2), np.tile(np.eye(4), (2, 1, 1))
    )
    tube = Mesh.from_triangles("tube", points, np.concatenate([side, side + 24]), skin=skin)
    wrung = Character("tube", Skeleton(("a", "b"), [-1, 0], np.zeros((2, 3))), (tube,))
    pose = np.stack([np.eye(4), np.diag([-1.0, 1.0, -1.0, 1.0])])
    for blending, least, most in (("linear", 0.0, 0.15), ("dual_quaternion", 0.9, 1.01)):
        alpha = character_picture(wrung.blended(blending), pose)[..., 3] > 127
        wide = np.array([np.ptp(np.flatnonzero(row)) + 1 if row.any() else 0 for row in alpha])
        assert least <= wide[len(wide) // 2] / wide.max() <= most, blending

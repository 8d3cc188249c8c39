"""What `inspect` tells of a file, and the pictures it draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope import Host
from kinetoscope.cli import _poses, _sheet, _strokes, main
from kinetoscope.cli.inspect import _human, summary
from kinetoscope.shot.film import stand_in
from kinetoscope_spec import (
    Asset,
    Camera,
    Frame,
    Material,
    Mesh,
    Motion,
    Provider,
    Scene,
    Skeleton,
    Skin,
    hookimpl,
    kinematics,
    rotation,
)
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.errors import ProviderNotFound, ProviderUnavailable

SKELETON = Skeleton(
    ("Hips", "LeftLeg", "RightLeg", "Head"),
    (-1, 0, 0, 0),
    [[0, 1, 0], [0.2, -1, 0], [-0.2, -1, 0], [0, 0.7, 0]],
)


def turned(yaw: float, frames: int = 9, *, walk: float = 1.0, framerate: float = 30.0) -> Motion:
    """A statue that faces `yaw` from +Z towards +X, and glides over the ground."""
    positions = np.repeat(SKELETON.rest_positions[None], frames, axis=0)
    positions[:, 0, 2] += np.linspace(0, walk, frames)
    rotations = rotation.identity(np.zeros((frames, 4, 4)))
    rotations[:, 0] = 0, np.sin(yaw / 2), 0, np.cos(yaw / 2)
    return Motion(SKELETON, positions, rotations, framerate, "glide")


def shown(motion: Motion, *meshes: Mesh) -> _poses.Row:
    asset = Asset("statue", motion.skeleton, [motion], meshes, [Material()])
    return _poses.row(stand_in(asset, 0)[1], motion)


def seen(row: _poses.Row, ratio: float = 0.8) -> list[np.ndarray]:
    """Return where every point of every picture is, 0 to 1 across and down."""
    cameras = _poses.cameras(row, ratio)
    size = (round(1000 * ratio), 1000)
    return [
        camera.project(pose.points, size)[:, :2] / size
        for camera, pose in zip(cameras, row.poses, strict=True)
    ]


def triangle(**kwargs: Any) -> Mesh:
    return Mesh.from_triangles("sail", np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0.0]]), [[0, 1, 2]], **kwargs)


# The report.


def test_the_report_has_sizes_pairs_morphs_and_images() -> None:
    morphs = np.zeros((3, 3, 3))
    mesh = triangle(node=3, morphs=morphs, morph_names=("smile", "smile", "blink"), morph_peaks=[0.5, 1, 1])
    paint = Material("skin", base_color_image=np.zeros((1, 1, 3), np.uint8))
    motion = attrs.evolve(turned(0.0), morph_weights={"blink": np.zeros(9)})
    metadata = {"format": "toy", "unit_m": 0.01, "axes": "+X+Y+Z"}
    asset = Asset("clip", SKELETON, [motion], [mesh], [paint, Material("bare")], metadata)
    told = summary(asset)
    assert told["size_m"] == [1, 2, 0]
    assert told["pairs"] == 1
    assert told["meshes"][0]["morphs"] == ["smile", "blink"]
    assert told["motions"][0]["morphs"] == ["blink"]
    assert told["materials"] == [
        {"name": "skin", "images": ["base_color"]},
        {"name": "bare", "images": []},
    ]
    text = _human(told)
    for words in (
        "1 m wide, 2 m high, 0 m deep",
        "4 joints, pairs of left and right: 1",
        "images of base color",
        "  LeftLeg",
    ):
        assert words in text


def test_large_meshes_are_measured_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinetoscope.cli.inspect._PART", 2)
    skin = Skin(np.zeros((3, 1), int), np.ones((3, 1)), [3], np.eye(4)[None])
    asset = Asset("sails", SKELETON, [], [triangle(skin=skin), triangle(node=0)], [Material()])
    assert summary(asset)["size_m"] == [1, 2.7, 0]


def test_without_meshes_the_rest_pose_is_its_joints() -> None:
    assert summary(Asset("bare", SKELETON))["size_m"] == [0.4, 1.7, 0]


@given(strategies.assets(strategies.motions(strategies.skeletons(rest_scales=True))))
@settings(max_examples=30)
def test_any_asset_can_be_told_in_json_and_in_words(asset: Asset) -> None:
    told = summary(asset)
    assert json.loads(json.dumps(told))["joints"][0]["parent"] is None
    assert all(name in _human(told) for name in asset.skeleton.names)


# The poses.


def test_frames_are_spread_over_the_motion_and_say_when() -> None:
    row = shown(turned(0.0, frames=15, framerate=10.0))
    assert [pose.caption for pose in row.poses] == [f"{i / 5:.2f} s" for i in range(8)]
    assert len(shown(turned(0.0, frames=3)).poses) == 3


@given(st.floats(-3, 3))
@settings(max_examples=20)
def test_the_camera_stands_thirty_degrees_from_straight_ahead(yaw: float) -> None:
    for pose in shown(turned(yaw)).poses:
        assert np.cos(pose.yaw - yaw - np.radians(30)) == pytest.approx(1, abs=1e-6)


def test_who_turns_round_and_round_is_seen_from_ahead_at_first() -> None:
    motion = turned(0.5, frames=8)
    angles = 0.5 + np.arange(8) * np.pi / 4
    rotations = motion.rotations.copy()
    rotations[:, 0, 1], rotations[:, 0, 3] = np.sin(angles / 2), np.cos(angles / 2)
    first = shown(attrs.evolve(motion, rotations=rotations)).poses[0]
    assert np.cos(first.yaw - 0.5 - np.radians(30)) == pytest.approx(1, abs=1e-6)


def test_who_stands_still_is_seen_from_all_around_from_the_front_on() -> None:
    for motion in (turned(0.5, frames=1), turned(0.5, walk=0.0)):
        row = shown(motion)
        assert [pose.caption for pose in row.poses] == [f"{45 * i}°" for i in range(8)]
        np.testing.assert_allclose(
            [pose.yaw for pose in row.poses], 0.5 + np.arange(8) * np.pi / 4, atol=1e-6
        )


@given(
    st.floats(-3, 3), st.floats(-100, 100), st.floats(0.5, 1.5), st.sampled_from([1e-3, 0.1, 1.0, 30.0, 1e4])
)
@settings(max_examples=30)
def test_the_whole_figure_is_in_every_picture_and_fills_one(
    yaw: float, walk: float, ratio: float, scale: float
) -> None:
    motion = turned(yaw, walk=walk)
    skeleton = Skeleton(SKELETON.names, SKELETON.parents, SKELETON.rest_positions * scale)
    motion = Motion(skeleton, motion.positions * scale, motion.rotations, 30.0)
    corners = np.array(list(np.ndindex(2, 2, 2))) * (1.0, 2.0, 3.0) * scale
    crate = Mesh.from_triangles("crate", corners, [[0, 1, 2]], node=0)
    points = np.concatenate(seen(shown(motion, crate), ratio))
    assert points.min() > 0
    assert points.max() < 1
    assert np.abs(points - 0.5).max() > 0.35


@given(st.sampled_from([1e-6, 1e-2, 100.0, 1e6]), st.integers(-50, 50), st.integers(-50, 50))
@settings(max_examples=20)
def test_neither_size_nor_place_changes_the_pictures(scale: float, x: int, z: int) -> None:
    """Whole tens of metres are whole squares of the floor."""
    motion = turned(0.3)
    there = motion.positions.copy()
    there[:, 0] += (10 * x, 5, 10 * z)
    skeleton = Skeleton(SKELETON.names, SKELETON.parents, SKELETON.rest_positions * scale)
    other = Motion(skeleton, there * scale, motion.rotations, 30.0)
    meshes = triangle(node=0), triangle(node=3)
    grown = tuple(attrs.evolve(mesh, vertices=mesh.vertices * scale) for mesh in meshes)
    for wanted, found in zip(seen(shown(motion, *meshes)), seen(shown(other, *grown)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_a_climb_is_followed_and_a_jump_is_not() -> None:
    jump, climb = turned(0.0), turned(0.0)
    for motion, height in ((jump, 0.5), (climb, 20.0)):
        positions = motion.positions.copy()
        positions[:, 0, 1] += np.linspace(0, height, 9)
        heights = [points[:, 1].mean() for points in seen(shown(attrs.evolve(motion, positions=positions)))]
        assert (np.ptp(heights) < 1e-3) == (height > 1)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_meshes_of_every_kind_are_where_the_points_are(scale: float) -> None:
    skin = Skin(np.zeros((3, 1), int), np.ones((3, 1)), [3], np.eye(4)[None])
    motion = turned(0.0, walk=40.0)
    positions = motion.positions.copy()
    positions[:, 0] += (300, 7, 0)
    motion = attrs.evolve(motion, positions=positions * scale)
    kinds = triangle(), triangle(node=3), triangle(skin=skin)
    row = shown(motion, *(attrs.evolve(mesh, vertices=mesh.vertices * scale) for mesh in kinds))
    for pose in row.poses:
        free, rigid, skinned = pose.character.meshes
        carry = pose.matrices[3]
        where = [
            free.vertices,
            rigid.vertices @ carry[:3, :3].T + carry[:3, 3],
            skinned.vertices @ carry[:3, :3].T + carry[:3, 3],
        ]
        np.testing.assert_allclose(pose.points, np.concatenate(where), atol=1e-5)
    assert np.ptp([pose.points[0, 2] for pose in row.poses]) < 1e-6  # the free one stays


def test_morphs_are_in_the_shape_of_their_frame() -> None:
    mesh = triangle(morphs=np.full((1, 3, 3), 0.5), morph_names=("up",), morph_weights={"up": 0.25})
    still = shown(turned(0.0, frames=1), mesh).poses[0].character.meshes[0]
    motion = attrs.evolve(turned(0.0), morph_weights={"up": np.linspace(0, 1, 9)})
    first, *_, last = (pose.character.meshes[0] for pose in shown(motion, mesh).poses)
    bare = shown(turned(0.0), triangle()).poses[0].character.meshes[0]
    grown = kinematics.morphed_vertices(last) - kinematics.morphed_vertices(first)
    np.testing.assert_allclose(grown, 0.5, atol=1e-6)
    np.testing.assert_allclose(np.ptp(still.vertices, axis=0), np.ptp(bare.vertices, axis=0), atol=1e-6)
    assert last.morphs is not None  # levels of detail are made for what all frames have


def test_a_giant_in_motion_is_brought_to_size_with_its_shapes() -> None:
    large = attrs.evolve(
        triangle(morphs=np.full((1, 3, 3), 50.0), morph_names=("up",)), vertices=100 * triangle().vertices
    )
    motion = attrs.evolve(turned(0.0), morph_weights={"up": np.linspace(0, 1, 9)})
    *_, last = shown(motion, large).poses
    mesh = last.character.meshes[0]
    np.testing.assert_allclose(kinematics.morphed_vertices(mesh), last.points, atol=1e-4)


def test_who_does_not_change_is_one_object_in_all_pictures() -> None:
    mesh = triangle(morphs=np.full((1, 3, 3), 0.5), morph_names=("up",))
    for row in (
        shown(turned(0.0), mesh),
        shown(turned(0.0)),
        shown(turned(0.0), triangle(), triangle(node=0)),
    ):
        assert len({id(pose.character) for pose in row.poses}) == 1


def test_a_mesh_of_a_million_vertices_is_not_carried_whole() -> None:
    vertices = np.random.default_rng(0).uniform(size=(1_000_000, 3))
    mesh = Mesh.from_triangles("cloud", vertices, [[0, 1, 2]], node=0)
    assert all(len(pose.points) <= 8000 for pose in shown(turned(0.0), mesh).poses)


# The strokes.


@given(st.floats(20, 80), st.floats(20, 80), st.floats(0, 2 * np.pi), st.floats(5, 15), st.floats(1.5, 6))
@settings(max_examples=50)
def test_a_stroke_covers_its_length_times_its_width(
    x: float, y: float, angle: float, length: float, width: float
) -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    end = (x + length * np.cos(angle), y + length * np.sin(angle))
    _strokes.strokes(picture, [[(x, y), end]], (255, 0, 0), width)
    area = length * width + np.pi * (width / 2) ** 2
    assert picture[..., 0].sum() / 255 == pytest.approx(area, rel=0.08)
    assert not picture[..., 1:].any()


def test_what_lies_outside_the_picture_is_left_out() -> None:
    picture = np.zeros((10, 10, 3), np.uint8)
    _strokes.strokes(picture, [[(-50, -50), (-20, 70)], [(30, 5), (1e9, 5)]], (255, 255, 255), 3)
    _strokes.dots(picture, np.array([[-1.0, 5.0], [10.0, 5.0], [5.0, -0.1], [5.0, 10.0]]), (255, 255, 255))
    assert not picture.any()
    _strokes.dots(picture, np.array([[9.5, 0.5]]), (7, 8, 9))
    assert picture[0, 9].tolist() == [7, 8, 9]


def test_every_sign_looks_different() -> None:
    drawn = set()
    for letter in "0123456789.:s°":
        picture = np.zeros((20, 20, 3), np.uint8)
        _strokes.write(picture, letter, (3, 3), 12, (255, 255, 255))
        assert picture.any()
        assert not picture[:, [0, -1]].any()
        drawn.add(picture.tobytes())
    assert len(drawn) == 14


# The sheet.


class Session:
    def __init__(self, log: list[Any], size: tuple[int, int]) -> None:
        self.log, self.size = log, size

    def render(self, scene: Scene, camera: Camera) -> Frame:
        self.log.append((scene, camera))
        color = np.full((self.size[1], self.size[0], 4), 10 * len(self.log) % 256, np.uint8)
        return Frame(color)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.log.append("closed")


class Renderers:
    """A plugin with a renderer that keeps what it was asked to draw, and one that lacks a driver."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def open(self, size: tuple[int, int], quality: str = "medium") -> Session:
        return Session(self.log, size)

    @hookimpl
    def renderer(self) -> list[Provider]:
        return [Provider("kept", "keeps what it is given", load=lambda: self)]


class Driverless:
    def open(self, size: tuple[int, int], quality: str = "medium") -> Session:
        raise ProviderUnavailable("no driver")

    @hookimpl
    def renderer(self) -> list[Provider]:
        return [Provider("driverless", "has no driver", load=lambda: self)]


def test_every_motion_has_a_row_of_pictures_that_the_renderer_drew() -> None:
    plugin = Renderers()
    asset = Asset("two", SKELETON, [turned(0.0), turned(1.0, frames=4)])
    sheet = _sheet.contact_sheet(Host(plugins=[plugin], autoload=False), asset)
    *drawn, closed = plugin.log
    assert closed == "closed"
    assert (sheet.provider, sheet.motions, len(drawn)) == ("kept", 2, 12)
    width = sheet.picture.shape[1] // 8
    for i in range(12):
        y, x = (0, i) if i < 8 else (1, i - 8)
        corner = sheet.picture[y * (sheet.picture.shape[0] // 2) + 10, x * width + 10]
        assert corner.tolist() == [10 * (i + 1)] * 3
    for scene, camera in drawn:
        (actor,) = scene.actors
        assert scene.ground is not None
        assert scene.lights
        place = camera.project(actor.pose[:, :3, 3], (100, 100))
        assert ((place[:, :2] > 0) & (place[:, :2] < 100)).all()


def test_a_file_of_many_motions_shows_the_first() -> None:
    plugin = Renderers()
    asset = Asset("many", SKELETON, [turned(0.1 * i, frames=1) for i in range(9)])
    sheet = _sheet.contact_sheet(Host(plugins=[plugin], autoload=False), asset)
    assert sheet.motions == _sheet.MOST_ROWS
    assert len(plugin.log) == 8 * _sheet.MOST_ROWS + 1


def test_an_asset_without_motions_shows_its_rest_pose() -> None:
    sheet = _sheet.contact_sheet(Host(plugins=[Renderers()], autoload=False), Asset("bare", SKELETON))
    assert sheet.motions == 0
    assert sheet.picture.any()


@pytest.mark.parametrize("plugins", [[], [Driverless()]], ids=["no renderer", "no driver"])
def test_without_a_renderer_there_are_stick_figures(plugins: list[Any]) -> None:
    host = Host(plugins=plugins, autoload=False)
    sheet = _sheet.contact_sheet(host, Asset("two", SKELETON, [turned(0.0)]))
    assert sheet.provider is None
    colors = {tuple(color) for color in sheet.picture.reshape(-1, 3).tolist()}
    assert {*_sheet._BONES.values(), _sheet._BACKGROUND, _sheet._FLOOR, _sheet._PAPER} <= colors
    warm = np.argwhere((sheet.picture[:300, :180] == _sheet._BONES["left"]).all(axis=-1))
    cold = np.argwhere((sheet.picture[:300, :180] == _sheet._BONES["right"]).all(axis=-1))
    assert warm[:, 1].mean() > cold[:, 1].mean()  # seen from ahead, left is on the right
    with pytest.raises((ProviderNotFound, ProviderUnavailable)):
        _sheet.contact_sheet(host, Asset("two", SKELETON), provider="driverless")


def test_stick_figures_show_the_vertices_of_meshes() -> None:
    host = Host(autoload=False)
    crate = Asset("crate", Skeleton(("root",), (-1,), [[0, 0, 0]]), [], [triangle()], [Material()])
    sheet = _sheet.contact_sheet(host, crate)
    assert (sheet.picture[:300] == _sheet._INK).all(axis=-1).sum() >= 16


@given(strategies.assets(strategies.motions(strategies.skeletons(rest_scales=True))))
@settings(max_examples=25)
def test_any_asset_has_a_sheet(asset: Asset) -> None:
    sheet = _sheet.contact_sheet(Host(autoload=False), asset)
    assert sheet.picture.dtype == np.uint8
    assert sheet.picture.shape[0] == min(max(len(asset.motions), 1), 6) * 326 + 2


# The command.


def run(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == status, (result.output, result.stderr, result.exception)
    return result.stdout


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    bvh = pytest.importorskip("kinetoscope_bvh.importer")
    pytest.importorskip("kinetoscope_av")
    path = tmp_path / "walk.bvh"
    bvh.BvhImporter().write(Asset("walk", SKELETON, [turned(0.0)]), path)
    return path


def test_a_sheet_is_written_and_told(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "sheet.png"
    words = ("--block", "deferred", "--block", "raster", "inspect", clip, "--sheet", out)
    told = json.loads(run(*words, "--json"))["sheet"]
    assert told == {"path": str(out), "provider": None, "motions": 1}
    from kinetoscope_av.provider import AvMedia

    picture = AvMedia().read_image(out)
    assert picture.shape[0] == 328
    text = run(*words)
    assert f"{out}: stick figures" in text
    assert [*out.parent.iterdir()] == [out]


@pytest.mark.gl
def test_a_renderer_draws_the_sheet(clip: Path, tmp_path: Path) -> None:
    pytest.importorskip("kinetoscope_deferred")
    out = tmp_path / "sheet.png"
    assert "drawn by deferred" in run("inspect", clip, "--sheet", out, "--renderer", "deferred")
    assert out.stat().st_size > 10_000


def test_what_can_not_be_drawn_is_refused_and_nothing_written(clip: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    run("inspect", clip, "--sheet", tmp_path / "sheet.gif", status=2)
    run("inspect", clip, "--sheet", tmp_path / "sheet.png", "--renderer", "nobody", status=1)
    run("inspect", tmp_path / "none.bvh", "--sheet", tmp_path / "sheet.png", status=1)
    picture = tmp_path / "a.png"
    picture.write_bytes(clip.read_bytes())
    run("inspect", picture, "--importer", "bvh", "--sheet", picture, status=1)
    assert picture.read_bytes() == clip.read_bytes()
    picture.unlink()
    assert sorted(tmp_path.iterdir()) == before


def test_names_cannot_break_the_report() -> None:
    skeleton = Skeleton(("a\nb", "\x1b[31mred", "\udcff"), (-1, 0, 0), np.zeros((3, 3)))
    report = _human(summary(Asset("x\ny", skeleton)))
    assert all(line.isprintable() for line in report.split("\n"))
    assert r"a\nb" in report
    assert r"\x1b[31mred" in report

"""What files in the wild look like, and that each of them is read for what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_bvh import _bones, _hierarchy
from kinetoscope_bvh.importer import BvhImporter
from kinetoscope_spec import Asset, ConfigError, FormatError

POSITION = "Xposition Yposition Zposition"
TURN = "Zrotation Xrotation Yrotation"


def text(
    *,
    root: str = f"CHANNELS 6 {POSITION} {TURN}",
    child: str = f"CHANNELS 3 {TURN}",
    rows: str = "",
    frames: int = 1,
) -> str:
    return (
        f"HIERARCHY\nROOT Hips\n{{\n\tOFFSET 1 2 3\n\t{root}\n\tJOINT Knee\n\t{{\n\t\tOFFSET 0 -40 0\n\t\t{child}\n"
        f"\t\tEnd Site\n\t\t{{\n\t\t\tOFFSET 0 -45 5\n\t\t}}\n\t}}\n}}\n"
        f"MOTION\nFrames: {frames}\nFrame Time: 0.0333333\n{rows}"
    )


ROW = "10 90 -5 30 20 10 40 50 60\n"


def read(tmp_path: Path, content: str | bytes, **options: object) -> Asset:
    path = tmp_path / "clip.bvh"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return BvhImporter().read(path, **{"unit": 0.01, **options})  # type: ignore[arg-type]


def same(a: Asset, b: Asset) -> bool:
    return a.skeleton == b.skeleton and a.motions == b.motions


def test_a_plain_file(tmp_path: Path) -> None:
    asset = read(tmp_path, text(rows=ROW))
    (motion,) = asset.motions
    assert asset.skeleton.names == ("Hips", "Knee")
    assert asset.skeleton.parents.tolist() == [-1, 0]
    np.testing.assert_allclose(asset.skeleton.rest_positions, [[0.01, 0.02, 0.03], [0, -0.4, 0]])
    np.testing.assert_allclose(motion.positions[0], [[0.1, 0.9, -0.05], [0, -0.4, 0]], atol=1e-7)
    wanted = Rotation.from_euler("ZXY", [[30, 20, 10], [40, 50, 60]], degrees=True)
    found = Rotation.from_quat(motion.rotations[0])
    assert (wanted * found.inv()).magnitude().max() < 1e-6
    assert motion.positions.dtype == motion.rotations.dtype == np.float32
    assert motion.framerate == 30
    assert motion.scales is None
    assert asset.name == motion.name == "clip"


def test_metadata(tmp_path: Path) -> None:
    metadata = read(tmp_path, text(rows=ROW)).metadata
    assert metadata["format"] == "bvh"
    assert metadata["unit_m"] == 0.01
    assert metadata["axes"] == "+X+Y+Z"
    assert metadata["frame_time_s"] == 0.0333333
    assert metadata["channels"]["Knee"] == ("Zrotation", "Xrotation", "Yrotation")
    np.testing.assert_allclose(metadata["end_sites"]["Knee"], (0, -0.45, 0.05))


def test_end_sites_become_nodes_when_asked_for(tmp_path: Path) -> None:
    asset = read(tmp_path, text(rows=ROW), end_sites=True)
    assert asset.skeleton.names == ("Hips", "Knee", "Knee_end")
    positions, _ = asset.motions[0].global_transforms()
    bare, rotations = read(tmp_path, text(rows=ROW)).motions[0].global_transforms()
    tip = bare[0, 1] + Rotation.from_quat(rotations[0, 1]).apply([0, -0.45, 0.05])
    np.testing.assert_allclose(positions[0, 2], tip, atol=1e-6)


@pytest.mark.parametrize("order", ["xyz", "xzy", "yxz", "yzx", "zxy", "zyx", "zxz", "yxy"])
def test_each_joint_has_its_own_rotation_order(tmp_path: Path, order: str) -> None:
    names = " ".join(f"{axis.upper()}rotation" for axis in order)
    motion = read(tmp_path, text(child=f"CHANNELS 3 {names}", rows=ROW)).motions[0]
    wanted = Rotation.from_euler(order.upper(), [40, 50, 60], degrees=True)
    assert (wanted * Rotation.from_quat(motion.rotations[0, 1]).inv()).magnitude() < 1e-6
    root = Rotation.from_euler("ZXY", [30, 20, 10], degrees=True)
    assert (root * Rotation.from_quat(motion.rotations[0, 0]).inv()).magnitude() < 1e-6


def test_rotation_channels_may_come_before_position_channels(tmp_path: Path) -> None:
    swapped = text(root=f"CHANNELS 6 {TURN} {POSITION}", rows="30 20 10 10 90 -5 40 50 60\n")
    assert same(read(tmp_path, swapped), read(tmp_path, text(rows=ROW)))


def test_position_channels_in_any_order(tmp_path: Path) -> None:
    swapped = text(
        root=f"CHANNELS 6 Zposition Xposition Yposition {TURN}", rows="-5 10 90 30 20 10 40 50 60\n"
    )
    assert same(read(tmp_path, swapped), read(tmp_path, text(rows=ROW)))


def test_position_channels_below_the_root_replace_the_offset(tmp_path: Path) -> None:
    motion = read(
        tmp_path, text(child=f"CHANNELS 6 {POSITION} {TURN}", rows="0 0 0 0 0 0 7 8 9 0 0 0\n")
    ).motions[0]
    np.testing.assert_allclose(motion.positions[0, 1], [0.07, 0.08, 0.09], atol=1e-7)
    np.testing.assert_allclose(motion.positions[0, 0], 0)


def test_three_position_channels_are_positions(tmp_path: Path) -> None:
    motion = read(tmp_path, text(child=f"CHANNELS 3 {POSITION}", rows="0 0 0 0 0 0 7 8 9\n")).motions[0]
    np.testing.assert_allclose(motion.positions[0, 1], [0.07, 0.08, 0.09], atol=1e-7)
    np.testing.assert_allclose(motion.rotations[0, 1], [0, 0, 0, 1])


def test_an_axis_without_a_channel_keeps_its_offset(tmp_path: Path) -> None:
    motion = read(tmp_path, text(child="CHANNELS 2 Zposition Xrotation", rows="0 0 0 0 0 0 7 90\n")).motions[
        0
    ]
    np.testing.assert_allclose(motion.positions[0, 1], [0, -0.4, 0.07], atol=1e-7)
    np.testing.assert_allclose(motion.rotations[0, 1], [0.5**0.5, 0, 0, 0.5**0.5], atol=1e-7)


def test_a_hinge_has_one_channel(tmp_path: Path) -> None:
    motion = read(tmp_path, text(child="CHANNELS 1 Yrotation", rows="0 0 0 0 0 0 -90\n")).motions[0]
    np.testing.assert_allclose(motion.rotations[0, 1], [0, -(0.5**0.5), 0, 0.5**0.5], atol=1e-7)


def test_a_joint_may_have_no_channels(tmp_path: Path) -> None:
    for child in ("CHANNELS 0", ""):
        motion = read(tmp_path, text(child=child, rows="0 0 0 0 0 0\n")).motions[0]
        np.testing.assert_allclose(motion.rotations[0, 1], [0, 0, 0, 1])


def test_nine_channels_with_scale(tmp_path: Path) -> None:
    child = f"CHANNELS 9 {POSITION} {TURN} Xscale Yscale Zscale"
    motion = read(tmp_path, text(child=child, rows="0 0 0 0 0 0 1 2 3 0 0 0 2 1 0.5\n")).motions[0]
    assert motion.scales is not None
    np.testing.assert_allclose(motion.scales[0], [[1, 1, 1], [2, 1, 0.5]])
    np.testing.assert_allclose(motion.positions[0, 1], [0.01, 0.02, 0.03], atol=1e-8)


def test_channels_listed_after_the_children_count_where_they_stand(tmp_path: Path) -> None:
    content = text(rows="40 50 60 10 90 -5 30 20 10\n")
    root = f"\tCHANNELS 6 {POSITION} {TURN}\n"
    content = content.replace(root, "").replace("\t}\n}\nMOTION", f"\t}}\n{root}}}\nMOTION")
    assert same(read(tmp_path, content), read(tmp_path, text(rows=ROW)))


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n\n", "\n \t\n"])
def test_line_ends(tmp_path: Path, newline: str) -> None:
    rows = text(rows=ROW * 2, frames=2)
    assert same(read(tmp_path, rows.replace("\n", newline)), read(tmp_path, rows))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: "\ufeff" + t,
        lambda t: "\n  \n" + t,
        lambda t: t + "\n\n   \n\t\n",
        lambda t: t.rstrip("\n"),
        lambda t: t.replace(" ", "\t \t"),
        lambda t: t.replace("\n\t", "\n      "),
        lambda t: t.replace("Knee\n\t{", "Knee {"),
        lambda t: t.replace("Hips\n{", "Hips{"),
        lambda t: t.replace("End Site", "End  site"),
        lambda t: t.replace("Frames: 1", "Frames:1").replace("Frame Time: ", "Frame Time:\t"),
        lambda t: t.replace("Zrotation", "ZROTATION").replace("HIERARCHY", "hierarchy"),
        lambda t: t.replace("10 90 -5", "1e1 +9.0E+01 -.5e1"),
        lambda t: t.replace("10 90 -5", "1000e-2 090. -5.0000000000000000000000000000"),
        lambda t: t.replace("30 20 10 40", "30 20\n10   40"),
        lambda t: t.replace("\n", " ").replace("MOTION", "\nMOTION\n").replace(" Frame Time", "\nFrame Time").replace(
            "0.0333333 ", "0.0333333\n"
        ).replace("Hips {", "Hips\n{").replace("JOINT Knee {", "JOINT Knee\n{").replace("End Site {", "End Site\n{"),
    ],
)  # fmt: skip
def test_spellings_of_the_same_file(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    assert same(read(tmp_path, change(text(rows=ROW))), read(tmp_path, text(rows=ROW)))


@pytest.mark.parametrize(
    "name", ["MOTION", "END_MOTION", "left knee", "JOINT", "mixamorig:Knee", "Knie-Gelenk.001", "膝"]
)
def test_names(tmp_path: Path, name: str) -> None:
    asset = read(tmp_path, text(rows=ROW).replace("Knee", name))
    assert asset.skeleton.names == ("Hips", name)


@pytest.mark.parametrize("name", ["} MOTION Frames: 1", "}", "}MOTION x"])
def test_names_that_look_like_the_end_of_the_hierarchy(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        assert read(tmp_path, text(rows=ROW).replace("Knee", name)).skeleton.names == ("Hips", name)
        refused(tmp_path, text(rows=ROW).replace("Knee", name).replace("-45", "x"), 12, "'x'")


def test_clips_of_one_skeleton_share_it_and_nothing_else(tmp_path: Path) -> None:
    first, second = (read(tmp_path, text(rows=row)) for row in (ROW, ROW.replace("40 50", "45 55")))
    assert first.skeleton is second.skeleton
    assert first.motions != second.motions
    first.metadata["channels"].clear()
    first.metadata["end_sites"].clear()
    again = read(tmp_path, text(rows=ROW)).metadata
    assert again == second.metadata
    assert again["channels"].keys() == {"Hips", "Knee"}
    assert again["end_sites"].keys() == {"Knee"}


def test_a_hierarchy_of_much_text_is_not_kept(tmp_path: Path) -> None:
    for name, kept in (("K" + "n" * 70_000, 0), ("Knee", 1)):
        for remembered in (_bones._remembered, _hierarchy._remembered):
            remembered.cache_clear()
        read(tmp_path, text(rows=ROW).replace("Knee", name))
        assert _bones._remembered.cache_info().currsize == kept
        assert _hierarchy._remembered.cache_info().currsize == kept


@pytest.mark.parametrize(
    ("old", "new"),
    [("-40", "-41"), ("Zrotation Xrotation", "Xrotation Zrotation"), ("-45 5", "-45 6"), ("Knee", "knee")],
)
def test_what_was_read_before_does_not_show_in_a_file_that_differs(
    tmp_path: Path, old: str, new: str
) -> None:
    read(tmp_path, text(rows=ROW))
    changed = read(tmp_path, text(rows=ROW).replace(old, new), end_sites=True)
    assert not same(changed, read(tmp_path, text(rows=ROW), end_sites=True))
    assert not same(read(tmp_path, text(rows=ROW), unit=0.1), read(tmp_path, text(rows=ROW)))
    assert len(read(tmp_path, text(rows=ROW)).skeleton) == len(changed.skeleton) - 1


def test_a_name_of_another_encoding_is_read(tmp_path: Path) -> None:
    asset = read(tmp_path, text(rows=ROW).replace("Knee", "Fuß").encode("latin-1"))
    assert asset.skeleton.names == ("Hips", "Fuß")


def test_a_name_that_stands_for_two_joints_is_told_apart(tmp_path: Path) -> None:
    asset = read(tmp_path, text(rows=ROW).replace("Knee", "Hips"))
    assert asset.skeleton.names == ("Hips", "Hips_2")
    assert any("'Hips'" in warning for warning in asset.warnings)


@pytest.mark.parametrize(("declared", "found"), [(3, 2), (1, 2), (10**9, 2), (0, 2)])
def test_a_wrong_frame_count_is_said_and_the_frames_there_are_taken(
    tmp_path: Path, declared: int, found: int
) -> None:
    asset = read(tmp_path, text(rows=ROW * found, frames=declared))
    assert asset.motions[0].frame_count == found
    assert any(str(declared) in warning and str(found) in warning for warning in asset.warnings)


def test_the_right_frame_count_needs_no_warning(tmp_path: Path) -> None:
    assert read(tmp_path, text(rows=ROW)).warnings == ()


def test_a_skeleton_without_frames(tmp_path: Path) -> None:
    asset = read(tmp_path, text(frames=0))
    assert asset.motions == ()
    assert len(asset.skeleton) == 2


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("0.0333333", 30.0),
        ("0.033333", 30.0),
        (".0083333", 120.0),
        ("0.008333", 120.0),
        ("0.016667", 60.0),
        ("0.01666", 60.0),
        ("0.04", 25.0),
        ("0.0416667", 24.0),
        ("3.33333e-2", 30.0),
        ("0.0333667", 30000 / 1001),
        ("0.0417083", 24000 / 1001),
        ("0.0125", 80.0),
        ("0.007", 1000 / 7),
        ("0.0317", 1 / 0.0317),
        ("1", 1.0),
        ("2.5", 0.4),
    ],
)
def test_framerate(tmp_path: Path, written: str, rate: float) -> None:
    asset = read(tmp_path, text(rows=ROW).replace("0.0333333", written))
    assert asset.motions[0].framerate == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize(
    ("units_tall", "unit"),
    [(1.7, 1), (170, 0.01), (67, 0.0254), (1700, 0.001), (30, 0.0254 / 0.45), (5.6, 0.3048)],
)
def test_the_unit_is_guessed_from_the_height_and_said(tmp_path: Path, units_tall: float, unit: float) -> None:
    leg = units_tall / 2
    content = (
        f"HIERARCHY\nROOT Hips {{ OFFSET 0 0 0\nCHANNELS 3 {POSITION}\n"
        f"JOINT Head\n{{ OFFSET 0 {leg} 0 }}\nJOINT Foot\n{{ OFFSET 0 {-leg} 0 }}\n}}\n"
        f"MOTION\nFrames: 1\nFrame Time: 0.04\n5000 0 0\n"
    )
    asset = read(tmp_path, content, unit=None)
    assert asset.metadata["unit_m"] == unit
    assert asset.metadata["unit_guessed"]
    assert any("unit" in warning for warning in asset.warnings)
    positions, _ = asset.motions[0].global_transforms()
    assert np.ptp(positions[0, :, 1]) == pytest.approx(units_tall * unit, rel=1e-6)
    assert 1.6 < np.ptp(positions[0, :, 1]) < 1.8
    stated = read(tmp_path, content, unit=unit)
    assert not stated.metadata["unit_guessed"]
    assert same(asset, stated)


@pytest.mark.parametrize("unit", [0, -1, float("nan"), float("inf"), 1e300])
def test_a_unit_that_is_none(tmp_path: Path, unit: float) -> None:
    with pytest.raises(ConfigError, match="unit"):
        read(tmp_path, text(rows=ROW), unit=unit)


def refused(tmp_path: Path, content: str | bytes, line: int | None, *words: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(tmp_path, content)
    assert caught.value.line == line, caught.value
    assert "clip.bvh" in str(caught.value)
    for word in words:
        assert word in str(caught.value), caught.value


@pytest.mark.parametrize(
    "bad",
    ["nan", "NaN", "inf", "-Infinity", "1_0", "0x10", "1e999", "1e31", "--1", "1-2", ".", "e5", "1e", "1,5"],
)
def test_a_number_that_is_none_is_named_with_its_line(tmp_path: Path, bad: str) -> None:
    rows = ROW + ROW.replace("-5", bad) + ROW
    refused(tmp_path, text(rows=rows, frames=3), 20, repr(bad))
    refused(tmp_path, text(rows=ROW).replace("-40", bad), 8, repr(bad), "OFFSET")


def test_a_row_with_too_few_or_too_many_numbers(tmp_path: Path) -> None:
    short, long = ROW.replace(" 60", ""), ROW.replace(" 60", " 60 70")
    refused(tmp_path, text(rows=ROW + short + ROW, frames=3), 20, "8 numbers", "9")
    refused(tmp_path, text(rows=ROW + long + ROW, frames=3), 20, "10 numbers", "9")
    refused(tmp_path, text(rows=ROW + short, frames=2), 20, "8 numbers", "cut off")


@pytest.mark.parametrize("time", ["0", "0.0", "-0.01", "nan", "", "inf", "1e-300", "fast"])
def test_a_frame_time_that_is_none(tmp_path: Path, time: str) -> None:
    refused(tmp_path, text(rows=ROW).replace("0.0333333", time), 18, "rame")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("MOTION", "ROOT Other\n{\nOFFSET 0 0 0\n}\nMOTION", 16, ("ROOT", "one")),
        ("JOINT Knee", "ROOT Knee", 6, ("ROOT",)),
        ("CHANNELS 6", "CHANNELS 7", 6, ("'JOINT'", "channel")),
        ("CHANNELS 6", "CHANNELS 5", 5, ("'Yrotation'",)),
        ("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation", 9, ("'Wrotation'", "Xposition")),
        ("Yposition Z", "Xposition Z", 5, ("Xposition twice",)),
        ("CHANNELS 6", "CHANNELS x", 5, ("number of channels",)),
        ("JOINT Knee", "JOINT", 6, ("name",)),
        ("OFFSET 0 -40 0", "", 14, ("OFFSET",)),
        ("OFFSET 0 -40 0", "OFFSET 0 -40", 9, ("'CHANNELS'",)),
        ("OFFSET 0 -40 0", "OFFSET 0 -40 0 7", 8, ("'7'",)),
        ("OFFSET 0 -40 0", "OFFSET 0 -40 0\nOFFSET 0 0 0", 9, ("second OFFSET",)),
        ("Frames: 1", "Frames: -1", 17, ("frames",)),
        ("Frames: 1", "Frames: 1.5", 17, ("frames",)),
        ("Frames: 1", "Frames: 1 2", 17, ("'2'",)),
        ("Frames: 1\n", "", 17, ("Frames:",)),
        ("Frame Time: 0.0333333\n", "", 18, ("Frame Time:",)),
        ("MOTION\n", "", 16, ("MOTION",)),
        ("\t}\n}\n", "\t}\n", 15, ("'MOTION'",)),
        ("\t}\n}\n", "\t}\n}\n}\n", 16, ("'}'", "MOTION")),
        ("HIERARCHY", "HIERARCHI", 1, ("HIERARCHY",)),
        ("OFFSET 0 -45 5", "OFFSET 0 -45 5\nJOINT x { OFFSET 0 0 0 }", 13, ("end site",)),
    ],
)  # fmt: skip
def test_a_broken_hierarchy_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: tuple[str, ...]
) -> None:
    content = text(rows=ROW)
    assert old in content
    refused(tmp_path, content.replace(old, new, 1), line, *words)
    refused(tmp_path, content.replace(old, new, 1).replace("\n", "\r\n"), line, *words)


def test_numbers_in_a_file_without_channels(tmp_path: Path) -> None:
    refused(tmp_path, text(root="", child="", rows="1 2 3\n"), 19, "'1'")


def test_frames_declared_and_none_there_is_a_file_cut_off(tmp_path: Path) -> None:
    refused(tmp_path, text(frames=7), 19, "7", "none")


def test_options_are_by_name_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        read(tmp_path, text(rows=ROW), scale=2)


def test_a_deep_and_a_wide_skeleton(tmp_path: Path) -> None:
    deep = "".join(f"JOINT d{i} {{\nOFFSET 0 1 0\n" for i in range(3000)) + "}" * 3000
    wide = "".join(f"JOINT w{i} {{\nOFFSET 0 1 0\n}}\n" for i in range(3000))
    root = f"ROOT r {{\nOFFSET 0 0 0\nCHANNELS 1 Yposition\n{deep}\n{wide}\n}}\n"
    content = f"HIERARCHY\n{root}MOTION\nFrames: 1\nFrame Time: 1\n5\n"
    asset = read(tmp_path, content, unit=1.0)
    assert len(asset.skeleton) == 6001
    positions, _ = asset.motions[0].global_transforms()
    assert positions[0, :, 1].max() == pytest.approx(3005)

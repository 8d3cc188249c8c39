"""Where the skeleton is looked for, what is guessed and said, and text that makes no sense."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

import kinetoscope_asf
from kinetoscope_asf.contract import AMC, ASF
from kinetoscope_asf.importer import AsfImporter
from kinetoscope_asf.signature import is_amc, is_asf
from kinetoscope_spec import Asset, ConfigError, FormatError

pytestmark = pytest.mark.timeout(60)


def pair(tmp_path: Path, asf: bytes = ASF, amc: bytes = AMC) -> Path:
    (tmp_path / "clip.asf").write_bytes(asf)
    (tmp_path / "clip.amc").write_bytes(amc)
    return tmp_path / "clip.amc"


def test_a_skeleton_alone(tmp_path: Path) -> None:
    asset = AsfImporter().read(pair(tmp_path).with_suffix(".asf"))
    assert asset.skeleton.names == ("root", "upper", "lower")
    assert asset.skeleton.parents.tolist() == [-1, 0, 1]
    assert asset.motions == ()
    assert asset.metadata["figure"] == "arm"
    assert asset.metadata["unit_m"] == pytest.approx(0.0508)
    assert asset.metadata["end_sites"] == {"lower": pytest.approx((4 * 0.0508, 0, 0))}
    assert "inches over 0.5" in " ".join(asset.warnings)


@pytest.mark.parametrize(
    ("name", "others", "found"),
    [
        ("02_01", ["02.asf", "03.asf"], "02"),
        ("02_01", ["02_01.asf", "02.asf"], "02_01"),
        ("any", ["clip.ASF", "other.asf"], "clip"),  # named in the file's first line
        ("any", ["only.asf"], "only"),
    ],
)
def test_where_the_skeleton_is_looked_for(tmp_path: Path, name: str, others: list[str], found: str) -> None:
    for other in others:
        (tmp_path / other).write_bytes(ASF.replace(b":name arm", f":name {other[:-4]}".encode()))
    path = tmp_path / f"{name}.amc"
    path.write_bytes(AMC)
    assert AsfImporter().read(path).metadata["figure"] == found


def test_a_skeleton_that_is_not_there_or_named(tmp_path: Path) -> None:
    path = tmp_path / "any.amc"
    path.write_bytes(AMC)
    with pytest.raises(FormatError, match=r"any\.asf"):
        AsfImporter().read(path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "far.asf").write_bytes(ASF)
    assert AsfImporter().read(path, skeleton=tmp_path / "x" / "far.asf").motions[0].frame_count == 2
    path.write_bytes(AMC.replace(b"C:\\arms\\clip.asf", b"x/far.asf"))
    with pytest.raises(FormatError):
        AsfImporter().read(path)
    with pytest.raises(FileNotFoundError):
        AsfImporter().read(path, skeleton=tmp_path / "none.asf")


@pytest.mark.parametrize(
    ("factor", "lengths", "unit"), [(1, (60, 40), 0.0254), (1, (300, 200), 0.001), (1, (0.6, 0.4), 1)]
)
def test_the_unit_that_makes_a_figure(
    tmp_path: Path, factor: int, lengths: tuple[float, float], unit: float
) -> None:
    text = ASF.replace(b"length 0.5", f"length {factor}".encode())
    text = text.replace(b"length 6", f"length {lengths[0]}".encode()).replace(
        b"length 4", f"length {lengths[1]}".encode()
    )
    asset = AsfImporter().read(pair(tmp_path, text))
    assert asset.metadata["unit_m"] == pytest.approx(unit)
    assert AsfImporter().read(tmp_path / "clip.amc", unit=0.5).metadata["unit_m"] == 0.5


def test_bones_that_frames_leave_out_stay_as_they_were(tmp_path: Path) -> None:
    amc = AMC.replace(b"upper 0 90 0\n", b"")
    asset = AsfImporter().read(pair(tmp_path, amc=amc), framerate=30)
    np.testing.assert_array_equal(asset.motions[0].rotations[1, 1], asset.motions[0].rotations[0, 1])
    assert "left out of frames 1 times" in " ".join(asset.warnings)
    assert "framerate" not in " ".join(asset.warnings)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_line_ends_comments_and_byte_order_marks(tmp_path: Path, ending: bytes) -> None:
    plain = AsfImporter().read(pair(tmp_path))
    asf = b"\xef\xbb\xbf" + ASF.replace(b"length 6", b"length 6 # of six").replace(b"\n", ending)
    amc = AMC.replace(b"\n", b" # said\n").replace(b"asf # said", b"asf").replace(b"\n", ending)
    assert AsfImporter().read(pair(tmp_path, asf, amc)) == plain


def line_of(text: bytes, word: bytes) -> int:
    return text[: text.index(word)].count(b"\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b"length 6", b"length six", b"length six"),
        (b"length 6", b"length nan", b"length nan"),
        (b"length 6", b"length 1e300", b"length 1e300"),
        (b"length 6", b"length 1_0", b"length 1_0"),
        (b"direction 1 0 0", b"direction 1 0", b"direction 1 0"),
        (b"axis XYZ", b"axis XYX", b"axis XYX"),
        (b"dof rx\n", b"dof rx rx\n", b"dof rx rx"),
        (b"dof rx\n", b"dof up\n", b"dof up"),
        (b"name lower", b"name upper", b"  end\n:hier"),
        (b"upper lower", b"upper lower lower", b"upper lower lower"),
        (b"upper lower", b"upper root", b"upper root"),
        (b"upper lower", b"upper hand", b"upper hand"),
        (b"length 0.5", b"length 0", b"length 0"),
        (b"  begin\n    id 2", b"    id 2", b"    id 2"),
        (b"  end\n  begin\n    id 2", b"  begin\n    id 2", b"  begin\n    id 2"),
    ],
)
def test_skeletons_that_make_no_sense(tmp_path: Path, old: bytes, new: bytes, place: bytes) -> None:
    assert old in ASF
    text = ASF.replace(old, new, 1)
    with pytest.raises(FormatError) as caught:
        AsfImporter().read(pair(tmp_path, text))
    assert f"clip.asf:{line_of(text, place)}:" in str(caught.value)


@pytest.mark.parametrize("section", [b":root", b":bonedata", b":hierarchy"])
def test_a_section_that_lacks(tmp_path: Path, section: bytes) -> None:
    with pytest.raises(FormatError):
        AsfImporter().read(pair(tmp_path, ASF.replace(section, b":skin")))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b"lower 90", b"lower", b"lower\n"),
        (b"lower 90", b"lower 90 90", b"lower 90 90"),
        (b"lower 90", b"lower inf", b"lower inf"),
        (b"lower 90", b"hand 90", b"hand 90"),
        (b"lower 90", b"upper 0 0 0", b"upper 0 0 0"),
        (b"\n1\nroot", b"\nroot", b"root"),
        (b"\n2\n", b"\n2\n3\n", b"3\n"),
    ],
)
def test_motions_that_make_no_sense(tmp_path: Path, old: bytes, new: bytes, place: bytes) -> None:
    text = AMC.replace(old, new, 1)
    with pytest.raises(FormatError) as caught:
        AsfImporter().read(pair(tmp_path, amc=text))
    assert f"clip.amc:{line_of(text, place)}:" in str(caught.value)


def test_bones_in_a_circle_are_left_out(tmp_path: Path) -> None:
    text = ASF.replace(b"root upper\n    upper lower", b"upper lower\n    lower upper")
    asset = AsfImporter().read(pair(tmp_path, text).with_suffix(".asf"))
    assert asset.skeleton.names == ("root",)
    assert "2 bones do not hang on the root" in " ".join(asset.warnings)


def chain(count: int) -> bytes:
    bones = "".join(f"begin\nname b{i}\ndirection 0 1 0\nlength 1\nend\n" for i in range(count))
    hang = "root b0\n" + "".join(f"b{i} b{i + 1}\n" for i in range(count - 1))
    return f":root\norder tx\n:bonedata\n{bones}:hierarchy\nbegin\n{hang}end\n".encode()


def test_deep_chains_and_too_many_bones(tmp_path: Path) -> None:
    asset = AsfImporter().read(pair(tmp_path, chain(4000)).with_suffix(".asf"), unit=1.0)
    assert len(asset.skeleton) == 4001
    with pytest.raises(FormatError, match="16,384"):
        AsfImporter().read(pair(tmp_path, chain(17_000)).with_suffix(".asf"))


def test_few_bytes_for_many_transforms(tmp_path: Path) -> None:
    amc = b"".join(b"%d\nroot 0\n" % i for i in range(20_000))
    with pytest.raises(FormatError, match="frames for 4,001 bones"):
        AsfImporter().read(pair(tmp_path, chain(4000), amc))


def test_options(tmp_path: Path) -> None:
    path = pair(tmp_path)
    for options in ({"framerate": 0}, {"unit": -1}, {"unit": float("nan")}):
        with pytest.raises(ConfigError):
            AsfImporter().read(path, **options)
    with pytest.raises(FormatError, match="max_bytes"):
        AsfImporter().read(path, max_bytes=10)


def test_the_signatures() -> None:
    assert is_asf(ASF, ASF, len(ASF))
    assert not is_amc(ASF, ASF, len(ASF))
    assert is_amc(AMC, AMC, len(AMC))
    assert not is_asf(AMC, AMC, len(AMC))
    for head in (b"", b"#" * 4096, b":name\n", b"\n" * 4096, b":degrees\nnot a number\n"):
        assert not is_asf(head, b"", len(head))
        assert not is_amc(head, b"", len(head))
    (provider,) = kinetoscope_asf.providers()
    assert (provider.name, provider.writes) == ("asf", ())


def test_threads_read_at_once(tmp_path: Path) -> None:
    path, assets = pair(tmp_path), []
    threads = [threading.Thread(target=lambda: assets.append(AsfImporter().read(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(assets) == 8
    assert all(isinstance(asset, Asset) and asset == assets[0] for asset in assets)


@pytest.mark.parametrize("filler", [b"\n", b" ", b"\t\n", b"#\n", b"1\n", b":\n"])
def test_long_runs_of_anything_are_told_at_once(tmp_path: Path, filler: bytes) -> None:
    path = tmp_path / "long.amc"
    path.write_bytes(filler * 200_000)
    with pytest.raises(FormatError):
        AsfImporter().read(path)
    head = (filler * 4096)[:4096]
    assert not is_amc(head, head, 10**6)
    assert not is_asf(head, head, 10**6)

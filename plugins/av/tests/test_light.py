"""Pictures of light against FFmpeg's decoder and OpenEXR's own library, and what damaged ones end in."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kinetoscope_av import _radiance
from kinetoscope_av._measured import Measured
from kinetoscope_av.provider import AvMedia
from kinetoscope_spec import FormatError

MEDIA = AvMedia()


def by_ffmpeg(path: Path) -> np.ndarray:
    with av.open(str(path), format="image2", options={"pattern_type": "none"}) as container:
        (frame,) = container.decode(video=0)
        return np.asarray(frame.to_ndarray())[..., :3]


def scenery(height: int, width: int, seed: int) -> np.ndarray:
    """Mantissas and exponents with long runs of one value, and noise."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., 0] |= 128
    pixels[..., 3] = rng.integers(125, 135, (height, width))
    for row in pixels:
        start, stop = np.sort(rng.integers(0, width + 1, 2))
        row[start:stop] = row[start % width]
    return pixels


@pytest.mark.parametrize("form", ["radiance", "packed"])
@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 6), width=st.integers(8, 300), seed=st.integers(0, 1000))
def test_radiance_is_what_ffmpeg_reads(
    tmp_path_factory: pytest.TempPathFactory, form: str, height: int, width: int, seed: int
) -> None:
    path = tmp_path_factory.mktemp("hdr") / "light.hdr"
    path.write_bytes(getattr(Measured(scenery(height, width, seed)), form)())
    np.testing.assert_allclose(MEDIA.read_light(path), by_ffmpeg(path), rtol=1e-6)


def test_literal_runs_are_read_too(tmp_path: Path) -> None:
    pixels = scenery(3, 200, 1)
    lines = b""
    for line in pixels:
        lines += bytes((2, 2, 0, 200))
        for part in line.T:
            lines += b"".join(bytes((len(held), *held)) for held in (part[:128], part[128:]))
    path = tmp_path / "light.pic"
    whole = Measured(pixels)
    path.write_bytes(whole._head() + lines)
    np.testing.assert_array_equal(MEDIA.read_light(path), whole.upright().astype(np.float32))


def test_runs_of_whole_pixels_are_read_too(tmp_path: Path) -> None:
    """The packing before 1991: (1, 1, 1, n) repeats a pixel; one right after another counts 256 times as much."""
    pixel = bytes((200, 100, 50, 129))
    data = Measured(np.zeros((1, 600, 4), np.uint8))._head()
    path = tmp_path / "old.hdr"
    path.write_bytes(data + bytes((130, 9, 9, 128)) + pixel + bytes((1, 1, 1, 86, 1, 1, 1, 2)))
    light = MEDIA.read_light(path)
    np.testing.assert_allclose(light[0, 0], np.array([130, 9, 9]) / 256)
    np.testing.assert_allclose(light[0, 1:], np.tile(np.array([200, 100, 50]) / 128, (599, 1)))


def test_exposures_are_taken_back(tmp_path: Path) -> None:
    measured = Measured.plain(8, 2)
    path = tmp_path / "light.hdr"
    lines = b"EXPOSURE=4\nEXPOSURE = 0.5\nCOLORCORR=1 2 4\nFORMAT"
    path.write_bytes(measured.radiance().replace(b"FORMAT", lines))
    np.testing.assert_allclose(MEDIA.read_light(path), measured.upright() / 2 / [1, 2, 4], rtol=1e-6)


def test_exposures_without_measure_are_no_light(tmp_path: Path) -> None:
    path = tmp_path / "light.hdr"
    path.write_bytes(Measured.plain(8, 2).radiance().replace(b"FORMAT", b"EXPOSURE=1e-300\n" * 2 + b"FORMAT"))
    with pytest.raises(FormatError, match=r"light.hdr: pixel \(0, 0\) is \[inf, inf, inf\]"):
        MEDIA.read_light(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"rle_rgbe", b"rle_xyze", r":3: is in '32-bit_rle_xyze' \(expected 32-bit_rle_rgbe\)"),
        (b"-Y 2 +X 8", b"-Y 2 +Y 8", r":5: tells no size \(expected -Y height \+X width\)"),
        (b"-Y 2 +X 8", b"-Y 20000 +X 20000", r":5: has 20,000 x 20,000 pixels"),
        (b"-Y 2 +X 8", b"-Y 0 +X 8", ":5: has 0 x 8 pixels"),
        (b"-Y 2 +X 8", b"-Y 4000 +X 8000", "ends before its pixels do"),
        (b"# measured", b"EXPOSURE=0", r":2: is multiplied by '0' \(expected 1 numbers above 0\)"),
        (b"\n\n", b"\n", "has no header"),
        (b"\xc8", b"", "ends before its pixels do"),
    ],
)
def test_what_is_wrong_with_radiance_is_said_where(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    path = tmp_path / "light.hdr"
    path.write_bytes(Measured.plain(8, 2).radiance().replace(old, new, 1))
    with pytest.raises(FormatError, match=f"light.hdr.*{says}"):
        MEDIA.read_light(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (bytes((2, 2, 0, 9)), "begins a line of another length"),
        (bytes((2, 2, 0, 8, 0)), "is damaged"),
        (bytes((2, 2, 0, 8, 137, 7)), "is damaged"),
        (bytes((2, 2, 0, 8, 136)), "is damaged|ends before"),
        (bytes((1, 1, 1, 3) * 8), "is damaged"),
        (bytes((200, 1, 1, 128, 1, 1, 1, 200) * 4), "is damaged"),
    ],
)
def test_damaged_lines_are_named_with_their_place(tmp_path: Path, line: bytes, says: str) -> None:
    path = tmp_path / "light.hdr"
    head = Measured(np.zeros((1, 8, 4), np.uint8))._head()
    path.write_bytes(head + line)
    with pytest.raises(FormatError, match=rf"light.hdr at byte \d+: ({says})"):
        MEDIA.read_light(path)


def exr(path: Path, channels: dict[str, np.ndarray], **header: object) -> Path:
    library = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    whole = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage, **header}
    with library.File(whole, channels) as file:
        file.write(str(path))
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_exr_is_read_to_the_bit(tmp_path: Path, dtype: type) -> None:
    image = (np.random.default_rng(1).random((5, 9, 3)) * 1000).astype(dtype)
    path = exr(tmp_path / "light.exr", {"RGB": image, "Z": np.ones((5, 9), np.float32)})
    found = MEDIA.read_light(path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, image.astype(np.float32))


def test_grey_exr_and_windows(tmp_path: Path) -> None:
    """A part of the picture is what is kept: the rest of its display window is dark, what is beside that is not seen."""
    held = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    path = exr(
        tmp_path / "part.exr",
        {"Y": held},
        dataWindow=(np.array([1, -1], np.int32), np.array([4, 1], np.int32)),
        displayWindow=(np.array([0, 0], np.int32), np.array([3, 1], np.int32)),
    )
    expected = np.zeros((2, 4, 3), np.float32)
    expected[:, 1:] = held[1:, :3, None]
    np.testing.assert_array_equal(MEDIA.read_light(path), expected)


def test_wrong_exr_is_said(tmp_path: Path) -> None:
    image = np.ones((4, 8, 3), np.float32)
    image[2, 5, 1] = np.inf
    with pytest.raises(FormatError, match=r"sun.exr: pixel \(5, 2\) is \[1.0, inf, 1.0\].*finite"):
        MEDIA.read_light(exr(tmp_path / "sun.exr", {"RGB": image}))
    with pytest.raises(FormatError, match=r"depth.exr: channel R is not there"):
        MEDIA.read_light(exr(tmp_path / "depth.exr", {"Z": np.ones((4, 8), np.float32)}))
    with pytest.raises(FormatError, match=r"ids.exr: channel R is uint32"):
        MEDIA.read_light(exr(tmp_path / "ids.exr", dict.fromkeys("RGB", np.ones((4, 8), np.uint32))))
    whole = exr(tmp_path / "whole.exr", {"RGB": np.ones((64, 64, 3), np.float32)}).read_bytes()
    for stop in (4, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.exr").write_bytes(whole[:stop])
        with pytest.raises(FormatError, match=r"cut.exr: can't be decoded"):
            MEDIA.read_light(tmp_path / "cut.exr")


def test_a_picture_of_light_is_bounded_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_radiance, "MOST_PIXELS", 100)
    path = exr(tmp_path / "large.exr", {"RGB": np.ones((11, 10, 3), np.float32)})
    with pytest.raises(FormatError, match=r"large.exr: has 10 x 11 pixels \(expected 1 to 100\)"):
        MEDIA.read_light(path)
    Image.new("RGB", (11, 10)).save(tmp_path / "large.png")
    (tmp_path / "large.png").write_bytes(
        (tmp_path / "large.png").read_bytes()[:45]
    )  # decoded, it would be cut off
    with pytest.raises(FormatError, match=r"large.png: has 11 x 10 pixels"):
        MEDIA.read_light(tmp_path / "large.png")
    (tmp_path / "long.hdr").write_bytes(Measured.plain(8, 2).radiance() + bytes(1000))
    with pytest.raises(FormatError, match=r"long.hdr: is larger than"):
        MEDIA.read_light(tmp_path / "long.hdr")


def parts(path: Path, sizes: list[tuple[int, int]], channels: str = "RGB") -> Path:
    """Write a file of several parts of zeros, the first of which is the picture."""
    library = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    shown = (np.zeros(2, np.int32), np.array([3, 1], np.int32))
    whole = {"type": library.scanlineimage, "compression": library.ZIP_COMPRESSION, "displayWindow": shown}
    held = [
        library.Part(dict(whole), {name: np.zeros(size, np.float32) for name in channels}, name=f"part{i}")
        for i, size in enumerate(sizes)
    ]
    with library.File(held) as file:
        file.write(str(path))
    return path


def test_all_that_a_file_holds_is_bounded_and_not_its_picture_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MEDIA.read_light(parts(tmp_path / "two.exr", [(2, 4), (9, 9)])).shape == (2, 4, 3)
    monkeypatch.setattr(_radiance, "MOST_PIXELS", 80)
    for path, says in (
        (parts(tmp_path / "second.exr", [(2, 4), (9, 9)]), r"second.exr: has 9 x 9 pixels"),
        (
            parts(tmp_path / "many.exr", [(2, 4)] * 14),
            r"many.exr: holds 336 numbers in 14 parts.*320 at most",
        ),
        (parts(tmp_path / "wide.exr", [(8, 10)], "ABGRZ"), r"wide.exr: holds 400 numbers in 1 parts"),
    ):
        with pytest.raises(FormatError, match=says):
            MEDIA.read_light(path)


def test_transparent_pictures_are_read_without_their_alpha(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 2), (255, 0, 188, 0)).save(tmp_path / "clear.png")
    light = MEDIA.read_light(tmp_path / "clear.png")
    assert light.shape == (2, 4, 3)
    np.testing.assert_allclose(light[0, 0], [1.0, 0.0, 0.5029], atol=1e-4)

"""Pictures: what is written comes back, damaged ones are named."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from kinetoscope_av.provider import AvMedia
from kinetoscope_spec import ConfigError, FormatError, ValidationError

MEDIA = AvMedia()


@settings(max_examples=30, deadline=None)
@given(
    image=st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4])).flatmap(
        lambda shape: hnp.arrays(np.uint8, shape)
    )
)
def test_png_is_exact(tmp_path_factory: pytest.TempPathFactory, image: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("png") / "i.png"
    MEDIA.write_image(path, image)
    assert np.array_equal(MEDIA.read_image(path), image)
    assert len(list(path.parent.iterdir())) == 1


def test_jpeg_is_close(tmp_path: Path) -> None:
    image = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    MEDIA.write_image(tmp_path / "i.jpg", image)
    assert np.abs(MEDIA.read_image(tmp_path / "i.jpg").astype(int) - image).mean() < 3


def test_other_kinds_of_pixel(tmp_path: Path) -> None:
    deep = np.array([[0, 32896, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert MEDIA.read_image(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 128, 255]
    Image.fromarray(np.array([[0, 200]], np.uint8)).save(tmp_path / "grey.png")
    assert MEDIA.read_image(tmp_path / "grey.png").tolist() == [[[0] * 3, [200] * 3]]
    palette = Image.new("P", (2, 1))
    palette.putpalette([1, 2, 3, 4, 5, 6])
    palette.putdata([0, 1])
    palette.save(tmp_path / "p.png", transparency=1)
    assert MEDIA.read_image(tmp_path / "p.png").tolist() == [[[1, 2, 3, 255], [4, 5, 6, 0]]]


def test_camera_pictures_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(tmp_path / "i.jpg", exif=exif)
    assert MEDIA.read_image(tmp_path / "i.jpg").shape == (20, 10, 3)


def test_bad_files_are_named(tmp_path: Path) -> None:
    MEDIA.write_image(tmp_path / "good.png", np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    content = (tmp_path / "good.png").read_bytes()
    cases = {"empty": b"", "short": content[:3000], "noise": os.urandom(3000), "text": b"{" * 1_000_000}
    for name, data in cases.items():
        (tmp_path / f"{name}.png").write_bytes(data)
        with pytest.raises(FormatError, match=name):
            MEDIA.read_image(tmp_path / f"{name}.png")
    for name in ("missing.png", "."):
        with pytest.raises(FormatError):
            MEDIA.read_image(tmp_path / name)


def test_wrong_requests_are_named(tmp_path: Path) -> None:
    image = np.zeros((2, 2, 4), np.uint8)
    with pytest.raises(ConfigError, match="alpha"):
        MEDIA.write_image(tmp_path / "i.jpg", image)
    with pytest.raises(ConfigError, match=r"\.png"):
        MEDIA.write_image(tmp_path / "i.tga", image)
    with pytest.raises(ConfigError, match="1 to 100"):
        MEDIA.write_image(tmp_path / "i.jpg", image[..., :3], quality=0)
    with pytest.raises(ValidationError, match="uint8"):
        MEDIA.write_image(tmp_path / "i.png", image.astype(float))
    assert not list(tmp_path.iterdir())

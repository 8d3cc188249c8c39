"""EXR files, read back with the library that defines the format."""

import builtins

import numpy as np
import pytest
from click.testing import CliRunner

from kinetoscope.cli import main
from kinetoscope.exr import write_exr
from kinetoscope_spec import Frame, ProviderUnavailable

OpenEXR = pytest.importorskip("OpenEXR")
SIZE = (5, 7)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    shapes = {"hdr": 3, "normal": 3, "albedo": 3, "material": 3, "motion": 2}
    held = {name: rng.normal(size=(*SIZE, n)).astype(np.float32) for name, n in shapes.items()}
    held["depth"] = np.where(rng.random(SIZE) < 0.5, np.inf, rng.random(SIZE)).astype(np.float32)
    held["id"] = rng.choice([0, 1, 65535], SIZE).astype(np.uint16)
    return Frame(np.zeros((*SIZE, 4), np.uint8), held)


def read(path):
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: np.array(channel.pixels) for name, channel in file.channels().items()}


def test_every_buffer_comes_back_bit_for_bit(frame, tmp_path):
    write_exr(tmp_path / "a.exr", frame)
    channels = read(tmp_path / "a.exr")
    for name, letters in (("hdr", "RGB"), ("normal", "XYZ"), ("albedo", "RGB"), ("motion", "XY")):
        layer = "" if name == "hdr" else f"{name}."
        np.testing.assert_array_equal(
            np.stack([channels[layer + each] for each in letters], axis=-1), frame.buffers[name]
        )
    np.testing.assert_array_equal(channels["Z"], frame.buffers["depth"])
    np.testing.assert_array_equal(channels["id"], frame.buffers["id"])
    np.testing.assert_array_equal(channels["material.metallic"], frame.buffers["material"][..., 1])
    assert len(channels) == 16


def test_what_cant_be_written_leaves_nothing(frame, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_exr(tmp_path / "file" / "a.exr", frame)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_the_library_it_says_what_to_install(frame, tmp_path, monkeypatch):
    real = builtins.__import__
    monkeypatch.setattr(
        builtins,
        "__import__",
        lambda name, *rest: (
            (_ for _ in ()).throw(ImportError(name)) if name == "OpenEXR" else real(name, *rest)
        ),
    )
    with pytest.raises(ProviderUnavailable, match=r"kinetoscope\[exr\]"):
        write_exr(tmp_path / "a.exr", frame)


@pytest.mark.gl
def test_frames_are_rendered_into_layers(tmp_path):
    clip = tmp_path / "clip.bvh"
    clip.write_text(
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT b\n{\nOFFSET 0 50 0\n"
        "CHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 50 0\n}\n}\n}\nMOTION\nFrames: 3\n"
        "Frame Time: 0.1\n0 50 0 0 0 0\n10 50 0 0 0 0\n20 50 0 0 0 0\n"
    )
    options = ["--size", "64x36", "--quality", "draft", "--framerate", "10", "--provider", "deferred"]
    done = CliRunner().invoke(main, ["render", str(clip), str(tmp_path / "f.##.exr"), *options])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.glob("*.exr")) == ["f.00.exr", "f.01.exr", "f.02.exr"]
    channels = read(tmp_path / "f.02.exr")
    body = channels["id"] == 1
    assert body.any()
    assert (channels["motion.X"][body] > 0).all() or (channels["motion.X"][body] < 0).all()
    assert np.isfinite(channels["Z"][body]).all()
    one = CliRunner().invoke(main, ["render", str(clip), str(tmp_path / "one.exr"), "--frame", "2", *options])
    assert one.exit_code == 0, one.output
    again = read(tmp_path / "one.exr")
    np.testing.assert_array_equal(again["motion.X"][body], channels["motion.X"][body])

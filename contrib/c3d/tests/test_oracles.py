"""Against ezc3d and py-c3d: what they write is read, and what they read is read the same."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_c3d.contract import made
from kinetoscope_c3d.importer import C3dImporter

UNITS = {"mm": 0.001, "m": 1.0}


def points(seed: int, frames: int = 7, count: int = 5) -> np.ndarray:
    """Return `[F, P, 4]`, the last a residual; some are unseen, none of them in every frame."""
    rng = np.random.default_rng(seed)
    held = np.concatenate(
        [rng.normal(scale=500, size=(frames, count, 3)), np.zeros((frames, count, 1))], axis=2
    )
    held[rng.random((frames, count)) < 0.2, 3] = -1
    held[0, :, 3] = 0
    return held


def turned(values: np.ndarray, screen: tuple[str, str]) -> np.ndarray:
    """Return points with right, up and forward as x, y, z, by way of a matrix."""
    right, up = (np.eye(3)["XYZ".index(axis[1])] * float(axis[0] + "1") for axis in screen)
    return values @ np.stack([right, up, np.cross(right, up)]).T


@pytest.mark.parametrize("seed", range(6))
def test_what_ezc3d_writes(tmp_path: Path, seed: int) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    held = points(seed, count=300 if seed == 5 else 5)
    screen = [("+X", "+Z"), ("+X", "+Y"), ("-Y", "+Z"), ("+Z", "-X"), ("+Y", "+Z"), ("-X", "+Z")][seed]
    units = "m" if seed % 2 else "mm"
    names = [f"S:M{i}" for i in range(held.shape[1])]
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [120.0]
    file["parameters"]["POINT"]["LABELS"]["value"] = names
    file["parameters"]["POINT"]["UNITS"]["value"] = [units]
    for name, axis in zip(("X_SCREEN", "Y_SCREEN"), screen, strict=True):
        file.add_parameter("POINT", name, [axis])
    file["header"]["points"]["first_frame"] = 10
    file["parameters"]["ANALOG"]["RATE"]["value"] = [240.0]
    file["parameters"]["ANALOG"]["LABELS"]["value"] = ["Fx", "Fy"]
    seen = held[..., 3] >= 0
    xyz = np.where(seen[..., None], held[..., :3], np.nan)
    file["data"]["points"] = np.concatenate([xyz, np.ones((*xyz.shape[:2], 1))], axis=2).transpose(2, 1, 0)
    file["data"]["meta_points"]["residuals"] = np.where(seen, 0.0, -1.0).T[None]
    file["data"]["analogs"] = np.random.default_rng(seed).normal(size=(1, 2, 2 * len(held)))
    path = tmp_path / "walk.c3d"
    file.write(str(path))
    asset = C3dImporter().read(path)
    (motion,) = asset.motions
    assert asset.skeleton.names == ("markers", *names)
    assert (motion.framerate, motion.frame_count) == (120.0, len(held))
    assert asset.metadata["analog_channels"] == 2
    assert asset.metadata["unit_m"] == UNITS[units]
    wanted = turned(held[..., :3], screen) * UNITS[units]
    found = motion.positions[:, 1:]
    np.testing.assert_allclose(found[seen], wanted[seen], rtol=1e-5, atol=1e-4 * UNITS[units])
    for i, name in enumerate(names):
        missing = {
            frame for start, stop in asset.metadata["gaps"].get(name, ()) for frame in range(start, stop)
        }
        assert missing == set(np.flatnonzero(~seen[:, i]).tolist())


def read_by_pyc3d(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    c3d = pytest.importorskip("c3d")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frames = [held for _, held, _ in c3d.Reader(io.BytesIO(data)).read_frames()]
    table = np.stack(frames)
    return table[..., :3], table[..., 3] >= 0


def dec(value: float) -> bytes:
    """Return a DEC float: IEEE's of four times the number, its words swapped."""
    raw = struct.pack("<f", 4 * value)
    return raw[2:] + raw[:2]


def converted(data: bytes, processor: int, count: int, *, floats: bool) -> bytes:
    """Return an Intel file as another processor would have written it."""
    out = bytearray(data)
    words = range(2, 12, 2)
    order = ">" if processor == 86 else "<"

    def real(at: int) -> None:
        (value,) = struct.unpack_from("<f", data, at)
        out[at : at + 4] = dec(value) if processor == 85 else struct.pack(">f", value)

    def word(at: int) -> None:
        struct.pack_into(f"{order}h", out, at, *struct.unpack_from("<h", data, at))

    for at in (*words, 16, 18):
        word(at)
    for at in (12, 20):
        real(at)
    out[512 + 3] = processor
    at = 516
    while data[at]:
        end = at + 2 + data[at]
        word(end)
        if data[at + 1] < 128 and data[end + 2] == 2:
            word(end + 4)
        elif data[at + 1] < 128 and data[end + 2] == 4:
            real(end + 4)
        at = end + struct.unpack_from("<h", data, end)[0]
    size = 4 if floats else 2
    for i in range(count):
        (real if floats else word)(1024 + size * i)
    return bytes(out)


@pytest.mark.parametrize("processor", [84, 85, 86])
@pytest.mark.parametrize("scale", [-0.1, 0.1])
def test_every_processor_and_number_format(tmp_path: Path, processor: int, scale: float) -> None:
    held = points(11)
    held[2, 1, 0] = 0.0
    data = made(held.tolist(), list("ABCDE"), scale=scale, screen=("+X", "+Y"))
    if processor != 84:
        data = converted(data, processor, held.size, floats=scale < 0)
    path = tmp_path / "a.c3d"
    path.write_bytes(data)
    asset = C3dImporter().read(path)
    found = asset.motions[0].positions[:, 1:] * 1000
    there, seen = read_by_pyc3d(data)
    np.testing.assert_array_equal(seen, held[..., 3] >= 0)
    np.testing.assert_allclose(found[seen], there[seen], rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(found[seen], held[..., :3][seen], atol=1e-3 if scale < 0 else 0.051)

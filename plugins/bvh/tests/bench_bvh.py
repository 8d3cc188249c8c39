"""Rates of BVH reading on one core, on clips made here: `pytest bench_bvh.py --benchmark-json …`.

Peers in the same run: `numpy.fromstring` for the numbers, bvhio for whole files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_bvh._numbers import parse_table
from kinetoscope_bvh.importer import BvhImporter

pytestmark = pytest.mark.bench
JOINTS, FRAMES, CLIPS = 22, 600, 10


def clip(seed: int, *, decimals: bool) -> str:
    """Return a BVH text: 22 joints with six channels, numbers as `%.6g` or with six decimals."""
    rng = np.random.default_rng(seed)
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    opened = "".join(
        f"{'JOINT' if j else 'ROOT'} j{j}\n{{\nOFFSET 0 10 0\n{channels}\n" for j in range(JOINTS)
    )
    values = np.cumsum(rng.normal(scale=0.4, size=(FRAMES, 6 * JOINTS)), axis=0)
    values += rng.uniform(-90, 90, size=6 * JOINTS)
    written = "%.6f" if decimals else "%.6g"
    rows = "\n".join(" ".join(written % value for value in row) for row in values.tolist())
    end = "End Site\n{\nOFFSET 0 10 0\n}\n"
    closed = "}\n" * JOINTS
    motion = f"MOTION\nFrames: {FRAMES}\nFrame Time: 0.0333333\n{rows}\n"
    return f"HIERARCHY\n{opened}{end}{closed}{motion}"


def numbers(decimals: bool) -> bytes:
    texts = [clip(seed, decimals=decimals) for seed in range(3)]
    return "".join(text.split("0.0333333\n")[1] for text in texts).encode()


def note(benchmark: Any, count: int, frames: int, peer: str | None = None) -> None:
    fastest = benchmark.stats.stats.min
    benchmark.extra_info |= {
        "value": count / fastest / 1e6,
        "unit": "MB/s",
        "peer_test": peer,
        "note": f"{frames / fastest:,.0f} frames/s, one thread",
    }


@pytest.mark.parametrize("decimals", [False, True], ids=["%.6g", "%.6f"])
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "plain"])
def test_numbers(benchmark: Any, compiled: bool, decimals: bool) -> None:
    data = numbers(decimals)
    benchmark(parse_table, data, 0, 6 * JOINTS, compiled=compiled)
    peer = f"test_numbers_numpy_fromstring[{'%.6f' if decimals else '%.6g'}]"
    note(benchmark, len(data), 3 * FRAMES, peer)


@pytest.mark.parametrize("decimals", [False, True], ids=["%.6g", "%.6f"])
def test_numbers_numpy_fromstring(benchmark: Any, decimals: bool) -> None:
    data = numbers(decimals)
    benchmark(np.fromstring, data, sep=" ")
    note(benchmark, len(data), 3 * FRAMES)


def folder(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{seed}.bvh" for seed in range(CLIPS)]
    for seed, path in enumerate(paths):
        path.write_text(clip(seed, decimals=False))
    return paths


def test_folder(benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinetoscope_bvh._numbers._seen", 1 << 40)  # as in the middle of a big folder
    paths, importer = folder(tmp_path), BvhImporter()
    benchmark(lambda: [importer.read(path, unit=0.01) for path in paths])
    note(benchmark, sum(path.stat().st_size for path in paths), CLIPS * FRAMES, "test_folder_bvhio")


@pytest.mark.realdata
@pytest.mark.parametrize("kept", [True, False], ids=["joints kept", "joints read each time"])
def test_mocap(benchmark: Any, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read real clips, units guessed, as they come and as if each had a skeleton of its own."""
    if not os.environ.get("KINETOSCOPE_DATA"):
        pytest.skip("KINETOSCOPE_DATA is not set")
    monkeypatch.setattr("kinetoscope_bvh._numbers._seen", 1 << 40)
    if not kept:
        monkeypatch.setattr("kinetoscope_bvh._hierarchy._SMALL", 0)
    paths, importer = sorted(Path(os.environ["KINETOSCOPE_DATA"], "bvh").glob("*/*.bvh")), BvhImporter()
    frames = sum(importer.read(path).motions[0].frame_count for path in paths)
    benchmark(lambda: [importer.read(path) for path in paths])
    note(benchmark, sum(path.stat().st_size for path in paths), frames)


def test_folder_bvhio(benchmark: Any, tmp_path: Path) -> None:
    bvhio = pytest.importorskip("bvhio")
    path = folder(tmp_path)[0]
    benchmark.pedantic(bvhio.readAsBvh, (str(path),), rounds=3)
    note(benchmark, path.stat().st_size, FRAMES)


def test_write(benchmark: Any, tmp_path: Path) -> None:
    path, importer = folder(tmp_path)[0], BvhImporter()
    asset = importer.read(path, unit=0.01)
    benchmark(importer.write, asset, tmp_path / "out.bvh")
    note(benchmark, path.stat().st_size, FRAMES)

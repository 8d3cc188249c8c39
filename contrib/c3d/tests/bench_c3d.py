"""Rate of reading C3D on one core, a file of 5,000 frames of 60 markers made here; peers py-c3d and ezc3d."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_c3d.contract import made
from kinetoscope_c3d.importer import C3dImporter

pytestmark = pytest.mark.bench
FRAMES, MARKERS = 5_000, 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    head = bytearray(made([[(0, 0, 0, 0)] * MARKERS], [f"M{i}" for i in range(MARKERS)])[:1024])
    struct.pack_into("<H", head, 8, FRAMES)
    points = np.random.default_rng(0).normal(scale=500, size=(FRAMES, MARKERS, 4)).astype("<f4")
    points[..., 3] = 0
    path = tmp_path / "walk.c3d"
    path.write_bytes(bytes(head) + points.tobytes())
    return path


def note(benchmark: Any, path: Path, peer: str | None = None) -> None:
    fastest = benchmark.stats.stats.min
    benchmark.extra_info |= {
        "value": path.stat().st_size / fastest / 1e6,
        "unit": "MB/s",
        "peer_test": peer,
        "note": f"{FRAMES / fastest:,.0f} frames/s of {MARKERS} markers, one thread",
    }


def test_read(benchmark: Any, path: Path) -> None:
    benchmark(C3dImporter().read, path)
    note(benchmark, path, "test_read_pyc3d")


def test_read_pyc3d(benchmark: Any, path: Path) -> None:
    c3d = pytest.importorskip("c3d")

    def read() -> list[Any]:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [points for _, points, _ in c3d.Reader(file).read_frames()]

    benchmark.pedantic(read, rounds=3)
    note(benchmark, path)


def test_read_ezc3d(benchmark: Any, path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    benchmark.pedantic(ezc3d.c3d, (str(path),), rounds=3)
    note(benchmark, path)

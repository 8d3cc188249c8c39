"""Reading and writing a clip of 60 joints and 1,000 frames as a crate, on one core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_spec import Asset, Motion, Skeleton
from kinetoscope_usd.importer import UsdImporter

pytestmark = pytest.mark.bench
FRAMES, JOINTS = 1_000, 60


def clip() -> Asset:
    rng = np.random.default_rng(0)
    parents = [-1, *(max(0, i - 1 - i % 3) for i in range(1, JOINTS))]
    skeleton = Skeleton([f"j{i}" for i in range(JOINTS)], parents, rng.normal(size=(JOINTS, 3)))
    turns = rng.normal(size=(FRAMES, JOINTS, 4))
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    motion = Motion(skeleton, rng.normal(size=(FRAMES, JOINTS, 3)), turns, 30.0, "clip")
    return Asset("clip", skeleton, (motion,))


def note(benchmark: Any, path: Path) -> None:
    fastest = benchmark.stats.stats.min
    size = path.stat().st_size / 1e6
    text = f"{size / fastest:.1f} MB/s, {JOINTS} joints, one thread"
    benchmark.extra_info |= {"value": FRAMES / fastest, "unit": "frames/s", "note": text}


def test_read(benchmark: Any, tmp_path: Path) -> None:
    path = tmp_path / "clip.usdc"
    UsdImporter().write(clip(), path)
    UsdImporter().read(path)  # starts the process that reads
    benchmark(UsdImporter().read, path)
    note(benchmark, path)


def test_write(benchmark: Any, tmp_path: Path) -> None:
    asset, path = clip(), tmp_path / "clip.usdc"
    benchmark(UsdImporter().write, asset, path)
    note(benchmark, path)

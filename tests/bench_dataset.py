"""Folders of BVH text into a dataset, and windows out of it, on takes made here.

Peers: reading as plain Python readers do it, a `float` a number, into global transforms, one thread and
nothing written; and zarr-python.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from scipy.spatial.transform import Rotation

from kinetoscope import Host
from kinetoscope.convert import FileReader, open_executor
from kinetoscope_dataset import Dataset

pytestmark = pytest.mark.bench
JOINTS = 22
WINDOWS = 300


def take(path: Path, frames: int, seed: int) -> int:
    """Write a take of 22 joints; return its bytes."""
    rng = np.random.default_rng(seed)
    names = "Zrotation Xrotation Yrotation"
    opened = "ROOT j0\n{\nOFFSET 0 90 0\nCHANNELS 6 Xposition Yposition Zposition " + names + "\n"
    opened += "".join(f"JOINT j{j}\n{{\nOFFSET 0 10 0\nCHANNELS 3 {names}\n" for j in range(1, JOINTS))
    values = np.cumsum(rng.normal(scale=0.4, size=(frames, 3 * JOINTS + 3)), axis=0)
    rows = "\n".join(" ".join(f"{value:.6f}" for value in row) for row in values.tolist())
    text = f"HIERARCHY\n{opened}End Site\n{{\nOFFSET 0 10 0\n}}\n{'}' * JOINTS}\n".replace("}}", "}\n}\n")
    return path.write_text(f"{text}MOTION\nFrames: {frames}\nFrame Time: 0.0333333\n{rows}\n")


@pytest.fixture(scope="module", params=[(300, 200), (20, 3000)], ids=["short", "long"])
def takes(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    count, frames = request.param
    folder = tmp_path_factory.mktemp("takes")
    return folder, sum(take(folder / f"{i}.bvh", frames, i) for i in range(count))


@pytest.mark.parametrize("jobs", [1, 2])
def test_folder_to_zarr(
    benchmark: Any, takes: tuple[Path, int], tmp_path: Path, jobs: int, request: pytest.FixtureRequest
) -> None:
    (folder, size), (case, _) = takes, request.node.callspec.id.split("-")
    names = (str(tmp_path / f"{i}.zarr") for i in range(10))
    with Host() as host, open_executor(host, "processes", jobs) as executor:  # type: ignore[union-attr]
        keeper, read = host.provider("dataset", "zarr"), FileReader(host)

        def convert() -> None:
            report = keeper.convert([folder], next(names), read=read, executor=executor, workers=jobs)
            assert not report.failed

        benchmark.pedantic(convert, rounds=3, warmup_rounds=1)
    benchmark.extra_info |= {
        "value": size / benchmark.stats.stats.min / 1e6,
        "unit": "MB/s",
        "note": f"{size / 1e6:.0f} MB of BVH text, {jobs} workers that are up, one process that writes",
        "peer_test": f"test_folder_in_plain_python[{case}]",
    }


def test_folder_in_plain_python(benchmark: Any, takes: tuple[Path, int]) -> None:
    folder, _ = takes
    files = sorted(folder.glob("*.bvh"))[:8]
    benchmark.pedantic(lambda: [plain(path) for path in files], rounds=2)
    size = sum(path.stat().st_size for path in files)
    benchmark.extra_info |= {"value": size / benchmark.stats.stats.min / 1e6, "unit": "MB/s"}


def plain(path: Path) -> np.ndarray:
    """Read a take of ours and return global positions `[F, J, 3]`, cm; a chain, each joint in the one before."""
    lines = path.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    values = np.array([[float(word) for word in line.split()] for line in lines[first:]])
    position, turned, places = values[:, :3], Rotation.identity(len(values)), []
    for joint in range(JOINTS):
        places.append(position)
        turned = turned * Rotation.from_euler("ZXY", values[:, 3 + 3 * joint : 6 + 3 * joint], degrees=True)
        position = position + turned.apply((0.0, 10.0, 0.0))
    return np.stack(places, axis=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("windows")
    for i in range(20):
        take(folder / f"{i}.bvh", 600, i)
    with Host() as host:
        host.provider("dataset", "zarr").convert([folder], str(folder / "d.zarr"), read=FileReader(host))
    return Dataset.open(folder / "d.zarr")


def places(data: Dataset) -> list[tuple[int, int]]:
    draw = random.Random(0)
    return [(draw.randrange(len(data)), draw.randrange(540)) for _ in range(WINDOWS)]


def note(benchmark: Any, **more: str) -> None:
    value = WINDOWS / benchmark.stats.stats.min
    benchmark.extra_info |= {"value": value, "unit": "windows/s", "note": "60 frames, 22 joints", **more}


def test_windows(benchmark: Any, data: Dataset) -> None:
    benchmark(lambda: [data.window(i, start, start + 60) for i, start in places(data)])
    note(benchmark, peer_test="test_windows_zarr_python")


def test_windows_zarr_python(benchmark: Any, data: Dataset) -> None:
    group = data.zarr()
    arrays: list[Any] = [group[f"clips/{clip.id}"] for clip in data.clips]
    benchmark(lambda: [arrays[i][start : start + 60] for i, start in places(data)])
    note(benchmark)
    assert isinstance(arrays[0], zarr.Array)

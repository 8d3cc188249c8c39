"""What working side by side saves of a shot's time, and what a range of frames carries to its worker."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from kinetoscope import Host
from kinetoscope.shot.branches import cores
from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.shot import write_sample

pytestmark = pytest.mark.bench
ROUNDS = 2


def sample(folder: Path, frames: int, steps: int, size: tuple[int, int]) -> Path:
    """Write the sample shot with all it can have: a plate, something to take out of it, a voice."""
    with Host() as host:
        return write_sample(
            folder, steps=steps, quality="medium", media=host.provider("media"), voice=True,
            plate=PlateScene(size=size, frames=frames),
        )  # fmt: skip


def bench_stages_side_by_side(benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same shot in a home where nothing is made yet, stage by stage and as many at once as there are cores."""
    shot, count = sample(tmp_path / "shot", frames=36, steps=300, size=(240, 136)), 0

    def shoot(workers: int | None) -> float:
        nonlocal count
        count += 1
        monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / f"home-{count}"))
        begun = time.perf_counter()
        with Host() as host:
            host.shoot(shot, out=tmp_path / f"films-{count}" / "film.mp4", workers=workers)
        return time.perf_counter() - begun

    shoot(1)  # compiles what is compiled once, and imports what is imported once
    serial, beside = [], []
    for _ in range(ROUNDS):
        serial.append(shoot(1))
        beside.append(shoot(None))
    benchmark.extra_info |= {
        "value": min(beside),
        "unit": "s",
        "peer": "stage by stage (--jobs 1)",
        "peer_value": min(serial),
        "ratio": min(beside) / min(serial),
        "note": f"{cores()} cores, 36 frames of 240 x 136, 300 steps; the best of {ROUNDS} each",
    }
    benchmark.pedantic(lambda: None, rounds=1)


class Weighs(Executor):
    """Works here, and counts the bytes that calls would carry to another process."""

    workers = 1

    def __init__(self, same_files: bool) -> None:
        self.same_files = same_files
        self.carried: list[int] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.carried.append(len(pickle.dumps((fn, args, kwargs))))
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def bench_bytes_of_a_range(benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To workers of this machine, beside others, which get all that is drawn with every range."""
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    told, ways = {}, (True, False)
    with Host() as host:
        shot = write_sample(tmp_path / "shot", steps=5, size=(64, 36), quality="draft")
        for near in ways:
            executor = Weighs(near)
            host.shoot(shot, out=tmp_path / f"{near}.mp4", executor=executor, first="render")
            told[near] = sum(executor.carried) / len(executor.carried)
    benchmark.extra_info |= {
        "value": told[True],
        "unit": "bytes",
        "peer": "the drawing in every call",
        "peer_value": told[False],
        "ratio": told[True] / told[False],
        "note": f"the sample shot, {len(executor.carried)} ranges",
    }
    benchmark.pedantic(lambda: None, rounds=1)

"""The memory that a film of a minute takes beside one of ten seconds, from the command to the last byte.

The film is a small one here; with `--long` it is drawn at 1280 x 720, and by `raster`, too, which takes ten minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.bench
SECONDS = (10, 60)
SMALL, LARGE = (320, 180), (1280, 720)
LONG = "KINETOSCOPE_BENCH_LONG"
CASES = [("deferred", SMALL), ("raster", SMALL), ("deferred", LARGE)]
"""Without `--long`, the first alone."""


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[1][0]}x{c[1][1]}")
def test_memory_of_a_minute(benchmark: Any, tmp_path: Path, case: tuple[str, tuple[int, int]]) -> None:
    """A walk of a minute, drawn and encoded, beside its first ten seconds: frames that stay would be 1,500 more."""
    if not hasattr(os, "wait4"):
        pytest.skip("this system does not tell the peak of a process")
    renderer, size = case
    if case != CASES[0] and not os.environ.get(LONG):
        pytest.skip(f"takes minutes: python tests/bench.py --long, or set {LONG}")
    peak_mb(tmp_path, renderer, SMALL, 1)  # what is compiled is compiled now
    short, long = benchmark.pedantic(
        lambda: [peak_mb(tmp_path, renderer, size, seconds) for seconds in SECONDS], rounds=1
    )
    frames_mb = 4 * size[0] * size[1] * 30 * (SECONDS[1] - SECONDS[0]) / 2**20
    told = f"peak {short:.0f} MB at {SECONDS[0]} s, {long:.0f} MB at {SECONDS[1]} s; its frames are {frames_mb:,.0f} MB more"
    benchmark.extra_info.update({"value": long - short, "unit": "MB", "note": told})


def peak_mb(folder: Path, renderer: str, size: tuple[int, int], seconds: int) -> float:
    """Return the most memory, MB, that a process holds which makes a film of a walk."""
    recipe, film = folder / f"walk{seconds}.sample.toml", folder / "film.mp4"
    recipe.write_text(f'# kinetoscope sample\naction = "walk"\nseed = 1\nseconds = {seconds}\nturn = 20.0\n')
    options = ("--size", f"{size[0]}x{size[1]}", "--quality", "draft", "--provider", renderer, "--jobs", "1")
    words = [sys.executable, "-m", "kinetoscope", "render", str(recipe), str(film), *options]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}"
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

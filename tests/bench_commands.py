"""What the command line takes to start, as whole processes, beside a bare interpreter."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

TRIES = 15


def wall_ms(arguments: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(arguments, env=environment, check=True, capture_output=True)
    return (time.perf_counter() - start) * 1000


@pytest.mark.bench
@pytest.mark.parametrize(("command", "budget"), [("--help", 100), ("plugins", 150)])
def bench_start(benchmark: Any, tmp_path: Path, command: str, budget: float) -> None:
    environment = os.environ | {"KINETOSCOPE_HOME": str(tmp_path)}
    script = str(Path(sys.executable).with_name("kinetoscope"))
    wall_ms([script, command], environment)
    ours, bare = [], []
    for _ in range(TRIES):
        ours.append(wall_ms([script, command], environment))
        bare.append(wall_ms([sys.executable, "-c", "pass"], environment))
    value, peer = statistics.median(ours), statistics.median(bare)
    benchmark.extra_info |= {
        "value": value,
        "unit": "ms",
        "peer": "python -c pass",
        "peer_value": peer,
        "ratio": value / peer,
        "note": f"warm cache, median of {TRIES}; budget {budget} ms",
    }
    benchmark.pedantic(wall_ms, args=([script, command], environment), rounds=3)

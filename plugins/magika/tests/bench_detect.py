"""What detection takes beside the magika package, its Rust program and `file`: `pytest bench_detect.py`.

Two claims, kept apart. *The same work*: every file goes through the network, with the package's
answers (`test_oracle.py`). *Less work*: signatures and rules settle what they can, the network sees the
rest, on the mixed corpus whose recipe is `corpus.py`. Each case runs in a process of its own, warm,
in turn with the others; the least CPU time of three rounds counts, for the machine has other users.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.bench

FILES, ROUNDS = 1000, 3
FEW = 250
"""Files for those that take long: the figures are a file's."""

HARNESS = """
import json, resource, sys, time
paths = sys.stdin.read().split("\\n")
{setup}
cpu, wall = time.process_time(), time.perf_counter()
{work}
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"cpu": cpu / len(paths) * 1e3, "wall": wall / len(paths) * 1e3, "peak": peak}}))
"""

OURS = """
from kinetoscope_magika.detect import MagikaDetector
from kinetoscope_magika._fastnet import NumpyNetwork
from kinetoscope_spec import Signature
class Importers:
    def signatures(self):
        return [Signature("bvh", group="animation", rule="kinetoscope_bvh.signature:is_bvh", is_text=True)]
detector = MagikaDetector(Importers(), network=NumpyNetwork(compiled=True))
for _ in detector.detect_each(paths[:20], audit=True): pass
"""
PACKAGE = "from magika import Magika\nmagika = Magika()\nmagika.identify_paths(paths[:20])"

CASES: Mapping[str, tuple[str, str, int]] = {
    "same work": (OURS, "for _ in detector.detect_each(paths, audit=True): pass", FILES),
    "same work, one thread": (OURS, "for _ in detector.detect_each(paths, audit=True, jobs=1): pass", FILES),
    "less work": (OURS, "for _ in detector.detect_each(paths): pass", FILES),
    "Magika.identify_paths": (PACKAGE, "magika.identify_paths(paths)", FEW),
    "Magika.identify_path": (PACKAGE, "for path in paths: magika.identify_path(path)", FEW),
}


def of_python(case: str, paths: Sequence[str]) -> dict[str, float]:
    setup, work, count = CASES[case]
    code = HARNESS.format(setup=setup, work=work)
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join(paths[:count]),
        text=True,
        capture_output=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def of_program(words: Sequence[str], paths: Sequence[str]) -> dict[str, float]:
    """Return CPU and wall time a file of a program, without what it takes to start."""
    took = []
    for some in (paths[:1], paths[: FEW + 1]):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*words, *some], check=False, capture_output=True)
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
        took.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall))
    (cpu0, wall0), (cpu1, wall1) = took
    return {"cpu": (cpu1 - cpu0) / FEW * 1e3, "wall": (wall1 - wall0) / FEW * 1e3, "peak": 0.0}


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """The least of each figure of each case, measured in turn."""
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        from corpus import make
    finally:
        sys.path.pop(0)
    paths = [str(path) for path in make(tmp_path_factory.mktemp("corpus"), FILES)]
    rust = Path(sysconfig.get_path("scripts")) / "magika"
    programs = {"magika (Rust)": [str(rust), "--json"]}
    if shutil.which("file"):
        programs["file"] = ["file", "-i"]
    least: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for name in (*CASES, *programs):
            found = of_python(name, paths) if name in CASES else of_program(programs[name], paths)
            held = least.setdefault(name, found)
            least[name] = {key: min(held[key], value) for key, value in found.items()}
    return least


def note(benchmark: Any, value: float, unit: str, peer: str, peer_value: float, text: str = "") -> None:
    benchmark.extra_info |= {
        "value": value,
        "unit": unit,
        "peer": peer,
        "peer_value": peer_value,
        "ratio": value / peer_value,
        "note": text,
    }
    benchmark.pedantic(lambda: None, rounds=1)


PEERS = ("Magika.identify_paths", "Magika.identify_path", "magika (Rust)", "file")


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("work", ["same work", "same work, one thread", "less work"])
@pytest.mark.parametrize("time", ["cpu", "wall"])
def test_time(benchmark: Any, figures: dict[str, dict[str, float]], work: str, peer: str, time: str) -> None:
    if peer not in figures:
        pytest.skip(f"{peer} is not installed")
    ours, theirs = figures[work][time], figures[peer][time]
    note(
        benchmark,
        ours,
        f"ms/file {time}",
        peer,
        theirs,
        f"{theirs / ours:.1f} times as fast, load {os.getloadavg()[0]:.1f}",
    )


def test_peak_memory(benchmark: Any, figures: dict[str, dict[str, float]]) -> None:
    theirs = figures["Magika.identify_paths"]["peak"]
    text = f"{FILES} files, compiled code included; the package with {FEW}"
    note(benchmark, figures["same work"]["peak"], "MB peak", "Magika.identify_paths", theirs, text)


def cold(code: str) -> float:
    """Return the CPU ms of a new process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def test_one_file_from_a_cold_start(benchmark: Any) -> None:
    ours = f"from kinetoscope_magika.detect import MagikaDetector; MagikaDetector().detect({__file__!r})"
    theirs = f"from magika import Magika; Magika().identify_path({__file__!r})"
    values = [(cold(ours), cold(theirs)) for _ in range(5)]
    note(benchmark, min(v for v, _ in values), "ms CPU", "Magika.identify_path", min(v for _, v in values))

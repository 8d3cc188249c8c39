"""How time and memory grow from ten minutes of clips to four hours: BVH text to the last shuffled batch.

    python growth_training_sets.py [--minutes 10 60 240] [--jobs 2] [--out growth.png]

Each size runs in a process of its own, whose workers import and store; it reads every window once,
normalised, in batches of 32. Writes a table, and the figure of the README. The text is made beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from bench_training_sets import CLIPS, FRAMERATE, RECIPE, walk, written

HERE = Path(__file__)


def spent() -> float:
    """Return the CPU seconds of this process and of its workers that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(held.ru_utime + held.ru_stime for held in both)


def measured(folder: Path, out: Path, jobs: int) -> dict[str, Any]:
    """Build and read one training set here; return seconds by the clock and of CPU, and peak memory."""
    import kinetoscope
    from kinetoscope_features.build import build
    from kinetoscope_features.sources import source_of
    from kinetoscope_features.store import TrainingStore

    start = perf_counter()
    with (
        kinetoscope.Host() as host,
        host.provider("executor", "processes").open("", workers=jobs) as pool,
    ):
        report = build(source_of(str(folder), host), out, RECIPE, host.feature, executor=pool, workers=jobs)
    stored, stored_cpu = perf_counter(), spent()
    store = TrainingStore(out)
    seen = sum(
        len(inputs)
        for training in (True, False)
        for inputs, _ in store.batches(32, normalised=True, training=training)
    )
    end = perf_counter()
    assert seen == report.windows
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    read_cpu = spent() - stored_cpu
    return {
        "frames": report.frames,
        "store_s": stored - start,
        "read_s": end - stored,
        "total_s": end - start,
        "cpu_s": stored_cpu + read_cpu,
        # On cores that nobody else uses: workers share what comes before reading, one process reads.
        "alone_s": stored_cpu / jobs + read_cpu,
        "reader_mb": own.ru_maxrss / 1024,
        "worker_mb": workers.ru_maxrss / 1024,
    }


def texts(folder: Path, minutes: int, host: Any) -> None:
    """Write clips of a minute; ten different ones, over and over."""
    folder.mkdir()
    for number in range(minutes):
        path = folder / f"walk_{number:05}.bvh"
        if number < CLIPS:
            written(host, walk(number), path)
        else:
            os.link(folder / f"walk_{number % CLIPS:05}.bvh", path)


def drawn(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw seconds over minutes of clips."""
    from matplotlib.figure import Figure

    minutes = [row["frames"] / FRAMERATE / 60 for row in rows]
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    for key, label in (("cpu_s", "CPU of all processes"), ("alone_s", "on two cores of its own")):
        axes.plot(minutes, [row[key] for row in rows], "o-", label=label)
    axes.set(xlabel="minutes of clips, 30 Hz", ylabel="s", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run the sizes one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 30, 60, 120, 240])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(*given.one, given.jobs)))
        return
    import kinetoscope

    rows = []
    with tempfile.TemporaryDirectory() as where, kinetoscope.Host() as host:
        for minutes in given.minutes:
            folder, out = Path(where, f"{minutes}"), Path(where, f"{minutes}.train")
            texts(folder, minutes, host)
            command = [sys.executable, HERE, "--one", folder, out, "--jobs", str(given.jobs)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append({"minutes": minutes} | json.loads(said))
            print(json.dumps({key: round(value, 1) for key, value in rows[-1].items()}), flush=True)
    first, last = rows[-2:]
    for key in ("total_s", "cpu_s", "alone_s"):
        slope = (last[key] - first[key]) / (last["frames"] - first["frames"])
        told = [
            f"{last[key] + slope * (20 * 3600 * hertz - last['frames']):.1f} s for 20 h at {hertz} Hz"
            for hertz in (30, 60)
        ]
        print(f"{key}: {1 / slope:,.0f} frames/s once under way; {', '.join(told)}")
    if given.out:
        drawn(rows, given.out)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    main()

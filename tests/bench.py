"""Run every benchmark and write one JSON file: `{name: {value, unit, peer, peer_value, ratio, note}}`.

A benchmark is a pytest-benchmark test in a file `bench_*.py` beside the tests of the distribution it
measures (or here). It puts its figure, and that of the peer it measured in the same run, into
`benchmark.extra_info` under the keys above; a peer that is a benchmark of its own in the same file is
named by `peer_test`. Without any of them the median time in seconds stands.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KEYS = ("value", "unit", "peer", "peer_value", "ratio", "note")


def files(words: list[str]) -> list[str]:
    """Return the benchmark files whose path contains any of `words` (all if none is given)."""
    rooms = ("spec", "core", "plugins", "contrib", "tests")
    found = sorted(
        str(path.relative_to(ROOT)) for room in rooms for path in (ROOT / room).rglob("bench_*.py")
    )
    return [path for path in found if not words or any(word in path for word in words)]


def records(raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Turn pytest-benchmark's report into one record a benchmark, `file.test[case]`."""
    told: dict[str, dict[str, Any]] = {}
    values = {
        (one["fullname"].partition("::")[0], one["name"]): one["extra_info"].get("value")
        for one in raw["benchmarks"]
    }
    for one in raw["benchmarks"]:
        file, _, _ = one["fullname"].partition("::")
        name = f"{Path(file).stem.removeprefix('bench_')}.{one['name'].removeprefix('bench_').removeprefix('test_')}"
        default = {"value": one["stats"]["median"], "unit": "s"}
        told[name] = {key: (default | one["extra_info"]).get(key) for key in KEYS}
        peer = values.get((file, one["extra_info"].get("peer_test")))
        if peer:
            told[name] |= {"peer": one["extra_info"]["peer_test"], "peer_value": peer}
            told[name]["ratio"] = told[name]["value"] / peer
    note = {"cores": os.cpu_count(), "python": platform.python_version(), "date": time.strftime("%Y-%m-%d")}
    told["machine"] = dict.fromkeys(KEYS) | {
        "value": os.cpu_count(),
        "unit": "cores",
        "note": json.dumps(note | {"cpu": raw["machine_info"]["cpu"].get("brand_raw")}),
    }
    return told


def show(told: dict[str, dict[str, Any]]) -> None:
    """Print one line a benchmark."""
    for name, one in told.items():
        peer = (
            f"{one['ratio']:.3g} x {one['peer']} ({one['peer_value']:.4g})"
            if one["ratio"]
            else one["note"] or ""
        )
        print(f"{name:<48} {one['value']:>11.4g} {one['unit']:<12} {peer}")


def main() -> int:
    """Run them all, one after the other on a quiet machine; return pytest's status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("only", nargs="*", help="words in the paths of the benchmark files to run")
    parser.add_argument("--long", action="store_true", help="those that take minutes each, too")
    arguments = parser.parse_args()
    if arguments.long:
        os.environ["KINETOSCOPE_BENCH_LONG"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["-q", "--benchmark-json", str(report), "--benchmark-disable-gc", "--benchmark-warmup=on"]
        discover = ["-o", "python_files=bench_*.py", "-o", "python_functions=test_* bench_*"]
        status = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                *options,
                *discover,
                *files(arguments.only),
            ],
            cwd=ROOT,
            check=False,
        ).returncode
        if not report.is_file():
            return status or 1
        told = records(json.loads(report.read_text(encoding="utf-8")))
    arguments.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    show(told)
    print(f"wrote {arguments.out}")
    return status


if __name__ == "__main__":
    sys.exit(main())

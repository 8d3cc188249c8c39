"""Fuzz our parsers with atheris: `python -m tests.fuzz [TARGET...] [--seconds N]`.

Each target runs in a process of its own, guided by the branches of the parser's package, from seeds
that our own writers made. The corpus is kept in `.fuzz/` and grown from run to run; an input that
finds a defect is left there as `crash-*`.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / ".fuzz"


def main() -> int:
    """Run the targets one after the other; 1 if any found a defect."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        return _fuzz(given.targets[0], given.seconds)
    from tests.fuzz.targets import TARGETS

    failed = []
    for name in given.targets or TARGETS:
        print(f"fuzzing {name} for {given.seconds} s", flush=True)
        command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(given.seconds), "--here"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        lines = [line for line in run.stderr.splitlines() if line.startswith(("Done", "#")) or "cov:" in line]
        print(f"  {lines[-1] if lines else run.stderr[-300:]}", flush=True)
        if run.returncode:
            failed.append(name)
            print(run.stdout[-4000:], run.stderr[-4000:], sep="\n", flush=True)
    print(
        f"{len(given.targets or TARGETS)} targets, {len(failed)} with a defect: {', '.join(failed) or 'none'}"
    )
    return 1 if failed else 0


def _fuzz(name: str, seconds: int) -> int:
    import atheris

    from tests.fuzz.targets import PACKAGES, TARGETS

    with atheris.instrument_imports(include=list(PACKAGES[name])):
        target = TARGETS[name]()
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (folder / f"seed-{hashlib.sha256(seed).hexdigest()[:12]}").write_bytes(seed)
    options = (f"-max_total_time={seconds}", "-max_len=8192", "-timeout=25", "-rss_limit_mb=4096")
    atheris.Setup([sys.argv[0], str(folder), *options, f"-artifact_prefix={CORPUS / name}-"], target)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())

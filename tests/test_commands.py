"""What the command line costs, by the modules it imports: counts are stable, clocks are not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "numpy",
    "torch",
    "jax",
    "scipy",
    "numba",
    "moderngl",
    "av",
    "magika",
    "onnxruntime",
    "rich",
    "attr",
    "pluggy",
}


def imported(*arguments: str, home: Path) -> set[str]:
    """Return the top-level modules that `kinetoscope ARGUMENTS` imports."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kinetoscope", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"KINETOSCOPE_HOME": str(home), "PATH": "/usr/bin"},
    )
    lines = [line.rsplit("|", 1) for line in run.stderr.splitlines() if line.startswith("import time:")]
    return {name.strip().split(".")[0] for _, name in lines}


def test_help_imports_click_and_little_else(tmp_path: Path) -> None:
    found = imported("--help", home=tmp_path)
    assert "click" in found
    assert not found & HEAVY
    assert {name for name in found if name.startswith("kinetoscope_")} <= {"kinetoscope_spec"}


@pytest.mark.parametrize("times", [1, 2], ids=["cold", "warm"])
def test_listing_plugins_imports_none(tmp_path: Path, times: int) -> None:
    for _ in range(times):
        found = imported("plugins", home=tmp_path)
    assert not found & (HEAVY - {"rich", "attr", "pluggy"})
    assert {name for name in found if name.startswith("kinetoscope_")} <= {"kinetoscope_spec"}


def test_every_provider_of_ours_loads(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "kinetoscope", "plugins", "--load", "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env={"KINETOSCOPE_HOME": str(tmp_path), "PATH": "/usr/bin"},
    )
    rows = json.loads(run.stdout)["providers"]
    assert {row["hook"] for row in rows} >= {
        "importer",
        "feature",
        "model",
        "renderer",
        "detector",
        "solver",
        "media",
    }
    wrong = [row for row in rows if row["state"] not in ("available", "loaded", "unavailable")]
    assert wrong == []
    assert all(row["reason"] for row in rows if row["state"] == "unavailable")

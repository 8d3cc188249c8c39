"""`kinetoscope check --all`: every installed provider holds its laws, or says what it lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kinetoscope import Host, discovery


@pytest.mark.slow
@pytest.mark.timeout(1900)
def test_every_installed_provider_holds_its_laws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    command = [
        sys.executable,
        "-m",
        "kinetoscope",
        "check",
        "--all",
        "--mutants",
        "--examples",
        "20",
        "--seed",
        "0",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=1800)
    told = json.loads(done.stdout)
    failures = [failure["message"] for row in told["providers"] for failure in row["failures"]]
    assert failures == []
    missed = [(row["name"], mutant["mutant"]) for row in told["providers"] for mutant in row["missed"]]
    assert missed == []
    assert told["mutants"] >= told["laws"]
    states = {(row["hook"], row["name"]): row["state"] for row in told["providers"]}
    assert set(states.values()) <= {"checked", "unavailable"}
    for row in told["providers"]:
        assert row["state"] == "checked" or row["reason"]
    with Host() as host:
        hooks = set(host.hooks())
    ours = {
        (entry.hook, entry.name)
        for entry in discovery.entries()
        if entry.distribution.startswith("kinetoscope-") and entry.hook in hooks
    }
    assert ours <= set(states)
    assert done.returncode == 0

"""Folders into datasets by the command: mixtures, failures, kills, real takes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_bvh.importer import BvhImporter
from kinetoscope_dataset import Dataset
from kinetoscope_dataset.npz import NpzImporter

BVH = """HIERARCHY
ROOT Hips
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  End Site
  {{
    OFFSET 0 10 0
  }}
}}
MOTION
Frames: {frames}
Frame Time: 0.0333333
{lines}
"""


def take(i: int, frames: int = 60) -> str:
    lines = "\n".join(f"{i} {frame} 0 {frame} {i % 90} 0" for frame in range(frames))
    return BVH.format(frames=frames, lines=lines)


def convert(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kinetoscope", "convert", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == status, done.stderr
    return done


def tree(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "takes"
    folder.mkdir()
    return folder


def test_a_mixture_is_stored_and_what_fails_is_a_table(takes: Path, tmp_path: Path) -> None:
    (takes / "a" / "b").mkdir(parents=True)
    (takes / "a" / "walk.bvh").write_text(take(1))
    (takes / "a" / "b" / "walk.bvh").write_text(take(2))
    (takes / "no suffix").write_text(take(3))
    (takes / "broken.bvh").write_text(take(4).replace("30 4 0", "30 oh 0"))
    (takes / "notes.txt").write_text("nothing that moves")
    (takes / "LICENSE").write_text("CC0")
    NpzImporter().write(BvhImporter().read(takes / "a" / "walk.bvh"), takes / "ü.npz")
    out = tmp_path / "out.zarr"
    data = json.loads(convert(takes, out, "--json", status=1).stdout)
    counts = [data[name] for name in ("converted", "skipped", "clips", "frames")]
    assert counts == [4, 1, 4, 240]
    assert [os.path.basename(item["path"]) for item in data["failed"]] == ["broken.bvh"]
    told = convert(takes, out, status=1)
    assert "broken.bvh:44  " in told.stderr
    assert "'oh'" in told.stderr
    assert "0 converted, 5 skipped (4 unchanged), 1 failed" in told.stdout
    (takes / "broken.bvh").write_text(take(4))
    (takes / "no suffix").unlink()
    told = convert(takes, out, "--jobs", "2")
    assert "1 converted" in told.stdout
    assert "no longer there: no suffix (1 files)" in told.stderr
    assert "1 removed" in convert(takes, out, "--prune").stdout
    held = Dataset.open(out)
    assert [clip.source for clip in held.clips] == ["a/b/walk.bvh", "a/walk.bvh", "broken.bvh", "ü.npz"]
    assert [clip.format for clip in held.clips] == ["bvh", "bvh", "bvh", "npz"]
    assert {held.licence(i) for i in range(4)} == {"CC0"}
    np.testing.assert_array_equal(held[1].positions, held[3].positions)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL")
@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_kill_9_at_any_moment_loses_nothing_that_was_stored(takes: Path, tmp_path: Path, jobs: int) -> None:
    count = 240
    for i in range(count):
        (takes / f"{i}.bvh").write_text(take(i))
    convert(takes, tmp_path / "whole.zarr")
    where, stored, kills = tmp_path / "killed.zarr", 0, 0
    words = [sys.executable, "-m", "kinetoscope", "convert", takes, where, "--jobs", str(jobs)]
    while kills < 3:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and _documents(where) < stored + 40:
            time.sleep(0.005)
        assert process.poll() is None, "it was to be killed at work"
        process.kill()
        process.wait()
        kills += 1
        before, stored = stored, _documents(where)
        assert stored >= before + 40
        assert len(Dataset.open(where)) == stored
    data = json.loads(convert(takes, where, "--jobs", jobs, "--json").stdout)
    assert (data["converted"], data["skipped"]) == (count - stored, stored)
    assert tree(where) == tree(tmp_path / "whole.zarr")


def _documents(where: Path) -> int:
    return len(list(where.glob("clips/*/zarr.json")))


@pytest.mark.realdata
@pytest.mark.slow
def test_real_takes_come_out_as_they_are_read(takes: Path, tmp_path: Path) -> None:
    data = os.environ.get("KINETOSCOPE_DATA")
    if not data:
        pytest.skip("KINETOSCOPE_DATA is not set")
    source, out = Path(data) / "bvh", tmp_path / "bvh.zarr"
    told = json.loads(convert(source, out, "--jobs", 2, "--json").stdout)
    files = sorted(source.rglob("*.bvh"))
    assert (told["converted"], told["failed"]) == (len(files), [])
    held = Dataset.open(out)
    for i in range(0, len(held), 5):
        clip, motion = held.clips[i], BvhImporter().read(source / held.clips[i].source).motions[0]
        assert held[i] == motion, clip.source

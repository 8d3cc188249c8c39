"""A run that is killed, SIGKILL from another process, at moments drawn over its length."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kinetoscope_samples.shot import write_sample

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL"),
]

KILLS = 2


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cheapest shot: a model without a training, a few frames of a small picture, drawn anywhere."""
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    path = write_sample(tmp_path / "shot", steps=5, size=(64, 36), quality="draft", path=((0, 0), (0.2, 0.6)))
    for clip in (path.parent / "mocap").iterdir():
        if clip.name != "walk-straight.sample.toml":
            clip.unlink()
    text = path.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"')
    path.write_text(text)
    return path


def stored(home: Path) -> dict[str, bytes]:
    """Every file of the cache but the signed film's, which holds the time of its signing."""
    root = home / "cache" / "shots"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] != "sign"
    }


def started(shot: Path, home: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kinetoscope", "shoot", str(shot), "--out", str(out)]
    environment = os.environ | {"KINETOSCOPE_HOME": str(home)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_killed_at_random_moments_each_resume_makes_the_same(shot: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    assert started(shot, tmp_path / "whole", tmp_path / "whole.mp4").wait() == 0
    length = time.monotonic() - began
    whole, motion = stored(tmp_path / "whole"), (tmp_path / "whole.bvh").read_bytes()
    assert {name.split("/")[0] for name in whole} >= {"plant", "generate"}
    seed = random.SystemRandom().randrange(2**32)
    print(f"moments drawn with seed {seed}")
    draw = random.Random(seed)
    for number in range(KILLS):
        home, beside = tmp_path / f"home-{number}", tmp_path / f"films-{number}"
        beside.mkdir()
        out = beside / "film.mp4"
        running = started(shot, home, out)
        time.sleep(draw.uniform(0, length))
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert started(shot, home, out).wait() == 0
        again = {name: data for name, data in stored(home).items() if not name.split("/")[1].startswith(".")}
        assert again == whole
        assert out.with_suffix(".bvh").read_bytes() == motion
        assert sorted(path.suffix for path in beside.iterdir()) == [".bvh", ".bvh", ".html", ".json", ".mp4"]

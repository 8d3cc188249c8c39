"""A run that is killed, SIGKILL from another process, at moments drawn over its length."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kinetoscope import Host
from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.shot import write_sample

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="forks a process that has imported much"),
]

KILLS = {"alone": 7, "plate": 3}

# Imports once, then forks a run for each line it reads: [home, shot, film, seconds after which it is killed].
# It computes nothing itself, for a process with threads must not be forked, and answers with the signal that
# ended the run (0: none) and how long it took.
WARM = """
import json, os, select, signal, sys, time, traceback
import av, moderngl, scipy.spatial, kinetoscope.shot.run
from kinetoscope import Host

for line in sys.stdin:
    home, shot, film, seconds = json.loads(line)
    ending, held = os.pipe()
    began, child = time.monotonic(), os.fork()
    if child == 0:
        try:
            os.environ["KINETOSCOPE_HOME"] = home
            with Host() as host:
                host.shoot(shot, out=film)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(held)
    if not select.select([ending], [], [], seconds)[0]:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(ending)
    print(json.dumps([os.waitstatus_to_exitcode(status), time.monotonic() - began]), flush=True)
"""


class Runs:
    """Runs of one shot, each a process of its own."""

    def __init__(self, kind: str, shot: Path, process: subprocess.Popen[str]) -> None:
        self.kind, self.shot, self.process = kind, shot, process

    def run(self, home: Path, film: Path, seconds: float | None = None) -> tuple[int, float]:
        """Shoot, and be killed after so many seconds; return the exit code and how long it took."""
        assert self.process.stdin
        assert self.process.stdout
        print(
            json.dumps([str(home), str(self.shot), str(film), seconds]), file=self.process.stdin, flush=True
        )
        code, took = json.loads(self.process.stdout.readline())
        return code, took


@pytest.fixture(params=list(KILLS))
def runs(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Runs]:
    """The cheapest shot: a model without a training, a few frames of a small picture, drawn anywhere.

    And one over a plate, with a word, whose stages work side by side.
    """
    options: dict[str, Any] = {"size": (64, 36), "path": ((0, 0), (0.2, 0.6))}
    if request.param == "plate":
        with Host() as host:
            media = host.provider("media")
        scene = PlateScene(size=(128, 72), frames=8)
        options = {"path": ((1.2, 6.0), (0.4, 5.6)), "media": media, "plate": scene, "voice": True}
    shot = write_sample(tmp_path / "shot", steps=5, quality="draft", **options)
    for clip in (shot.parent / "mocap").iterdir():
        if clip.name != "walk-straight.sample.toml":
            clip.unlink()
    text = shot.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"')
    shot.write_text(text.replace("text = ", 'text = "Hello, here I am." # '))
    environment = os.environ | {"KINETOSCOPE_HOME": str(tmp_path / "warm"), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", WARM],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Runs(request.param, shot, process)


def entries(home: Path) -> dict[str, Path]:
    """Every file of the entries of the cache but speech and the signed film, which hold when they were made.

    Folders whose names begin with a dot are being made, or were left by a run that was killed: they are no
    entries, and swept up when they are a day old.
    """
    root = home / "cache" / "shots"
    return {
        str(path.relative_to(root)): path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and path.relative_to(root).parts[0] not in ("sign", "speak", "align")
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    }


def stored(home: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in entries(home).items()}


def seen(folder: Path) -> set[str]:
    """Return the names of the files that are not being made."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_killed_at_random_moments_each_resume_makes_the_same(runs: Runs, tmp_path: Path) -> None:
    code, _ = runs.run(tmp_path / "whole", tmp_path / "films" / "film.mp4")
    assert code == 0
    whole, motion = stored(tmp_path / "whole"), (tmp_path / "films" / "film.bvh").read_bytes()
    names = seen(tmp_path / "films")
    more = {"inpaint", "camera", "lipsync"} if runs.kind == "plate" else set()
    assert {name.split("/")[0] for name in whole} == {"train", "generate", "plant", "encode"} | more
    seed = random.SystemRandom().randrange(2**32)
    print(f"moments drawn with seed {seed}")
    draw = random.Random(seed)
    _, length = runs.run(tmp_path / "again", tmp_path / "again.mp4")
    kills = number = 0
    while kills < KILLS[runs.kind]:
        number += 1
        home, beside = tmp_path / f"home-{number}", tmp_path / f"films-{number}"
        beside.mkdir()
        code, _ = runs.run(home, beside / "film.mp4", draw.uniform(0, length))
        if code == 0:
            continue  # it was quicker than the one that was timed
        assert code == -9
        kills += 1
        assert stored(home).items() <= whole.items(), "what was being made is taken for an entry"
        before = {name: path.stat().st_ino for name, path in entries(home).items()}
        if "film.mp4" in (left := seen(beside)):
            assert left == names, "the film is there without what belongs to it"
        code, _ = runs.run(home, beside / "film.mp4")
        assert code == 0
        assert stored(home) == whole
        after = {name: path.stat().st_ino for name, path in entries(home).items()}
        assert before.items() <= after.items(), "what was there was made again"
        assert (beside / "film.bvh").read_bytes() == motion
        assert seen(beside) == names

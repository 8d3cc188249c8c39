"""Ranges of frames drawn by workers: over a plate and with a voice, the film is the one that is drawn here."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from kinetoscope import Host, ShotEvent
from kinetoscope.cli import main
from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec import Cancelled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a training walks over a plate and says a word, with motion blur and grain."""
    folder = tmp_path_factory.mktemp("ranges")
    with Host() as host:
        path = write_sample(
            folder / "shot", steps=5, quality="medium", path=((1.2, 6.0), (0.4, 5.6)), media=host.provider("media"),
            plate=PlateScene(size=(128, 72), frames=14), voice=True,
        )  # fmt: skip
    text = path.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"')
    path.write_text(text.replace("text = ", 'text = "Hello, here I am." # '))
    for clip in (path.parent / "mocap").iterdir():
        if clip.name != "walk-straight.sample.toml":
            clip.unlink()
    return path


@pytest.fixture(scope="module")
def serial(shot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run that drew all by itself."""
    home = tmp_path_factory.mktemp("serial")
    with pytest.MonkeyPatch.context() as patch, Host() as host:
        patch.setenv("KINETOSCOPE_HOME", str(home))
        host.shoot(shot, out=home / "film.mp4")
    return home


@pytest.fixture
def home(serial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which all is made but the film."""
    shutil.copytree(serial / "cache", tmp_path / "home" / "cache")
    for stage in ("encode", "sign", "draw"):
        shutil.rmtree(tmp_path / "home" / "cache" / "shots" / stage, ignore_errors=True)
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def films(home: Path) -> dict[str, bytes]:
    """The film and its pictures as they were encoded, before it was signed."""
    found = (home / "cache" / "shots" / "encode").rglob("*")
    return {path.name: path.read_bytes() for path in found if path.is_file() and path.parent.name[0] != "."}


def waiting(home: Path) -> list[Path]:
    return [path for path in (home / "cache" / "shots").glob("draw/*") if not path.name.startswith(".")]


def test_in_threads_it_is_the_film_that_is_drawn_here(
    shot: Path, serial: Path, home: Path, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as executor, Host() as host:
        film = host.shoot(shot, out=tmp_path / "threads.mp4", executor=executor)
    stages = {stage["name"]: stage for stage in film.stages}
    assert not stages["encode"]["cached"]
    assert stages["render"]["details"]["workers"] == 2
    assert films(home) == films(serial)
    assert waiting(home) == []


def test_a_motion_is_rendered_by_workers_as_it_is_here(serial: Path, home: Path, tmp_path: Path) -> None:
    words = ["render", str(serial / "film.bvh"), "--size", "64x36", "--quality", "draft", "--json"]
    made = []
    for way in ([], ["--jobs", "2"]):
        out = tmp_path / f"film-{len(way)}.mp4"
        told = CliRunner().invoke(main, [*words[:2], str(out), *words[2:], *way])
        assert told.exit_code == 0, told.output
        made.append((out.read_bytes(), json.loads(told.stdout)["frames"]))
    assert made[0] == made[1]
    assert waiting(home) == []


def test_a_cancelled_run_goes_on_with_the_ranges_that_it_has(
    shot: Path, serial: Path, home: Path, tmp_path: Path
) -> None:
    events: list[ShotEvent] = []

    def progress(event: ShotEvent) -> bool:
        events.append(event)
        return not (event.message == "rendering" and (event.fraction or 0) > 0.3)

    with ThreadPoolExecutor(1) as executor, Host() as host:
        with pytest.raises(Cancelled, match="of 14 frames"):
            host.shoot(shot, out=tmp_path / "films" / "film.mp4", executor=executor, progress=progress)
        assert not (tmp_path / "films").exists()
        ranges = len(waiting(home))
        assert ranges >= 2
        assert {event.stage for event in events if event.message == "rendering"} == {"encode"}
        events.clear()
        host.shoot(shot, out=tmp_path / "films" / "film.mp4", progress=events.append)
    drawn = [event.fraction for event in events if event.message == "rendering"]
    assert min(drawn) >= 4 * ranges / 14
    assert films(home) == films(serial)


@pytest.mark.skipif(os.name != "posix", reason="signals a group of processes")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_ended_while_workers_draw_it_resumes_to_the_same_film(
    shot: Path, serial: Path, home: Path, tmp_path: Path, number: int
) -> None:
    out = tmp_path / "films" / "film.mp4"
    command = [sys.executable, "-m", "kinetoscope", "shoot", str(shot), "--jobs", "2", "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while process.poll() is None and not waiting(home):
            time.sleep(0.005)
        process.send_signal(number)  # it alone: its workers end with it
        _, said = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130}[number], said
    end = time.monotonic() + 30
    while time.monotonic() < end and _alive(process.pid):
        time.sleep(0.05)
    assert not _alive(process.pid)
    assert not out.exists()
    assert waiting(home)
    if number == signal.SIGINT:
        return
    told = CliRunner().invoke(main, ["shoot", str(shot), "--jobs", "2", "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert films(home) == films(serial)
    assert waiting(home) == []


def _alive(group: int) -> bool:
    """Whether a process of a group still runs; one that nobody has waited for does not."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return any(row.split()[0] == str(group) and row.split()[1][0] != "Z" for row in listed.splitlines())

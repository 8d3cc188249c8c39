"""Stages side by side, and frames drawn by workers: a plate and a voice, the film is the one made step by step."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kinetoscope import Host, ShotEvent
from kinetoscope.cli import main
from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec import Cancelled

pytestmark = pytest.mark.slow

# Where the tests run in the background of a shell, Ctrl-C is ignored; not so for a user.
LISTENS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from kinetoscope.cli import main; main(prog_name='kinetoscope')"
)


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
    """The home of a run that did one thing after the other, and drew all by itself."""
    home = tmp_path_factory.mktemp("serial")
    with pytest.MonkeyPatch.context() as patch, Host() as host:
        patch.setenv("KINETOSCOPE_HOME", str(home))
        host.shoot(shot, out=home / "film.mp4", workers=1)
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


TIMED = ("speak", "align", "sign", ".locks")


def stored(home: Path) -> dict[str, bytes]:
    """All that stages keep, but speech and the signed film, which hold the time at which they were made."""
    root = home / "cache" / "shots"
    found = {str(path.relative_to(root)): path for path in root.glob("*/*/**/*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name.split("/")[0] not in TIMED}


def test_stages_side_by_side_and_frames_in_threads_make_the_same(
    shot: Path, serial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr("kinetoscope.shot.crew.cores", lambda: 3)
    events: list[ShotEvent] = []
    with ThreadPoolExecutor(2) as executor, Host() as host:
        film = host.shoot(shot, out=tmp_path / "film.mp4", executor=executor, progress=events.append)
    told, report = (json.loads((folder / "film.report.json").read_text()) for folder in (tmp_path, serial))
    assert [stage["name"] for stage in told["stages"]] == [stage["name"] for stage in report["stages"]]
    assert told["warnings"] == report["warnings"]
    assert told["figures"] == report["figures"]
    begun = list(dict.fromkeys(event.stage for event in events))
    assert set(begun) == {stage["name"] for stage in film.stages}
    assert begun.index("speak") < begun.index("lipsync")
    assert max(begun.index("import"), begun.index("speak")) < begun.index(
        "camera"
    )  # nobody waits for the plate
    whole = [event.whole for event in events]
    assert whole == sorted(whole)
    stages = {stage["name"]: stage for stage in film.stages}
    assert stages["render"]["details"]["workers"] == 2
    assert stored(tmp_path) == stored(serial)
    assert waiting(tmp_path) == []


def test_what_fails_ends_what_is_done_beside_it(
    shot: Path, serial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training of an hour, beside an inpainter that breaks: the error is the inpainter's."""
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("kinetoscope.shot.crew.cores", lambda: 3)
    training = threading.Event()

    def broken(*_: Any, **__: Any) -> None:
        assert training.wait(60)
        raise ArithmeticError("a hole without a rim")

    def progress(event: ShotEvent) -> None:
        if event.stage == "train" and event.message != "train":
            training.set()

    monkeypatch.setattr("kinetoscope_propagate.inpainter.PropagateInpainter.inpaint", broken)
    other = shot.with_name("trained.toml")
    text = shot.read_text().replace('model = "motion-matching"', 'model = "codebook-matching"')
    other.write_text(text.replace("steps = 5", "steps = 20000"))
    with Host() as host, pytest.raises(ArithmeticError, match="without a rim"):
        host.shoot(other, out=tmp_path / "film.mp4", progress=progress)
    assert not list((tmp_path / "home" / "cache" / "shots" / "train").iterdir())
    assert not list(tmp_path.glob("film*"))


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
    command = [sys.executable, "-c", LISTENS, "shoot", str(shot), "--jobs", "2", "--out", str(out)]
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

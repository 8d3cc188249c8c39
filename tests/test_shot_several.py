"""Several shots in one command: in processes or here, each as if it were alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.shot.several import shoot_all, takes
from kinetoscope_matching.matching import MotionMatching
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec.errors import ConfigError

# Where the tests run in the background of a shell, Ctrl-C is ignored; not so for a user.
LISTENS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from kinetoscope.cli import main; main(prog_name='kinetoscope')"
)


@pytest.fixture
def shots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two of the cheapest: a model without a training, a few frames of a small picture, another light."""
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    first = write_sample(
        tmp_path / "shots", steps=5, size=(64, 36), quality="draft", path=((0, 0), (0.2, 0.6))
    )
    for clip in (first.parent / "mocap").iterdir():
        if clip.name != "walk-straight.sample.toml":
            clip.unlink()
    text = first.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"')
    other = first.with_name("other.toml")
    first.write_text(text)
    other.write_text(text.replace("shot.mp4", "other.mp4") + "\n[light]\nazimuth = -40.0\n")
    return Path("shots") / first.name, Path("shots") / other.name


def run(*words: str | Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(main, ["shoot", *map(str, words), "--json"])
    return result.exit_code, json.loads(result.stdout)


def encoded(home: Path) -> dict[str, bytes]:
    """The films as they were encoded, before they were signed, by their keys."""
    films = (home / "cache" / "shots" / "encode").glob("*/*.mp4")
    return {film.parent.name: film.read_bytes() for film in films}


@pytest.mark.slow
def test_in_processes_each_film_is_the_one_it_is_alone(
    shots: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, told = run(
        *shots, shots[0].with_name("none.toml"), "--jobs", "2", "--out", "films", "--executor", "processes"
    )
    assert (code, told["failed"]) == (1, 1)
    assert [one["shot"] for one in told["shots"]] == [*map(str, shots), "shots/none.toml"]
    assert "none.toml" in told["shots"][2]["reason"]
    assert told["shots"][2]["film"] is None
    spread = encoded(tmp_path / "home")
    assert len(spread) == 2
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "alone"))
    for shot, one in zip(shots, told["shots"], strict=False):
        assert one["film"] == str(tmp_path / "films" / f"{shot.stem}.mp4")
        code, alone = run(shot)
        assert code == 0
        for suffix in (".bvh", ".unplanted.bvh"):
            made = Path(one["film"]).with_suffix(suffix)
            assert made.read_bytes() == Path(alone["film"]).with_suffix(suffix).read_bytes()
        assert Path(one["report"]).is_file()
        assert Path(one["film"]).is_file()
    assert encoded(tmp_path / "alone") == spread


def test_here_a_shot_that_fails_stops_no_other(shots: tuple[Path, Path]) -> None:
    broken = shots[0].with_name("broken.toml")
    broken.write_text("[performer]\nmocap = 3\n")
    code, told = run(broken, shots[0], "--until", "import")
    assert (code, told["failed"]) == (1, 1)
    assert "broken.toml:2" in told["shots"][0]["reason"]
    assert [stage["name"] for stage in told["shots"][1].pop("stages")] == ["import"]
    assert told["shots"][1] | {"seconds": 0} == {
        "shot": str(shots[0]), "film": None, "report": None, "seconds": 0, "reason": "", "warnings": [],
    }  # fmt: skip
    table = CliRunner().invoke(main, ["shoot", str(broken), str(shots[0]), "--until", "import"])
    assert table.exit_code == 1
    assert "1 shot, 1 failed" in table.output
    assert "failed: " in table.output


@pytest.mark.parametrize(
    ("words", "workers"), [((), None), (("--jobs", "1"), 1), (("--executor", "here"), 1)]
)
def test_where_shots_share_the_cores_each_does_one_stage_after_the_other(
    shots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], workers: int | None
) -> None:
    asked: list[int | None] = []
    shoot = Host.shoot

    def noted(self: Any, *args: Any, workers: int | None = None, **options: Any) -> Any:
        asked.append(workers)
        return shoot(self, *args, workers=workers, **options)

    monkeypatch.setattr(Host, "shoot", noted)
    if "--executor" in words:
        monkeypatch.setattr("kinetoscope.convert.open_executor", lambda *_: ThreadPoolExecutor(2))
    assert run(*shots, "--until", "import", *words)[0] == 0
    assert asked == [workers, workers]


class Deadly(Executor):
    """Works here; the worker of a shot dies so many times."""

    def __init__(self, deaths: dict[str, int]) -> None:
        self.deaths = deaths

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        name = args[1].shot.name
        self.deaths[name] -= 1
        if self.deaths[name] >= 0:
            future.set_exception(BrokenExecutor("it was killed"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_a_worker_that_dies_costs_its_shot_at_most(shots: tuple[Path, Path]) -> None:
    # The first time both go down together, so that nobody knows who is to blame.
    executor = Deadly({"shot.toml": 2, "other.toml": 3})
    with Host() as host:
        done = shoot_all(host, takes(shots, None, until="import"), executor=executor)
    assert [bool(outcome.reason) for outcome in done] == [False, True]
    assert "died, twice: it was killed" in done[1].reason


def test_shots_of_one_performer_that_begin_together_train_once(
    shots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, fit = [], MotionMatching.fit

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        fits.append(threading.get_ident())
        time.sleep(0.3)  # the other comes while this one works
        return fit(self, *args, **options)

    monkeypatch.setattr(MotionMatching, "fit", counted)
    with Host() as host, ThreadPoolExecutor(2) as executor:
        done = shoot_all(host, takes(shots, None, until="train"), executor=executor)
    assert [outcome.reason for outcome in done] == ["", ""]
    assert len(fits) == 1


def test_two_shots_are_not_shot_to_one_film(shots: tuple[Path, Path], tmp_path: Path) -> None:
    shots[1].write_text(shots[0].read_text())
    result = CliRunner().invoke(main, ["shoot", *map(str, shots)])
    assert result.exit_code != 0
    assert "would both be shot to" in result.output
    result = CliRunner().invoke(main, ["shoot", *map(str, shots), "--out", str(shots[0])])
    assert "expected a folder" in result.output
    assert not (tmp_path / "home" / "cache" / "shots").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "plamt"), "plant"),
        (("--until", "plamt"), "plant"),
        (("--provider", "nothing=x"), "no stage is called"),
        (("--provider", "render=rasta"), "raster"),
    ],
)
def test_what_is_wrong_for_all_is_said_once_and_nothing_begins(
    shots: tuple[Path, Path], tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    result = CliRunner().invoke(main, ["shoot", *map(str, shots), *words])
    assert result.exit_code != 0
    assert says in result.output
    assert result.output.count("plamt") + result.output.count("rasta'") <= 1
    assert not (tmp_path / "home" / "cache" / "shots").exists()


def test_warnings_are_told_of_the_shot_that_has_them(shots: tuple[Path, Path]) -> None:
    text = shots[1].read_text()
    shots[1].write_text(text.replace("[performer]", "[performer]\naction = [{ at = 99.0, speed = 1.0 }]"))
    code, told = run(*shots, "--until", "generate")
    assert code == 0
    assert [len(one["warnings"]) for one in told["shots"]] == [0, 1]
    result = CliRunner().invoke(main, ["shoot", *map(str, shots), "--until", "generate"])
    assert "warning: shots/other.toml: 1 of 1 actions come after the performance" in result.output


def test_what_goes_beside_films_is_not_shared_either(shots: tuple[Path, Path]) -> None:
    other = shots[1]
    other.write_text(other.read_text().replace("other.mp4", "shot.mkv"))
    with pytest.raises(ConfigError, match="would both be shot to"):
        takes(shots, None)


def test_one_shot_goes_where_out_says(shots: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    assert [take.out for take in takes(shots[:1], Path("one.mp4"))] == [tmp_path / "one.mp4"]
    assert [take.out for take in takes(shots[:1], Path("films"))] == [tmp_path / "films" / "shot.mp4"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals a group of processes")
def test_an_interrupt_does_not_wait_for_shots_in_processes(shots: tuple[Path, Path], tmp_path: Path) -> None:
    for number, shot in enumerate(shots):  # trainings of an hour, of two models
        text = shot.read_text().replace('model = "motion-matching"\n', "")
        shot.write_text(text.replace("steps = 5", f"steps = {10**6 + number}"))
    command = [
        sys.executable,
        "-c",
        LISTENS,
        "shoot",
        *map(str, shots),
        "--jobs",
        "2",
        "--out",
        "films",
    ]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True) as process:
        begun = tmp_path / "home" / "cache" / "shots" / "train"
        try:
            while process.poll() is None and not begun.is_dir():
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, said
    assert not list((tmp_path / "films").glob("*.mp4"))

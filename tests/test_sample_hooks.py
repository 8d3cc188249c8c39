"""`kinetoscope sample --each-hook`: a shot for every hook that shots use, each of which can be shot."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.shot.run import shoot
from kinetoscope.shot.settings import Shot, read_shot
from kinetoscope.shot.steps import STEPS
from kinetoscope_samples.by_hook import SHOTS, write_hook_shots
from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.shot import write_sample


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    scene = PlateScene(size=(96, 54), frames=6, noise=0.0)
    with Host() as host:
        media = host.provider("media")
        shot = write_sample(tmp_path / "sample", steps=2, media=media, plate=scene, voice=True)
        files = write_hook_shots(shot, writer=host.writer("glb"), scene=scene)
    return {"": shot, **{file.stem: file for file in files}}


def test_there_is_one_for_every_hook_of_a_stage(written: dict[str, Path]) -> None:
    """An aligner is asked by every shot that speaks, and whoever signs by every shot."""
    hooks = {step.hook for step in STEPS if step.hook} | {"reasoner"}
    assert set(written) - {""} == set(SHOTS) == hooks - {"aligner", "credentials"}


def test_each_can_be_shot_and_differs_from_the_sample(written: dict[str, Path]) -> None:
    sample = read_shot(written.pop("")).shot
    with Host() as host:
        for hook, file in written.items():
            assert host.check_shot(file) == [], hook
            shot = read_shot(file).shot
            assert shot.name.startswith(f"{hook}: ")
            named = attrs.evolve(shot.output, file=sample.output.file)
            same = (shot.performer, shot.plate, shot.voice, named) == parts(sample)
            assert same == (hook == "media"), hook
            assert shot.output.file == ("media.mov" if hook == "media" else f"{hook}.mp4")


def parts(shot: Shot) -> tuple[object, ...]:
    return shot.performer, shot.plate, shot.voice, shot.output


def test_the_character_with_joints_of_its_own_is_retargeted(written: dict[str, Path]) -> None:
    file = written["retargeter"]
    file.write_text(file.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"'))
    with Host() as host:
        film = shoot(host, file, until="retarget")
    assert film.stages[-1]["name"] == "retarget"


def test_the_command_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    command = ["--block", "kinetoscope-propagate", "sample", str(tmp_path / "s"), "--each-hook", "--json"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    files = json.loads(done.stdout)["hooks"]
    # Without an inpainter there is no plate, and nothing of it.
    assert {"model", "solver", "retargeter", "voice"} <= set(files)
    assert not {"segmenter", "inpainter", "compositor"} & set(files)
    assert all(Path(file).is_file() for file in files.values())

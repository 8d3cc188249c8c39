"""`kinetoscope shot check` and `plan`, and `kinetoscope cache`: what they say, and that they do no work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kinetoscope.cli import main
from kinetoscope.shot.run import open_store
from kinetoscope.shot.settings import read_shot
from kinetoscope.shot.steps import STEPS, steps_of
from kinetoscope_spec import ConfigError

FULL = """
[performer]
mocap = ["a.bvh"]
path = [[0, 0], [0, 4.8]]
speed = 1.2
training = { steps = 100 }
[voice]
text = "Hello there."
[output]
size = [320, 180]
"""


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    (tmp_path / "a.bvh").write_text("HIERARCHY\n")
    path = tmp_path / "shot.toml"
    path.write_text(FULL)
    return path


def run(*words: str) -> tuple[int, Any]:
    result = CliRunner().invoke(main, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def planned(shot: Path, *words: str) -> dict[str, Any]:
    code, data = run("shot", "plan", str(shot), *words)
    assert code == 0
    return {stage["name"]: stage for stage in data["stages"]} | {"all": data}


def test_a_plan_has_the_stages_of_the_shot_and_does_none(shot: Path, tmp_path: Path) -> None:
    plan = planned(shot)
    assert [stage["name"] for stage in plan["all"]["stages"]] == [
        step.name for step in steps_of(read_shot(shot).shot)
    ]
    assert "plate" not in plan
    assert plan["train"]["provider"]
    assert all(stage["why"] for stage in plan["all"]["stages"])
    assert not (tmp_path / "home" / "cache" / "shots").exists()
    assert not list(tmp_path.glob("*.mp4"))


def test_time_grows_with_the_work(shot: Path) -> None:
    before = planned(shot)
    shot.write_text(FULL.replace("steps = 100", "steps = 400").replace("[320, 180]", "[640, 360]"))
    after = planned(shot)
    # Rounded to tenths of a second.
    assert after["train"]["seconds"] == pytest.approx(4 * before["train"]["seconds"], abs=0.25)
    assert after["render"]["seconds"] == pytest.approx(4 * before["render"]["seconds"], abs=0.25)
    assert after["generate"]["seconds"] == before["generate"]["seconds"]
    assert after["all"]["seconds"] == pytest.approx(
        sum(s["seconds"] for s in after["all"]["stages"]), abs=0.1
    )


def test_what_ran_here_is_measured(shot: Path, tmp_path: Path) -> None:
    provider = planned(shot)["train"]["provider"]
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    record = {f"train/{provider}": {"rate": 0.5, "memory_mb": 77.0}, "render/x": "no number"}
    (home / "shots.json").write_text(json.dumps(record))
    stage = planned(shot)["train"]
    assert (stage["seconds"], stage["memory_mb"], stage["measured"]) == (50.0, 77.0, True)
    (home / "shots.json").write_text("{")
    assert not planned(shot)["train"]["measured"]


def test_what_is_missing_is_said_and_a_wrong_name_answered(shot: Path) -> None:
    plan = planned(shot, "--provider", "render=rastr")
    assert "raster" in plan["render"]["missing"]
    assert any(text.startswith("render: ") for text in plan["all"]["missing"])
    result = CliRunner().invoke(main, ["shot", "plan", str(shot), "--provider", "rendr=raster"])
    assert result.exit_code != 0
    assert "render" in result.output


def test_check_says_all_that_is_wrong_at_once(shot: Path) -> None:
    assert run("shot", "check", str(shot)) == (0, {"ok": True, "problems": []})
    shot.write_text(
        FULL.replace("a.bvh", "gone.bvh")
        .replace('text = "Hello there."', 'script = "gone.txt"')
        .replace("[output]", '[output]\nrenderer = "rastr"')
    )
    code, data = run("shot", "check", str(shot))
    assert code == 1
    told = "\n".join(data["problems"])
    for words in ("gone.bvh", "gone.txt", "raster", "shot.toml:3"):
        assert words in told
    shot.write_text(FULL.replace("speed", "sped"))
    assert "speed" in run("shot", "check", str(shot))[1]["problems"][0]


def test_the_cache_is_listed_and_cleared(shot: Path) -> None:
    from kinetoscope import Host

    with Host() as host:
        store = open_store(host)
        for stage in ("train", "speak"):
            with store.making(stage, "k" * 32) as folder:
                (folder / "held").write_bytes(bytes(1234))
    code, data = run("cache", "list")
    assert code == 0
    assert {entry["stage"]: entry["bytes"] for entry in data["entries"]} == {"train": 1234, "speak": 1234}
    assert run("cache", "clear", "--stage", "speak")[1]["bytes"] == 1234
    assert [entry["stage"] for entry in run("cache", "list")[1]["entries"]] == ["train"]
    with Host() as host, open_store(host).making("draw", "k") as folder:  # ranges of frames, of no stage
        (folder / "frames.z").write_bytes(bytes(5))
    assert run("cache", "clear", "--stage", "draw")[1]["bytes"] == 5
    assert run("cache", "clear", "--stage", "encode")[1]["entries"] == []
    result = CliRunner().invoke(main, ["cache", "clear", "--stage", "trian"])
    assert result.exit_code != 0
    assert "train" in result.output


def test_every_stage_has_a_name_of_its_own() -> None:
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)


def test_the_size_of_the_cache_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from kinetoscope import Host

    with Host(config={"cache_bytes": 5}) as host:
        assert open_store(host).max_bytes == 5
    with pytest.raises(ConfigError, match="above 0"):
        Host(config={"cache_bytes": 0})

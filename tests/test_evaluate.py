"""`kinetoscope evaluate`, and several futures by `generate`, on clips made by recipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.evaluation import rollout
from kinetoscope.shot.learn import load_checkpoint
from kinetoscope.shot.measure import pelvis
from kinetoscope.shot.mocap import read_clips
from kinetoscope.shot.pace import Pace
from kinetoscope.shot.perform import perform, pick_start
from kinetoscope.shot.settings import Listing
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec import Path as GroundPath

pytestmark = pytest.mark.slow


def run(*arguments: object) -> Any:
    result = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """Motion matching on the sample's clips: what it has seen it must know."""
    folder = tmp_path_factory.mktemp("matched")
    write_sample(folder, steps=1, size=(192, 108), quality="draft", path=((0, 0), (0.4, 2.0)))
    clips = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "shot.toml")
    config = folder / "train.cfg"
    config.write_text('model = "motion-matching"\n[feature_options]\nbends = 0\nmirror = false\n')
    run("train", *clips, "--out", folder / "model", "--config", config)
    return folder / "model", clips


def test_what_it_has_seen_it_knows_better_than_who_knows_nothing(
    matched: tuple[Path, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, clips = matched
    followed, follow = [], rollout._root
    monkeypatch.setattr(rollout, "_root", lambda *given: followed.append(given) or follow(*given))
    config = tmp_path / "evaluate.toml"
    config.write_text("every = 60\nsamples = 2\n")  # a few windows: what is asked holds of each
    asked = ("evaluate", model, *clips[::4], "--config", config, "--out", tmp_path / "report")
    found = run(*asked)["metrics"]
    assert found["clips"] == len(clips[::4]) == len(followed)  # one model asks for each clip's way once
    ours, still = (found["methods"][name] for name in ("model", "zero velocity"))
    for horizon in ("15", "30", "45"):
        assert (
            ours["errors"][horizon]["position_m"]["value"]
            < 0.5 * still["errors"][horizon]["position_m"]["value"]
        )
        interval = ours["errors"][horizon]["npss"]
        assert interval["low"] <= interval["value"] <= interval["high"]
        for measure, error in ours["errors"][horizon].items():
            base, less = still["errors"][horizon][measure], error["less_still"]
            assert less["value"] == pytest.approx(error["value"] - base["value"])
            assert less["low"] <= less["value"] <= less["high"]
            assert set(base["less_still"].values()) == {0.0}
        assert ours["errors"][horizon]["position_m"]["less_still"]["high"] < 0
    assert found["methods"]["truth"]["figures"]["frechet_m2"] < 1e-6
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "errors.png",
        "evaluation.json",
        "evaluation.md",
    }


def test_trainings_by_several_seeds_are_told_together(
    matched: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    _, clips = matched
    config = tmp_path / "train.toml"
    config.write_text("steps = 5\n[model_options]\nhidden = 16\n[feature_options]\nbends = 0\n")
    for seed in (0, 1):
        run("train", clips[0], "--out", tmp_path / f"seed-{seed}", "--config", config, "--seed", seed)
    folders = [tmp_path / "seed-0", tmp_path / "seed-1", matched[0]]
    methods = run("evaluate", *folders, clips[1], "--out", tmp_path / "report")["metrics"]["methods"]
    one, other = (methods[f"seed-{seed}"]["errors"]["15"] for seed in (0, 1))
    both = methods["2 trainings: seed-0, seed-1"]["errors"]["15"]
    for measure in ("position_m", "rotation"):
        middle = (one[measure]["value"] + other[measure]["value"]) / 2
        assert both[measure]["value"] == pytest.approx(middle)
        low, high = (
            pick(told[measure][end] for told in (one, other)) for pick, end in ((min, "low"), (max, "high"))
        )
        assert both[measure]["less_still"]["value"] == pytest.approx(
            middle - methods["zero velocity"]["errors"]["15"][measure]["value"]
        )
        assert both[measure]["low"] == pytest.approx(low, rel=0.2)
        assert both[measure]["high"] == pytest.approx(high, rel=0.2)
    assert [name for name in methods if "trainings" in name] == ["2 trainings: seed-0, seed-1"]
    page = (tmp_path / "report" / "evaluation.md").read_text()
    assert page.count("| 2 trainings: seed-0, seed-1 | 15 |") == 2
    assert page.count("| zero velocity | 15 |") == 1


def test_each_seed_has_its_own_file_and_its_own_figures(
    matched: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    model, clips = matched
    asked = ("--start", clips[0], "--path", "figure-eight", "--seconds", 3, "--seeds", 2)
    told, again = (run("generate", model, tmp_path / f"{name}.bvh", *asked) for name in ("eight", "again"))
    assert [Path(file).name for file in told["outputs"]] == ["eight-0.bvh", "eight-1.bvh"]
    one, other = (Path(file).read_bytes() for file in told["outputs"])
    assert one != other
    assert [Path(file).read_bytes() for file in again["outputs"]] == [one, other]
    assert [walk["frames"] for walk in told["metrics"]["walks"]] == [90, 90]
    assert all(walk["path_error_m"]["mean"] < 0.5 for walk in told["metrics"]["walks"])
    assert told["metrics"]["diversity"]["apart_m"] > 1e-3


def test_a_head_and_two_hands_are_a_way_to_say_where_to_go(
    matched: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    model, clips = matched
    walk = next(clip for clip in clips if clip.name.startswith("walk"))
    asked = ("generate", model, tmp_path / "run.bvh", "--start", clips[0], "--track", walk)
    told = run(*asked, "--seconds", 3)
    (figures,) = told["metrics"]["walks"]
    assert figures["frames"] == 90
    assert set(figures["tracking_error_m"]["roles"]) == {"head", "left_hand", "right_hand"}
    assert figures["tracking_error_m"]["mean"] < 0.05
    with Host() as host:
        seen, wanted = (host.open(file).motions[0].resample(30.0) for file in (tmp_path / "run.bvh", walk))
    off = np.linalg.norm((pelvis(seen) - pelvis(wanted)[: seen.frame_count])[15:], axis=-1)
    assert off.mean() < 0.15
    wrong = CliRunner().invoke(main, [*map(str, asked), "--velocity", "0,1", "--seconds", "2"])
    assert wrong.exit_code == 2


def test_a_velocity_is_a_way_to_say_where_to_go(matched: tuple[Path, list[Path]], tmp_path: Path) -> None:
    model, clips = matched
    asked = ("generate", model, tmp_path / "run.bvh", "--start", clips[0])
    (walk,) = run(*asked, "--velocity", "0,1.2 1.2,0@3", "--seconds", 5)["metrics"]["walks"]
    assert walk["frames"] == 150
    assert walk["velocity_error_m_s"]["mean"] < 0.6
    for wrong in (
        ["--velocity", "0,1"],
        ["--velocity", "1", "--seconds", "2"],
        ["--velocity", "0,1@2", "--seconds", "2"],
        ["--velocity", "0,1", "--path", "0,0 0,1", "--seconds", "2"],
        [],
    ):
        assert CliRunner().invoke(main, [*map(str, asked), *wrong]).exit_code == 2


def test_a_model_made_ready_walks_the_same_way(
    matched: tuple[Path, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, clips = matched
    config = tmp_path / "train.toml"
    config.write_text(
        "steps = 60\n[model_options]\nhidden = 32\nredraw = 1.0\n[feature_options]\nbends = 0\n"
    )
    run("train", clips[0], "--out", tmp_path / "model", "--config", config)
    with Host() as host:
        learned = load_checkpoint(host, tmp_path / "model")
        start = pick_start(read_clips(host, Listing((clips[0],), frozenset(clips[:1]))).motions, None, 1.2)
        way = GroundPath.figure_eight(10.0)
        one, ready = (
            perform(which, start, way, pace=Pace.of(1.2), seed=3, max_seconds=3)
            for which in (learned, learned.ready())
        )
        assert type(learned.ready().fitted) is not type(learned.fitted)
        # ONNX Runtime adds in another order; each answer goes on from the one before.
        for a, b in zip(one.global_transforms(), ready.global_transforms(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-3)
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        assert learned.ready() is learned


def test_a_report_without_matplotlib_is_refused_before_the_work(
    matched: tuple[Path, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = matched
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    (tmp_path / "broken.bvh").write_text("HIERARCHY")  # would be the first error if the work had begun
    arguments = ["evaluate", str(model), str(tmp_path / "broken.bvh"), "--out", str(tmp_path / "report")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "Matplotlib" in result.output


def test_what_is_no_model_or_no_clip_is_refused(matched: tuple[Path, list[Path]], tmp_path: Path) -> None:
    model, clips = matched
    for arguments in ([model], clips[:1], [model, clips[0], "--out", model]):
        assert CliRunner().invoke(main, ["evaluate", *map(str, arguments)]).exit_code == 2
    plan = tmp_path / "plan.toml"
    plan.write_text("horizon = [5]\n")
    result = CliRunner().invoke(main, ["evaluate", str(model), str(clips[0]), "--config", str(plan)])
    assert result.exit_code == 1
    assert "horizons" in result.output

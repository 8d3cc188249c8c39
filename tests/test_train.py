"""`kinetoscope train` and `export` from the command line, on clips that are made for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner, Result

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.shot.learn import load_checkpoint

SETTINGS = """
model = "codebook-matching"
steps = 6
[model_options]
hidden = 16
channels = 4
licence = "our own"
[feature_options]
bends = 0
mirror = true
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short walk of the procedural biped, as BVH."""
    from kinetoscope_samples.shot import write_sample

    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, steps=1, size=(192, 108), quality="draft", path=((0, 0), (0.4, 2.0)))
    return next(path for path in sorted(folder.rglob("*")) if "walk" in path.name and path.is_file())


@pytest.fixture
def train(clip: Path, tmp_path: Path) -> Callable[..., Result]:
    """Run `kinetoscope train` with the settings above and further words."""
    (tmp_path / "train.toml").write_text(SETTINGS)

    def run(out: str, *words: str) -> Result:
        settings = str(tmp_path / "train.toml")
        return CliRunner().invoke(
            main, ["train", str(clip), "--out", str(tmp_path / out), "--config", settings, "--json", *words]
        )

    return run


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def test_a_file_says_how_to_train_and_the_command_line_goes_first(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    data = told(train("a", "--steps", "4", "--seed", "3", "--no-mirror"))
    assert data["model"] == "codebook-matching"
    assert data["metrics"]["step"] == 4
    assert 1 <= data["metrics"]["perplexity"] <= 8
    record = json.loads((tmp_path / "a" / "checkpoint.json").read_text())["recipe"]
    assert record["model_options"] == {"hidden": 16, "channels": 4, "licence": "our own"}
    assert record["options"] == {"bends": 0, "mirror": False}
    assert record["seed"] == 3
    with Host() as host:
        fitted: Any = load_checkpoint(host, tmp_path / "a").fitted
    assert (fitted.training["licence"], fitted.training["hidden"]) == ("our own", 16)
    assert fitted.skeleton is not None


def test_a_training_is_taken_up(train: Callable[..., Result], tmp_path: Path) -> None:
    first = told(train("a", "--resume", str(tmp_path / "state")))
    assert (tmp_path / "state").is_file()
    again = told(train("b", "--resume", str(tmp_path / "state")))
    assert again["losses"] == first["losses"] == told(train("c"))["losses"]
    other = train("d", "--resume", str(tmp_path / "state"), "--seed", "9")
    assert other.exit_code == 1
    assert "another training" in other.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz = 3", "'stepz'"),
        ("steps = 'many'", "steps is 'many'"),
        ("steps = 0", "steps is 0"),
        ("model_options = 3", "model_options is 3"),
        ("[model_options]\nhiden = 3", "'hiden'"),
        ("not toml", "not TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(clip: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    words = ["train", str(clip), "--out", str(tmp_path / "out"), "--config", str(tmp_path / "bad.toml")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_an_exported_model_says_what_it_said(train: Callable[..., Result], tmp_path: Path) -> None:
    told(train("a"))
    result = CliRunner().invoke(main, ["export", str(tmp_path / "a"), str(tmp_path / "a.onnx"), "--json"])
    data = told(result)
    assert data["output"] == str(tmp_path / "a.onnx")
    assert data["metrics"]["largest_difference"] < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    with Host() as host:
        fitted = load_checkpoint(host, tmp_path / "a").fitted
    rows = np.zeros((3, session.get_inputs()[0].shape[1]), np.float32)
    found = session.run(None, {"inputs": rows})[0]
    np.testing.assert_allclose(found, fitted.predict(rows), rtol=1e-4, atol=1e-4)

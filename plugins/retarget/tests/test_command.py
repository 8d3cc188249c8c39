"""`kinetoscope retarget`, on a host of the test's own."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from kinetoscope_retarget._people import body
from kinetoscope_retarget.command import command
from kinetoscope_retarget.contract import _moving
from kinetoscope_retarget.retargeter import AnatomicRetargeter
from kinetoscope_spec import Asset


@attrs.define
class Shelf:
    """What the command asks a host for: files by name, one retargeter, one writer."""

    files: dict[str, Asset]
    written: dict[str, Asset] = attrs.Factory(dict)

    def open(self, path: Path) -> Asset:
        return self.files[path.name]

    def provider(self, hook: str, name: str | None = None) -> AnatomicRetargeter:
        assert hook == "retargeter"
        return AnatomicRetargeter()

    def writer(self, label: str) -> Shelf:
        assert label == "bvh"
        return self

    def write(self, asset: Asset, path: Path) -> None:
        self.written[path.name] = asset


@pytest.fixture
def shelf() -> Shelf:
    source, roles = body("bandai")
    person = _moving("bandai", source, roles, 20, 1, 0.3, 0.2)
    return Shelf(
        {
            "walk.bvh": Asset("walk", source, (person.motion,), metadata={"licence": "CC0"}),
            "hero.bvh": Asset(
                "hero", body("unity")[0], metadata={"licence": "MIT"}, warnings=("its unit is a guess",)
            ),
            "rest.bvh": Asset("rest", source),
        }
    )


def run(shelf: Shelf, *words: str):
    return CliRunner().invoke(command, words, obj=shelf)


def test_it_writes_the_target_with_the_clip_and_prints_the_match(shelf, tmp_path) -> None:
    result = run(shelf, "walk.bvh", "hero.bvh", str(tmp_path / "new" / "out.bvh"))
    assert result.exit_code == 0, result.output
    assert "left_lower_arm" in result.output
    assert "20 frames on 52 joints" in result.output
    written = shelf.written["out.bvh"]
    assert written.skeleton == shelf.files["hero.bvh"].skeleton
    assert written.motions[0].frame_count == 20
    assert written.metadata["licence"] == "MIT; CC0"


def test_json_is_one_object(shelf, tmp_path) -> None:
    result = run(
        shelf, "walk.bvh", "hero.bvh", str(tmp_path / "out.bvh"), "--json", "--pair", "LeftHand=Hand_R"
    )
    data = json.loads(result.output)
    assert (data["frames"], data["joints"]) == (20, 52)
    pairs = {pair["target"]: pair for pair in data["pairs"]}
    assert pairs["LeftHand"]["source"] == "Hand_R"
    assert {item["joint"] for item in data["left_out"]["target"]} >= {"LeftThumbProximal"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["walk.bvh", "hero.bvh", "out"], "suffix"),
        (["walk.bvh", "hero.bvh", "out.bvh", "--pair", "LeftHand"], "TARGET=SOURCE"),
        (["walk.bvh", "hero.bvh", "out.bvh", "--motion", "3"], "has 1 motions"),
        (["rest.bvh", "hero.bvh", "out.bvh"], "has 0 motions"),
    ],
)
def test_wrong_usage_is_told(shelf, words, message) -> None:
    result = run(shelf, *words)
    assert result.exit_code == 2
    assert message in result.output
    assert not shelf.written


def test_what_is_read_is_not_overwritten(shelf, tmp_path) -> None:
    path = tmp_path / "walk.bvh"
    path.write_text("")
    result = run(shelf, str(path), "hero.bvh", str(path))
    assert result.exit_code == 2
    assert "one of the files that are read" in result.output

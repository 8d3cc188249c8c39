"""The JSON Schema of shot files and the file to begin with, held against the reader of shot files."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.cli import main
from kinetoscope.shot.schema import begin, json_schema
from kinetoscope.shot.settings import read_shot
from kinetoscope_spec import ConfigError

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

WHOLE: dict[str, Any] = {
    "name": "all",
    "performer": {
        "mocap": ["a/*.bvh"],
        "path": [[0, 0], [1.5, 2]],
        "seed": 3,
        "training": {"steps": 10},
        "speed": 1.0,
    },
    "plate": {
        "video": "plate.mp4",
        "grain": False,
        "remove": {"points": [[4, 5], [6, 7, 12]], "without": [[1, 2]], "grow": 4},
    },
    "voice": {"text": "Hello", "at": 0.5},
    "camera": {"kind": "fixed", "position": [0, 1, 5], "target": [0, 1, 0]},
    "light": {"azimuth": 10, "color": [1, 1, 1], "environment": "a.hdr", "rotation": 90},
    "output": {
        "file": "x.mp4", "size": [64, 48], "quality": "draft", "skinning": "dual-quaternion",
        "span": 1.5, "ghost_spacing": 0.1,
    },
}  # fmt: skip


def toml(table: dict[str, Any], name: str = "") -> str:
    plain = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    inner = [
        toml(value, f"{name}.{key}" if name else key)
        for key, value in table.items()
        if isinstance(value, dict)
    ]
    return "\n".join([f"[{name}]" if name else "", *plain, *inner])


def accepted(folder: Path, table: dict[str, Any]) -> bool:
    path = folder / "shot.toml"
    path.write_text(toml(table), encoding="utf-8")
    try:
        read_shot(path)
    except ConfigError:
        return False
    return True


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_the_schema_takes_the_reader_takes(tmp_path: Path) -> None:
    VALIDATOR.validate(WHOLE)
    assert accepted(tmp_path, WHOLE)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("performer", "sead", 3),
        ("performer", "seed", "3"),
        ("performer", "seed", -1),
        ("performer", "speed", 0.01),
        ("performer", "path", [[0, 0, 0], [1, 2, 3]]),
        ("performer", "mocap", "a.bvh"),
        ("camera", "kind", "folow"),
        ("camera", "field_of_view", 300),
        ("output", "quality", "best"),
        ("output", "size", [64]),
        ("output", "skinning", "cubic"),
        ("output", "show", ["nose"]),
        ("output", "ghosts", -1),
        ("output", "span", 0),
        ("light", "elevation", 0),
        ("light", "color", [1, -1, 1]),
        ("light", "color", [1, 1, 101]),
        ("light", "rotation", 900),
        ("voice", "at", -1),
        ("plate", "tint", 2),
        ("plate", "vidio", "x"),
        ("plate", "remove", {"mask": "m.mp4", "grow": -1}),
        ("plate", "remove", {"mask": "m.mp4", "grow": 201}),
        ("plate", "remove", {"mask": "m.mp4", "grow": 1.5}),
        ("", "plates", {}),
        ("", "performer", None),
    ],
)
def test_both_refuse_the_same(tmp_path: Path, table: str, key: str, value: Any) -> None:
    wrong = json.loads(json.dumps(WHOLE))
    place = wrong[table] if table else wrong
    if value is None:
        del place[key]
    else:
        place[key] = value
    assert not VALIDATOR.is_valid(wrong)
    assert not accepted(tmp_path, wrong)


def test_every_key_is_described() -> None:
    def undescribed(schema: dict[str, Any], at: str) -> list[str]:
        found = []
        for name, inner in schema.get("properties", {}).items():
            where = f"{at}.{name}" if at else name
            if "properties" in inner:
                found += undescribed(inner, where)
            elif not inner.get("description"):
                found.append(where)
        return found

    assert undescribed(SCHEMA, "") in ([], ["name"])


def test_a_file_to_begin_with_is_read_and_shows_every_key(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    asked = ["shot", "init", str(file), "--plate", "p.mp4", "--mask", "m.mp4", "--text", 'Say "so"\\']
    assert CliRunner().invoke(main, asked).exit_code == 0
    shot = read_shot(file).shot
    assert shot.plate.video == "p.mp4"
    assert shot.plate.remove.mask == "m.mp4"
    assert shot.voice.text == 'Say "so"\\'
    text = file.read_text()
    for key in ("shutter", "elevation", "smoothing", "epochs", "inpainter", "segmenter", "lipsync"):
        assert re.search(rf"^# {key} = ", text, re.MULTILINE), key
    again = CliRunner().invoke(main, ["shot", "init", str(file)])
    assert again.exit_code == 2
    assert "--force" in again.output


def test_what_is_commented_out_can_be_taken_in() -> None:
    """Every commented key that shows a value shows the one that holds without it."""
    tables = (
        "",
        "performer",
        "performer.training",
        "plate",
        "plate.remove",
        "voice",
        "camera",
        "light",
        "output",
    )
    text = begin({name: {} for name in tables})
    taken = re.sub(r"^# (\w+ = (?!\.\.\.))", r"\1", text, flags=re.MULTILINE)
    held = tomllib.loads(taken)
    assert held["output"]["size"] == [1280, 720]
    assert held["light"]["color"] == [1.0, 0.95, 0.88]
    assert held["camera"]["distance"] == 3.6
    assert held["plate"]["grain"] is True
    del held["plate"], held["voice"], held["camera"]
    held["performer"] |= {"mocap": ["a"], "path": [[0, 0], [1, 1]]}
    VALIDATOR.validate(held)


@given(st.text(max_size=20))
def test_any_text_comes_back(text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    held = tomllib.loads(begin({"voice": {"text": clean}, "performer": {}}))
    assert held["voice"]["text"] == clean

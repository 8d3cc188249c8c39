"""Recipe files: what is written is read, what is wrong is named."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_samples import HEADER, importers, is_recipe
from kinetoscope_samples.importer import SampleImporter
from kinetoscope_samples.recipe import ACTIONS, Recipe, Segment, parse, to_toml
from kinetoscope_samples.recipes import RECIPES, write_mocap
from kinetoscope_spec import FormatError, Importer, Motion

READER = SampleImporter()


def test_whole_folder_is_read(tmp_path: Path) -> None:
    paths = write_mocap(tmp_path / "mocap", seconds=1.0)
    assert len(paths) == len(RECIPES) >= 24
    assert sorted(paths) == sorted((tmp_path / "mocap").iterdir())
    for path in paths:
        asset = READER.read(path)
        assert isinstance(asset.motions[0], Motion)
        assert asset.motions[0].frame_count == 31
        assert asset.metadata["unit_m"] == 1
        assert path.name == f"{asset.name}.sample.toml"


def test_folder_covers_curves_at_several_speeds() -> None:
    paces = [
        (s.speed, s.turn) for r in RECIPES.values() for s in r.segments or (Segment(1, r.speed, r.turn),)
    ]
    for low, high in ((10, 30), (30, 50), (50, 90)):
        for sign in (1, -1):
            speeds = {speed for speed, turn in paces if low <= sign * turn < high and speed > 0.5}
            assert len(speeds) >= 2, f"{low} to {high} degrees/s, sign {sign}"
    assert all(r.framerate == 30 for r in RECIPES.values())
    assert all(10 <= r.seconds <= 20 for r in RECIPES.values())


def test_is_an_importer() -> None:
    assert isinstance(READER, Importer)
    (provider,) = importers()
    (signature,) = provider.signatures
    assert provider.reads == (signature.label,)


def test_same_recipe_same_asset(tmp_path: Path) -> None:
    (path,) = write_mocap(tmp_path, names=("walk-gentle-left",), seconds=1.0)
    assert READER.read(path) == READER.read(path)


numbers = st.floats(0.5, 2.0)
segments = st.builds(Segment, seconds=numbers, speed=numbers, turn=st.floats(-100, 100))
recipes = st.builds(
    Recipe,
    action=st.sampled_from(list(ACTIONS)),
    seed=st.integers(0, 2**63 - 1),
    seconds=st.floats(0.5, 600),
    speed=st.floats(0, 4),
    turn=st.floats(-150, 150),
    arm_swing=st.floats(0, 2.5),
    lean=st.floats(-20, 25),
    segments=st.lists(segments, max_size=4),
)


@given(recipe=recipes)
def test_what_is_written_is_read(recipe: Recipe) -> None:
    text = to_toml(recipe)
    assert parse(text) == recipe
    assert is_recipe(text.encode()[:4096], text.encode()[-4096:], len(text))


def test_short_recipe_takes_what_the_action_brings() -> None:
    recipe = parse(f'{HEADER}\naction = "jog"\n[style]\nbounce = 1.2\n')
    assert recipe == attrs.evolve(Recipe(), action="jog", speed=2.6, turn=0.0, bounce=1.2)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('kind = "biped"', 1, HEADER),
        ("", 1, HEADER),
        (f"{HEADER}\nseconds = 3\nspede = 1.3\n", 3, "'speed'"),
        (f"{HEADER}\n\naction = 'wlak'\n", 3, "'walk'"),
        (f"{HEADER}\nkind = 'horse'\n", 2, "'biped'"),
        (f"{HEADER}\nspeed = 'fast'\n", 2, "a number from 0 to 4"),
        (f"{HEADER}\nspeed = true\n", 2, "a number"),
        (f"{HEADER}\nspeed = nan\n", 2, "a number"),
        (f"{HEADER}\nseconds = 1e9\n", 2, "600"),
        (f"{HEADER}\nseed = -1\n", 2, "whole number"),
        (f"{HEADER}\nseed = 1.5\n", 2, "whole number"),
        (f"{HEADER}\n[style]\nbounse = 1\n", 3, "'bounce'"),
        (f"{HEADER}\nstyle = 3\n", 2, "a table"),
        (f"{HEADER}\nsegments = 3\n", 2, "tables"),
        (f"{HEADER}\n[[segments]]\nseconds = 1\nspeed = 1\n[[segments]]\nseconds = 1\n", 5, "speed"),
        (f"{HEADER}\n[[segments]]\nseconds = 1\nspeed = 1\n[[segments]]\nseconds = 1\nspeed = 9\n", 7, "segments[1].speed"),
        (f"{HEADER}\nspeed = = 1\n", 2, "no TOML"),
        (f"{HEADER}\nspeed = 1\nspeed = 2\n", 3, "no TOML"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_line(text: str, line: int, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.sample.toml"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        READER.read(path)
    assert words in str(caught.value)
    assert "bad.sample.toml" in str(caught.value)
    assert caught.value.line == line


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda t: f"{HEADER}\n{t}".encode())))
def test_any_bytes_end_in_an_asset_or_a_format_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_bytes(data)
    try:
        READER.read(path)
    except FormatError as error:
        assert "any.toml" in str(error)  # noqa: PT017 - either outcome is right


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "braces.toml").write_text(HEADER + "\na = " + "{" * 900_000)
    (tmp_path / "lists.toml").write_text(HEADER + "\na = " + "[" * 900_000)
    (tmp_path / "long.toml").write_text("{" * 2_000_000)
    (tmp_path / "latin.toml").write_bytes(HEADER.encode() + b"\na = '\xff'\n")
    (tmp_path / "sparse.toml").write_bytes(b"")
    os.truncate(tmp_path / "sparse.toml", 10 << 30)
    os.mkfifo(tmp_path / "pipe.toml")
    for name in (
        "braces.toml",
        "lists.toml",
        "long.toml",
        "latin.toml",
        "sparse.toml",
        "pipe.toml",
    ):
        with pytest.raises(FormatError, match=name):
            READER.read(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"missing\.toml"):
        READER.read(tmp_path / "missing.toml")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        READER.read(tmp_path)

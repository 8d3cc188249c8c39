"""Answers of vision models: read as they are meant, repaired or left out, never trusted."""

from __future__ import annotations

import json
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_quadmask.analysis import analysis_of, read_analysis
from kinetoscope_quadmask.hooks import Affected, Belonging, Box, Cells, Grid, Reasoning, Step
from kinetoscope_spec import ValidationError, Video

WIDE, HIGH, COUNT = 640, 360, 30
VIDEO = Video.from_frames(np.zeros((1, HIGH, WIDE, 3), np.uint8), 12)
GRID = Grid(8, 14)
WORDS = st.text("abc xyz", min_size=1, max_size=20).map(lambda s: " ".join(s.split())).filter(bool)
CELLS = st.tuples(st.integers(0, 7), st.integers(0, 13))
FRAMES = st.integers(0, COUNT - 1)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, top = draw(st.floats(0, WIDE - 2)), draw(st.floats(0, HIGH - 2))
    return Box(left, top, left + 1, top + 1, draw(FRAMES))


@st.composite
def things(draw: st.DrawFn) -> Affected:
    frames = sorted(draw(st.sets(FRAMES, max_size=4)))
    steps = sorted(draw(st.sets(FRAMES, min_size=1, max_size=4)))
    return Affected(
        draw(WORDS),
        draw(st.sampled_from(("physical", "visual_artifact"))),
        draw(WORDS),
        draw(st.booleans()),
        draw(FRAMES),
        draw(WORDS),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.none() | CELLS),
        [Cells(frame, draw(st.lists(CELLS, min_size=1, max_size=3, unique=True))) for frame in frames],
        (draw(st.integers(1, 8)), draw(st.integers(1, 14))),
        [Step(frame, draw(st.floats(0, 7)), draw(st.floats(0, 13))) for frame in steps],
        draw(st.none() | boxes()),
    )


@st.composite
def reasonings(draw: st.DrawFn) -> Reasoning:
    belongings = draw(st.lists(st.builds(Belonging, WORDS, WORDS, st.none() | boxes()), max_size=3))
    affected = draw(st.lists(things(), max_size=5))
    return Reasoning(GRID, draw(WORDS), belongings, affected, None, draw(WORDS), draw(st.floats(0, 1)))


@given(reasonings())
def test_what_is_written_is_read(made: Reasoning) -> None:
    text = json.dumps(analysis_of(made))
    assert read_analysis(text, VIDEO, COUNT) == made
    assert read_analysis(f"Here it is:\n```json\n{text}\n```\nDone.", VIDEO, COUNT, grid=GRID) == made


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "noun", "category", "why", "will_move", "first_appears_frame", "currently_moving", "should_have_stayed",
    "original_position_grid", "grid_localizations", "object_size_grids", "trajectory_path", "box_2d", "box_px",
    "box_frame",
)  # fmt: skip
INNER = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("frame", "row", "col", "grid_row", "grid_col", "rows", "cols", "grid_regions"), JUNK
    ),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"noun": WORDS}, optional={key: JUNK | st.lists(INNER, max_size=3) | INNER for key in KEYS[1:]}
        ),
        max_size=7,
    ),
    JUNK,
    JUNK,
)
@settings(max_examples=150)
def test_whatever_is_answered_fits_the_video(
    affected: list[dict[str, Any]], belongings: Any, confidence: Any
) -> None:
    answer = {"affected_objects": affected, "integral_belongings": belongings, "confidence": confidence}
    made = read_analysis(answer, VIDEO, COUNT, grid=GRID)
    made.check(attrs.evolve(VIDEO, frame_count=COUNT))
    assert len(made.affected) <= 5
    assert 0 <= made.confidence <= 1
    assert read_analysis(json.dumps(analysis_of(made)), VIDEO, COUNT) == made


def thing(**more: Any) -> dict[str, Any]:
    return {"affected_objects": [{"noun": "Ball", "category": "physical", **more}]}


@pytest.mark.parametrize(
    ("more", "found", "says"),
    [
        ({"noun": "  The\nBall "}, {"noun": "the ball"}, None),
        ({"category": "Visual Artefact"}, {"category": "visual_artifact"}, "is taken for visual_artifact"),
        ({"will_move": "yes"}, {"will_move": True}, "will move, but where is not told"),
        ({"first_appears_frame": 30}, {"first_frame": 0}, "frame 30 is not there, expected 0 to 29"),
        ({"first_appears_frame": "7"}, {"first_frame": 7}, None),
        ({"why": "x" * 900}, {"why": "x" * 200}, None),
        ({"original_position_grid": {"row": 8, "col": 2}}, {"original_cell": None}, r"cell \(8, 2\) lies outside"),
        ({"original_position_grid": [3, 2]}, {"original_cell": (3, 2)}, None),
        (
            {"grid_localizations": [{"frame": 4, "grid_regions": [{"row": 1, "col": 2}, {"row": -1, "col": 2}]}]},
            {"cells": (Cells(4, [(1, 2)]),)},
            r"cell \(-1, 2\) lies outside",
        ),
        ({"grid_localizations": [{"frame": 99, "grid_regions": [{"row": 1, "col": 2}]}]}, {"cells": ()}, "frame 99"),
        (
            {"trajectory_path": [{"frame": 9, "grid_row": 12, "grid_col": 3}, {"frame": 2, "grid_row": 1, "grid_col": 3}]},
            {"path": (Step(2, 1, 3), Step(9, 7, 3))},
            "brought to its border",
        ),
        ({"object_size_grids": {"rows": 99, "cols": 0}}, {"size": (8, 2)}, None),
        ({"box_2d": [250, 500, 750, 1000], "box_frame": 3}, {"box": Box(320, 90, 640, 270, 3)}, None),
        ({"box_2d": [750, 500, 250, 1000]}, {"box": None}, "has no area"),
        ({"box_2d": [1, 2]}, {"box": None}, "can't be used"),
    ],
)  # fmt: skip
def test_repairs(more: dict[str, Any], found: dict[str, Any], says: str | None) -> None:
    made = read_analysis(thing(**more), VIDEO, COUNT, grid=GRID)
    assert {name: getattr(made.affected[0], name) for name in found} == found
    if says is None:
        assert made.warnings == ()
    else:
        with pytest.raises(AssertionError, match=says):
            raise AssertionError("; ".join(made.warnings))


def test_more_than_there_may_be_is_cut_and_told() -> None:
    answer = {
        "affected_objects": [{"noun": f"n{i}", "category": "physical"} for i in range(9)],
        "confidence": 85,
    }
    made = read_analysis(answer, VIDEO, COUNT, grid=GRID)
    assert [held.noun for held in made.affected] == ["n0", "n1", "n2", "n3", "n4"]
    assert made.warnings == ("affected_objects has 9 entries, the first 5 are used",)
    assert made.confidence == 0.85


@pytest.mark.parametrize(
    "text", ["", "I can't do that.", "{", "[1]", '{"a": ', "{" * 100_000 + "}", "{" + " " * 2_000_000 + "}"]
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="holds no JSON object"):
        read_analysis(text, VIDEO, COUNT)

"""Affected cells of what a reasoner said: each kind of thing by itself, with numbers from the description."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_quadmask.hooks import Affected, Cells, Grid, Reasoning, Step
from kinetoscope_quadmask.regions import affected_cells, box_cells
from kinetoscope_spec import Mask

GRID = Grid(8, 10)
PX = 10
COUNT = 6


def mask(*places: tuple[int, int, int]) -> Mask:
    """Cells (frame, row, col) that hold one pixel each."""
    frames = np.zeros((COUNT, 8 * PX, 10 * PX), np.uint8)
    for frame, row, col in places:
        frames[frame, row * PX + 3, col * PX + 4] = 255
    return Mask.from_frames(frames, 12)


NOTHING = mask()


def cells(
    held: Affected | None = None, removed: Mask = NOTHING, seen: Mask | None = None, **more: Any
) -> list[set[tuple[int, int]]]:
    made = Reasoning(GRID, affected=[held] if held else [], **more)
    found = list(affected_cells(made, removed, [seen] if held else []))
    assert len(found) == COUNT
    return [{(int(row), int(col)) for row, col in np.argwhere(frame)} for frame in found]


def test_a_shadow_is_where_it_is_listed_and_holds() -> None:
    shadow = Affected(
        "shadow", "visual_artifact", cells=[Cells(2, [(1, 1)]), Cells(4, [(2, 2), (2, 3)])], first_frame=1
    )
    assert cells(shadow) == [set(), {(1, 1)}, {(1, 1)}, {(1, 1)}, {(2, 2), (2, 3)}, {(2, 2), (2, 3)}]


def test_a_shadow_that_is_seen_is_there_too() -> None:
    shadow = Affected("shadow", "visual_artifact", cells=[Cells(0, [(1, 1)])])
    assert cells(shadow, seen=mask((3, 7, 9)))[3] == {(1, 1), (7, 9)}


def test_what_will_move_follows_its_path_and_is_where_it_is_seen() -> None:
    ball = Affected("ball", will_move=True, size=(1, 1), path=[Step(1, 0, 0), Step(5, 4, 8)], first_frame=1)
    found = cells(ball, seen=mask((0, 7, 7), (2, 7, 7)))
    assert found == [set(), {(0, 0)}, {(1, 2), (7, 7)}, {(2, 4)}, {(3, 6)}, {(4, 8)}]


def test_what_should_have_stayed_is_where_it_was() -> None:
    cup = Affected("cup", moving=True, should_have_stayed=True, original_cell=(4, 4), size=(1, 1))
    found = cells(cup, seen=mask((5, 6, 6)))
    assert found == [{(4, 4)}] * 5 + [{(4, 4), (6, 6)}]


def test_anything_else_changes_from_when_the_object_is_near() -> None:
    """A pillow of two cells; the object comes beside one of them in frame 2 and goes."""
    pillow = Affected("pillow")
    places = [(i, 4, col) for i in range(COUNT) for col in (4, 7)]
    found = cells(pillow, removed=mask((0, 0, 0), (2, 3, 3)), seen=mask(*places))
    assert found == [set(), set(), *[{(4, 4)}] * 4]


def test_regions_without_names_are_taken() -> None:
    assert cells(regions=mask((1, 2, 3)))[:3] == [set(), {(2, 3)}, set()]


def test_things_are_put_together() -> None:
    made = Reasoning(
        GRID,
        affected=[
            Affected("a", "visual_artifact", cells=[Cells(0, [(0, 0)])]),
            Affected("b", "visual_artifact", cells=[Cells(0, [(0, 1)])]),
        ],
    )
    first = next(affected_cells(made, NOTHING))
    assert np.argwhere(first).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("place", "size", "rows", "cols"),
    [
        ((3, 3), (1, 1), (3, 3), (3, 3)),
        ((3, 3), (3, 3), (2, 4), (2, 4)),
        ((3, 3), (2, 2), (2, 4), (2, 4)),  # half a cell to each side touches both
        ((0, 9), (3, 3), (0, 1), (8, 9)),
        ((2.5, 3), (1, 1), (2, 3), (3, 3)),
    ],
)
def test_boxes(
    place: tuple[float, float], size: tuple[int, int], rows: tuple[int, int], cols: tuple[int, int]
) -> None:
    found = np.argwhere(box_cells(GRID, place, size))
    assert (found[:, 0].min(), found[:, 0].max()) == rows
    assert (found[:, 1].min(), found[:, 1].max()) == cols
    assert len(found) == (rows[1] - rows[0] + 1) * (cols[1] - cols[0] + 1)


@given(st.floats(0, 7), st.floats(0, 9), st.integers(1, 8), st.integers(1, 10))
def test_a_box_covers_its_size_inside_the_grid(row: float, col: float, high: int, wide: int) -> None:
    """Every pixel of the box is in a cell of it, and no cell is wholly outside the box."""
    found = box_cells(GRID, (row, col), (high, wide))
    for r in range(8):
        for c in range(10):
            down = min(r + 1, row + 0.5 + high / 2) - max(r, row + 0.5 - high / 2)
            across = min(c + 1, col + 0.5 + wide / 2) - max(c, col + 0.5 - wide / 2)
            if min(down, across) > 1e-6:
                assert found[r, c]
            elif min(down, across) < -1e-6:
                assert not found[r, c]

"""Edits by hand: what each does to a pixel, and that all of them can be taken back."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kinetoscope_quadmask.editing import Edited, MaskEditor
from kinetoscope_quadmask.hooks import Grid
from kinetoscope_spec import Quadmask, ValidationError

FOUR = np.array([0, 63, 127, 255], np.uint8)
WIDE, HIGH, COUNT = 22, 15, 4
GRID = Grid(3, 4)
LAYERS = st.sampled_from(("removed", "affected"))
PARTS = st.sampled_from((("removed",), ("affected",), ("removed", "affected")))
INDICES = st.integers(0, COUNT - 1)
CELLS = st.tuples(st.integers(0, 2), st.integers(0, 3))
POINTS = st.lists(st.tuples(st.floats(-5, 30), st.floats(-5, 20)), min_size=1, max_size=4)


def masked(seed: int) -> Quadmask:
    return Quadmask.from_frames(FOUR[np.random.default_rng(seed).integers(0, 4, (COUNT, HIGH, WIDE))], 12)


def stacked(editor: MaskEditor) -> np.ndarray:
    return np.stack(list(editor.quadmask().frames()))


@pytest.mark.parametrize(
    ("layer", "put", "table"),
    [
        ("affected", True, {255: 127, 0: 63, 127: 127, 63: 63}),
        ("affected", False, {127: 255, 63: 0, 255: 255, 0: 0}),
        ("removed", True, {255: 0, 127: 63, 0: 0, 63: 63}),
        ("removed", False, {0: 255, 63: 127, 255: 255, 127: 127}),
    ],
)
def test_the_tables_of_the_description(layer: Any, put: bool, table: dict[int, int]) -> None:
    editor = MaskEditor(masked(1), GRID)
    before = editor.frame(2)
    editor.set_cells(2, [(1, 2)], layer, put=put)
    brushed = MaskEditor(masked(1), GRID)
    brushed.brush(2, [(11, 7)], 60, layer, put=put)
    wanted = np.vectorize(table.get)(before)
    inside = GRID.filled(GRID.of([(1, 2)]), WIDE, HIGH)
    np.testing.assert_array_equal(editor.frame(2), np.where(inside, wanted, before))
    np.testing.assert_array_equal(brushed.frame(2), wanted)


@given(st.integers(0, 999), INDICES, CELLS, LAYERS)
def test_a_cell_toggled_twice_is_full_then_empty(
    seed: int, index: int, cell: tuple[int, int], layer: Any
) -> None:
    editor = MaskEditor(masked(seed), GRID)
    inside = GRID.filled(GRID.of([cell]), WIDE, HIGH)
    assert editor.toggle_cell(index, cell, layer) is True  # no cell of noise is full
    full = editor.frame(index)[inside]
    assert set(np.unique(full)) <= ({63, 127} if layer == "affected" else {0, 63})
    assert editor.toggle_cell(index, cell, layer) is False
    assert set(np.unique(editor.frame(index)[inside])) <= ({0, 255} if layer == "affected" else {127, 255})


@given(POINTS, st.floats(0.3, 9))
def test_a_brush_covers_what_is_near_its_stroke(stroke: list[tuple[float, float]], radius: float) -> None:
    """Against distances of every pixel to many places along the stroke."""
    editor = MaskEditor(Quadmask.from_frames(np.full((1, HIGH, WIDE), 255), 12))
    editor.brush(0, stroke, radius)
    covered = editor.frame(0) == 0
    points = np.array(stroke)
    places = points[:1]
    for start, end in pairwise(points):
        places = np.concatenate([places, start + np.linspace(0, 1, 400)[:, None] * (end - start)])
    down, across = np.mgrid[:HIGH, :WIDE] + 0.5
    far = np.hypot(across[..., None] - places[:, 0], down[..., None] - places[:, 1]).min(axis=-1)
    sure = np.abs(far - radius) > 0.06
    np.testing.assert_array_equal(covered[sure], (far <= radius)[sure])


def test_a_brush_is_round_about_its_pointer() -> None:
    """In the middle of pixel (4, 4) a brush of radius 1 reaches the four beside it, and them alone."""
    editor = MaskEditor(Quadmask.from_frames(np.full((1, HIGH, WIDE), 255), 12))
    editor.brush(0, [(4.5, 4.5)], 1)
    down, across = np.nonzero(editor.frame(0) == 0)
    found = set(zip(down.tolist(), across.tolist(), strict=True))
    assert found == {(4, 4), (3, 4), (5, 4), (4, 3), (4, 5)}


def test_copying_to_the_end_holds_no_frame_raw() -> None:
    editor = MaskEditor(Quadmask.from_frames(np.full((60, 200, 300), 255, np.uint8), 12))
    editor.clear(0, "removed")
    editor.brush(0, [(100, 100)], 30)
    tracemalloc.start()
    try:
        editor.copy_before(1, through=59)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * 200 * 300 / 4


@given(
    st.integers(0, 999),
    st.integers(1, COUNT - 1),
    PARTS,
)
def test_layers_of_the_frame_before_are_copied_alone(seed: int, index: int, layers: Any) -> None:
    editor = MaskEditor(masked(seed), GRID)
    source, held = editor.frame(index - 1), editor.frame(index)
    editor.copy_before(index, layers)
    now = editor.frame(index)
    black = source if "removed" in layers else held
    grey = source if "affected" in layers else held
    np.testing.assert_array_equal(np.isin(now, (0, 63)), np.isin(black, (0, 63)))
    np.testing.assert_array_equal(np.isin(now, (63, 127)), np.isin(grey, (63, 127)))


def test_a_frame_is_copied_on_through_many() -> None:
    editor = MaskEditor(masked(3))
    editor.copy_before(1, through=3)
    for index in (1, 2, 3):
        np.testing.assert_array_equal(editor.frame(index), editor.frame(0))
    assert editor.steps == (1, 0)
    assert editor.undo() == Edited("copy", 1, 3)
    np.testing.assert_array_equal(stacked(editor), np.stack(list(masked(3).frames())))


def test_a_mask_that_was_taken_stays_as_it_was() -> None:
    editor = MaskEditor(masked(4))
    taken = editor.quadmask()
    editor.clear(0, "removed")
    np.testing.assert_array_equal(np.stack(list(taken.frames())), np.stack(list(masked(4).frames())))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda e: e.toggle_cell(4, (0, 0)), "frame 4 is not there, expected 0 to 3"),
        (lambda e: e.toggle_cell(0, (3, 0)), "lies outside the grid"),
        (lambda e: e.brush(0, [(1, 1)], 0), "radius of 0 px"),
        (lambda e: e.brush(0, [], 1), "the stroke has 0 points"),
        (lambda e: e.brush(0, [(1, float("nan"))], 1), "something else than points"),
        (lambda e: e.brush(0, [(1, 1), (1e300, 1)], 1), "within 1e\\+06 px"),
        (lambda e: e.copy_before(0), "have no frame before"),
        (lambda e: e.copy_before(3, through=9), "frame 9 is not there"),
        (lambda e: e.clear(0, "grey"), "expected removed or affected"),
        (lambda e: e.copy_before(1, ["grey"]), "expected removed or affected"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(edit: Any, says: str) -> None:
    editor = MaskEditor(masked(5), GRID)
    with pytest.raises(ValidationError, match=says):
        edit(editor)
    assert editor.steps == (0, 0)
    np.testing.assert_array_equal(stacked(editor), np.stack(list(masked(5).frames())))


class Undoing(RuleBasedStateMachine):
    """Whatever is done, undo goes back state by state and redo forward again."""

    @initialize(seed=st.integers(0, 99))
    def begin(self, seed: int) -> None:
        self.editor = MaskEditor(masked(seed), GRID)
        self.past = [stacked(self.editor)]
        self.future: list[np.ndarray] = []

    def done(self) -> None:
        now = stacked(self.editor)
        if not np.array_equal(now, self.past[-1]):
            self.past.append(now)
            self.future.clear()

    @rule(index=INDICES, cell=CELLS, layer=LAYERS)
    def toggle(self, index: int, cell: tuple[int, int], layer: Any) -> None:
        self.editor.toggle_cell(index, cell, layer)
        self.done()

    @rule(index=INDICES, stroke=POINTS, radius=st.floats(0.5, 6), layer=LAYERS, put=st.booleans())
    def draw(self, index: int, stroke: Any, radius: float, layer: Any, put: bool) -> None:
        self.editor.brush(index, stroke, radius, layer, put=put)
        self.done()

    @rule(index=st.integers(1, COUNT - 1), layer=LAYERS)
    def copy(self, index: int, layer: Any) -> None:
        self.editor.copy_before(index, [layer], through=COUNT - 1)
        self.done()

    @rule()
    def undo(self) -> None:
        told = self.editor.undo()
        assert (told is None) == (len(self.past) == 1)
        if told is not None:
            self.future.append(self.past.pop())

    @rule()
    def redo(self) -> None:
        told = self.editor.redo()
        assert (told is None) == (not self.future)
        if told is not None:
            self.past.append(self.future.pop())

    @invariant()
    def is_where_it_should_be(self) -> None:
        if hasattr(self, "past"):
            np.testing.assert_array_equal(stacked(self.editor), self.past[-1])
            assert self.editor.steps == (len(self.past) - 1, len(self.future))


TestUndoing = Undoing.TestCase
TestUndoing.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)

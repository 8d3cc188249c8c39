"""Where a scene changes, frame by frame, of everything that a reasoner said.

For each thing, in the cells of the grid: a shadow or a reflection is where the reasoner localised it, the
last place holding until the next; what will move is a box of its size along its path, and where it is seen
in the video; what should have stayed is where it was, and where it is seen; anything else is where it is
seen once what is taken out has come near it. A description of VOID's masks reads so; its published
scripts use less.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from kinetoscope_quadmask._grid import Array, Cell, Grid
from kinetoscope_quadmask.reasoning import Affected, Reasoning
from kinetoscope_spec import Mask

__all__ = ["affected_cells", "box_cells", "path_place"]

NEAR_CELLS = 1
"""As many cells away the object still touches: VOID takes 25 px around it, of cells of 48."""


def affected_cells(
    reasoning: Reasoning, removed: Mask, seen: Sequence[Mask | None] | None = None
) -> Iterator[Array]:
    """Yield for each frame which cells change, bool `[rows, cols]`.

    Args:
        reasoning: what was said.
        removed: what is taken out, 255 inside; there are as many frames as it has.
        seen: for each of `reasoning.affected` where it is in the video, or None; the reasoner's own masks
            unless given.
    """
    grid = reasoning.grid
    things = [
        _Thing(held, grid, None if mask is None else mask.frames())
        for held, mask in zip(
            reasoning.affected,
            [held.mask for held in reasoning.affected] if seen is None else seen,
            strict=True,
        )
    ]
    regions = None if reasoning.regions is None else reasoning.regions.frames()
    near = np.zeros((grid.rows, grid.cols), bool)
    for index, frame in enumerate(removed.frames()):
        near |= _grown(grid.touched(frame > 0))
        cells = np.zeros_like(near)
        for thing in things:
            cells |= thing.cells(index, near)
        region = None if regions is None else next(regions, None)
        if region is not None:
            cells |= grid.touched(region > 0)
        yield cells


@attrs.define
class _Thing:
    """One affected thing, asked frame by frame in order."""

    held: Affected
    grid: Grid
    frames: Iterator[Array] | None

    def cells(self, index: int, near: Array) -> Array:
        """Return the cells that change because of it in frame `index`; `near` are those by the object."""
        held = self.held
        seen = self._seen()
        cells = np.zeros((self.grid.rows, self.grid.cols), bool)
        if index < held.first_frame:
            return cells
        if held.category == "visual_artifact":
            return cells | self._localised(index) | seen
        if held.will_move:
            place = path_place(held, index)
            return cells | seen | (box_cells(self.grid, place, held.size) if place is not None else False)
        if held.should_have_stayed:
            if held.original_cell is not None:
                row, col = held.original_cell
                cells |= box_cells(self.grid, (float(row), float(col)), held.size)
            return cells | seen
        return cells | (seen & near) | self._localised(index)

    def _seen(self) -> Array:
        frame = None if self.frames is None else next(self.frames, None)
        if frame is None:
            return np.zeros((self.grid.rows, self.grid.cols), bool)
        return self.grid.touched(frame >= 128)

    def _localised(self, index: int) -> Array:
        """Return the cells of the last frame that is listed up to `index`, or of the first one."""
        held = self.held.cells
        if not held:
            return np.zeros((self.grid.rows, self.grid.cols), bool)
        place = max(bisect_right([at.frame for at in held], index) - 1, 0)
        return self.grid.of(held[place].cells)


def path_place(held: Affected, index: int) -> tuple[float, float] | None:
    """Return where a thing is along its path in frame `index`: straight between steps, held outside them."""
    if not held.path:
        return None
    frames = [step.frame for step in held.path]
    row = np.interp(index, frames, [step.row for step in held.path])
    col = np.interp(index, frames, [step.col for step in held.path])
    return float(row), float(col)


def box_cells(grid: Grid, place: Cell | tuple[float, float], size: tuple[int, int]) -> Array:
    """Return the cells that a box of `size` (rows, columns) about the middle of `place` overlaps."""
    cells = np.zeros((grid.rows, grid.cols), bool)
    spans = []
    for middle, wide, most in zip(place, size, (grid.rows, grid.cols), strict=True):
        low, high = middle + 0.5 - wide / 2, middle + 0.5 + wide / 2
        # A hair of overlap is rounding, no cell.
        spans.append(slice(max(math.floor(low + 1e-9), 0), min(math.ceil(high - 1e-9), most)))
    cells[spans[0], spans[1]] = True
    return cells


def _grown(cells: Array) -> Array:
    """Return cells and those that touch them, at corners too."""
    wide = np.pad(cells, NEAR_CELLS)
    grown = np.zeros_like(cells)
    span = range(2 * NEAR_CELLS + 1)
    for down in span:
        for across in span:
            grown |= wide[down : down + cells.shape[0], across : across + cells.shape[1]]
    return grown

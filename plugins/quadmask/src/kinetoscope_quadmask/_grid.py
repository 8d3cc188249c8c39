"""The grid in which reasoners speak of places, and in which what they name is marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import ValidationError

__all__ = ["Array", "Cell", "Grid"]

Array = NDArray[Any]
Cell = tuple[int, int]
"""Row and column, from 0, row 0 at the top."""

LEAST_CELLS = 8
"""Cells along the shorter side, as VOID's masks were trained with."""


def _dimension(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        raise ValidationError(f"Grid.{attribute.name} is {value}, expected at least 1")


@attrs.frozen
class Grid:
    """`rows` x `cols` cells over a picture. Cell edges fall on whole pixels, `int(i * height / rows)`.

    Source: VOID's grids (arXiv 2604.02296): 8 cells along the shorter side, the longer side in proportion.
    """

    rows: int = attrs.field(validator=_dimension)
    cols: int = attrs.field(validator=_dimension)

    @classmethod
    def over(cls, width: int, height: int, least: int = LEAST_CELLS) -> Self:
        """Return the grid for pictures of a size: 16:9 gives 8 x 14."""
        if width >= height:
            return cls(least, max(least, round(least * width / height)))
        return cls(max(least, round(least * height / width)), least)

    def edges(self, width: int, height: int) -> tuple[Array, Array]:
        """Return the pixels at which rows `[rows + 1]` and columns `[cols + 1]` begin and end."""
        rows = np.array([int(i * height / self.rows) for i in range(self.rows + 1)])
        cols = np.array([int(i * width / self.cols) for i in range(self.cols + 1)])
        return rows, cols

    def cell(self, x: float, y: float, width: int, height: int) -> Cell:
        """Return the cell in which the pixel at column `x` and row `y` lies."""
        rows, cols = self.edges(width, height)
        row = int(np.searchsorted(rows, int(y), side="right")) - 1
        col = int(np.searchsorted(cols, int(x), side="right")) - 1
        return min(max(row, 0), self.rows - 1), min(max(col, 0), self.cols - 1)

    def holds(self, cell: Cell) -> bool:
        """Return whether there is such a cell."""
        return 0 <= cell[0] < self.rows and 0 <= cell[1] < self.cols

    def touched(self, covered: Array) -> Array:
        """Return which cells hold a True pixel of `covered`, bool `[H, W]`, as bool `[rows, cols]`.

        In pictures smaller than the grid some cells have no pixel: they are touched by none.
        """
        rows, cols = self.edges(covered.shape[1], covered.shape[0])
        return _any_between(_any_between(covered, rows).T, cols).T

    def filled(self, cells: Array, width: int, height: int) -> Array:
        """Return bool `[H, W]` that is True in the cells that are True in `cells`, bool `[rows, cols]`."""
        rows, cols = self.edges(width, height)
        high = np.repeat(np.asarray(cells, bool), np.diff(rows), axis=0)
        whole: Array = np.repeat(high, np.diff(cols), axis=1)
        return whole

    def snapped(self, covered: Array) -> Array:
        """Return bool `[H, W]` with every cell full that has a True pixel in `covered`."""
        return self.filled(self.touched(covered), covered.shape[1], covered.shape[0])

    def of(self, cells: Iterable[Cell]) -> Array:
        """Return bool `[rows, cols]`, True at `cells`.

        Raises:
            ValidationError: a cell lies outside the grid.
        """
        made = np.zeros((self.rows, self.cols), bool)
        for cell in cells:
            if not self.holds(cell):
                raise ValidationError(
                    f"cell {tuple(cell)} lies outside the grid of {self.rows} rows and {self.cols} columns"
                )
            made[cell] = True
        return made


def _any_between(lines: Array, edges: Array) -> Array:
    """Return for each pair of neighbouring edges which columns are True in a row between them."""
    found = np.zeros((len(edges) - 1, lines.shape[1]), bool)
    some = np.diff(edges) > 0  # `reduceat` would take the next row for none
    found[some] = np.logical_or.reduceat(lines, edges[:-1][some], axis=0)
    return found

"""Values out of an answer that nobody vouches for: taken where they can be meant, told where not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from kinetoscope_quadmask._grid import Cell, Grid
from kinetoscope_quadmask.prompts import Box
from kinetoscope_spec import ValidationError

__all__ = ["Repair"]

MOST_WARNINGS = 40


@attrs.define
class Repair:
    """Reads parts of an answer about a video of `count` frames, `width` x `height` px, and keeps warnings."""

    grid: Grid
    width: int
    height: int
    count: int
    warnings: list[str] = attrs.field(factory=list)

    def warn(self, text: str) -> None:
        """Keep a warning, of which there may be any number in a bad answer."""
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(text)

    def text(self, held: Mapping[str, Any], key: str, most: int) -> str:
        """Return words on one line, `most` characters at most."""
        value = held.get(key)
        if value is None:
            return ""
        if not isinstance(value, str | int | float):
            self.warn(f"{key} is no text")
            return ""
        return " ".join(str(value).split())[:most].rstrip()

    def flag(self, held: Mapping[str, Any], key: str) -> bool:
        """Return yes or no, however it is written."""
        value = held.get(key)
        if isinstance(value, str):
            return value.strip().lower() in ("true", "yes", "1")
        return value is True or value == 1

    def number(self, value: Any) -> float | None:
        """Return a finite number, also out of text, or None."""
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return number if math.isfinite(number) and not isinstance(value, bool) else None

    def frame(self, value: Any, where: str) -> int | None:
        """Return the number of a frame that there is, or None with a warning."""
        number = self.number(value)
        if number is None or not 0 <= number < self.count:
            self.warn(f"{where}: frame {_said(value)} is not there, expected 0 to {self.count - 1}")
            return None
        return int(number)

    def cell(self, value: Any, where: str, names: tuple[str, str] = ("row", "col")) -> Cell | None:
        """Return a cell of the grid, or None with a warning."""
        place = self.place(value, where, names)
        if place is None:
            return None
        cell = (int(place[0]), int(place[1]))
        if place[0] < 0 or place[1] < 0 or not self.grid.holds(cell):
            self.warn(f"{where}: {self._outside(place)}")
            return None
        return cell

    def step(self, value: Any, where: str) -> tuple[float, float] | None:
        """Return row and column of a step; one outside is brought to the border, where things leave."""
        place = self.place(value, where, ("grid_row", "grid_col"))
        if place is None:
            return None
        row = min(max(place[0], 0.0), self.grid.rows - 1.0)
        col = min(max(place[1], 0.0), self.grid.cols - 1.0)
        if (row, col) != place:
            self.warn(f"{where}: {self._outside(place)}, brought to its border")
        return row, col

    def place(self, value: Any, where: str, names: tuple[str, str]) -> tuple[float, float] | None:
        """Return two numbers of a mapping, or of a list `[row, col]`, or None with a warning."""
        if isinstance(value, Mapping):
            pair: Sequence[Any] = [value.get(name) for name in names]
        elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
            pair = value
        else:
            pair = (None, None)
        row, col = self.number(pair[0]), self.number(pair[1])
        if row is None or col is None:
            self.warn(f"{where}: {_said(value)} is no cell")
            return None
        return row, col

    def size(self, value: Any) -> tuple[int, int]:
        """Return how many rows and columns something takes: 2 and 2 unless told, the grid at most."""
        held = value if isinstance(value, Mapping) else {}
        rows, cols = self.number(held.get("rows", 2)), self.number(held.get("cols", 2))
        return (
            min(max(int(rows or 2), 1), self.grid.rows),
            min(max(int(cols or 2), 1), self.grid.cols),
        )

    def box(self, held: Mapping[str, Any], where: str) -> Box | None:
        """Return a box: `box_px` [left, top, right, bottom], or `box_2d` [top, left, bottom, right] of 1000."""
        given, scale = held.get("box_px"), (1.0, 1.0)
        if given is None and held.get("box_2d") is not None:
            given = held["box_2d"]
            if isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 4:
                given = [given[1], given[0], given[3], given[2]]
            scale = (self.width / 1000, self.height / 1000)
        if given is None:
            return None
        sides = [self.number(side) for side in given] if isinstance(given, list | tuple) else []
        frame = self.frame(held.get("box_frame", 0), f"{where}: box")
        if frame is None or len(sides) != 4 or None in sides:
            self.warn(f"{where}: the box {_said(given)} can't be used")
            return None
        limits = (self.width, self.height) * 2
        left, top, right, bottom = (
            min(max(float(side or 0) * scale[i % 2], 0.0), float(limits[i])) for i, side in enumerate(sides)
        )
        try:
            return Box(left, top, right, bottom, frame)
        except ValidationError:
            self.warn(f"{where}: the box {_said(given)} has no area")
            return None

    def items(self, held: Mapping[str, Any], key: str, most: int) -> Iterator[Mapping[str, Any]]:
        """Yield the mappings of a list, `most` at most."""
        given = held.get(key)
        if given is None:
            return
        if not isinstance(given, list | tuple):
            self.warn(f"{key} is no list")
            return
        if len(given) > most:
            self.warn(f"{key} has {len(given)} entries, the first {most} are used")
        for item in given[:most]:
            if isinstance(item, Mapping):
                yield item
            else:
                self.warn(f"{key}: {_said(item)} is no object")

    def _outside(self, place: tuple[float, float]) -> str:
        return (
            f"cell ({place[0]:g}, {place[1]:g}) lies outside the grid of {self.grid.rows} rows and "
            f"{self.grid.cols} columns"
        )


def _said(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

"""Corrections to a quadmask by hand: cells, brush, the frame before, each with undo."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._grid import Array, Cell, Grid
from kinetoscope_quadmask._store import MaskStore
from kinetoscope_spec import Quadmask, ValidationError

__all__ = ["LAYERS", "Edited", "MaskEditor"]

Layer = Literal["removed", "affected"]
LAYERS: Final = ("removed", "affected")
"""What is edited: the object itself, or what changes with it. Overlap is where a pixel is in both."""

UNDO_STEPS = 500
MOST_BRUSH_PX = 4096
MOST_STROKE_POINTS = 10_000
MOST_PX = 1e6
"""How far from the picture a stroke may go."""

FLAT_PX = 1e-9
"""A line that rises less has its edges where the circles around its ends touch them."""


@attrs.frozen
class Edited:
    """What was undone or redone, and the first and last frame that it changed."""

    what: str
    first: int
    last: int


@attrs.frozen
class _Step:
    """Frames as they were before an operation and as they were after, compressed."""

    what: str
    before: dict[int, bytes]
    after: dict[int, bytes]


class MaskEditor:
    """A quadmask that is being edited. Frames are kept compressed; every operation is one step of `undo`.

    Not to be shared between threads without a lock.

    Attributes:
        grid: whose cells are toggled.
        count: number of frames.
    """

    def __init__(self, quadmask: Quadmask, grid: Grid | None = None) -> None:
        self.width, self.height, self.rate = quadmask.width, quadmask.height, quadmask.rate
        self.grid = grid or Grid.over(self.width, self.height)
        self._timestamps = quadmask.timestamps
        self._frames: list[bytes] = [_packed(frame) for frame in quadmask.frames()]
        self.count = len(self._frames)
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    @property
    def version(self) -> object:
        """Equal whenever the mask is the same: before an edit, and after it was undone."""
        return tuple(self._frames)

    def frame(self, index: int) -> Array:
        """Return frame `index` as it is now, `uint8 [H, W]`.

        Raises:
            ValidationError: there is no such frame.
        """
        self._check(index)
        return np.frombuffer(bytearray(zlib.decompress(self._frames[index])), np.uint8).reshape(
            self.height, self.width
        )

    def quadmask(self) -> Quadmask:
        """Return the mask as it is now. Later edits don't change it."""
        store = MaskStore(self.width, self.height)
        store.adopt(self._frames)
        made = store.mask(self.rate, self.count)
        return Quadmask(self.width, self.height, self.rate, made.source, self.count, self._timestamps)

    # -- operations

    def toggle_cell(self, index: int, cell: Cell, layer: Layer = "affected") -> bool:
        """Put a whole cell into a layer, or take it out where all of it is in. Return whether it is in now.

        Raises:
            ValidationError: there is no such frame, cell or layer.
        """
        inside = self.grid.filled(self.grid.of([cell]), self.width, self.height)
        had = _in(self.frame(index), layer)
        put = not had[inside].all() if inside.any() else False
        self._apply(f"cell {cell[0]}, {cell[1]}", index, layer, np.where(inside, put, had))
        return put

    def set_cells(
        self, index: int, cells: Iterable[Cell], layer: Layer = "affected", *, put: bool = True
    ) -> None:
        """Put cells into a layer, or take them out.

        Raises:
            ValidationError: there is no such frame, cell or layer.
        """
        inside = self.grid.filled(self.grid.of(cells), self.width, self.height)
        self._apply("cells", index, layer, np.where(inside, put, _in(self.frame(index), layer)))

    def brush(
        self,
        index: int,
        stroke: Sequence[tuple[float, float]],
        radius: float,
        layer: Layer = "removed",
        *,
        put: bool = True,
    ) -> None:
        """Draw along the points (x, y) of a stroke with a round brush, or rub out.

        Points are in px from the picture's corner: the middle of its first pixel is at (0.5, 0.5).

        Raises:
            ValidationError: there is no such frame or layer, no point, one that lies `MOST_PX` away, or the
                radius is not above 0.
        """
        if not 0 < radius <= MOST_BRUSH_PX:
            raise ValidationError(
                f"the brush has a radius of {radius:g} px, expected above 0, {MOST_BRUSH_PX} at most"
            )
        if not 1 <= len(stroke) <= MOST_STROKE_POINTS:
            raise ValidationError(f"the stroke has {len(stroke)} points, expected 1 to {MOST_STROKE_POINTS}")
        points = np.asarray(stroke, np.float64)
        if points.shape != (len(stroke), 2) or not (np.abs(points) <= MOST_PX).all():
            raise ValidationError(f"the stroke holds something else than points (x, y) within {MOST_PX:g} px")
        drawn = _stroke(points, radius, self.width, self.height)
        self._apply("brush", index, layer, np.where(drawn, put, _in(self.frame(index), layer)))

    def copy_before(
        self, index: int, layers: Iterable[Layer] = LAYERS, *, through: int | None = None
    ) -> None:
        """Copy layers of the frame before into frame `index`, or into all frames from there to `through`.

        Raises:
            ValidationError: `index` is 0, or there is no such frame or layer.
        """
        last = index if through is None else through
        if index < 1 or last < index:
            raise ValidationError(f"frames {index} to {last} have no frame before, expected 1 or more")
        wanted = tuple(_layer(name) for name in layers)
        source = self.frame(index - 1)
        self._check(last)
        made = {}
        for i in range(index, last + 1):
            held = self.frame(i)
            parts = {name: _in(source if name in wanted else held, name) for name in LAYERS}
            made[i] = _packed(values.combined(parts["removed"], parts["affected"]))
        self._change("copy", made)

    def clear(self, index: int, layer: Layer) -> None:
        """Empty a layer of a frame."""
        self._apply("clear", index, layer, np.zeros((self.height, self.width), bool))

    # -- undo

    def undo(self) -> Edited | None:
        """Take the last operation back. Return what it was and where, or None where there is none."""
        return self._go(self._done, self._undone, lambda step: step.before)

    def redo(self) -> Edited | None:
        """Do again what was taken back last. Return what it was and where, or None where there is none."""
        return self._go(self._undone, self._done, lambda step: step.after)

    @property
    def steps(self) -> tuple[int, int]:
        """How many operations can be undone, and redone."""
        return len(self._done), len(self._undone)

    def _go(
        self, source: list[_Step], target: list[_Step], frames: Callable[[_Step], dict[int, bytes]]
    ) -> Edited | None:
        if not source:
            return None
        step = source.pop()
        for index, packed in frames(step).items():
            self._frames[index] = packed
        target.append(step)
        return Edited(step.what, min(step.before), max(step.before))

    def _apply(self, what: str, index: int, layer: Layer, inside: Array) -> None:
        held = self.frame(index)
        parts = {name: _in(held, name) for name in LAYERS} | {_layer(layer): inside}
        self._change(what, {index: _packed(values.combined(parts["removed"], parts["affected"]))})

    def _change(self, what: str, after: dict[int, bytes]) -> None:
        before = {index: self._frames[index] for index in after}
        if before == after:
            return  # nothing to undo
        for index, packed in after.items():
            self._frames[index] = packed
        self._done.append(_Step(what, before, after))
        del self._done[:-UNDO_STEPS]
        self._undone.clear()

    def _check(self, index: int) -> None:
        if not 0 <= index < self.count:
            raise ValidationError(f"frame {index} is not there, expected 0 to {self.count - 1}")


def _layer(name: str) -> str:
    if name not in LAYERS:
        raise ValidationError(f"layer is {name!r}, expected removed or affected")
    return name


def _in(frame: Array, layer: str) -> Array:
    return values.removed(frame) if _layer(layer) == "removed" else values.affected(frame)


def _packed(frame: Array) -> bytes:
    return zlib.compress(np.ascontiguousarray(frame).tobytes(), 1)


def _stroke(points: Array, radius: float, width: int, height: int) -> Array:
    """Return bool `[H, W]`: the pixels whose middle lies within `radius` of the line through `points`.

    What is near a straight piece is convex, one span in each row: work grows with the radius, not its square.
    """
    steps = np.zeros((height, width + 1), np.int32)
    points = points - 0.5  # pixels are counted by their middles
    for start, end in zip(points, np.concatenate([points[1:], points[-1:]]), strict=True):
        low = np.ceil(min(start[1], end[1]) - radius).clip(0, height)
        high = (np.floor(max(start[1], end[1]) + radius) + 1).clip(0, height)
        rows = np.arange(low, high, dtype=int)
        left, right = _span(rows, start, end, radius)
        first = np.ceil(left).clip(0, width).astype(int)
        behind = (np.floor(right) + 1).clip(0, width).astype(int)
        some = first < behind
        steps[rows[some], first[some]] += 1
        steps[rows[some], behind[some]] -= 1
    return steps.cumsum(axis=1)[:, :width] > 0


def _span(rows: Array, start: Array, end: Array, radius: float) -> tuple[Array, Array]:
    """Return in each row the least and the greatest x within `radius` of the line from `start` to `end`.

    They lie on the circle around an end or on one of the two edges between the circles.
    """
    found = []
    for x, y in (start, end):
        reach = radius**2 - (rows - y) ** 2
        half = np.sqrt(np.where(reach >= 0, reach, np.nan))
        found += [x - half, x + half]
    way = end - start
    if abs(way[1]) > FLAT_PX:
        for side in (radius, -radius):
            x, y = start + side * np.array([-way[1], way[0]]) / np.hypot(*way)
            along = (rows - y) / way[1]
            found.append(np.where((along >= 0) & (along <= 1), x + along * way[0], np.nan))
    none = np.full(len(rows), np.inf)
    return np.fmin.reduce([none, *found]), np.fmax.reduce([-none, *found])

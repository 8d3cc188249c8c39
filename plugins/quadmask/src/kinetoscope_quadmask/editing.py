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

__all__ = ["LAYERS", "MaskEditor"]

Layer = Literal["removed", "affected"]
LAYERS: Final = ("removed", "affected")
"""What is edited: the object itself, or what changes with it. Overlap is where a pixel is in both."""

UNDO_STEPS = 500
MOST_BRUSH_PX = 4096
MOST_STROKE_POINTS = 10_000


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
        """Draw along the points (x, y) of a stroke, px, with a round brush, or rub out.

        Raises:
            ValidationError: there is no such frame or layer, no point, or the radius is not above 0.
        """
        if not 0 < radius <= MOST_BRUSH_PX:
            raise ValidationError(
                f"the brush has a radius of {radius:g} px, expected above 0, {MOST_BRUSH_PX} at most"
            )
        if not 1 <= len(stroke) <= MOST_STROKE_POINTS:
            raise ValidationError(f"the stroke has {len(stroke)} points, expected 1 to {MOST_STROKE_POINTS}")
        points = np.asarray(stroke, np.float64)
        if points.shape != (len(stroke), 2) or not np.isfinite(points).all():
            raise ValidationError("the stroke holds something else than points (x, y)")
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
        wanted = tuple(layers)
        source = self.frame(index - 1)
        self._check(last)
        made = {}
        for i in range(index, last + 1):
            held = self.frame(i)
            parts = {name: _in(source if name in wanted else held, name) for name in LAYERS}
            made[i] = values.combined(parts["removed"], parts["affected"])
        for name in wanted:
            _layer(name)
        self._change("copy", made)

    def clear(self, index: int, layer: Layer) -> None:
        """Empty a layer of a frame."""
        self._apply("clear", index, layer, np.zeros((self.height, self.width), bool))

    # -- undo

    def undo(self) -> str | None:
        """Take the last operation back. Return what it was, or None where there is none."""
        return self._go(self._done, self._undone, lambda step: step.before)

    def redo(self) -> str | None:
        """Do again what was taken back last. Return what it was, or None where there is none."""
        return self._go(self._undone, self._done, lambda step: step.after)

    @property
    def steps(self) -> tuple[int, int]:
        """How many operations can be undone, and redone."""
        return len(self._done), len(self._undone)

    def _go(
        self, source: list[_Step], target: list[_Step], frames: Callable[[_Step], dict[int, bytes]]
    ) -> str | None:
        if not source:
            return None
        step = source.pop()
        for index, packed in frames(step).items():
            self._frames[index] = packed
        target.append(step)
        return step.what

    def _apply(self, what: str, index: int, layer: Layer, inside: Array) -> None:
        held = self.frame(index)
        parts = {name: _in(held, name) for name in LAYERS} | {_layer(layer): inside}
        self._change(what, {index: values.combined(parts["removed"], parts["affected"])})

    def _change(self, what: str, frames: dict[int, Array]) -> None:
        after = {index: _packed(frame) for index, frame in frames.items()}
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
    """Return bool `[H, W]`: the pixels whose middle lies within `radius` of the line through `points`."""
    drawn = np.zeros((height, width), bool)
    for start, end in zip(points, np.concatenate([points[1:], points[-1:]]), strict=True):
        low = np.floor(np.minimum(start, end) - radius).astype(int).clip(0, (width, height))
        high = (np.ceil(np.maximum(start, end) + radius).astype(int) + 1).clip(0, (width, height))
        across = np.arange(low[0], high[0])[None, :] - start[0]
        down = np.arange(low[1], high[1])[:, None] - start[1]
        way = end - start
        length = float(way @ way)
        along = np.clip((across * way[0] + down * way[1]) / length, 0, 1) if length else np.zeros((1, 1))
        near = np.hypot(across - along * way[0], down - along * way[1]) <= radius
        drawn[low[1] : high[1], low[0] : high[0]] |= near
    return drawn

"""Layers over a plate, in linear light, with the plate's tint and grain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import suppress
from itertools import islice
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_composite.grain import Grain, measured
from kinetoscope_composite.layer import Layer, from_srgb, to_srgb
from kinetoscope_spec import Cancelled, Progress, ValidationError, Video

__all__ = ["composite", "plate_tint"]

Array = NDArray[Any]

LOOKED_AT = 8
"""Frames from the beginning of the plate in which its tint and grain are measured."""

LEAST_GAIN, MOST_GAIN = 0.6, 1.6
"""By how much a colour of a layer changes at most: a plate of one red wall is no red light."""

NORM = 6.0
"""The Minkowski norm by which light is told from surfaces ("shades of grey", Finlayson and Trezzi 2004)."""


def composite(
    plate: Video,
    layers: Iterable[Layer],
    *,
    tint: float = 0.5,
    grain: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Video:
    """Return the plate with a layer over each frame; see `protocol.Compositor.composite`."""
    if not 0 <= tint <= 1:
        raise ValidationError(f"tint is {tint}, expected 0 to 1")
    source = _Over(plate, layers, tint, grain, seed, progress)
    return attrs.evolve(plate, source=source)


@attrs.define(eq=False)
class _Over:
    """The frames of a composite."""

    plate: Video
    layers: Iterable[Layer]
    tint: float
    grain: bool
    seed: int
    progress: Progress | None
    _look: tuple[Array, Grain] | None = attrs.field(default=None, init=False)

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        gain, noise = self._matched()
        layers = self._from(start)
        number = start
        for frame in self.plate.frames(start, stop):
            layer = next(layers, None)
            if layer is None:
                raise self._short(number)
            yield self._one(frame, layer, gain, noise, number)
            number += 1
            total = self.plate.frame_count or 0
            if self.progress is not None and self.progress(number, total, "compositing") is False:
                raise Cancelled(f"cancelled after {number} frames")
        if stop is None and next(layers, None) is not None:
            raise ValidationError(f"there are more layers than the plate's {number} frames")

    def _from(self, start: int) -> Iterator[Layer]:
        """Return the layers from `start` on; those before are not made where one can begin anywhere."""
        part = getattr(self.layers, "__getitem__", None)
        if part is not None:
            held = len(self.layers) if isinstance(self.layers, Sized) else start
            if held < start:
                raise self._short(held)
            with suppress(TypeError):  # a deque, say, has single places and no parts
                return iter(part(slice(start, None)))
        layers = iter(self.layers)
        passed = sum(1 for _ in islice(layers, start))
        if passed < start:
            raise self._short(passed)
        return layers

    def _short(self, count: int) -> ValidationError:
        return ValidationError(f"there are {count} layers, and more frames of the plate")

    def _matched(self) -> tuple[Array, Grain | None]:
        """Return factors `[3]` on the layers' light, and the plate's noise; measured once."""
        if self._look is None:
            seen = [frame[..., :3] for frame in self.plate.frames(0, LOOKED_AT)]
            self._look = plate_tint(seen), measured(seen)
        gains, noise = self._look
        return np.asarray(gains**self.tint, np.float32), noise if self.grain else None

    def _one(self, frame: Array, layer: Layer, gain: Array, noise: Grain | None, number: int) -> Array:
        height, width = frame.shape[:2]
        if np.shape(layer.alpha) != (height, width):
            size = np.shape(layer.alpha)[::-1]
            raise ValidationError(
                f"layer {number} is {size[0]} x {size[1]} pixels, the plate {width} x {height}"
            )
        made = frame.copy()
        box = _touched(layer)
        if box is not None:
            under = frame[box]
            levels = _blended(under, layer, box, gain)
            alpha = np.asarray(layer.alpha[box], np.float32)
            if noise is not None:
                levels += alpha[..., None] * noise.noise(alpha.shape[::-1], self.seed, number)
            changed = _changes(layer, box)
            made[box][..., :3][changed] = np.rint(levels[changed]).clip(0, 255).astype(np.uint8)
            if frame.shape[2] == 4:
                covered = 255 - (255 - under[..., 3].astype(np.float32)) * (1 - alpha)
                made[box][..., 3][changed] = np.rint(covered[changed]).astype(np.uint8)
        return made


_Box = tuple[slice, slice]


def _changes(layer: Layer, box: _Box) -> Array:
    """Return which pixels of a box the layer changes at all."""
    changed: Array = (np.asarray(layer.alpha[box]) > 0) | np.any(layer.light[box] != 0, axis=2)
    if layer.shade is None:
        return changed
    shaded = layer.shade[box] != 1
    return np.asarray(changed | (shaded if shaded.ndim == 2 else shaded.any(axis=2)))


def _touched(layer: Layer) -> _Box | None:
    """Return the rows and columns within which the layer changes anything."""
    changed = _changes(layer, (slice(None), slice(None)))
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _blended(under: Array, layer: Layer, box: _Box, gain: Array) -> Array:
    """Return the levels of a box of the plate with the layer over it, blended as light."""
    below = from_srgb(under[..., :3])
    if layer.shade is not None:
        shade = np.asarray(layer.shade[box], np.float32)
        below = below * (shade[..., None] if shade.ndim == 2 else shade)
    alpha = np.asarray(layer.alpha[box], np.float32)[..., None]
    return to_srgb(below * (1 - alpha) + np.asarray(layer.light[box], np.float32) * gain)


def plate_tint(frames: Sequence[Array]) -> Array:
    """Return the colour of the light in some `frames`, `uint8 [H, W, 3]`, as factors `[3]` of mean 1."""
    if not frames:
        return np.ones(3)
    means = []
    for frame in frames:
        light = from_srgb(frame[::2, ::2]).reshape(-1, 3).astype(np.float64)
        clear = (frame[::2, ::2].reshape(-1, 3) < 250).all(axis=1)  # what is blown out has lost its colour
        light = light[clear] if clear.any() else light
        means.append(np.mean(light**NORM, axis=0) ** (1 / NORM))
    colour = np.mean(means, axis=0) + 1e-6
    gains = (colour / colour.mean()).clip(LEAST_GAIN, MOST_GAIN)
    return np.asarray(gains / gains.mean())

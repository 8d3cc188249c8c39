"""Films of a thing whose every outline is known: it turns, grows and goes over a wall that may move, too."""

from __future__ import annotations

from typing import Any

import attrs
import cv2
import numpy as np

Array = Any

LEAST_APART = 35.0
"""L*a*b* distance between the colours of thing and wall, so that eyes could tell them apart."""


@attrs.frozen(eq=False)
class Film:
    """`uint8 [T, H, W, 3]`, and where the thing is, bool `[T, H, W]`."""

    frames: Array
    inside: Array

    def middle(self, frame: int) -> tuple[float, float]:
        """Return the place that lies deepest inside the thing (x, y)."""
        deep = cv2.distanceTransform(self.inside[frame].astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(int(deep.argmax()), deep.shape)
        return float(x), float(y)

    def bounds(self, frame: int) -> tuple[float, float, float, float]:
        """Return the box around the thing (left, top, right, bottom)."""
        y, x = np.nonzero(self.inside[frame])
        return float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1)


def iou(made: Array, film: Film) -> Array:
    """Return the intersection over union of each frame, 1 where there is nothing in either."""
    both, either = (
        held.reshape(len(made), -1).sum(axis=1) for held in (made & film.inside, made | film.inside)
    )
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def thing(
    seed: int, *, pan: bool = True, size: tuple[int, int] = (240, 136), frames: int = 16, way: float = 0.65
) -> Film:
    """Return a film of a thing that goes `way` widths to the right from 0.15 on; `size` is (width, height)."""
    rng = np.random.default_rng((99, seed))
    width, height = size
    wall, skin = _walls(rng, size)
    outline, radius = _blob(rng), height * rng.uniform(0.14, 0.2)
    first = rng.uniform(0, 2 * np.pi)
    pictures, inside = [], []
    for t in np.linspace(0, 1, frames):
        behind = wall[:, int(0.4 * width * t * pan) :][:height, :width].astype(np.float32)
        turn, scale = first + 1.2 * t, radius * (1 + 0.3 * np.sin(2.5 * t))
        centre = np.array([width * (0.15 + way * t), height * (0.5 + 0.13 * np.sin(4 * t + first))])
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        share = np.zeros((2 * height, 2 * width), np.uint8)
        corners = np.rint((outline @ rotation.T * scale + centre) * 512).astype(np.int32)
        cv2.fillPoly(share, [corners], 255, cv2.LINE_AA, 8)
        share = cv2.resize(share, size, interpolation=cv2.INTER_AREA)
        matrix = rotation * (scale / radius)
        matrix = np.hstack([matrix, (centre - matrix @ [width / 2, height / 2])[:, None]])
        front = cv2.warpAffine(skin, matrix, size, borderMode=cv2.BORDER_REFLECT)
        alpha = share[..., None] / 255
        shot = behind * (1 - alpha) + front * alpha + rng.normal(scale=1.5, size=behind.shape)
        pictures.append(np.rint(shot).clip(0, 255).astype(np.uint8))
        inside.append(share > 127)
    return Film(np.stack(pictures), np.stack(inside))


def _walls(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    width, height = size
    colours = rng.uniform(30, 225, (2, 3))
    while _apart(*colours) < LEAST_APART:
        colours = rng.uniform(30, 225, (2, 3))
    wall, skin = (
        _blotches(rng, shape, colour)
        for shape, colour in zip(((height, 2 * width), (height, width)), colours, strict=True)
    )
    for _ in range(12):
        at, extent = rng.integers(0, (2 * width, height)), rng.integers(8, 40, 2)
        cv2.rectangle(wall, at.tolist(), (at + extent).tolist(), rng.uniform(30, 225, 3).tolist(), -1)
    spot = np.array([width // 2, height // 2]) + rng.integers(-10, 11, 2)
    cv2.circle(skin, spot.tolist(), height // 14, rng.uniform(30, 225, 3).tolist(), -1)
    return wall, skin


def _apart(one: Array, other: Array) -> float:
    lab = cv2.cvtColor(np.array([[one, other]]).astype(np.uint8), cv2.COLOR_RGB2LAB).astype(float)
    return float(np.linalg.norm(lab[0, 0] - lab[0, 1]))


def _blotches(rng: np.random.Generator, shape: tuple[int, int], colour: Array) -> Array:
    whole = np.zeros((*shape, 3), np.float32)
    for blur in (1.5, 5.0, 15.0):
        octave = cv2.GaussianBlur(rng.normal(size=(*shape, 3)).astype(np.float32), (0, 0), blur)
        whole += octave / octave.std()
    return np.asarray(colour + 8 * whole, np.float32)


def _blob(rng: np.random.Generator) -> Array:
    """Return an outline without corners, `[200, 2]`, about 1 from its middle."""
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    away = 1 + sum(rng.uniform(-0.18, 0.18) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 4))
    return np.stack([away * np.cos(angle), away * np.sin(angle)], axis=1)

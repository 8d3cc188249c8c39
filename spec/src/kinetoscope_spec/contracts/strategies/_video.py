"""Videos, masks and quadmasks, down to one pixel and one frame."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.video import QUADMASK_VALUES, Mask, Quadmask, Video
from kinetoscope_spec.voice import Audio

__all__ = ["masked_videos", "masks", "quadmasks", "videos"]

SIZES = ((4, 4), (8, 6), (1, 1), (3, 2), (1, 7), (16, 9), (33, 17))
COUNTS = (1, 2, 3, 5, 9)
RATES = (Fraction(30), Fraction(24), Fraction(30000, 1001), Fraction(1), Fraction(25, 2))

KINDS = ("box", "empty", "full", "scattered", "soft")
"""What a mask may look like: a box that moves, nothing, everything, single pixels, soft edges."""


def _random(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


@st.composite
def videos(
    draw: st.DrawFn,
    *,
    sizes: st.SearchStrategy[tuple[int, int]] | None = None,
    frames: st.SearchStrategy[int] | None = None,
    channels: Sequence[int] = (3, 4),
    audio: bool = True,
    timestamps: bool = True,
) -> Video:
    """Videos in memory, from one pixel and one frame up: one colour, still noise, moving noise.

    `sizes` draws (width, height), `frames` their number; some have sound, some a variable rate,
    unless `audio` or `timestamps` is False.
    """
    width, height = draw(st.sampled_from(SIZES) if sizes is None else sizes)
    count = draw(st.sampled_from(COUNTS) if frames is None else frames)
    shape = (count, height, width, draw(st.sampled_from(tuple(channels))))
    kind = draw(st.sampled_from(("plain", "still", "moving")))
    if kind == "plain":
        pictures = np.full(shape, draw(st.sampled_from((128, 0, 255))), np.uint8)
    else:
        drawn = _random(draw).integers(0, 256, shape, dtype=np.uint8)
        pictures = drawn if kind == "moving" else np.repeat(drawn[:1], count, axis=0)
    rate = draw(st.sampled_from(RATES))
    sound = draw(_sounds(count / rate)) if audio and draw(st.booleans()) else None
    video = Video.from_frames(pictures, rate, sound)
    if timestamps and draw(st.booleans()):
        steps = draw(st.lists(st.sampled_from((1.0, 0.5, 3.0)), min_size=count, max_size=count))
        video = attrs.evolve(video, timestamps=(np.cumsum(steps) - steps[0]) / float(rate))
    return video


@st.composite
def _sounds(draw: st.DrawFn, seconds: Fraction) -> Audio:
    """Silence or noise, as long as the pictures to a sample."""
    rate = draw(st.sampled_from((8000, 48000)))
    count = min(round(seconds * rate), 4096)
    samples = np.zeros((count, draw(st.sampled_from((1, 2)))), np.float32)
    if draw(st.booleans()):
        samples = _random(draw).uniform(-1, 1, samples.shape).astype(np.float32)
    return Audio(samples, rate)


@st.composite
def masks(
    draw: st.DrawFn,
    *,
    size: tuple[int, int] | None = None,
    frames: int | None = None,
    rate: Any = 30,
    kinds: Sequence[str] = KINDS,
) -> Mask:
    """Masks of `size` (width, height) and `frames` pictures; drawn where they are not given."""
    pictures = draw(_coverage(size, frames, kinds))
    return Mask.from_frames(pictures, rate)


@st.composite
def quadmasks(
    draw: st.DrawFn,
    *,
    size: tuple[int, int] | None = None,
    frames: int | None = None,
    rate: Any = 30,
    kinds: Sequence[str] = KINDS,
) -> Quadmask:
    """Quadmasks of all four values: what a mask has inside is removed, overlapped or affected."""
    inside = draw(_coverage(size, frames, kinds)) > 0
    values = np.asarray(QUADMASK_VALUES, np.uint8)
    pictures = np.where(inside, np.uint8(0), np.uint8(255))
    if draw(st.booleans()):
        changed = _random(draw).choice(values[:3], inside.shape)
        pictures = np.where(inside, changed, pictures)
    return Quadmask.from_frames(pictures, rate)


@st.composite
def _coverage(
    draw: st.DrawFn, size: tuple[int, int] | None, frames: int | None, kinds: Sequence[str]
) -> Array:
    """Return `uint8 [T, H, W]`, 255 inside; every kind but `empty` covers a pixel of every frame."""
    width, height = draw(st.sampled_from(SIZES)) if size is None else size
    count = draw(st.sampled_from(COUNTS)) if frames is None else frames
    kind = draw(st.sampled_from(tuple(kinds)))
    pictures = np.full((count, height, width), 255 if kind == "full" else 0, np.uint8)
    if kind == "box":
        left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        wide, high = draw(st.integers(1, width)), draw(st.integers(1, height))
        step = draw(st.integers(0, 2))
        for i, picture in enumerate(pictures):
            start = (left + i * step) % width
            picture[top : top + high, start : start + wide] = 255
    elif kind in ("scattered", "soft"):
        rng = _random(draw)
        drawn = rng.integers(0 if kind == "soft" else 255, 256, pictures.shape)
        pictures = np.where(rng.random(pictures.shape) < 0.4, drawn, 0).astype(np.uint8)
        pictures[:, height // 2, width // 2] = 255
    return pictures


@st.composite
def masked_videos(
    draw: st.DrawFn,
    video: st.SearchStrategy[Video] | None = None,
    *,
    kinds: Sequence[str] = KINDS,
) -> tuple[Video, Mask]:
    """A video, and a mask or quadmask of its size, rate and length."""
    held = draw(videos() if video is None else video)
    make = draw(st.sampled_from((masks, quadmasks)))
    size = (held.width, held.height)
    return held, draw(make(size=size, frames=held.frame_count, rate=held.rate, kinds=kinds))

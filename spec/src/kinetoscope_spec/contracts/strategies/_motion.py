"""Skeletons, motions and assets of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Asset
from kinetoscope_spec.contracts.strategies._text import names as any_names
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["assets", "motions", "quaternions", "skeletons"]

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 12, 1, 2, 3, 4, 5, 6, 7, 8, 12, 40, 300)
RATES = (30.0, 24.0, 60.0, 120.0, 25.0, 30000 / 1001, 1.0)


def _random(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


def _unit_quaternions(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return uniform unit quaternions `[*shape, 4]` of both signs."""
    q = rng.normal(size=(*shape, 4))
    unit: Array = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return unit


@st.composite
def quaternions(draw: st.DrawFn, *, shape: tuple[int, ...] = ()) -> Array:
    """Unit quaternions xyzw `[*shape, 4]`, of both signs; the identity is the simplest."""
    if draw(st.booleans()):
        return _unit_quaternions(_random(draw), shape)
    same = np.zeros((*shape, 4))
    same[..., 3] = draw(st.sampled_from((1.0, -1.0)))
    return same


def _parents(draw: st.DrawFn, rng: np.random.Generator, count: int, roots: int) -> Array:
    shape = draw(st.sampled_from(("chain", "star", "tree")))
    parents = np.full(count, -1)
    for joint in range(min(roots, count), count):
        if shape == "chain":
            parents[joint] = joint - 1
        elif shape == "tree":
            parents[joint] = rng.integers(0, joint)
        else:
            parents[joint] = 0
    return parents


@st.composite
def _labels(draw: st.DrawFn, count: int, kind: st.SearchStrategy[str]) -> tuple[str, ...]:
    """Draw `count` different names; of many joints only some are drawn, the others are counted."""
    few = draw(st.lists(kind, unique=True, min_size=min(count, 1), max_size=min(count, 8)))
    taken, found = set(few), list(few)
    number = 0
    while len(found) < count:
        number += 1
        if f"joint{number}" not in taken:
            found.append(f"joint{number}")
    return tuple(found)


@st.composite
def skeletons(
    draw: st.DrawFn,
    *,
    joints: st.SearchStrategy[int] | None = None,
    roots: int = 2,
    names: st.SearchStrategy[str] | None = None,
    rest_rotations: bool = True,
    rest_scales: bool = True,
) -> Skeleton:
    """Skeletons of one joint to 300: chains, stars, trees, forests of up to `roots` roots.

    Bones may have length zero, names any letters, rest scales either sign. `joints` draws their
    number; `rest_rotations=False` and `rest_scales=False` keep those at identity.
    """
    count = draw(st.sampled_from(SIZES) if joints is None else joints)
    rng = _random(draw)
    parents = _parents(draw, rng, count, draw(st.integers(1, max(1, min(roots, count)))))
    labels = draw(_labels(count, any_names() if names is None else names))
    positions = rng.normal(scale=0.3, size=(count, 3))
    positions[rng.random(count) < draw(st.sampled_from((0.0, 0.3)))] = 0.0
    turned = rest_rotations and draw(st.booleans())
    scaled = rest_scales and draw(st.booleans())
    return Skeleton(
        labels,
        parents,
        positions,
        _unit_quaternions(rng, (count,)) if turned else None,
        _scales(draw, rng, (count, 3)) if scaled else None,
    )


def _scales(draw: st.DrawFn, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return scales of 0.5 to 2: all positive, some negative, or all."""
    negative = draw(st.sampled_from((0.0, 1.0, 0.1)))
    scales: Array = rng.uniform(0.5, 2.0, size=shape) * np.where(rng.random(shape) < negative, -1.0, 1.0)
    return scales


@st.composite
def motions(
    draw: st.DrawFn,
    skeleton: st.SearchStrategy[Skeleton] | None = None,
    *,
    frames: st.SearchStrategy[int] | None = None,
    framerates: st.SearchStrategy[float] | None = None,
    scales: bool = True,
    moving: bool = True,
    smooth: bool = False,
    morphs: Sequence[str] = (),
    dtype: Any = np.float32,
) -> Motion:
    """Motions of one frame or more: at rest, random, of quaternions of both signs, with scales.

    `morphs` names channels, of which some move; weights lie from -0.5 to 1.5.

    `moving=False` leaves joints below the roots where they rest; `smooth=True` changes every
    number little from frame to frame, as bodies do.
    """
    held = draw(skeletons() if skeleton is None else skeleton)
    count = draw(st.sampled_from((1, 2, 3, 5, 9)) if frames is None else frames)
    rng = _random(draw)
    kind = draw(st.sampled_from(("rest", "turning", "moving") if moving else ("rest", "turning")))
    positions = np.repeat(held.rest_positions[None], count, axis=0)
    rotations = np.repeat(held.rest_rotations[None], count, axis=0)
    if kind != "rest":
        rotations = _turning(rng, rotations, smooth=smooth)
        roots = held.parents < 0
        positions[:, roots] += _walk(rng, (count, int(roots.sum()), 3), smooth=smooth)
    if kind == "moving":
        positions += 0.1 * _walk(rng, positions.shape, smooth=smooth)
    scaled = scales and kind != "rest" and draw(st.booleans())
    return Motion(
        held,
        positions.astype(dtype),
        rotations.astype(dtype),
        draw(st.sampled_from(RATES) if framerates is None else framerates),
        draw(st.sampled_from(("clip", "walk", "歩く"))),
        scales=np.repeat(_scales(draw, rng, (1, len(held), 3)), count, axis=0).astype(dtype)
        if scaled
        else None,
        morph_weights={
            name: rng.uniform(-0.5, 1.5, count).astype(dtype) for name in morphs if rng.random() < 0.7
        },
    )


def _walk(rng: np.random.Generator, shape: tuple[int, ...], *, smooth: bool) -> Array:
    """Return random numbers `[T, ...]`; smooth ones are random steps of a hundredth, added up."""
    steps = rng.normal(size=shape)
    return np.cumsum(0.01 * steps, axis=0) + rng.normal(size=shape[1:]) if smooth else steps


def _turning(rng: np.random.Generator, rest: Array, *, smooth: bool) -> Array:
    if not smooth:
        return _unit_quaternions(rng, rest.shape[:-1])
    start = _unit_quaternions(rng, (1, *rest.shape[1:-1]))
    near = start + np.cumsum(0.02 * rng.normal(size=rest.shape), axis=0)
    unit: Array = near / np.linalg.norm(near, axis=-1, keepdims=True)
    return unit


@st.composite
def assets(
    draw: st.DrawFn,
    motion: st.SearchStrategy[Motion] | None = None,
    *,
    axes: str = "+X+Y+Z",
) -> Asset:
    """Assets of a skeleton and one motion, as an importer returns them."""
    held = draw(motions() if motion is None else motion)
    metadata = {"format": "drawn", "unit_m": 1.0, "axes": axes}
    return Asset(held.name, held.skeleton, (held,), metadata=metadata)

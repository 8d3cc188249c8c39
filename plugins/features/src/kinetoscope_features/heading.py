"""Windows seen from a root that faces a little elsewhere: which columns turn with it, and by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_features.body import Array
from kinetoscope_spec import Column, Motion, Skeleton, rotation
from kinetoscope_spec.errors import ValidationError

__all__ = ["level_pairs", "tried", "turn_windows", "turning"]

RowsSeen = Callable[[Motion, float], Array]

_ACROSS = {"x": "z", "xx": "xz", "yx": "yz"}
"""Components along X, and their partners along Z: of vectors, and of two columns of a matrix."""

_TRIED_RAD, _SAME = 0.3, 1e-7
"""By how much a root is turned to see whether rows turn with it, and what of a change is rounding."""


def level_pairs(columns: Sequence[Column]) -> Array:
    """Return the places `[P, 2]` of columns that are the X and Z of one vector."""
    place = {attrs.astuple(column): i for i, column in enumerate(columns)}
    pairs = []
    for i, column in enumerate(columns):
        other = _ACROSS.get(column.component or "")
        if other is not None:
            partner = place.get(attrs.astuple(attrs.evolve(column, component=other)))
            if partner is not None:
                pairs.append((i, partner))
    return np.array(pairs, np.int64).reshape(-1, 2)


def turn_windows(rows: Array, pairs: Array, radians: Array) -> None:
    """Turn the vectors at `pairs [P, 2]` of `rows [N, C]` into the axes of roots turned by `radians [N]`."""
    if not len(pairs):
        return
    cosine, sine = (f(radians).astype(rows.dtype)[:, None] for f in (np.cos, np.sin))
    x, z = rows[:, pairs[:, 0]], rows[:, pairs[:, 1]]
    rows[:, pairs[:, 0]] = cosine * x - sine * z
    rows[:, pairs[:, 1]] = cosine * z + sine * x


def turning(feature: Any, skeleton: Skeleton) -> Array:
    """Return the `[P, 2]` columns of `feature` that turn with a root which faces elsewhere all the time.

    A feature says them itself, by a method `turning(skeleton)`, unless it has no `level_pairs`.

    Raises:
        ValidationError: the rows are other ones then in a way that turning does not make good, or the
            feature does not say.
    """
    say = getattr(feature, "turning", None)
    if say is not None:
        return np.asarray(say(skeleton), np.int64).reshape(-1, 2)
    pairs = level_pairs(feature.schema(skeleton).columns)
    if len(pairs):
        raise ValidationError(
            f"{type(feature).__name__} can't be seen from a root that faces elsewhere: no heading_jitter_deg"
        )
    return pairs


def tried(
    name: str, columns: Sequence[Column], rows: RowsSeen, skeleton: Skeleton, framerate: float
) -> Array:
    """Return those of the `level_pairs` of `columns` that turn with the root.

    What compares the root with itself, such as where it will face, does not. It is tried out on motion
    made for it, in which everything moves.

    Args:
        name: what errors call the feature.
        columns: of the rows.
        rows: `rows(motion, radians)`, the rows of a motion by a root turned by so much.
        skeleton: whose motions.
        framerate: of the motion that is made.

    Raises:
        ValidationError: the rows are other ones then in a way that turning does not make good.
    """
    pairs = level_pairs(columns)
    motion = _shaken(skeleton, framerate)
    plain, expected = rows(motion, 0.0), rows(motion, _TRIED_RAD)
    changed = np.abs(expected - plain).max(axis=0) > _SAME
    pairs = np.asarray(pairs[changed[pairs].any(axis=1)], np.int64)
    turned = np.array(plain)
    turn_windows(turned, pairs, np.full(len(turned), _TRIED_RAD))
    off = np.abs(turned - expected).max(axis=0)
    if (off > _SAME).any():
        raise ValidationError(
            f"{name}: the column {columns[int(off.argmax())].name!r} is another one when the root faces "
            "elsewhere, in a way that turning does not make good: no heading_jitter_deg with this feature"
        )
    return pairs


def _shaken(skeleton: Skeleton, framerate: float) -> Motion:
    """Return half a second in which every joint turns at random and roots wander, from the rest pose."""
    random = np.random.default_rng(0)
    frames = max(int(framerate / 2), 8)
    positions = np.repeat(np.asarray(skeleton.rest_positions, np.float64)[None], frames, axis=0)
    turns = 0.2 * np.cumsum(random.normal(size=(frames, len(skeleton), 3)), axis=0) / np.sqrt(frames)
    rotations = rotation.multiply(
        np.asarray(skeleton.rest_rotations, np.float64)[None], rotation.from_rotation_vector(turns)
    )
    roots = np.flatnonzero(np.asarray(skeleton.parents) < 0)
    positions[:, roots] += np.cumsum(0.02 * random.normal(size=(frames, len(roots), 3)), axis=0)
    return Motion(skeleton, positions, rotations, framerate, name="shaken")

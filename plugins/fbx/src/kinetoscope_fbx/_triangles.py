"""Polygons into triangles: fans where they are convex, ears where they are not."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["triangulate"]

Array = NDArray[Any]

_MOST_EARS: Final = 512
"""Clipping ears takes the square of the corners: a polygon of more is cut as a fan."""

_FEW: Final = 24


def triangulate(vertices: Array, corners: Array, starts: Array, ends: Array) -> tuple[Array, Array]:
    """Return triangles of corners `[F, 3]`, in the polygons' order, and the polygon of each `[F]`.

    Polygons of fewer than three corners (points and edges) give none.
    """
    counts = ends - starts
    pieces: list[Array] = []
    owners: list[Array] = []
    threes = np.flatnonzero(counts == 3)
    pieces.append(starts[threes, None] + np.arange(3))
    owners.append(threes)
    fours = np.flatnonzero(counts == 4)
    if len(fours):
        pieces.append(_quads(vertices, corners, starts[fours]).reshape(-1, 3))
        owners.append(np.repeat(fours, 2))
    for polygon in np.flatnonzero(counts > 4):
        start, count = int(starts[polygon]), int(counts[polygon])
        cut = _polygon(vertices[corners[start : start + count]])
        pieces.append(cut + start)
        owners.append(np.full(len(cut), polygon))
    faces, polygons = np.concatenate(pieces), np.concatenate(owners)
    order = np.argsort(polygons, kind="stable")
    return faces[order].astype(np.int64), polygons[order].astype(np.int64)


def _quads(vertices: Array, corners: Array, starts: Array) -> Array:
    """Cut quads `[Q, 2, 3]` along the diagonal from their first corner, or the other where that folds."""
    a, b, c, d = vertices[corners[starts[:, None] + np.arange(4)]].transpose(1, 2, 0)
    first = _cross(b - a, c - a), _cross(c - a, d - a)
    other = _cross(c - b, d - b), _cross(d - b, a - b)
    folded = ((first[0] * first[1]).sum(axis=0) < 0) & ((other[0] * other[1]).sum(axis=0) > 0)
    plain, turned = np.array([[0, 1, 2], [0, 2, 3]]), np.array([[1, 2, 3], [1, 3, 0]])
    chosen: Array = np.where(folded[:, None, None], turned, plain)
    return chosen + starts[:, None, None]


def _cross(a: Array, b: Array) -> Array:
    """Return the cross products of `[3, N]`, columns first: `np.cross` takes longer to find its axes."""
    crossed: Array = a[[1, 2, 0]] * b[[2, 0, 1]] - a[[2, 0, 1]] * b[[1, 2, 0]]
    return crossed


def _polygon(places: Array) -> Array:
    """Cut one polygon `[N, 3]` into triangles `[N - 2, 3]`: a fan if it is convex, ears otherwise."""
    count = len(places)
    fan = np.stack([np.zeros(count - 2, np.int64), np.arange(1, count - 1), np.arange(2, count)], axis=1)
    spokes = (places - places[0]).T
    normal = _cross(spokes[:, :-1], spokes[:, 1:]).sum(axis=1)
    axis = int(np.abs(normal).argmax())
    flat = places[:, [(axis + 1) % 3, (axis + 2) % 3]] * (1.0 if normal[axis] >= 0 else -1.0) ** np.array(
        [1, 0]
    )
    if count > _MOST_EARS or not normal.any() or (_turns(flat, fan) >= 0).all():
        return fan
    return _ears(flat)


def _turns(flat: Array, triangles: Array) -> Array:
    a, b, c = (flat[triangles[:, i]] for i in range(3))
    turns: Array = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return turns


def _ears(flat: Array) -> Array:
    """Clip ears off a simple polygon `[N, 2]` that runs counter-clockwise (Meisters 1975)."""
    left = list(range(len(flat)))
    cut = []
    while len(left) > 3:
        for i in range(len(left)):
            ear = [left[i - 1], left[i], left[(i + 1) % len(left)]]
            if _is_ear(flat, ear, left):
                break
        else:  # crosses itself: no cut is right, any will do
            i, ear = 1, [left[0], left[1], left[2]]
        cut.append(ear)
        del left[i]
    return np.array([*cut, left], np.int64)


def _is_ear(flat: Array, ear: list[int], left: list[int]) -> bool:
    others = [k for k in left if k not in ear]
    if len(others) > _FEW:
        a, b, c = flat[ear]
        rest = flat[others].T
    else:  # so few are done sooner by Python itself
        a, b, c = flat[ear].tolist()
        rest = None
    if _side(a, b, c) <= 0:
        return False
    if rest is None:
        return not any(
            _side(a, b, p) >= 0 and _side(b, c, p) >= 0 and _side(c, a, p) >= 0 for p in flat[others].tolist()
        )
    inside = (_side(a, b, rest) >= 0) & (_side(b, c, rest) >= 0) & (_side(c, a, rest) >= 0)
    return not bool(np.any(inside))


def _side(a: Any, b: Any, p: Any) -> Any:
    """Return on which side of the line from `a` to `b` a point is, or many: above 0 to the left."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])

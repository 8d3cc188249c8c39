"""From points to nodes: which of them are places, what they are called, which way is up, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinetoscope_c3d._parameters import Document

__all__ = ["axes", "fill", "labels", "places", "unit"]

UNITS = {
    "mm": 0.001,
    "cm": 0.01,
    "dm": 0.1,
    "m": 1.0,
    "in": 0.0254,
    "ft": 0.3048,
    "inch": 0.0254,
    "inches": 0.0254,
}
_NO_PLACES = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS")
"""Parameters that name points which are results of a model and no places (Vicon's type groups)."""


def labels(document: Document, count: int, warnings: list[str]) -> list[str]:
    """Return a unique name for each of `count` points."""
    told = document.texts("POINT:LABELS")
    if len(told) < count:
        warnings.append(f"{count} points and {len(told)} labels; those without are called by their number")
    names: list[str] = []
    renamed = 0
    taken = {"markers"}
    counts: dict[str, int] = {}
    for i in range(count):
        wanted = (told[i] if i < len(told) else "") or f"point_{i + 1}"
        name, again = wanted, counts.get(wanted, 1)
        while name in taken:
            again += 1
            name = f"{wanted}_{again}"
        counts[wanted] = again  # as many steps as labels, were they all the same
        renamed += wanted not in (name, "markers")
        taken.add(name)
        names.append(name)
    if renamed:
        warnings.append(f"{renamed} points have the label of another; they are numbered here")
    return names


def places(document: Document, names: Sequence[str], warnings: list[str]) -> NDArray[np.bool_]:
    """Return which points are places: not angles, forces and the like."""
    groups = document.texts("POINT:TYPE_GROUPS") or list(_NO_PLACES)
    others = {
        name
        for group in groups
        if group.upper() in _NO_PLACES
        for name in document.texts(f"POINT:{group.upper()}")
    }
    kept = np.array([name not in others for name in names], bool)
    if not kept.all():
        warnings.append(f"{int((~kept).sum())} points are angles, forces or the like and left out")
    return kept


def unit(document: Document, warnings: list[str]) -> float:
    """Return metres a unit."""
    told = next(iter(document.texts("POINT:UNITS")), "").lower().rstrip(".")
    if told in UNITS:
        return UNITS[told]
    warnings.append(
        f"the unit is {told!r}; points are taken to be in millimetres"
        if told
        else "no unit is stated; millimetres"
    )
    return UNITS["mm"]


def axes(document: Document, warnings: list[str]) -> str:
    """Return which of the file's axes point right, up and forward, such as `+X+Z-Y`."""
    right, up = (_axis(document, name) for name in ("POINT:X_SCREEN", "POINT:Y_SCREEN"))
    if right is None or up is None or right[1] == up[1]:
        warnings.append("X_SCREEN and Y_SCREEN do not say which axis is up; Z is taken")
        right, up = "+X", "+Z"
    forward = np.cross(_vector(right), _vector(up))
    at = int(np.argmax(np.abs(forward)))
    return f"{right}{up}{'+-'[int(forward[at] < 0)]}{'XYZ'[at]}"


def _axis(document: Document, name: str) -> str | None:
    told = next(iter(document.texts(name)), "").upper()
    told = f"+{told}" if len(told) == 1 else told
    return told if len(told) == 2 and told[0] in "+-" and told[1] in "XYZ" else None


def _vector(axis: str) -> NDArray[np.float64]:
    vector: NDArray[np.float64] = np.eye(3)["XYZ".index(axis[1])] * (-1.0 if axis[0] == "-" else 1.0)
    return vector


def turned(values: NDArray[np.float32], held: str) -> NDArray[np.float32]:
    """Return points with right, up and forward as x, y and z."""
    order = ["XYZ".index(axis) for axis in held[1::2]]
    signs = np.array([-1 if sign == "-" else 1 for sign in held[0::2]], np.float32)
    return values[..., order] * signs


def fill(values: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return points `[F, P, 3]` with straight lines through frames in which a point was not seen.

    Before the first and after the last frame in which it was, it stays where it was then.
    """
    filled = values.copy()
    frames = np.arange(len(values))
    for point in np.flatnonzero(~seen.all(axis=0)):
        there = np.flatnonzero(seen[:, point])
        for axis in range(3):
            known = values[there, point, axis]
            filled[:, point, axis] = np.interp(frames, there, known)
    return filled


def gaps(seen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs of frames, first and one beyond the last, in which one point `[F]` was not seen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], seen, [True]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]

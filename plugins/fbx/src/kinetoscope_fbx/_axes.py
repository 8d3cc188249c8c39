"""Axes, unit and framerate of a file, and the change of basis from its space to ours."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import Document

__all__ = ["Basis", "framerate_of"]

Array = NDArray[Any]

# FbxTime::EMode of the FBX SDK; 0 is the application's default, 14 stands for CustomFrameRate.
_RATES: Final = {
    0: 24.0, 1: 120.0, 2: 100.0, 3: 60.0, 4: 50.0, 5: 48.0, 6: 30.0, 7: 30.0, 8: 30000 / 1001,
    9: 30000 / 1001, 10: 25.0, 11: 24.0, 12: 1000.0, 13: 24000 / 1001, 15: 96.0, 16: 72.0,
    17: 60000 / 1001, 18: 120000 / 1001,
}  # fmt: skip


def framerate_of(document: Document) -> float:
    """Return the frames per second that the file states, 24 where it leaves that open."""
    mode = int(document.setting("TimeMode", 0))
    if mode == 14:
        rate = document.setting("CustomFrameRate", 0.0)
        return rate if 0.1 <= rate <= 10_000 else 24.0
    return _RATES.get(mode, 24.0)


@attrs.frozen(eq=False, slots=False)
class Basis:
    """The way from a file's space to ours: metres, right-handed, Y up, +Z forward.

    Every transform of the file is seen from the new basis (`K M K^-1`, with `K` of `turn` and
    `unit_m`), so that joints keep scales of their own and no root is turned or scaled. Axes are
    permuted and flipped, never mixed: a left-handed file is mirrored exactly.

    Attributes:
        turn: `[3, 3]`, a signed permutation.
        unit_m: metres per unit of the file.
    """

    turn: Array
    unit_m: float

    @classmethod
    def of(cls, document: Document) -> Basis:
        """Read the axes (`CoordAxis`, `UpAxis`, `FrontAxis` and their signs) and `UnitScaleFactor`."""
        turn = np.zeros((3, 3))
        taken = []
        for row, (name, default) in enumerate((("CoordAxis", 0), ("UpAxis", 1), ("FrontAxis", 2))):
            axis = int(document.setting(name, default))
            sign = document.setting(f"{name}Sign", 1)
            taken.append(axis)
            if 0 <= axis <= 2:
                turn[row, axis] = -1.0 if sign < 0 else 1.0
        if sorted(taken) != [0, 1, 2]:
            raise document.root.place.error(
                f"states the axes {taken} for right, up and front", "0, 1 and 2, each once"
            )
        centimetres = document.setting("UnitScaleFactor", 1.0)
        if not 1e-9 < centimetres < 1e12:
            raise document.root.place.error(f"states a unit of {centimetres} cm", "a length above 0")
        return cls(turn, centimetres / 100.0)

    @cached_property
    def mirrors(self) -> bool:
        """Whether the file is left-handed."""
        return float(np.linalg.det(self.turn)) < 0

    @property
    def names(self) -> str:
        """Right, up and forward in the file's axes, such as `+X+Y+Z`."""
        found = []
        for row in self.turn:
            axis = int(np.flatnonzero(row)[0])
            found.append(("+" if row[axis] > 0 else "-") + "XYZ"[axis])
        return "".join(found)

    def points(self, points: Array) -> Array:
        """Return points `[..., 3]` of the file in metres along our axes."""
        return points @ (self.turn.T * self.unit_m)

    def directions(self, directions: Array) -> Array:
        """Return directions `[..., 3]` along our axes."""
        return directions @ self.turn.T

    def rotations(self, turns: Array) -> Array:
        """Return quaternions `[..., 4]` seen from our axes."""
        sign = -1.0 if self.mirrors else 1.0  # a mirror turns every rotation round
        return np.concatenate([sign * (turns[..., :3] @ self.turn.T), turns[..., 3:]], axis=-1)

    def scales(self, scales: Array) -> Array:
        """Return scales `[..., 3]` along our axes."""
        return scales @ np.abs(self.turn.T)

    def matrices(self, matrices: Array) -> Array:
        """Return `[..., 4, 4]` seen from our basis."""
        k = np.eye(4)
        k[:3, :3] = self.turn * self.unit_m
        return k @ matrices @ np.linalg.inv(k)


def euler_quaternions(degrees: Array, order: int = 0) -> Array:
    """Return quaternions `[..., 4]` of FBX Euler angles `[..., 3]`, x, y and z in degrees.

    Orders 0 to 5 (`XYZ`, `XZY`, `YZX`, `YXZ`, `ZXY`, `ZYX`) name the axis that turns first first, all about
    fixed axes (EFbxRotOrder); 6, spheric, is read as XYZ, as the SDK does.
    """
    names = ORDERS[order] if 0 <= order < len(ORDERS) else ORDERS[0]
    # About fixed axes from the first on is about the turned ones from the last on: qi qj qk, multiplied out.
    i, j, k = ("xyz".index(axis) for axis in names[::-1])
    half = np.radians(degrees) * 0.5
    sine, cosine = np.sin(half), np.cos(half)
    si, sj, sk = sine[..., i], sine[..., j], sine[..., k]
    ci, cj, ck = cosine[..., i], cosine[..., j], cosine[..., k]
    sign = 1.0 if (j - i) % 3 == 1 else -1.0  # of an even or odd permutation of x, y and z
    found = np.empty((*half.shape[:-1], 4))
    found[..., i] = si * cj * ck + sign * (ci * sj * sk)
    found[..., j] = ci * sj * ck - sign * (si * cj * sk)
    found[..., k] = ci * cj * sk + sign * (si * sj * ck)
    found[..., 3] = ci * cj * ck - sign * (si * sj * sk)
    return found


ORDERS: Final = ("xyz", "xzy", "yzx", "yxz", "zxy", "zyx", "xyz")
"""Of each rotation order the axes in the sequence in which they turn, about fixed axes."""

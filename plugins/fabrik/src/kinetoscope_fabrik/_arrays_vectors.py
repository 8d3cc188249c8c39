"""Vectors `[B, 3]` of any array library, with gradients that stay finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

__all__ = ["Library", "Vectors"]


@attrs.frozen(eq=False)
class Library:
    """An array library, and what each does its own way.

    Attributes:
        xp: its namespace in the array API standard's spelling.
        constant: returns an array without its gradient.
        choose: `choose(flag, yes, no)` calls one of two functions without arguments.
        iterate: `iterate(most, going, body, state)` runs `state = body(number, state)` with numbers from 1
            as long as `going(state)`, at most so often.
    """

    xp: Any
    constant: Callable[[Any], Any]
    choose: Callable[[Any, Callable[[], Any], Callable[[], Any]], Any]
    iterate: Callable[[int, Callable[[Any], Any], Callable[[Any, Any], Any], Any], Any]


class Vectors:
    """The operations of `_cases` on vectors `[B, 3]` and numbers `[B]`."""

    def __init__(self, library: Library) -> None:
        """Take the library's arrays."""
        self.library, self.xp = library, library.xp

    def where(self, flags: Any, yes: Any, no: Any) -> Any:
        """Choose vectors by `flags [B]`."""
        return self.xp.where(flags[:, None], yes, no)

    def dot(self, a: Any, b: Any) -> Any:
        """Return scalar products, summed from x to z."""
        return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]

    def root(self, squared: Any) -> Any:
        """Return square roots; those of nothing have no gradient."""
        none = squared <= 0
        one, zero = self.xp.ones_like(squared), self.xp.zeros_like(squared)
        return self.xp.where(none, zero, self.xp.sqrt(self.xp.where(none, one, squared)))

    def size(self, a: Any) -> Any:
        """Return lengths."""
        return self.root(self.dot(a, a))

    def unit(self, a: Any, otherwise: Any = None) -> Any:
        """Return vectors at length 1; zero vectors become `otherwise`, or +X."""
        size = self.library.constant(self.xp.max(self.xp.abs(a), axis=-1))
        lost = size < 1e-150
        if otherwise is None:
            otherwise = self.along_x(self.xp.ones_like(size))
        scaled = self.where(lost, otherwise, a / self.xp.where(lost, self.xp.ones_like(size), size)[:, None])
        return scaled / self.xp.sqrt(self.dot(scaled, scaled))[:, None]

    def along_x(self, length: Any) -> Any:
        """Return vectors of a length along +X."""
        zero = self.xp.zeros_like(length)
        return self.xp.stack([length, zero, zero], axis=-1)

    def across(self, u: Any) -> Any:
        """Return `u` cross the axis of the world that is least along it."""
        x, y, z = u[:, 0], u[:, 1], u[:, 2]
        zero = self.xp.zeros_like(x)
        off = [self.xp.abs(one) for one in (x, y, z)]
        by_x = self.xp.stack([zero, z, -y], axis=-1)
        by_y, by_z = self.xp.stack([-z, zero, x], axis=-1), self.xp.stack([y, -x, zero], axis=-1)
        first = (off[0] <= off[1]) & (off[0] <= off[2])
        return self.where(first, by_x, self.where(off[1] <= off[2], by_y, by_z))

    def cross(self, a: Any, b: Any) -> Any:
        """Return cross products."""
        ax, ay, az, bx, by, bz = (*(a[:, i] for i in range(3)), *(b[:, i] for i in range(3)))
        return self.xp.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)

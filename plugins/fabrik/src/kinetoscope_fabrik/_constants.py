"""What the compiled and the plain solver share.

Numba's cache looks at the date of `_kernel.py` alone: touch it after changing a number here.
"""

from __future__ import annotations

from typing import Final

BURST: Final = 8
"""Iterations of plain FABRIK before a chain that is still off is bent or stretched to its target."""

FLAT: Final = 1e-3
"""A chain whose joints all lie nearer than this share of its length to the line to its target is
taken as locked on it: the passes would move it along that line only, or take many to leave it."""

BOW: Final = 0.25
"""How far, as a share of its length, the middle of a locked chain is pushed aside."""

FOLDS: Final = 6
"""How many degrees of folding are tried, in steps of 1/8, to find where a chain is short enough."""

SECANTS: Final = 40
"""At most so many steps of the search for the bend that gives a reach; some eight are usual."""

EXACT: Final = 1e-12
"""Share of a chain's length to which that reach is met."""

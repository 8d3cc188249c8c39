"""Graders with one thing wrong each: `kinetoscope check warm --mutants` shows that they are caught."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


@mutant(MUTANTS, "size_and_kind_stay")
class Floats(Wrapper):
    """returns numbers from 0 to 1"""

    def grade(self, picture: NDArray[np.uint8]) -> Any:
        return self.real.grade(picture) / 255


@mutant(MUTANTS, "the_picture_is_left_alone")
class InPlace(Wrapper):
    """grades the caller's picture, too"""

    def grade(self, picture: NDArray[np.uint8]) -> Any:
        picture[...] = self.real.grade(picture) ^ 1  # what the real one leaves as it is, is changed as well
        return picture ^ 1


@mutant(MUTANTS, "the_same_picture_gets_the_same_grade")
class Drifts(Wrapper):
    """makes every second picture lighter"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.calls = itertools.count()

    def grade(self, picture: NDArray[np.uint8]) -> Any:
        graded = self.real.grade(picture)
        return np.minimum(graded, 254) + 1 if next(self.calls) % 2 else graded


@mutant(MUTANTS, "a_colour_is_graded_alike_everywhere")
class Vignette(Wrapper):
    """darkens the edge of the picture"""

    def grade(self, picture: NDArray[np.uint8]) -> Any:
        graded = self.real.grade(picture)
        graded[-1] //= 2
        return graded


@mutant(MUTANTS, "greys_keep_their_order")
class Solarises(Wrapper):
    """turns what is lightest dark, as overexposed paper does"""

    def grade(self, picture: NDArray[np.uint8]) -> Any:
        graded = self.real.grade(picture)
        return np.where(graded > 200, 400 - graded.astype(int), graded).astype(np.uint8)

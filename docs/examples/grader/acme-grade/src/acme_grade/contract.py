"""The contract of the hook `grader`: what whoever grades a film relies on."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from kinetoscope_spec.contracts import Contract, law, require

__all__ = ["GraderContract"]

Picture = NDArray[np.uint8]


def pictures() -> st.SearchStrategy[Picture]:
    """Return pictures of any size from one pixel on."""
    return array_shapes(min_dims=2, max_dims=2, max_side=8).flatmap(lambda size: arrays(np.uint8, (*size, 3)))


class GraderContract(Contract):
    """What callers of a grader rely on; subclass it and set `provider`."""

    hook: ClassVar[str] = "grader"
    mutants: ClassVar[str | None] = "acme_grade.mutants:MUTANTS"

    @law(pictures())
    def test_size_and_kind_stay(self, picture: Picture) -> None:
        """What comes back is a picture of the same size, uint8 [H, W, 3]."""
        graded = self._grade(picture)
        require(
            graded.dtype == np.uint8 and graded.shape == picture.shape,
            f"{graded.dtype} {list(graded.shape)} came back for uint8 {list(picture.shape)}",
        )

    @law(pictures())
    def test_the_picture_is_left_alone(self, picture: Picture) -> None:
        """Grading changes nothing in the picture that was handed over."""
        given = picture.copy()
        self.subject.grade(given)
        require(
            given == picture, f"{(given != picture).sum()} of {picture.size} values were changed in place"
        )

    @law(pictures())
    def test_the_same_picture_gets_the_same_grade(self, picture: Picture) -> None:
        """Grading a picture twice gives the same twice."""
        first, second = self._grade(picture), self._grade(picture)
        require(first == second, f"two grades of one picture differ in {(first != second).sum()} values")

    @law(st.tuples(*[st.integers(0, 255)] * 3), st.integers(2, 8), st.integers(2, 8))
    def test_a_colour_is_graded_alike_everywhere(
        self, color: tuple[int, int, int], height: int, width: int
    ) -> None:
        """A colour becomes the same colour wherever it stands in the picture."""
        graded = self._grade(np.full((height, width, 3), color, np.uint8)).reshape(-1, 3)
        found = np.unique(graded, axis=0).tolist()
        require(len(found) == 1, f"a picture all of {list(color)} came back with {found}")

    @law()
    def test_greys_keep_their_order(self) -> None:
        """Of two greys the lighter one is not darker afterwards: no channel falls along a ramp."""
        ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
        steps = np.diff(self._grade(ramp)[0].astype(float), axis=0)
        worst = int(steps.min(axis=1).argmin())
        require(steps >= 0, f"grey {worst + 1} came back darker than grey {worst}, by {-steps.min():g}")

    def _grade(self, picture: Picture) -> NDArray[Any]:
        """Return the grade of a copy: whether a picture is left alone is the business of one law."""
        return np.asarray(self.subject.grade(picture.copy()))

"""The hook that this distribution brings: `grader`. Importing this imports nothing but the spec."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from acme_grade.contract import GraderContract

__all__ = ["HOOKS", "Grader", "GraderContract", "addhooks", "grader"]


@runtime_checkable
class Grader(Protocol):
    """Changes the colours of pictures: each colour to one other, wherever it stands."""

    def grade(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return `picture`, uint8 [H, W, 3] sRGB, with other colours; the picture itself is left alone."""
        ...


@hookspec
def grader() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Colour grades: see `Grader`."""


HOOKS = (Hook("grader", "colour grades", "acme_grade.hooks:Grader", "acme_grade.hooks:GraderContract"),)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook known: this module is its specification."""
    return [sys.modules[__name__]]


def __getattr__(name: str) -> Any:
    if name == "GraderContract":  # needs hypothesis, which whoever grades a film need not have
        from acme_grade.contract import GraderContract

        return GraderContract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

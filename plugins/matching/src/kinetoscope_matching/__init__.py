"""Motion matching: not learned, but looked up in the clips themselves."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["model"]


@hookimpl
def model() -> Sequence[Provider]:
    """Return the model of this distribution."""
    return [
        Provider(
            "motion-matching",
            "the moment of the clips that fits best (Clavet 2016)",
            load="kinetoscope_matching.matching:MotionMatching",
            requires=("module:scipy",),
            order=-1,
        )
    ]

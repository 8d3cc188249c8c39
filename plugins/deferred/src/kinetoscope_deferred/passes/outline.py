"""Outlines: dark lines where one thing ends or a surface breaks, on request."""

from __future__ import annotations

from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.render_pass import ScreenPass
from kinetoscope_deferred.view import View

__all__ = ["outline"]

_COLOR = (0.08, 0.08, 0.1)
"""sRGB of the lines."""
_HEIGHT_PX = 720
"""Of a picture whose lines are one pixel to either side of an edge; larger ones have thicker lines."""


def _values(view: View, quality: Quality) -> dict[str, object]:
    return {"reach": max(1, round(view.size[1] / _HEIGHT_PX)), "line_color": _COLOR}


def outline() -> ScreenPass:
    """Return the pass `outline`: it draws into the picture before its edges are smoothed."""
    return ScreenPass(
        name="outline",
        package="kinetoscope_deferred.passes",
        fragment="outline.frag",
        reads=("id", "depth", "normal", "picture"),
        writes=("picture",),
        after="tonemap",
        values=_values,
    )

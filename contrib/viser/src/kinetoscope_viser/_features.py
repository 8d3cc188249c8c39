"""Rows of features along the timeline, as a plot and as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from viser import uplot

from kinetoscope_spec import Feature
from kinetoscope_viser._figure import COLORS
from kinetoscope_viser._track import Track

if TYPE_CHECKING:
    from kinetoscope_viser.viewer import Viewer

__all__ = ["Features", "grouped"]

Array = NDArray[Any]

_NONE: Final = "none"
_MOST_CURVES: Final = 6
_MOST_POINTS: Final = 800
"""Of a curve: a plot is hardly wider."""


def grouped(feature: Feature, track: Track) -> dict[str, tuple[list[str], Array]]:
    """Return a feature's rows of a track by what they speak of, a joint's say.

    Returns:
        For each name, columns' names and their values `[T, K]`, six at most.
    """
    schema, rows = feature.schema(track.motion.skeleton), feature.compute(track.motion)
    held: dict[str, list[int]] = {}
    for i, column in enumerate(schema.columns):
        about = column.name if column.joint is None else f"{column.name} {column.joint}"
        held.setdefault(f"{about}, {column.unit}", []).append(i)
    return {
        name: ([_curve(schema.columns[i], i) for i in where[:_MOST_CURVES]], rows[:, where[:_MOST_CURVES]])
        for name, where in held.items()
    }


def _curve(column: Any, number: int) -> str:
    when = f" {column.offset:+.2f} s" if column.offset else ""
    return f"{column.component or number}{when}"


class Features:
    """A folder of the panel: choose a feature, choose columns, see them over time and what they are now."""

    def __init__(self, viewer: Viewer, features: Mapping[str, Callable[[], Feature]]) -> None:
        self._viewer, self._features = viewer, features
        self._rows: dict[str, tuple[list[str], Array]] = {}
        self._plot: Any = None
        self._frame = -1
        gui = viewer.server.gui
        with gui.add_folder("Features", expand_by_default=False) as self._folder:
            self.feature = gui.add_dropdown("Feature", (_NONE, *features), initial_value=_NONE)
            self.columns = gui.add_dropdown("Columns", (_NONE,), initial_value=_NONE)
            self._now = gui.add_markdown("")

    def choose(self, name: str) -> None:
        """Compute a feature's rows of the first track; what keeps it from being computed is told."""
        self._rows, told = {}, ""
        if name != _NONE and self._viewer.tracks:
            try:
                self._rows = grouped(self._features[name](), self._viewer.tracks[0])
            except Exception as error:  # noqa: BLE001 - a provider's failure is told where it was asked for
                told = f"{name}: {error}"
        self.columns.options = tuple(self._rows) or (_NONE,)
        self._now.content = told
        self.draw(self.columns.value)

    def draw(self, group: str) -> None:
        """Plot the columns of one group."""
        if self._plot is not None:
            self._plot.remove()
            self._plot = None
        if group not in self._rows:
            return
        names, values = self._rows[group]
        track = self._viewer.tracks[0]
        step = max(1, len(values) // _MOST_POINTS)
        time = track.delay + np.arange(len(values))[::step] / track.motion.framerate
        curves = [
            uplot.Series(label=name, stroke=f"rgb{COLORS[i % len(COLORS)]}", width=1.5)
            for i, name in enumerate(names)
        ]
        with self._folder:
            self._plot = self._viewer.server.gui.add_uplot(
                (time, *np.ascontiguousarray(values[::step].T, np.float64)),
                (uplot.Series(label="s"), *curves),
                title=group,
                scales={"x": uplot.Scale(time=False, auto=True), "y": uplot.Scale(auto=True)},
                height=190,
            )
        self._frame = -1

    def tell(self) -> None:
        """Write down what the columns are in the frame that is shown."""
        group = self.columns.value
        if group not in self._rows:
            return
        track = self._viewer.tracks[0]
        frame = track.frame(self._viewer.clock.time)
        if frame != self._frame:
            self._frame = frame
            names, values = self._rows[group]
            held = ", ".join(
                f"{name} **{value:.3g}**" for name, value in zip(names, values[frame], strict=True)
            )
            self._now.content = f"frame {frame}: {held}"

"""Debug drawing in films: what is drawn beside figures, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot.settings import MARKS as KINDS
from kinetoscope.shot.settings import Output
from kinetoscope_spec import Character, Motion
from kinetoscope_spec.annotations import text_width
from kinetoscope_spec.ghosts import AHEAD_COLOR, Ghosts
from kinetoscope_spec.marking import head, marked, way

__all__ = ["KINDS", "Marks", "fitting", "ghosts_of", "marks_of", "shown_as"]

Array = NDArray[Any]

NAME_PX, LEAST_NAME_PX = 16.0, 9.0
"""Height of the capitals of a name, and that below which it is broken into lines instead."""
_NAME_SHARE = 0.8
"""Part of a picture's width that a name may take."""
_COLORS = {
    "bones": (0.80, 0.78, 0.70),
    "contacts": (0.10, 0.46, 0.16),
    "velocities": (0.50, 0.10, 0.55),
    "past": (0.80, 0.22, 0.04),
    "ahead": AHEAD_COLOR,
}
"""Linear RGB."""


@attrs.frozen
class Marks:
    """What is drawn beside figures. A value, which can be pickled: films are drawn by other processes, too.

    Attributes:
        kinds: of `KINDS`; `past` and `ahead` are the root's ways on the floor.
        names: of the figures, written over their heads if `kinds` has `name`.
        width: of the picture, px: names are as small as they must be, and of as many lines, to fit in it.
        span_s: how long the ways are, in seconds, or None for all of the motion.
    """

    kinds: tuple[str, ...] = attrs.field(
        validator=attrs.validators.deep_iterable(attrs.validators.in_(KINDS))
    )
    names: tuple[str, ...] = ()
    width: int = attrs.field(default=1280, kw_only=True, validator=attrs.validators.gt(0))
    span_s: float | None = attrs.field(
        default=None, kw_only=True, validator=attrs.validators.optional(attrs.validators.gt(0))
    )

    def of(self, motions: Sequence[Motion], poses: Sequence[Array], frame: int) -> dict[str, list[Any]]:
        """Return annotations of one frame, by kind; a motion that is over stays at its last frame.

        Args:
            motions: one for each figure.
            poses: their global matrices `[T, J, 4, 4]`.
            frame: which frame is now.
        """
        found: dict[str, list[Any]] = {}
        for number, (motion, pose) in enumerate(zip(motions, poses, strict=True)):
            name = self.names[number] if number < len(self.names) else ""
            for kind, item in self._of(motion, pose, min(frame, len(pose) - 1), name):
                found.setdefault(kind, []).append(item)
        return found

    def _of(self, motion: Motion, pose: Array, frame: int, name: str) -> Iterator[tuple[str, Any]]:
        places = np.asarray(pose[..., :3, 3], np.float64)
        reach = len(pose)
        if self.span_s is not None:
            reach = max(round(min(self.span_s * motion.framerate, reach)), 1)
        ways = {"past": (frame - reach, frame + 1), "ahead": (frame, frame + reach + 1)}
        for kind in self.kinds:
            if kind in ways:
                points = way(motion, places, *ways[kind])
                yield "trajectory", {"points": points, "color": _COLORS[kind]}
            elif kind == "axes":
                yield kind, pose[frame]
            elif kind != "name":
                yield kind, {"points": marked(kind, motion, places, frame), "color": _COLORS[kind]}
            elif name:
                text, pixels = fitting(name, self.width)
                yield (
                    "text",
                    {"strings": [text], "points": [head(motion, places, frame)], "pixels": pixels},
                )


def shown_as(character: Character, output: Output) -> Character:
    """Return the character as it is to be shown: skinned as is asked for, and without its body if that is."""
    if output.bare:
        return attrs.evolve(character, meshes=())
    return character.blended(output.skinning.replace("-", "_")) if output.skinning else character


def ghosts_of(output: Output) -> Ghosts | None:
    """Return the poses that are to be shown beside the figure, if any are."""
    if not (output.ghosts or output.ghosts_ahead):
        return None
    return Ghosts(output.ghosts, ahead=output.ghosts_ahead, spacing_s=output.ghost_spacing)


def marks_of(output: Output, name: str) -> Marks | None:
    """Return the marks that are to be drawn beside a figure called `name`, if any are."""
    if not output.show:
        return None
    kinds = tuple(dict.fromkeys(output.show))
    return Marks(kinds, names=(name,), width=output.size[0], span_s=output.span)


def fitting(name: str, width: int) -> tuple[str, float]:
    """Return a name in as many lines as fit a picture `width` px wide, and the height of its capitals, px."""
    held = _NAME_SHARE * width
    for lines in range(1, len(name) + 1):
        length = -(-len(name) // lines)
        text = "\n".join(name[i : i + length] for i in range(0, len(name), length))
        pixels = min(NAME_PX, held / max(text_width(text), 1e-9))
        if pixels >= LEAST_NAME_PX:
            return text, pixels
    return name, LEAST_NAME_PX

"""The providers `motion` and `none` of the hook `reasoner`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate import _backdrop
from kinetoscope_propagate._changes import Changes, beside
from kinetoscope_quadmask.hooks import Affected, Cells, Grid, Reasoning, check_fit
from kinetoscope_spec import Cancelled, Mask, Progress, Video

__all__ = ["MotionReasoner", "NoneReasoner"]

Array = NDArray[Any]

SHARE = 0.04
"""Of a cell that has to change for the cell to count."""

STAYS = 0.5
"""An object stays where it is if no more of its place is seen without it."""

UNSURE = 0.5
"""The confidence of what is told from motion alone."""


class MotionReasoner:
    """Says what changes without an object from what moves with it, and what it touches; needs no network.

    The background is told from frames that show it, through the camera's own motion. What differs from it
    beside the object is its shadow (darker, of the same hue) or reflection; another thing that differs is
    one that the object has come to touch, and is followed from then on. Of an object that never leaves its
    place no frame shows the ground without its shadow: there it is told from one picture, where the ground
    is plain. It knows no names, and can't tell what would have fallen. Pictures are looked at 256 px wide, in
    two readings; memory is bounded.
    """

    def reason(
        self,
        video: Video,
        mask: Mask,
        *,
        instruction: str = "",
        grid: Grid | None = None,
        progress: Progress | None = None,
    ) -> Reasoning:
        """Return what changes; see `kinetoscope_quadmask.hooks.Reasoner`."""
        check_fit(mask, video)
        grid = grid or Grid.over(video.width, video.height)
        backdrop = _backdrop.looked_at(video, mask)
        total = len(backdrop.places)
        changes: Changes | None = None
        shades, others, guesses = [], [], []
        for number, (picture, hidden) in enumerate(_backdrop.pictures(video, mask)):
            changes = changes or Changes(hidden.shape)
            behind, before = (backdrop.behind(number, early=early) for early in (False, True))
            shade, other = changes.of(picture, hidden, behind, before)
            shades.append(_cells(grid, shade))
            others.append(_cells(grid, other))
            stays = hidden.any() and behind[1][hidden].mean() < STAYS
            guesses.append(_cells(grid, beside(picture, hidden) if stays else np.zeros_like(hidden)))
            if progress is not None and progress(number + 1, total, "looking at what changes") is False:
                raise Cancelled(f"cancelled after {number + 1} of {total} frames")
        moving = any(cells.any() for cells in shades)
        found = [
            _affected("shadow or reflection", "visual_artifact", shades if moving else guesses),
            _affected("what it touches", "physical", others),
        ]
        affected = [held for held in found if held is not None]
        return Reasoning(grid, affected=affected, instruction=instruction, confidence=UNSURE)


class NoneReasoner:
    """Says that nothing changes: for masks of the object alone."""

    def reason(
        self,
        video: Video,
        mask: Mask,
        *,
        instruction: str = "",
        grid: Grid | None = None,
        progress: Progress | None = None,
    ) -> Reasoning:
        """Return that nothing does; see `kinetoscope_quadmask.hooks.Reasoner`."""
        check_fit(mask, video)
        if None in (video.frame_count, mask.frame_count):
            for _ in _backdrop.pictures(video, mask):
                pass  # it says so where there are more of one than of the other
        if progress is not None and progress(1, 1, "nothing changes") is False:
            raise Cancelled("cancelled")
        return Reasoning(grid or Grid.over(video.width, video.height), instruction=instruction)


def _cells(grid: Grid, changed: Array) -> Array:
    """Return which cells change, bool `[rows, cols]`: those of which a part does that can be seen."""
    rows, columns = grid.edges(changed.shape[1], changed.shape[0])
    summed = np.zeros((changed.shape[0] + 1, changed.shape[1] + 1))
    summed[1:, 1:] = changed.cumsum(axis=0).cumsum(axis=1)
    corners = summed[np.ix_(rows, columns)]
    inside = corners[1:, 1:] - corners[:-1, 1:] - corners[1:, :-1] + corners[:-1, :-1]
    area = np.outer(np.diff(rows), np.diff(columns))
    return np.asarray(inside > SHARE * area)


def _affected(noun: str, category: str, frames: Iterable[Array]) -> Affected | None:
    """Return where something is, a list of cells for each frame in which they are others than before."""
    told: list[Cells] = []
    before: Array | None = None
    first = -1
    for number, cells in enumerate(frames):
        if cells.any() and first < 0:
            first = number
        if first >= 0 and (before is None or not np.array_equal(cells, before)):
            told.append(Cells(number, [(int(row), int(col)) for row, col in np.argwhere(cells)]))
            before = cells
    if first < 0:
        return None
    return Affected(
        noun,
        category,
        why="it differs from the background beside the object",
        first_frame=first,
        moving=category == "physical",
        cells=told,
    )

"""What a model, and what those who know nothing, make of the next frames of a clip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot import crowds
from kinetoscope.shot.learn import Learned
from kinetoscope_spec import Control, Motion, rotation
from kinetoscope_spec.errors import Cancelled
from kinetoscope_spec.protocols import Locomotion, Progress

__all__ = ["STILL", "Roots", "Window", "interpolated", "played", "roots", "still", "windows"]

Roots = Mapping[int, tuple[NDArray[np.float64], NDArray[np.float64]]]
"""By the clip's number: where its root is and faces in every frame, `[T, 2]` each."""

STILL = "zero velocity"
"""What predictions by `still` are called."""

AHEAD_S = 1.0
"""How far ahead the control tells where the root really goes."""


@attrs.frozen(eq=False)
class Window:
    """A stretch of a clip to be predicted.

    Attributes:
        clip: its number among the clips.
        motion: the clip.
        start: the first frame to be predicted.
        stop: the frame after the last.
    """

    clip: int
    motion: Motion
    start: int
    stop: int

    @property
    def seen(self) -> Motion:
        """What goes before."""
        return self.motion.slice(0, self.start)

    @property
    def truth(self) -> Motion:
        """What comes then."""
        return self.motion.slice(self.start, self.stop)


def windows(clips: Sequence[Motion], *, seen: int, ahead: int, every: int) -> Iterator[Window]:
    """Yield windows of `ahead` frames with at least `seen` before and one after them, `every` so many frames."""
    for number, clip in enumerate(clips):
        for start in range(seen, clip.frame_count - ahead, every):
            yield Window(number, clip, start, start + ahead)


def still(window: Window) -> Motion:
    """Return the last pose seen, frame after frame: *zero velocity* (Martinez, Black and Romero 2017)."""
    last = window.motion.slice(window.start - 1, window.start)
    count = window.stop - window.start
    positions, rotations = (np.repeat(part, count, axis=0) for part in (last.positions, last.rotations))
    return attrs.evolve(window.truth, positions=positions, rotations=rotations)


def interpolated(window: Window) -> Motion:
    """Return what lies between the last pose seen and the first one after the window: it is told the end.

    Positions linearly, rotations the short way (Harvey et al. 2020, "Robust Motion In-Betweening").
    """
    a = window.motion.slice(window.start - 1, window.start)
    b = window.motion.slice(window.stop, window.stop + 1)
    share = np.arange(1, window.stop - window.start + 1) / (window.stop - window.start + 1)
    positions = a.positions + (b.positions - a.positions) * share[:, None, None]
    before, after = (np.repeat(part.rotations, len(share), axis=0).astype(np.float64) for part in (a, b))
    rotations = rotation.slerp(before, after, share[:, None])
    return attrs.evolve(window.truth, positions=positions, rotations=rotations)


def roots(feature: Locomotion, asked: Sequence[Window]) -> Roots:
    """Return where the root goes in the clips of windows, as a feature tells it."""
    clips = {window.clip: window.motion for window in asked}
    return {number: _root(feature, clip) for number, clip in clips.items()}


def _root(feature: Locomotion, clip: Motion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the root is and faces, `[T, 2]` each, in every frame of a clip."""
    found = [feature.root(feature.start(clip.slice(max(i - 1, 0), i + 1))) for i in range(clip.frame_count)]
    positions, facings = zip(*found, strict=True)
    return np.array(positions), np.array(facings)


def played(
    learned: Learned,
    asked: Sequence[Window],
    *,
    seed: int | None = None,
    going: Roots | None = None,
    progress: Progress | None = None,
) -> list[Motion]:
    """Return what the model makes of each window, told where the root really goes.

    All windows are played side by side: the model is asked once a step. Where the clip ends, the way it
    was going goes on.

    Args:
        learned: the model; clips must have its feature's framerate.
        asked: windows of one length.
        seed: draws a future; None takes the likeliest.
        going: the `roots` of the windows' clips, for who has them already.

    Raises:
        Cancelled: `progress` returned False.
    """
    feature = learned.feature
    going = roots(feature, asked) if going is None else going
    states = [feature.start(window.seen) for window in asked]
    count = max((window.stop - window.start for window in asked), default=0)
    draws = np.random.default_rng(seed)
    while states and (done := feature.frame_count(states[0])) < count:
        if progress and progress(done, count, "playing") is False:
            raise Cancelled(f"cancelled after {done} of {count} frames")
        controls = [
            _control(*going[window.clip], window.start - 1 + done, window.motion.framerate)
            for window in asked
        ]
        rows = crowds.inputs(feature, states, controls)
        drawn = None if seed is None else int(draws.integers(2**31))
        outputs = learned.fitted.predict(rows, seed=drawn)
        states = crowds.advance(feature, states, outputs)
    return [feature.motion(state).slice(0, count) for state in states]


def _control(
    positions: NDArray[np.float64], facings: NDArray[np.float64], now: int, framerate: float
) -> Control:
    """Return where the root goes from frame `now` on, as far as the clip tells."""
    last = len(positions) - 1
    at = np.arange(now + 1, min(now + round(AHEAD_S * framerate), last) + 1)
    if len(at):
        return Control((at - now) / framerate, positions[at], facings[at])
    return Control(1 / framerate * np.ones(1), 2 * positions[-1:] - positions[-2:-1], facings[-1:])

"""The provider `propagate`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_quadmask.hooks import check_fit
from kinetoscope_spec import Cancelled, Mask, Progress, Quadmask, ValidationError, Video

__all__ = ["PropagateInpainter", "Report", "Unseen"]

Array = NDArray[Any]

REACH = 60
"""Frames on either side from which a hole is filled."""

WINDOW_BYTES = 768 << 20
"""What the frames in memory take at most; large films reach less far."""

LEAST_REACH = 4


@attrs.frozen
class Unseen:
    """A place that no frame shows.

    Attributes:
        first, last: frames in which it is hidden and made up.
        box: left, top, right and bottom in the first of them, pixels; the last two lie outside.
        pixels: of it in all frames.
        guess: how it is made up, as a report says it; an empty string where it is carried on from frames before.
    """

    first: int
    last: int
    box: tuple[int, int, int, int]
    pixels: int
    guess: str


@attrs.define
class Report:
    """What was done in the frames that have been made.

    Attributes:
        frames: made.
        hidden: pixels that were covered.
        guessed: of them, those that no frame within reach shows: they are made up.
        guess: how: `smooth` (colours that go over into each other), `exemplar` (patches of what is around), `both`,
            or an empty string where nothing is made up.
        holes: what is made up, place by place, the largest first; 20 and those of the last frame at most.
    """

    frames: int = 0
    hidden: int = 0
    guessed: int = 0
    guess: str = ""
    holes: list[Unseen] = attrs.field(factory=list)


class PropagateInpainter:
    """Takes things out of films by what other frames show.

    Frames are aligned by homographies from corners outside the mask, and again around each hole. A pixel is
    the median of the nearest five views or what all views agree on, whichever knows the rim of the hole
    better; what the rim is off by is spread into the hole. What no frame shows is guessed, by patches
    or smoothly, whichever says better what lies beside the hole, and carried on. Memory is bounded by
    `WINDOW_BYTES` for frames and by `VIEW_BYTES` for what they show of the hole.
    """

    def inpaint(
        self,
        video: Video,
        mask: Mask,
        *,
        prompt: str | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Video:
        """Return the video without what the mask covers; see `kinetoscope_spec.protocols.Inpainter`.

        `prompt` and `seed` change nothing: nothing is drawn by lot. The `source` of the result has a
        `report`, of the frames that were made in the last reading. Reading from the middle makes what comes
        before, too: guesses are carried on from there.
        """
        check_fit(mask, video)
        return attrs.evolve(video, source=_Source(video, mask, progress))


@attrs.define(eq=False)
class _Source:
    """The frames of a video without what a mask covers."""

    video: Video
    mask: Mask
    progress: Progress | None
    report: Report = attrs.field(factory=Report, init=False)

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        from kinetoscope_propagate._fill import filled
        from kinetoscope_propagate._guess import Guess
        from kinetoscope_propagate._views import Held

        self.report = report = Report()
        frames = self._held()
        window: deque[Any] = deque(islice(frames, 1))
        reach = _reach(window[0].nbytes) if window else LEAST_REACH
        ended = False
        done: Held | None = None
        guess = Guess()
        number = 0
        while stop is None or number < stop:
            while not ended and (not window or window[-1].number < number + reach):
                held = next(frames, None)
                if held is None:
                    ended = True
                else:
                    window.append(held)
            target = next((held for held in window if held.number == number), None)
            if target is None:
                return
            made = filled(target, window, done, guess)
            done = Held(number, made.frame, target.hole, target.place, target.light, target.noise)
            report.frames, report.hidden = report.frames + 1, report.hidden + made.hidden
            report.guessed, report.guess = report.guessed + made.guessed, guess.way
            report.holes = [
                Unseen(hole.first, hole.last, hole.box, hole.pixels, hole.way)
                for hole in sorted(guess.holes, key=lambda hole: -hole.pixels)
            ]
            while window and window[0].number <= number - reach:
                window.popleft()
            number += 1
            total = self.video.frame_count or 0
            if self.progress is not None and self.progress(number, total, "inpainting") is False:
                raise Cancelled(f"cancelled after {number} frames")
            if number > start:
                yield made.frame

    def _held(self) -> Iterator[Any]:
        """Yield the frames with their holes, each with its place in the background."""
        from kinetoscope_propagate import _camera, _light
        from kinetoscope_propagate._views import Held

        quad = isinstance(self.mask, Quadmask)
        camera, light, noise = _camera.Camera(), _light.Light(), _light.Noise()
        for number, (frame, covered) in enumerate(zip_longest(self.video.frames(), self.mask.frames())):
            if frame is None or covered is None:
                which, other = ("mask", "video") if frame is None else ("video", "mask")
                raise ValidationError(f"the {which} has more frames than the {number} of the {other}")
            hole = covered != 255 if quad else covered > 0
            grey = _camera.small_grey(frame)
            place = camera.follow(grey, _smaller(hole, grey.shape), hole.shape)
            seen = frame, hole, place
            yield Held(number, *seen, light.follow(*seen), noise.follow(*seen))


def _reach(size: int) -> int:
    """Return how many frames of so many bytes may be held on either side."""
    return max(LEAST_REACH, min(REACH, WINDOW_BYTES // (2 * size)))


def _smaller(hole: Array, shape: tuple[int, ...]) -> Array:
    import cv2

    if hole.shape == shape:
        return hole
    spread = cv2.resize(hole.astype(np.uint8) * 255, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(spread > 0)

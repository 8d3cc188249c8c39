"""A film in ranges of frames, each of which can be drawn by itself: the same pictures, wherever it is drawn.

What is drawn is a function of the frame's number: poses, cameras, grain and the times at which the shutter
is open are counted from the first frame, whichever is drawn first. Renderers give the same picture of the same
scene whatever they drew before; one that looks back (temporal anti-aliasing) says so by an attribute `history`
of its sessions. Its films are then drawn range by range even where one process draws all: each range begins
with a session of its own, so many frames early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kinetoscope_spec.protocols import Renderer, Session

__all__ = ["drawn", "history_of", "ranges"]

T = TypeVar("T")

SHARES = 16
"""Ranges of a short film: enough for some workers, each of which opens a session for every range."""
SHORTEST, LONGEST = 4, 32
"""Frames of a range, whatever the film's length: they wait in memory, and a killed run loses some of them."""
WARM_UPS = 4
"""A range is at least so many times as long as what is drawn before it only for those that look back."""


def ranges(count: int, history: int = 0) -> list[tuple[int, int]]:
    """Return the ranges of a film of `count` frames, `(start, stop)`; they depend on nothing else but `history`."""
    length = max(min(-(-count // SHARES), LONGEST), SHORTEST, WARM_UPS * history)
    return [(start, min(start + length, count)) for start in range(0, count, length)]


def history_of(held: Session | Renderer) -> int:
    """Return to how many pictures before it a picture of a session looks back."""
    return int(getattr(held, "history", 0))


def drawn(
    opened: Callable[[], Session],
    picture: Callable[[Session, int], T],
    count: int,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[T]:
    """Yield pictures `start` to `stop` (not included; None for the last and all before) of a film of `count`.

    Args:
        opened: opens a session.
        picture: draws one, by its number.
        count, start, stop: frames.
    """
    stop = count if stop is None else min(stop, count)
    with opened() as session:
        history = history_of(session)
        if not history:
            for frame in range(start, stop):
                yield picture(session, frame)
            return
    for first, end in ranges(count, history):
        if first < stop and end > start:
            yield from _from(opened, picture, (first, max(start, first), min(stop, end)), history)


def _from(
    opened: Callable[[], Session],
    picture: Callable[[Session, int], T],
    part: tuple[int, int, int],
    history: int,
) -> Iterator[Any]:
    """Yield the pictures of a part of a range, warmed up from before its beginning."""
    first, start, stop = part
    with opened() as session:
        for frame in range(max(first - history, 0), stop):
            made = picture(session, frame)
            if frame >= start:
                yield made

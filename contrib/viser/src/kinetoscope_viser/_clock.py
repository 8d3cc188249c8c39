"""The time that the page shows: it runs, waits, goes round, and is taken by the hand."""

from __future__ import annotations

import attrs

__all__ = ["Clock"]


@attrs.define
class Clock:
    """Seconds along the timeline.

    Attributes:
        duration: where the timeline ends, s; 0 for a still.
        time: now, 0 to `duration`.
        speed: timeline seconds a second of the wall.
        playing, loop: whether it runs, and begins again at the end.
        held_s: for so long it stands still, because somebody drags it.
        jumps: how often it has been somewhere else from one moment to the next.
    """

    duration: float = 0.0
    time: float = 0.0
    speed: float = 1.0
    playing: bool = True
    loop: bool = True
    held_s: float = 0.0
    jumps: int = 0

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        if self.held_s > 0:
            self.held_s = max(0.0, self.held_s - dt)
            return
        if not self.playing or self.duration <= 0:
            return
        self.time += dt * self.speed
        if self.time < self.duration:
            return
        if self.loop:
            self.time %= self.duration
            self.jumps += 1
        else:
            self.time, self.playing = self.duration, False

    def seek(self, time: float, *, hold_s: float = 0.0) -> None:
        """Go to a time, and stay there for `hold_s` seconds."""
        self.time = min(max(time, 0.0), self.duration)
        self.held_s = hold_s
        self.jumps += 1

    def play(self, playing: bool) -> None:
        """Run or wait; at the end, running begins again."""
        if playing and self.time >= self.duration:
            self.seek(0.0)
        self.playing, self.held_s = playing, 0.0

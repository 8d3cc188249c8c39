"""Shoot a shot from Python, with progress and a way to cancel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kinetoscope import Film, Host, ShotEvent
from kinetoscope_spec import Cancelled

__all__ = ["shoot_unless"]


def shoot_unless(cancelled: Callable[[], bool], shot: str | Path) -> Film | None:
    """Return the film of a shot, its report and its figures; None if it was cancelled.

    `cancelled` is asked from the thread that works. A shot that is cancelled leaves nothing behind.
    """

    def progress(_event: ShotEvent) -> bool:
        return not cancelled()

    with Host() as host:
        try:
            return host.shoot(shot, progress=progress)
        except Cancelled:
            return None

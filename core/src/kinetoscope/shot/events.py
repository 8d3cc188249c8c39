"""What a run of a shot tells while it works, and how it is made to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar

import attrs

from kinetoscope_spec.errors import Cancelled
from kinetoscope_spec.protocols import Progress

__all__ = ["Listener", "ShotEvent", "Teller"]


@attrs.frozen
class ShotEvent:
    """One step of a run.

    Attributes:
        stage: which stage works, by the name that reports have; empty before the first.
        fraction: how much of the stage is done, 0 to 1; None where that is not known.
        whole: how much of the shot is done, 0 to 1, by the time that its stages are expected to take;
            it never goes back.
        message: what is done just now.
    """

    stage: str
    fraction: float | None
    whole: float
    message: str


Listener = Callable[[ShotEvent], bool | None]
"""Called from the threads that work, one call at a time; False cancels the run with `Cancelled`."""

_STAGE: ContextVar[str] = ContextVar("kinetoscope_stage")


@attrs.define(eq=False)
class Teller:
    """Turns what stages say into events, and passes a cancellation on to every stage.

    Attributes:
        listener: who is told, or None.
        expected_s: by stage, the seconds that it is expected to take.
    """

    listener: Listener | None
    expected_s: Mapping[str, float]
    _begun: str = attrs.field(default="", init=False)
    _done: dict[str, float] = attrs.field(factory=dict, init=False)
    _whole: float = attrs.field(default=0.0, init=False)
    _cancelled: bool = attrs.field(default=False, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def of_this_stage(self) -> Progress:
        """Return what tells how far a thread's stage is; that of this one where it knows of none."""
        bound = _STAGE.get(self._begun)

        def tell(done: int, total: int, message: str) -> bool:
            fraction = min(max(done / total, 0.0), 1.0) if total > 0 else None
            # Providers may work in threads of their own, which know of no stage.
            return self._tell(_STAGE.get(bound), fraction, message)

        return tell

    def stop(self) -> None:
        """Have every stage end that is at work: another one has failed."""
        with self._lock:
            self._cancelled = True

    def begin(self, stage: str) -> None:
        """Tell that a stage begins.

        Raises:
            Cancelled: the listener returned False, now or before.
        """
        _STAGE.set(stage)
        self._begun = stage
        if not self._tell(stage, 0.0, stage):
            raise Cancelled(f"cancelled before the stage {stage!r}")

    def end(self, stage: str) -> None:
        """Note that a stage is done."""
        with self._lock:
            self._done[stage] = 1.0

    def _tell(self, stage: str, fraction: float | None, message: str) -> bool:
        with self._lock:
            if self._cancelled:
                return False
            self._done[stage] = max(self._done.get(stage, 0.0), fraction or 0.0)
            expected = sum(self.expected_s.values())
            spent = sum(self.expected_s.get(name, 0.0) * part for name, part in self._done.items())
            self._whole = max(self._whole, min(spent / expected, 1.0) if expected else 0.0)
            event = ShotEvent(stage, fraction, self._whole, message)
            self._cancelled = self.listener is not None and self.listener(event) is False
            return not self._cancelled

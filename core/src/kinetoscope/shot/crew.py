"""Who helps a run: the workers of an executor, or processes of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

import attrs

from kinetoscope.shot.branches import cores

__all__ = ["Crew"]


@attrs.frozen
class Crew:
    """Who helps a run.

    Attributes:
        executor: in whose workers ranges of frames are drawn; None for here, or processes of the run's own.
        workers: stages that are worked on at once, where they do not depend on each other; None for as many as
            there are cores. And so many processes draw frames, where there is no executor; none for 1 and None.
        options: with which workers make their hosts.
    """

    executor: Executor | None = None
    workers: int | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def at_once(self) -> int:
        """How many stages are worked on at once."""
        return cores() if self.workers is None else self.workers

    @contextmanager
    def drawing(self, parts: int) -> Iterator[Executor | None]:
        """Yield where frames are drawn; processes of the run's own end with it, at once if it fails.

        Args:
            parts: ranges of frames that there are; there are no more processes, and none for one.
        """
        workers = min(self.workers or 1, parts)
        if self.executor is not None or workers < 2:
            yield self.executor
            return
        from kinetoscope.executors.processes import Processes

        held = Processes().open(workers=workers)
        try:
            yield held
        except BaseException:
            held.kill()
            raise
        held.shutdown()

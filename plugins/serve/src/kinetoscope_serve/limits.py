"""What a service puts up with, and what it says when it does not."""

from __future__ import annotations

import os
from pathlib import Path

import attrs

__all__ = ["Limits", "Refused", "size_of"]


class Refused(Exception):
    """A request that is answered with a status other than 200.

    Attributes:
        status: of the answer.
        told: what stands in the answer besides `error`.
    """

    def __init__(self, status: int, said: str, **told: object) -> None:
        super().__init__(said)
        self.status = status
        self.told = told


@attrs.frozen
class Limits:
    """Bounds of a service.

    Attributes:
        queue: jobs that wait, at most.
        parallel: jobs that are worked on at a time.
        kept: finished jobs that are kept; the oldest go first.
        kept_s: seconds after which a finished job is removed.
        job_s: seconds that a job may take.
        job_bytes: what a job's folder may hold, uploads and film.
        free_bytes: what the disk must have left for a job to be taken, or to go on.
        upload_bytes: of one upload with all its files.
        files: of one upload.
        arriving: uploads that arrive at a time.
        upload_s: seconds that an upload may take.
        stall_s: seconds in which something of a request has to come.
        watchers: event streams at a time.
        grace_s: seconds that a cancelled job has to end by itself; then it is ended.
    """

    queue: int = 8
    parallel: int = 1
    kept: int = 20
    kept_s: float = 86_400.0
    job_s: float = 3600.0
    job_bytes: int = 4 << 30
    free_bytes: int = 1 << 30
    upload_bytes: int = 1 << 30
    files: int = 500
    arriving: int = 2
    upload_s: float = 600.0
    stall_s: float = 20.0
    watchers: int = 32
    grace_s: float = 3.0

    def cores_each(self) -> int | None:
        """Return how many of the service's cores a job has; None where one at a time has all of them."""
        if self.parallel == 1:
            return None
        held = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(held // self.parallel, 1)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below `folder`; what goes away meanwhile does not count, nor do links."""
    total = 0
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
        except OSError:
            continue
    return total

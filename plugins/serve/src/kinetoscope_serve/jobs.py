"""Jobs: a bounded queue of shots, and the threads that see them through."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from kinetoscope_serve.limits import Limits, Refused, size_of
from kinetoscope_serve.working import Task, Work, Worker, shoot

__all__ = ["ENDED", "Job", "Jobs"]

ENDED: Final = ("done", "failed", "cancelled")
TICK_S: Final = 0.2
SIZED_S: Final = 1.0
"""Seconds between two looks at how large a job has become."""


@attrs.define(eq=False)
class Job:
    """One shot on its way.

    Attributes:
        id: by which it is known; not to be guessed.
        name: what the user calls it.
        folder: all of it: `in`, `out`, `scratch`.
        task: what is to be done.
        state: `queued`, `running`, `done`, `failed` or `cancelled`.
        version: counts changes, so that a watcher knows of them.
        event: the last that was told.
        error: why it failed, or was ended.
        result: files, stages, warnings of a job that is done.
        made, began, ended: seconds since the epoch, or None.
        cancelling: it was asked to stop.
    """

    id: str
    name: str
    folder: Path
    task: Task
    state: str = "queued"
    version: int = 0
    event: Mapping[str, Any] = attrs.field(factory=dict)
    error: str | None = None
    result: Mapping[str, Any] = attrs.field(factory=dict)
    made: float = attrs.field(factory=time.time)
    began: float | None = None
    ended: float | None = None
    cancelling: bool = False

    def change(self, **values: Any) -> None:
        """Change what is told of it."""
        for name, value in values.items():
            setattr(self, name, value)
        self.version += 1

    def without_folder(self, text: str) -> str:
        """Return a text in which files go by the names that the user gave them."""
        for folder in (*self.task.within, self.folder):
            text = text.replace(f"{folder}/", "").replace(f"{folder}\\", "")
        return text


class Jobs:
    """Takes jobs up to a number, works on some at a time, and removes old ones. Use it as a context.

    Args:
        folder: theirs; a folder of its own is made for each.
        limits: how many, how long, how large.
        work: what is done for each.

    Attributes:
        closed: every job has ended, and none begins.
    """

    def __init__(self, folder: Path, limits: Limits, work: Work = shoot) -> None:
        self.folder, self.limits = folder, limits
        self._work = work
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._ending = False
        self.closed = False
        self._threads = [
            threading.Thread(target=self._serve, name=f"kinetoscope-jobs-{i}") for i in range(limits.parallel)
        ]

    def __enter__(self) -> Jobs:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what runs, wait for its end, and begin nothing more."""
        with self._changed:
            self._ending = True
            for job in self._jobs.values():
                self._cancel(job)
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.closed = True

    def new_folder(self) -> tuple[str, Path]:
        """Return an id, and a folder with what a job needs in it."""
        name = secrets.token_urlsafe(12).replace("-", "x").replace("_", "y")
        folder = self.folder / f"job-{name}"
        for part in ("in", "out", "scratch"):
            (folder / part).mkdir(parents=True)
        return name, folder

    def check_room(self) -> None:
        """Refuse what would find no place in the queue.

        Raises:
            Refused: it is full, the disk is, or the service ends.
        """
        if self._is_disk_full():
            raise Refused(507, "the service's disk is full; try later")
        with self._changed:
            if self._ending:
                raise Refused(503, "the service ends")
            waiting = sum(job.state == "queued" for job in self._jobs.values())
            if waiting >= self.limits.queue:
                raise Refused(503, f"{waiting} jobs wait already, at most {self.limits.queue} may; try later")

    def add(self, job: Job) -> None:
        """Put a job into the queue.

        Raises:
            Refused: it is full, or the service ends.
        """
        with self._changed:
            self.check_room()
            self._jobs[job.id] = job
            self._changed.notify()

    def get(self, name: str) -> Job:
        """Return a job.

        Raises:
            Refused: there is none of that id.
        """
        with self._changed:
            job = self._jobs.get(name)
        if job is None:
            raise Refused(404, "there is no such job; old ones are removed")
        return job

    def all(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        with self._changed:
            return list(self._jobs.values())

    def place(self, job: Job) -> int | None:
        """Return how many jobs come before one that waits, or None."""
        with self._changed:
            waiting = [held for held in self._jobs.values() if held.state == "queued"]
            return waiting.index(job) if job in waiting else None

    def cancel(self, job: Job) -> None:
        """Let a job come to its end; one that has is left as it is."""
        with self._changed:
            self._cancel(job)

    def remove(self, job: Job) -> None:
        """Remove a job that has ended, with all its files.

        Raises:
            Refused: it has not.
        """
        with self._changed:
            if job.state not in ENDED:
                raise Refused(409, f"the job is {job.state}: cancel it first")
            self._jobs.pop(job.id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def sweep(self, now: float) -> None:
        """Remove finished jobs that are too old or too many."""
        with self._changed:
            ended = sorted((job for job in self._jobs.values() if job.state in ENDED), key=_ended)
        extra = ended[: max(len(ended) - self.limits.kept, 0)]
        for job in ended:
            if job in extra or now - _ended(job) > self.limits.kept_s:
                self.remove(job)

    # -- the threads

    def _cancel(self, job: Job) -> None:
        if job.state == "queued":
            self._end(job, "cancelled")
        elif job.state == "running" and not job.cancelling:
            job.change(cancelling=True)

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._see_through(job)
            except OSError as error:  # no process, no disk: told, and the next one may fare better
                self._end(job, "failed", error=str(error))
            self.sweep(time.time())

    def _next(self) -> Job | None:
        """Wait for a job and take it; None when the service ends."""
        while True:
            with self._changed:
                if self._ending:
                    return None
                job = next((held for held in self._jobs.values() if held.state == "queued"), None)
                if job is not None:
                    job.change(state="running", began=time.time())
                    return job
                self._changed.wait(SIZED_S)
            self.sweep(time.time())

    def _see_through(self, job: Job) -> None:
        worker, why = Worker(job.task, self._work), None
        deadline, sized_at = time.monotonic() + self.limits.job_s, 0.0
        try:
            while True:
                for kind, told in worker.messages(TICK_S):
                    if kind != "event":
                        self._note_end(job, kind, told, why)
                        return
                    job.change(event=told)
                now = time.monotonic()
                if why is None and now > deadline:
                    why = f"it took longer than {self.limits.job_s:g} s"
                if why is None and now - sized_at > SIZED_S:
                    sized_at = now
                    if size_of(job.folder) > self.limits.job_bytes:
                        why = f"its files have more than {self.limits.job_bytes:,} bytes"
                    elif self._is_disk_full():
                        why = "the service's disk is full"
                if why is not None or job.cancelling:
                    worker.cancel(self.limits.grace_s)
        finally:
            worker.close()

    def _is_disk_full(self) -> bool:
        return shutil.disk_usage(self.folder).free < self.limits.free_bytes

    def _note_end(self, job: Job, kind: str, told: dict[str, Any], why: str | None) -> None:
        if why is not None and kind != "done":
            self._end(job, "failed", error=why)
        elif kind == "done":
            self._end(job, "done", result=told)
        elif kind == "cancelled" or job.cancelling:
            self._end(job, "cancelled")
        elif kind == "failed":
            self._end(job, "failed", error=job.without_folder(told["error"]))
        else:
            self._end(job, "failed", error=f"the process that worked on it died (exit status {told['code']})")

    def _end(self, job: Job, state: str, **values: Any) -> None:
        """Note a job's end; of one that is not done nothing is kept, of the others what they made."""
        parts: tuple[str, ...] = ("in", "scratch") if state == "done" else ("in", "scratch", "out")
        for part in parts:
            shutil.rmtree(job.folder / part, ignore_errors=True)
        job.change(state=state, ended=time.time(), **values)


def _ended(job: Job) -> float:
    return job.ended or job.made

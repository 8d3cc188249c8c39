"""Folders of files into a dataset: what to do, who does it, and in which order it is stored."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path

import attrs

from kinetoscope_dataset._licence import Licences, is_licence
from kinetoscope_dataset._storage import Storage, is_url
from kinetoscope_dataset._work import Outcome, Read, Task, work
from kinetoscope_dataset._writer import Writer
from kinetoscope_dataset.hooks import Report
from kinetoscope_spec import Cancelled, ConfigError, Progress

__all__ = ["convert"]

BYTES_IN_FLIGHT = 32 << 20
"""Files of so many bytes are read ahead of the writer; one alone may be larger."""


@attrs.define
class _Tally:
    """What has become of files so far."""

    converted: int = 0
    unchanged: int = 0
    skipped: int = 0
    clips: int = 0
    frames: int = 0
    failed: list[tuple[str, str]] = attrs.field(factory=list)

    def report(self, vanished: Sequence[str], pruned: int) -> Report:
        return Report(
            self.converted,
            self.unchanged,
            self.skipped,
            tuple(sorted(self.failed)),
            self.clips,
            self.frames,
            tuple(vanished),
            pruned,
        )


def convert(
    sources: Sequence[Path],
    storage: Storage,
    *,
    read: Read,
    executor: Executor | None = None,
    workers: int = 1,
    licence: str = "",
    prune: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Store all files of `sources` that an importer reads; see `hooks.Datasets.convert`."""
    files, closed = _files(sources, Path(storage.url) if not is_url(storage.url) else None)
    tally = _Tally(failed=[(str(folder), reason) for folder, reason in closed.values()])
    with Writer(storage) as writer:
        gone = sorted(writer.sources.keys() - files.keys())
        vanished = [source for source in gone if not _is_below(source, closed)]
        tasks = _tasks(files, writer, licence)
        results = _here(read, tasks) if executor is None else _there(read, tasks, executor, workers)
        try:
            for done, (task, outcome) in enumerate(results, 1):
                _store(writer, task, outcome, tally)
                if progress is not None and progress(done, len(files), task.source) is False:
                    raise Cancelled(f"cancelled after {done} of {len(files)} files")
            for source in vanished if prune else ():
                writer.forget(source)
        except Cancelled:
            writer.finish()  # what is stored stays, and the next run goes on from here
            raise
        writer.finish()
    return tally.report(vanished, len(vanished) if prune else 0)


def _files(
    sources: Sequence[Path], out: Path | None
) -> tuple[dict[str, tuple[Path, Path]], dict[str, tuple[Path, str]]]:
    """Return (file, folder that was named) by name in the dataset, sorted, and folders that are closed.

    Raises:
        ConfigError: two files would have one name, or what was named is not there.
    """
    found: dict[str, tuple[Path, Path]] = {}
    closed: dict[str, tuple[Path, str]] = {}
    for given in sources:
        folder = given.is_dir()
        if not folder and not os.path.lexists(given):
            raise ConfigError(f"{given} is not there")  # and prunes nothing: is a disk not mounted?
        root = given if folder else given.parent
        for path in _walk(given, out, closed) if folder else (given,):
            name = path.relative_to(root).as_posix()
            other = found.setdefault(name, (path, root))[0]
            if other != path:
                raise ConfigError(f"{other} and {path} would both be called {name!r} in the dataset")
    return dict(sorted(found.items())), closed


def _walk(folder: Path, out: Path | None, closed: dict[str, tuple[Path, str]]) -> Iterator[Path]:
    """Yield the regular files below `folder`; links to folders are not followed, `out` is left out.

    Folders that can't be listed are added to `closed`, by their name in the dataset.
    """

    def note(error: OSError) -> None:
        place = Path(error.filename)
        closed[place.relative_to(folder).as_posix()] = place, f"can't be listed: {error.strerror}"

    held = None if out is None else os.path.realpath(out)
    for place, names, files in os.walk(folder, onerror=note):
        if held is not None:
            names[:] = [name for name in names if os.path.realpath(os.path.join(place, name)) != held]
        paths = (Path(place, name) for name in files)
        yield from (path for path in paths if path.is_file() and not is_licence(path))


def _is_below(source: str, folders: Collection[str]) -> bool:
    """Whether a source may still be there: it lies in one of `folders`."""
    return any(folder == "." or source.startswith(f"{folder}/") for folder in folders)


def _tasks(files: dict[str, tuple[Path, Path]], writer: Writer, licence: str) -> Iterator[Task]:
    """Yield the tasks; what the dataset has is known before anything is stored."""
    held = dict(writer.sources)
    found: dict[Path, Licences] = {}
    for source, (path, root) in files.items():
        beside = licence or found.setdefault(root, Licences(root)).beside(path)
        try:
            size = path.stat().st_size
        except OSError:
            size = 0
        yield Task(path, source, beside, held.get(source), writer.next_revision(source), size)


def _store(writer: Writer, task: Task, outcome: Outcome, tally: _Tally) -> None:
    if outcome.state == "failed":
        tally.failed.append((str(task.path), outcome.reason))
    elif outcome.state == "unchanged":
        tally.unchanged += 1
    elif outcome.state == "converted":
        for packed in outcome.packed:
            writer.store(packed)
        tally.converted += 1
        tally.clips += len(outcome.packed)
        tally.frames += outcome.frames
    else:
        tally.skipped += 1
        if outcome.state == "clipless":
            writer.store_clipless(task.source, *outcome.terms)


def _here(read: Read, tasks: Iterator[Task]) -> Iterator[tuple[Task, Outcome]]:
    return ((task, work(read, task)) for task in tasks)


def _there(
    read: Read, tasks: Iterator[Task], executor: Executor, workers: int
) -> Iterator[tuple[Task, Outcome]]:
    """Yield outcomes as workers have them, a bounded number of files at a time.

    A worker that dies takes along what others had in hand. Each of these is tried again alone; the
    one that kills its worker again is the one at fault.
    """
    flying: dict[Future[Outcome], Task] = {}
    suspects: list[Task] = []
    try:
        for task in tasks:
            while flying and (
                len(flying) >= 2 * workers
                or task.size + sum(other.size for other in flying.values()) > BYTES_IN_FLIGHT
            ):
                yield from _landed(flying, suspects)
            _launch(executor, read, task, flying, suspects)
        while flying:
            yield from _landed(flying, suspects)
        for task in suspects:
            try:
                yield task, executor.submit(work, read, _for_workers(task)).result()
            except BrokenExecutor as error:
                yield task, Outcome("failed", f"the worker that read it died, twice: {error}")
    finally:
        for future in flying:
            future.cancel()


def _launch(
    executor: Executor,
    read: Read,
    task: Task,
    flying: dict[Future[Outcome], Task],
    suspects: list[Task],
) -> None:
    try:
        flying[executor.submit(work, read, _for_workers(task))] = task
    except BrokenExecutor:
        suspects.append(task)


def _for_workers(task: Task) -> Task:
    """Return a task that means the same in a process which works in another folder."""
    return attrs.evolve(task, path=task.path.absolute())


def _landed(flying: dict[Future[Outcome], Task], suspects: list[Task]) -> Iterator[tuple[Task, Outcome]]:
    for future in wait(flying, return_when=FIRST_COMPLETED).done:
        task = flying.pop(future)
        try:
            yield task, future.result()
        except BrokenExecutor:
            suspects.append(task)

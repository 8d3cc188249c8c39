"""Folders of files into a dataset: what to do, who does it, and in which order it is stored."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from functools import partial
from pathlib import Path

import attrs

from kinetoscope_dataset._licence import Licences, is_licence
from kinetoscope_dataset._storage import Storage, is_url
from kinetoscope_dataset._work import Outcome, Read, Task, work, work_all
from kinetoscope_dataset._writer import Writer
from kinetoscope_dataset.hooks import Report
from kinetoscope_spec import Cancelled, ConfigError, Progress

__all__ = ["convert"]

BYTES_IN_FLIGHT = 32 << 20
"""Files of so many bytes are read ahead of the writer; one alone may be larger."""

BATCH_FILES, BATCH_BYTES = 16, 2 << 20
"""So many small files go to a worker at once: asking it costs a tenth of reading one."""


@attrs.frozen
class _File:
    """A file that was found: its path, the folder that was named, and its bytes at that time."""

    path: Path
    root: Path
    size: int


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
    files, closed, special = _files(sources, Path(storage.url) if not is_url(storage.url) else None)
    tally = _Tally(failed=[(str(place), reason) for place, reason in closed.values()], skipped=special)
    with Writer(storage) as writer:
        gone = sorted(writer.sources.keys() - files.keys())
        vanished = [source for source in gone if not _is_below(source, closed)]
        expecting = getattr(read, "expecting", None)
        if expecting is not None:
            read = expecting(_unread(files, writer) // max(workers, 1))
        tasks = _tasks(files, writer, licence)
        if executor is None:
            results = _here(read, tasks)
        else:
            most = min(BATCH_FILES, max(1, len(files) // (4 * workers)))  # so that all have something to do
            near = storage.for_workers() if getattr(executor, "same_files", False) else None
            call = partial(work_all, read, storage=near)
            results = _there(call, _batches(tasks, most), executor, workers)
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
) -> tuple[dict[str, _File], dict[str, tuple[Path, str]], int]:
    """Return the files by name in the dataset, sorted; what could not be looked into; how many are none.

    Raises:
        ConfigError: two files would have one name, or what was named is not there.
    """
    found: dict[str, _File] = {}
    closed: dict[str, tuple[Path, str]] = {}
    special = 0
    for given in sources:
        folder = given.is_dir()
        if not folder and not os.path.lexists(given):
            raise ConfigError(f"{given} is not there")  # and prunes nothing: is a disk not mounted?
        root = given if folder else given.parent
        for path in _walk(given, out, closed) if folder else (given,):
            name = path.relative_to(root).as_posix()
            try:
                status = path.stat()
            except OSError as error:
                lost = path.is_symlink() and error.errno in (errno.ENOENT, errno.ELOOP)
                why = "is a link that leads nowhere" if lost else f"can't be read: {error.strerror}"
                closed[name] = path, why
                continue
            if not stat.S_ISREG(status.st_mode):  # a pipe, socket or device: opening it might wait for ever
                special += 1
                continue
            other = found.setdefault(name, _File(path, root, status.st_size)).path
            if other != path:
                raise ConfigError(f"{other} and {path} would both be called {name!r} in the dataset")
    return dict(sorted(found.items())), closed, special


def _walk(folder: Path, out: Path | None, closed: dict[str, tuple[Path, str]]) -> Iterator[Path]:
    """Yield what is no folder below `folder`; links to folders are not followed, `out` is left out.

    Folders that can't be listed are added to `closed`, by their name in the dataset.
    """

    def note(error: OSError) -> None:
        place = Path(error.filename)
        closed[place.relative_to(folder).as_posix()] = place, f"can't be listed: {error.strerror}"

    held = None if out is None else os.path.realpath(out)
    for place, names, files in os.walk(folder, onerror=note):
        if held is not None:
            names[:] = [name for name in names if os.path.realpath(os.path.join(place, name)) != held]
        yield from (path for path in (Path(place, name) for name in files) if not is_licence(path))


def _is_below(source: str, folders: Collection[str]) -> bool:
    """Whether a source may still be there: it is one of `folders`, or lies in one."""
    return any(folder in (".", source) or source.startswith(f"{folder}/") for folder in folders)


def _unread(files: dict[str, _File], writer: Writer) -> int:
    """Return about how many bytes are to be read: of those that the dataset has most are unchanged."""
    held = writer.sources
    return sum(file.size for source, file in files.items() if source not in held)


def _tasks(files: dict[str, _File], writer: Writer, licence: str) -> Iterator[Task]:
    """Yield the tasks; what the dataset has is known before anything is stored."""
    held = dict(writer.sources)
    found: dict[Path, Licences] = {}
    for source, file in files.items():
        beside = licence or found.setdefault(file.root, Licences(file.root)).beside(file.path)
        yield Task(file.path, source, beside, held.get(source), writer.next_revision(source), file.size)


def _batches(tasks: Iterator[Task], most: int) -> Iterator[tuple[Task, ...]]:
    """Yield the tasks in groups of up to `most` small files."""
    batch: list[Task] = []
    size = 0
    for task in tasks:
        if batch and (len(batch) == most or size + task.size > BATCH_BYTES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(task)
        size += task.size
    if batch:
        yield tuple(batch)


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


_Batch = tuple[Task, ...]
_Call = Callable[[_Batch], list[Outcome]]
_Flying = dict[Future[list[Outcome]], _Batch]


def _there(
    call: _Call, batches: Iterator[_Batch], executor: Executor, workers: int
) -> Iterator[tuple[Task, Outcome]]:
    """Yield outcomes as workers have them, a bounded number of files at a time.

    A worker that dies takes along what others had in hand. Each of these is tried again alone; the
    one that kills its worker again is the one at fault.
    """
    flying: _Flying = {}
    suspects: list[Task] = []
    try:
        for batch in batches:
            while flying and (
                len(flying) >= 2 * workers
                or _size(batch) + sum(map(_size, flying.values())) > BYTES_IN_FLIGHT
            ):
                yield from _landed(flying, suspects)
            _launch(executor, call, batch, flying, suspects)
        while flying:
            yield from _landed(flying, suspects)
        for task in suspects:
            try:
                yield task, executor.submit(call, _for_workers((task,))).result()[0]
            except BrokenExecutor as error:
                yield task, Outcome("failed", f"the worker that read it died, twice: {error}")
    finally:
        for future in flying:
            future.cancel()


def _size(batch: _Batch) -> int:
    return sum(task.size for task in batch)


def _launch(executor: Executor, call: _Call, batch: _Batch, flying: _Flying, suspects: list[Task]) -> None:
    try:
        flying[executor.submit(call, _for_workers(batch))] = batch
    except BrokenExecutor:
        suspects.extend(batch)


def _for_workers(batch: _Batch) -> _Batch:
    """Return tasks that mean the same in a process which works in another folder."""
    return tuple(
        task if task.path.is_absolute() else attrs.evolve(task, path=task.path.absolute()) for task in batch
    )


def _landed(flying: _Flying, suspects: list[Task]) -> Iterator[tuple[Task, Outcome]]:
    for future in wait(flying, return_when=FIRST_COMPLETED).done:
        batch = flying.pop(future)
        try:
            outcomes = future.result()
        except BrokenExecutor:
            suspects.extend(batch)
        else:
            yield from zip(batch, outcomes, strict=True)

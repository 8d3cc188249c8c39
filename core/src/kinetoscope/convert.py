"""Conversion of files: any importer that reads, any that writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kinetoscope.files import replacing
from kinetoscope_spec.errors import Cancelled, KinetoscopeError

if TYPE_CHECKING:
    from kinetoscope.host import Host
    from kinetoscope_spec import Progress

__all__ = ["Result", "Task", "convert_all", "convert_one", "plan"]


class Task(NamedTuple):
    """One file to convert: from where, to where, into which content label.

    `picky` tasks were named by the user; others were met in a folder and may be something else.
    """

    source: Path
    target: Path
    label: str
    picky: bool


class Result(NamedTuple):
    """What became of a task: `converted`, `skipped` or `failed` with a reason."""

    path: str
    state: str
    reason: str = ""
    frames: int = 0


def plan(sources: Sequence[Path], out: Path, label: str | None) -> list[Task]:
    """Return what is to be converted into what.

    Raises:
        ValueError: neither `label` nor the suffix of `out` says the format, two files would be
            written under one name, a folder is both source and target, or there is no file.
    """
    single = len(sources) == 1 and not sources[0].is_dir() and not out.is_dir() and bool(out.suffix)
    if single:
        return [Task(sources[0], out, label or _label(out), picky=True)]
    if label is None:
        raise ValueError(f"{out} is a folder to fill; say the format with --to, such as --to bvh")
    for source in sources:
        if source.is_dir() and source.resolve() == out.resolve():
            raise ValueError(f"{source} is to be read and written at once; name another folder to fill")
    tasks = [task for source in sources for task in _tasks_of(source, out, label)]
    if not tasks:
        raise ValueError(f"no file to convert in {', '.join(map(str, sources))}")
    targets: dict[Path, Path] = {}
    for task in tasks:
        other = targets.setdefault(task.target, task.source)
        if other != task.source:
            raise ValueError(f"{other} and {task.source} would both be written to {task.target}")
    return tasks


def _label(out: Path) -> str:
    return out.suffix[1:].lower()


def _tasks_of(source: Path, out: Path, label: str) -> Iterator[Task]:
    if not source.is_dir():
        yield Task(source, out / f"{source.stem}.{label}", label, picky=True)
        return
    for path in sorted(source.rglob("*")):
        # What an earlier run wrote into a folder below the source is no source.
        if path.is_file() and not path.is_relative_to(out):
            yield Task(path, (out / path.relative_to(source)).with_suffix(f".{label}"), label, picky=False)


def convert_one(host: Host, task: Task) -> Result:
    """Convert one file; it is written whole or not at all, and never raises for what is wrong in it."""
    try:
        if not task.picky and not _is_read(host, task.source):
            return Result(str(task.source), "skipped", "no importer reads it")
        asset = host.open(task.source)
        with replacing(task.target) as temporary:
            host.writer(task.label).write(asset, temporary)
    except (KinetoscopeError, OSError) as error:
        return Result(str(task.source), "failed", " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - a defect in one importer must not stop the other files
        notes = " ".join(getattr(error, "__notes__", ()))
        return Result(str(task.source), "failed", f"{type(error).__name__}: {error} {notes}".strip())
    return Result(str(task.source), "converted", frames=sum(motion.frame_count for motion in asset.motions))


def _is_read(host: Host, path: Path) -> bool:
    label = host.detect(path).label
    infos = host.providers("importer")
    return any(info.provider is not None and label in info.provider.reads for info in infos)


def convert_all(
    host: Host,
    tasks: Sequence[Task],
    *,
    jobs: int = 1,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Convert all, in order, in `jobs` processes; `options` are those with which each makes its host.

    Raises:
        Cancelled: `progress` returned False.
    """
    if jobs == 1 or len(tasks) < 2:
        return _counted((convert_one(host, task) for task in tasks), len(tasks), progress)
    import multiprocessing

    pool = ProcessPoolExecutor(
        min(jobs, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(dict(options or {}),),
    )
    try:
        return _counted(pool.map(_work, tasks, chunksize=1), len(tasks), progress)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _counted(results: Iterator[Result], total: int, progress: Progress | None) -> list[Result]:
    done = []
    for result in results:
        done.append(result)
        if progress is not None and progress(len(done), total, result.path) is False:
            raise Cancelled(f"cancelled after {len(done)} of {total} files")
    return done


_worker: Callable[[Task], Result]


def _start_worker(options: Mapping[str, Any]) -> None:
    """Make the host of a worker process; the one place where a process has a host of its own."""
    global _worker  # noqa: PLW0603 - a worker has nowhere else to keep what its tasks share
    import signal
    from functools import partial

    from kinetoscope.host import Host

    # Ctrl-C reaches the whole group of processes; the one that was asked stops the others between files.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = partial(convert_one, Host(**options))


def _work(task: Task) -> Result:
    return _worker(task)

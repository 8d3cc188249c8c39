"""Conversion of files: any importer that reads, any that writes; and of folders into datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kinetoscope._detection import told
from kinetoscope.executors.spreading import spread
from kinetoscope_spec.errors import Cancelled, ConfigError, KinetoscopeError
from kinetoscope_spec.files import replacing

if TYPE_CHECKING:
    from kinetoscope.host import Host
    from kinetoscope_spec import Asset, Progress

__all__ = [
    "FileReader",
    "Result",
    "Task",
    "convert_all",
    "convert_one",
    "means_dataset",
    "open_executor",
    "plan",
]

DATASET = "zarr"
"""The label with which `--to` asks for a dataset, and the suffix of one."""


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


def means_dataset(sources: Sequence[Path], out: str, label: str | None) -> bool:
    """Whether a dataset is asked for, and not files.

    `label` decides where it is given. Without it, a URL is a dataset, so is a name that ends in
    `.zarr`, and so is one without a suffix where several files, or a folder of them, are to go.

    Raises:
        ValueError: a folder is to go into a file, or what is there holds other things.
    """
    if label is not None:
        return label == DATASET
    target = Path(out)
    suffix = target.suffix.lower()
    if "://" in out or suffix == f".{DATASET}" or (target / "zarr.json").is_file():
        return True
    if len(sources) == 1 and not sources[0].is_dir() and suffix and not target.is_dir():
        return False
    if target.is_dir() and any(target.iterdir()):
        raise ValueError(
            f"{out} holds other things and is no dataset; to fill it with files, say the format with --to, "
            "such as --to bvh; a dataset goes into a new folder"
        )
    if suffix and not target.is_dir():
        raise ValueError(
            f"{out} looks like one file; say the format with --to, such as --to bvh, to fill a folder of "
            f"that name with files, or name a dataset, such as {target.with_suffix('.zarr')}"
        )
    return True


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
            raise ValueError(
                f"{other} and {task.source} would both be written to {task.target}; convert them into folders "
                "of their own"
            )
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


class FileReader:
    """Reads a file with the importer for what it is; in a process of workers with a host of their own.

    Args:
        host: the host here.
        options: those with which a worker process makes its host.
        expected: about how many bytes each process will read in all, so that an importer which has
            a method `prepare(size)` knows whether getting up to speed is worth it.
    """

    def __init__(self, host: Host, options: Mapping[str, Any] | None = None, expected: int = 0) -> None:
        self.host = host
        self._options = dict(options or {})
        self._expected = expected
        self._importers: dict[str, Any] = {}

    def __call__(self, path: Path) -> Asset | None:
        """Return what the file holds; None where no importer reads what it is.

        What looks wrong about it stands in the asset's warnings, as `Host.open` tells it.

        Raises:
            FormatError: it is damaged, can't be read, or the gate refuses it.
        """
        detection = self.host.detect(path)
        importer = self._importer(detection.label)
        if importer is None:
            return None
        doubts = self.host.admitted(path, detection, path.stat().st_size)
        return told(importer.read(path), path, doubts)

    def read_bytes(self, path: Path, data: bytes) -> Asset | None:
        """Return the same of a file whose bytes are at hand.

        It is not opened again, unless the importer has no method `read_bytes(data, path)`.
        """
        detection = self.host.detect(path, data=data)
        importer = self._importer(detection.label)
        if importer is None:
            return None
        doubts = self.host.admitted(path, detection, len(data))
        held = getattr(importer, "read_bytes", None)
        return told(importer.read(path) if held is None else held(data, path), path, doubts)

    def expecting(self, size: int) -> FileReader:
        """Return a reader that is to read about `size` bytes in each process."""
        return FileReader(self.host, self._options, size)

    def _importer(self, label: str) -> Any:
        if label not in self._importers:  # choosing takes as long as reading a short clip
            infos = self.host.providers("importer")
            reads = any(info.provider is not None and label in info.provider.reads for info in infos)
            importer = self.host.importer(for_=label) if reads else None
            prepare: Any = getattr(importer, "prepare", None)
            if prepare is not None and self._expected:
                prepare(self._expected)
            self._importers[label] = importer
        return self._importers[label]

    def __reduce__(self) -> tuple[Any, ...]:
        held = {
            key: tuple(value) if isinstance(value, list) else value for key, value in self._options.items()
        }
        return _reader_here, (tuple(sorted(held.items())), self._expected)


@lru_cache(maxsize=4)
def _reader_here(options: tuple[tuple[str, Any], ...], expected: int) -> FileReader:
    """Return the reader of a worker process: one, which chooses its importers once."""
    return FileReader(_host_here(options), dict(options), expected)


@lru_cache(maxsize=4)
def _host_here(options: tuple[tuple[str, Any], ...]) -> Host:
    """Return the host of a worker process; the one place where a process has a host of its own."""
    from kinetoscope.host import Host

    return Host(**dict(options))


def convert_one(read: FileReader, task: Task) -> Result:
    """Convert one file; it is written whole or not at all, and never raises for what is wrong in it."""
    try:
        asset = read.host.open(task.source) if task.picky else read(task.source)
        if asset is None:
            return Result(str(task.source), "skipped", "no importer reads it")
        with replacing(task.target) as temporary:
            read.host.writer(task.label).write(asset, temporary)
    except (KinetoscopeError, OSError) as error:
        return Result(str(task.source), "failed", " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - a defect in one importer must not stop the other files
        notes = " ".join(getattr(error, "__notes__", ()))
        return Result(str(task.source), "failed", f"{type(error).__name__}: {error} {notes}".strip())
    return Result(str(task.source), "converted", frames=sum(motion.frame_count for motion in asset.motions))


def open_executor(host: Host, wanted: str | None, jobs: int) -> Executor | None:
    """Return where to work: `NAME[://ADDRESS]` of the hook `executor`, `jobs` processes, or None for here.

    Raises:
        ConfigError: an address that means nothing.
        ProviderNotFound: no executor of that name.
    """
    if wanted is None:
        from kinetoscope.executors.processes import Processes

        return Processes().open(workers=jobs) if jobs > 1 else None
    name, _, address = wanted.partition("://")
    if not name:
        raise ConfigError(f"executor {wanted!r} has no name, expected NAME or NAME://ADDRESS")
    executor: Executor = host.provider("executor", name).open(address, workers=jobs)
    return executor


def convert_all(
    host: Host,
    tasks: Sequence[Task],
    *,
    executor: Executor | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Convert all, in order, here or in the workers of `executor`; these make their hosts with `options`.

    Raises:
        Cancelled: `progress` returned False.
    """
    read = FileReader(host, options)
    if executor is None:
        return _counted((convert_one(read, task) for task in tasks), len(tasks), progress)
    with closing(spread(executor, convert_one, read, [_for_workers(task) for task in tasks])) as results:
        return _counted(_named(tasks, results), len(tasks), progress)


def _named(tasks: Sequence[Task], results: Iterator[Result | BrokenExecutor]) -> Iterator[Result]:
    """Yield results with the paths as they were given."""
    for task, result in zip(tasks, results, strict=True):
        if isinstance(result, BrokenExecutor):
            reason = f"the worker that read it died, twice: {result}"
            yield Result(str(task.source), "failed", reason)
        else:
            yield result._replace(path=str(task.source))


def _for_workers(task: Task) -> Task:
    """Return a task that means the same in a process which works in another folder."""
    return task._replace(source=task.source.absolute(), target=task.target.absolute())


def _counted(results: Iterator[Result], total: int, progress: Progress | None) -> list[Result]:
    done = []
    for result in results:
        done.append(result)
        if progress is not None and progress(len(done), total, result.path) is False:
            raise Cancelled(f"cancelled after {len(done)} of {total} files")
    return done

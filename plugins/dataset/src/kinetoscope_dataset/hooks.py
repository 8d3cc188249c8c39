"""The hook `dataset`: who keeps motion of many files in one place. Imports nothing but the spec."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import attrs

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_dataset.contract import DatasetContract
    from kinetoscope_spec import Asset, Motion, Progress

__all__ = ["HOOKS", "DatasetContract", "Datasets", "Report", "addhooks", "dataset"]


@attrs.frozen
class Report:
    """What became of the files of a conversion.

    Attributes:
        converted: files that were stored.
        unchanged: files that the dataset had as they are.
        skipped: files that no importer reads, or that hold no motion; pipes and devices.
        failed: `(path, reason)` of files that could not be read, of links that lead nowhere, and of
            folders that could not be listed.
        clips: clips that were stored.
        frames: their frames.
        vanished: sources of the dataset that are no longer among the files; those in folders that
            could not be listed are not, nor those that are links which lead nowhere.
        pruned: how many of these were removed.
    """

    converted: int
    unchanged: int
    skipped: int
    failed: tuple[tuple[str, str], ...]
    clips: int
    frames: int
    vanished: tuple[str, ...] = ()
    pruned: int = 0


@runtime_checkable
class Datasets(Protocol):
    """Keeps clips of many files in one place, at a path or URL.

    What callers rely on: a source is there whole or not at all, whenever the process is stopped; a
    second run stores only what is missing or has changed; what fails is reported and leaves the rest
    as it is; the order in which files are converted, and by whom, changes nothing.
    """

    def is_dataset(self, where: str) -> bool:
        """Whether one of this provider's is there."""
        ...

    def open(self, where: str, **options: Any) -> Sequence[Motion]:
        """Return the clips, sorted by source, read when they are asked for.

        Raises:
            FormatError: there is no dataset.
        """
        ...

    def convert(
        self,
        sources: Sequence[str | Path],
        where: str,
        *,
        read: Callable[[Path], Asset | None],
        executor: Executor | None = None,
        workers: int = 1,
        licence: str = "",
        prune: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Store the motions of all files, and of those below folders, in the dataset at `where`.

        A file is called by its path relative to the folder that was named. One whose bytes and terms
        are those that are stored is not read again.

        Args:
            sources: files and folders.
            where: the dataset, made if there is none.
            read: reads a file; None for one that no importer reads. Picklable, if there is an
                `executor`.
            executor: where files are read; None is here. Only this process writes.
            workers: how many files `executor` reads at once.
            licence: text of the terms of all files; else what lies beside them counts.
            prune: remove what came from files that are gone.
            progress: told after each file.

        Raises:
            ConfigError: two files of one name, or a source that is not there.
            KinetoscopeError: `where` holds other things, or another process writes there.
            Cancelled: `progress` returned False; what was stored until then stays.
        """
        ...


@hookspec
def dataset() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Keepers of clips of many files in one place: see `Datasets`."""


HOOKS: Final = (
    Hook(
        "dataset",
        "clips of many files in one place",
        "kinetoscope_dataset.hooks:Datasets",
        "kinetoscope_dataset.hooks:DatasetContract",
    ),
)
"""What the entry-point group `kinetoscope` finds: this plugin brings the hook `dataset`."""


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook known: this module is its specification."""
    return [sys.modules[__name__]]


def __getattr__(name: str) -> Any:
    # The contract needs hypothesis: it is imported when it is first named.
    if name != "DatasetContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("kinetoscope_dataset.contract").DatasetContract

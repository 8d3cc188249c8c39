"""The provider `zarr` of the hook `dataset`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from kinetoscope_dataset._catalog import is_dataset
from kinetoscope_dataset._convert import convert
from kinetoscope_dataset._dataset import Dataset
from kinetoscope_dataset._storage import storage_at
from kinetoscope_dataset.hooks import Report
from kinetoscope_spec import Asset, Progress

__all__ = ["ZarrDatasets"]


class ZarrDatasets:
    """Datasets as Zarr v3 groups, in folders and in whatever fsspec opens; see `hooks.Datasets`."""

    def is_dataset(self, where: str) -> bool:
        """Whether a dataset of ours is there."""
        return is_dataset(storage_at(where))

    def open(self, where: str, **options: Any) -> Dataset:
        """Return the dataset there; `options` go to fsspec."""
        return Dataset.open(where, **options)

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
        """Store the motions of all files in the dataset at `where`."""
        return convert(
            [Path(source) for source in sources],
            storage_at(where),
            read=read,
            executor=executor,
            workers=workers,
            licence=licence,
            prune=prune,
            progress=progress,
        )

"""Where clips come from: datasets, folders and files, read in this process or in workers."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import attrs
import numpy as np

from kinetoscope_spec import Motion
from kinetoscope_spec.errors import ConfigError

__all__ = ["Clips", "Files", "Item", "Source", "source_of"]

HASHING = 4
"""Files that are hashed at once."""

SURE = ("signature", "rule")
"""What a detection is decided by where bytes are another format's beyond doubt."""


@attrs.frozen
class Item:
    """One thing that clips are read from: a file, or a clip of a dataset.

    Attributes:
        name: by which it is told apart and labelled.
        key: changes when what is read from it does; empty if that can't be told.
    """

    name: str
    key: str


class Source(Protocol):
    """Things to read clips from, in a fixed order. Pickles, so that workers can read."""

    @property
    def items(self) -> Sequence[Item]:
        """What there is to read."""
        ...

    def read(self, index: int) -> Sequence[Motion]:
        """Return the clips of one item; none where it holds no motion."""
        ...


@attrs.frozen(eq=False)
class Clips:
    """A sequence of motions, such as an opened dataset: each clip is an item.

    Attributes:
        motions: the clips; to cross processes it has to pickle.
    """

    motions: Sequence[Motion]
    items: tuple[Item, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(self._items()))

    def _items(self) -> list[Item]:
        # A keeper of clips that says what it has need not be read for its names.
        known = getattr(self.motions, "clips", None)
        if known is not None:
            return [Item(str(clip.name), str(clip.id)) for clip in known]
        return [Item(motion.name, _content(motion)) for motion in self.motions]

    def read(self, index: int) -> Sequence[Motion]:
        """Return the clip."""
        return (self.motions[index],)


def _content(motion: Motion) -> str:
    made = hashlib.sha256(repr((motion.name, motion.framerate, motion.skeleton.names)).encode())
    for array in (motion.skeleton.rest_positions, motion.positions, motion.rotations):
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


@attrs.frozen(eq=False)
class Files:
    """Files, read by the importer for what each is; in a worker by a host of its own.

    Attributes:
        paths: absolute.
        items: one for each; the key is the hash of the file's bytes.
        host: the host here.
        options: those with which a worker makes its host.
    """

    paths: tuple[Path, ...]
    items: tuple[Item, ...]
    host: Any
    options: Mapping[str, Any] = attrs.field(factory=dict)

    @classmethod
    def of(cls, paths: Sequence[Path], host: Any, options: Mapping[str, Any] | None = None) -> Files:
        """Return the files at absolute `paths`, each read once for its hash.

        A copy elsewhere has the same keys, so that shards which are there already are kept.
        """
        with ThreadPoolExecutor(HASHING) as pool:  # hashing holds no lock of the interpreter
            keys = list(pool.map(_hash, paths))
        items = tuple(Item(path.stem, key) for path, key in zip(paths, keys, strict=True))
        return cls(tuple(paths), items, host, options or {})

    def read(self, index: int) -> Sequence[Motion]:
        """Return the motions of the file."""
        asset = self.host.open(self.paths[index])
        return tuple(asset.motions)

    def __reduce__(self) -> tuple[Any, ...]:
        return _files_here, (self.paths, self.items, type(self.host), pickle.dumps(dict(self.options)))


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        return ""  # reading it will say why


def _files_here(paths: tuple[Path, ...], items: tuple[Item, ...], kind: type, options: bytes) -> Files:
    return Files(paths, items, _host_here(kind, options), pickle.loads(options))  # noqa: S301 - pickle itself brought it


@lru_cache(maxsize=2)
def _host_here(kind: type, options: bytes) -> Any:
    """Return the host of a worker process."""
    return kind(**pickle.loads(options))  # noqa: S301 - see above


def source_of(where: str, host: Any, options: Mapping[str, Any] | None = None) -> Source:
    """Return what is at a path or URL: a dataset of any keeper, a file, or the files below a folder.

    Of a folder's files those count that some importer reads by what they hold, and those that are named as
    what one reads and are nothing else for sure: a take damaged beyond recognition is not passed over.

    Raises:
        ConfigError: nothing is there.
    """
    for info in host.providers("dataset"):
        keeper = host.provider("dataset", info.name)
        if keeper.is_dataset(where):
            return Clips(keeper.open(where))
    path = Path(where).absolute()
    if path.is_file():
        return Files.of((path,), host, options)
    if not path.is_dir():
        raise ConfigError(f"{where} is neither a dataset, nor a file or folder")
    found = sorted(file for file in path.rglob("*") if file.is_file())
    readers = [info.provider for info in host.providers("importer") if info.provider is not None]
    labels = {label for reader in readers for label in reader.reads}
    kinds = [kind for reader in readers for kind in reader.signatures if kind.label in labels]
    suffixes = tuple({f".{extension}" for kind in kinds for extension in kind.extensions})
    detected = host.detector().detect_many(found)
    files = [
        file
        for file, held in zip(found, detected, strict=True)
        if held.label in labels or (file.name.lower().endswith(suffixes) and held.decided_by not in SURE)
    ]
    if not files:
        raise ConfigError(f"{where} holds no file that an importer reads")
    return Files.of(files, host, options)

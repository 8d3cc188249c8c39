"""What stages of shots have made, kept under a hash of all that decides it, within a limit of size."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import attrs

from kinetoscope_spec.errors import ConfigError, FormatError, ValidationError

__all__ = ["DAMAGED", "Entry", "Store", "key_of"]

T = TypeVar("T")

LEFT_BEHIND_S = 86_400.0
"""A folder that is still being made after a day was left by a run that was killed."""

DAMAGED = (FormatError, ValidationError, OSError, ValueError, KeyError, TypeError)
"""What reading an entry may raise: it counts as not there, and is made again."""


def key_of(*parts: Any) -> str:
    """Return a hash of JSON values, under which what they decide is kept."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


@attrs.frozen
class Entry:
    """One thing that is kept.

    Attributes:
        stage, key: what made it, and of what.
        bytes: size of its files.
        used: seconds since the epoch at which it was last made or taken up.
    """

    stage: str
    key: str
    bytes: int
    used: float


@attrs.define
class Store:
    """A folder of folders, `stage/key`. An entry is there whole or not at all.

    Attributes:
        folder: where it lies; need not exist yet.
        max_bytes: of all entries; those that were not used for longest go first. What was used through
            this object stays, whatever the limit: a run must not lose what it is about to read.
    """

    folder: Path
    max_bytes: int
    _held: set[tuple[str, str]] = attrs.field(factory=set, init=False)

    def path(self, stage: str, key: str) -> Path:
        """Return the folder of an entry, be it there or not."""
        return self.folder / stage / key

    def find(self, stage: str, key: str) -> Path | None:
        """Return the folder of an entry that is there, and remember that it was used."""
        path = self.path(stage, key)
        if not path.is_dir():
            return None
        self.hold(stage, key)
        return path

    def hold(self, stage: str, key: str) -> None:
        """Note that an entry is in use: it goes last."""
        self._held.add((stage, key))
        with suppress(OSError):
            os.utime(self.path(stage, key))

    def drop(self, stage: str, key: str) -> None:
        """Take an entry away."""
        shutil.rmtree(self.path(stage, key), ignore_errors=True)

    @contextmanager
    def making(self, stage: str, key: str) -> Iterator[Path]:
        """Yield an empty folder that becomes the entry if what is done in it succeeds.

        Raises:
            ConfigError: the folder can't be written.
        """
        target = self.path(stage, key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=target.parent))
        except OSError as error:
            raise ConfigError(f"the cache can't be written: {error}", place="KINETOSCOPE_HOME") from error
        try:
            yield building
            try:
                os.replace(building, target)
            except OSError:
                # Somebody else finished the same work first; theirs is as good.
                if not target.is_dir():
                    raise
            self.hold(stage, key)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        self.trim()

    def kept(
        self,
        stage: str,
        key: str,
        make: Callable[[Path], None],
        load: Callable[[Path], T],
        *,
        fresh: bool = False,
    ) -> tuple[T, bool]:
        """Return what `load` reads from an entry, and whether it was there; `make` fills its folder.

        `fresh` makes it again. What can't be read counts as not there.
        """
        if fresh:
            self.drop(stage, key)
        found = self.find(stage, key)
        if found is not None:
            try:
                return load(found), True
            except DAMAGED:
                self.drop(stage, key)
        with self.making(stage, key) as building:
            make(building)
        return load(self.path(stage, key)), False

    def entries(self) -> list[Entry]:
        """Return what is kept, the longest unused first."""
        found = []
        for path in self.folder.glob("*/*"):
            if path.is_dir() and not path.name.startswith("."):
                with suppress(OSError):
                    found.append(Entry(path.parent.name, path.name, _size(path), path.stat().st_mtime))
        return sorted(found, key=lambda entry: (entry.used, entry.stage, entry.key))

    def clear(self, stage: str | None = None) -> list[Entry]:
        """Take away all entries, or those of one stage; return them."""
        gone = [entry for entry in self.entries() if stage in (None, entry.stage)]
        for entry in gone:
            self.drop(entry.stage, entry.key)
        self._sweep(stage or "*", 0.0)
        return gone

    def trim(self) -> None:
        """Take away the longest unused entries until the rest fits into `max_bytes`."""
        self._sweep("*", LEFT_BEHIND_S)
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        for entry in entries:
            if total <= self.max_bytes:
                return
            if (entry.stage, entry.key) not in self._held:
                self.drop(entry.stage, entry.key)
                total -= entry.bytes

    def _sweep(self, stage: str, age_s: float) -> None:
        """Take away what killed runs left half made."""
        for path in self.folder.glob(f"{stage}/.*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime >= age_s:
                    shutil.rmtree(path, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

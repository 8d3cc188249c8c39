"""What stages of shots have made, kept under a hash of all that decides it, within a limit of size."""

from __future__ import annotations

import errno
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
from filelock import BaseFileLock, FileLock, Timeout

from kinetoscope_spec.errors import ConfigError, FormatError, ValidationError

__all__ = ["DAMAGED", "Entry", "Store", "key_of"]

T = TypeVar("T")

ASK_S = 0.1
"""How often those who wait ask whether it is their turn."""

LOCKS = ".locks"
"""The folder of the files that are locked: empty ones, a hundred bytes of a directory each."""

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)
"""By these a file system says that it has no locks: network ones without a lock service, some of FUSE."""

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
            _put(building, target)
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
        waiting: Callable[[], object] | None = None,
    ) -> tuple[T, bool]:
        """Return what `load` reads from an entry, and whether it was there; `make` fills its folder.

        `fresh` makes it again; the old one is there until the new one is whole. What can't be read counts
        as not there. Of several who want the same at once, one makes it, and the others wait and take that:
        threads, and processes too, whose claim ends with them. `waiting` is called meanwhile.
        """
        if not fresh and (found := self._loaded(stage, key, load)) is not None:
            return found[0], True
        was = _made(self.path(stage, key))
        with self._alone(stage, key, waiting):
            # Whoever was waited for has made what is wanted here, since then.
            if not fresh or _made(self.path(stage, key)) not in (None, was):
                found = self._loaded(stage, key, load)
                if found is not None:
                    return found[0], True
            with self.making(stage, key) as building:
                make(building)
            return load(self.path(stage, key)), False

    def _loaded(self, stage: str, key: str, load: Callable[[Path], T]) -> tuple[T] | None:
        """Return what is read from an entry; None where it is not there, or can't be read."""
        path = self.find(stage, key)
        if path is None:
            return None
        try:
            return (load(path),)
        except DAMAGED:
            return None

    @contextmanager
    def _alone(self, stage: str, key: str, waiting: Callable[[], object] | None = None) -> Iterator[None]:
        """Be the only one who makes an entry or takes it away.

        Raises:
            ConfigError: the folder can't be written.
        """
        lock = self._lock(stage, key)
        claimed = self._claimed(lock, waiting)
        try:
            yield
        finally:
            if claimed:
                lock.release()

    def _claimed(self, lock: BaseFileLock, waiting: Callable[[], object] | None) -> bool:
        """Wait for a lock; False on a file system without any: there the same may be made twice, and the last stays.

        Raises:
            ConfigError: the folder can't be written.
        """
        while True:
            try:
                lock.acquire(timeout=-1 if waiting is None else ASK_S, poll_interval=ASK_S / 2)
                return True
            except Timeout:
                if waiting is not None:
                    waiting()
            except OSError as error:
                if error.errno in NO_LOCKS:
                    return False
                raise ConfigError(f"the cache can't be written: {error}", place="KINETOSCOPE_HOME") from error

    def _lock(self, stage: str, key: str) -> BaseFileLock:
        folder = self.folder / LOCKS
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"the cache can't be written: {error}", place="KINETOSCOPE_HOME") from error
        return FileLock(folder / f"{stage}-{key}", fallback_to_soft=False)

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
        if stage is None:
            self._sweep_locks(0.0)
        return gone

    def trim(self) -> None:
        """Take away the longest unused entries until the rest fits into `max_bytes`."""
        self._sweep("*", LEFT_BEHIND_S)
        self._sweep_locks(LEFT_BEHIND_S)
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        for entry in entries:
            if total <= self.max_bytes:
                return
            if (entry.stage, entry.key) not in self._held and self._let_go(entry):
                total -= entry.bytes

    def _let_go(self, entry: Entry) -> bool:
        """Take an entry away unless somebody is about to make or read it; tell whether it is gone."""
        try:
            with self._lock(entry.stage, entry.key).acquire(blocking=False):
                self.drop(entry.stage, entry.key)
                return True
        except Timeout:
            return False
        except OSError as error:
            if error.errno not in NO_LOCKS:  # another user's, say: then it stays
                return False
            self.drop(entry.stage, entry.key)
            return True

    def _sweep(self, stage: str, age_s: float) -> None:
        """Take away what killed runs left half made."""
        for path in self.folder.glob(f"{stage}/.*"):
            with suppress(OSError):
                if path.is_dir() and time.time() - path.stat().st_mtime >= age_s:
                    shutil.rmtree(path, ignore_errors=True)

    def _sweep_locks(self, age_s: float) -> None:
        """Take away files that were locked once, and are not now."""
        for path in self.folder.glob(f"{LOCKS}/*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime >= age_s:
                    with FileLock(path, fallback_to_soft=False).acquire(blocking=False):
                        path.unlink()


def _made(path: Path) -> int | None:
    """Return what tells an entry from another one of its name, or None where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _put(building: Path, target: Path) -> None:
    """Let a folder take its place, where another one of its name may lie."""
    try:
        os.replace(building, target)
        return
    except OSError:
        if not target.is_dir():
            raise
    old = target.with_name(f"{building.name}-old")
    with suppress(OSError):  # somebody reads or replaces it just now, with the same: theirs is as good
        os.replace(target, old)
        os.replace(building, target)
    shutil.rmtree(old, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

"""Where a dataset's objects lie: a folder, or whatever fsspec opens. Keys are `/`-separated.

An object is there whole or not at all. A folder keeps that by writing beside and renaming; object
stores (S3, GCS, Azure) put whole objects by nature.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any, Protocol

from kinetoscope_spec import ConfigError, KinetoscopeError

__all__ = ["FsspecStorage", "LocalStorage", "Storage", "is_url", "storage_at"]


class Storage(Protocol):
    """Objects by key; picklable. What is missing is a `FileNotFoundError`."""

    url: str

    def get(self, key: str, start: int | None = None, stop: int | None = None) -> bytes:
        """Return bytes `start` to `stop` of an object; a negative `start` counts from its end."""
        ...

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the objects of `keys`, those that are missing left out."""
        ...

    def put(self, key: str, data: bytes, *, unseen: bool = False) -> None:
        """Write an object: readers see the old one or the new one, never a part.

        One that nobody reads before another is written (`unseen`) may be there in part if this fails.
        """
        ...

    def names(self, prefix: str = "") -> list[str]:
        """Return the names right below `prefix`, sorted; none where it is missing."""
        ...

    def remove(self, prefix: str) -> None:
        """Remove an object, or all below a prefix; nothing where it is missing."""
        ...

    def for_workers(self) -> Storage | None:
        """Return what processes of this machine write to at the same time, or None where they can't."""
        ...

    def locked(self) -> Any:
        """Return a context in which no other process of this machine writes here, where that can be had."""
        ...


def is_url(where: str) -> bool:
    """Whether `where` is a URL such as `s3://bucket/walks` and no path."""
    return "://" in where


def storage_at(where: str | os.PathLike[str], options: Mapping[str, Any] | None = None) -> Storage:
    """Return the storage at a path or URL; `options` go to fsspec.

    Raises:
        ConfigError: fsspec does not know the URL's kind, or its library is not installed.
    """
    text = os.fspath(where)
    if text.startswith("file://"):
        from urllib.parse import unquote, urlsplit

        text = unquote(urlsplit(text).path)
    return FsspecStorage(text, dict(options or {})) if is_url(text) else LocalStorage(Path(text).absolute())


class LocalStorage:
    """Objects as files below a folder, which the first `put` makes.

    Args:
        root: the folder.
        shared: other processes write here, too.
    """

    def __init__(self, root: Path, *, shared: bool = False) -> None:
        self.root = root
        self._shared = shared
        self.url = str(root)

    def get(self, key: str, start: int | None = None, stop: int | None = None) -> bytes:
        """Return an object, or a part of it."""
        with open(self.root / key, "rb") as file:
            if start is not None:
                size = os.fstat(file.fileno()).st_size
                file.seek(start if start >= 0 else max(size + start, 0))
            return file.read() if stop is None else file.read(max(stop - (start or 0), 0))

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the objects of `keys` that there are."""
        found = {}
        for key in keys:
            try:
                found[key] = self.get(key)
            except (FileNotFoundError, NotADirectoryError):
                continue
        return found

    def put(self, key: str, data: bytes, *, unseen: bool = False) -> None:
        """Write an object beside its place and move it there; one that is `unseen` in its place."""
        target = f"{self.url}/{key}"
        folder, _, name = target.rpartition("/")
        # One writer at a time: a name that a killed one left behind is simply written again.
        writer = f".{os.getpid()}" if self._shared else ""
        written = target if unseen else f"{folder}/.{name}{writer}.partial"
        try:
            file = open(written, "wb", buffering=0)  # noqa: SIM115 - closed below; the folder is made only where missing
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            file = open(written, "wb", buffering=0)  # noqa: SIM115
        try:
            with file:
                _write_all(file, data)
            if not unseen:
                os.replace(written, target)
        except BaseException as error:
            Path(written).unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename is None and error.errno is not None:
                error.filename = target  # a full disk does not say which file it was
            raise

    def names(self, prefix: str = "") -> list[str]:
        """Return the names in a folder."""
        try:
            return sorted(os.listdir(self.root / prefix))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove(self, prefix: str) -> None:
        """Remove a file or folder."""
        try:
            (self.root / prefix).unlink()
        except (IsADirectoryError, PermissionError):  # what unlinking a folder raises, on Linux and elsewhere
            shutil.rmtree(self.root / prefix)
        except FileNotFoundError:
            return

    def for_workers(self) -> LocalStorage:
        """Return the same folder; names beside their places are each process's own."""
        return LocalStorage(self.root, shared=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock; it goes with the process, however that ends.

        Raises:
            KinetoscopeError: another process has it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            import fcntl
        except ImportError:  # Windows has no lock on a folder
            yield
            return
        held = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            raise KinetoscopeError(f"{self.url} is being written by another process") from None
        try:
            yield
        finally:
            os.close(held)


def _write_all(file: RawIOBase, data: bytes) -> None:
    """Write all of `data`: one call may write less, and Linux writes 2 GB at most."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


class FsspecStorage:
    """Objects in a file system of fsspec's: `s3://`, `gs://`, `memory://`, …"""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        import fsspec  # type: ignore[import-untyped]

        try:
            self._fs, self._root = fsspec.core.url_to_fs(url, **options)
        except (ValueError, ImportError) as error:
            raise ConfigError(f"{url} can't be opened: {error}") from error
        self._root = self._root.rstrip("/")
        self.url = url
        self.options = dict(options)

    def __reduce__(self) -> tuple[Any, ...]:
        return FsspecStorage, (self.url, self.options)

    def _at(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root

    def get(self, key: str, start: int | None = None, stop: int | None = None) -> bytes:
        """Return an object, or a part of it."""
        data: bytes = self._fs.cat_file(self._at(key), start=start, end=stop)
        return data

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the objects of `keys` that there are; asynchronous file systems read them at once."""
        if not keys:
            return {}
        paths = {self._at(key): key for key in keys}
        found = self._fs.cat(list(paths), recursive=False, on_error="return")
        kept = {}
        for path, data in found.items():
            if isinstance(data, bytes):
                kept[paths[path]] = data
            elif not isinstance(data, FileNotFoundError):
                raise data
        return kept

    def put(self, key: str, data: bytes, *, unseen: bool = False) -> None:
        """Write an object in one request, which stores do whole or not at all."""
        self._fs.pipe_file(self._at(key), data)

    def names(self, prefix: str = "") -> list[str]:
        """Return the names below a prefix, as the store has them now."""
        self._fs.invalidate_cache()
        try:
            listing = self._fs.ls(self._at(prefix), detail=False)
        except FileNotFoundError:
            return []
        return sorted({str(path).rstrip("/").rpartition("/")[2] for path in listing})

    def remove(self, prefix: str) -> None:
        """Remove an object, or all below a prefix."""
        try:
            self._fs.rm(self._at(prefix), recursive=True)
        except FileNotFoundError:
            return

    def for_workers(self) -> None:
        """Return None: another process may not reach it (`memory://`), or not with the same rights."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock nothing: object stores have no locks. One writer at a time is up to its callers."""
        yield

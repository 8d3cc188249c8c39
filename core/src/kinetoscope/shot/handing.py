"""A drawing on its way to those who draw it: written down once where they see our files, else sent with each call."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from kinetoscope_spec.errors import KinetoscopeError

__all__ = ["Handed", "handed"]


@attrs.frozen
class Handed:
    """Something that was pickled, for other processes.

    Attributes:
        digest: tells it from others: SHA-256 of the pickled bytes, hexadecimal.
        held: these bytes, or the file that holds them.
    """

    digest: str
    held: bytes | Path

    def taken(self) -> Any:
        """Return it again.

        Raises:
            KinetoscopeError: the file is gone, or holds something else, which is not looked at.
        """
        data = self.held
        if isinstance(data, Path):
            try:
                data = data.read_bytes()
            except OSError as error:
                raise KinetoscopeError(f"what is to be drawn can't be read: {error}") from error
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise KinetoscopeError(f"what is to be drawn was changed on its way, in {self.held!s:.200}")
        return pickle.loads(data)  # noqa: S301 - what was pickled here, as its digest says

    def keep(self) -> None:
        """Note that it is still in use: what lies in the cache unfinished for a day is taken away."""
        if isinstance(self.held, Path):
            with suppress(OSError):
                os.utime(self.held.parent)


@contextmanager
def handed(value: Any, executor: Executor, folder: Path) -> Iterator[Handed]:
    """Yield what the calls of an executor are handed for `value`, until they are done.

    Where its workers find this machine's files (`same_files`), that is the name of a file, which each reads
    once; it lies in a folder of its own, which nobody else may read, and is gone in the end. Elsewhere, and
    where nothing can be written, it is all of it.

    Args:
        value: can be pickled.
        executor: in whose workers.
        folder: where a folder may be made.
    """
    data = pickle.dumps(value)
    digest = hashlib.sha256(data).hexdigest()
    made = _written(data, folder) if getattr(executor, "same_files", False) else None
    try:
        yield Handed(digest, data if made is None else made)
    finally:
        if made is not None:
            shutil.rmtree(made.parent, ignore_errors=True)


def _written(data: bytes, folder: Path) -> Path | None:
    """Return the file that holds `data` now, or None where there is no room for it."""
    own = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The dot in front: it is nothing that is kept, and a killed run's is swept up.
        own = Path(tempfile.mkdtemp(prefix=".handed-", dir=folder))
        (own / "value.pickle").write_bytes(data)
        return own / "value.pickle"
    except OSError:
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)
        return None

"""Speech that was paid for once: kept by the content of the request, never with the text or the key."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import platformdirs

from kinetoscope_gemini._sound import Samples

__all__ = ["Cache", "Kept", "key_of"]

_FORMAT: Final = b"kinetoscope-gemini 1\n"
_MAX_HEAD: Final = 4096


@attrs.frozen
class Kept:
    """A take that the cache holds.

    Attributes:
        samples: mono.
        rate: samples per second.
        created: when it was spoken, ISO 8601, UTC.
    """

    samples: Samples
    rate: int
    created: str


def key_of(model: str, request: Mapping[str, Any], take: int) -> str:
    """Return the name under which the answer to a request is kept: a hash of all that shapes it."""
    text = json.dumps([_FORMAT.decode(), model, request, take], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def default_folder() -> Path:
    """Return `cache/gemini` below `KINETOSCOPE_HOME`, or below the platform's user folder."""
    home = os.environ.get("KINETOSCOPE_HOME")
    base = (
        Path(home).expanduser() if home else Path(platformdirs.user_data_dir("kinetoscope", appauthor=False))
    )
    return base / "cache" / "gemini"


class Cache:
    """A folder of takes, 16 bits a sample. What is broken in it counts as missing; writing is atomic."""

    def __init__(self, folder: Path | None, most_bytes: int) -> None:
        self._given = folder
        self._most = most_bytes
        self._written = 0

    @property
    def folder(self) -> Path:
        """Where takes are kept; it need not exist."""
        return self._given or default_folder()

    def get(self, key: str) -> Kept | None:
        """Return the take of a key, or None."""
        path = self._path(key)
        try:
            data = path.read_bytes()
            found = _read(data)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None
        with suppress(OSError):
            os.utime(path)  # what was used last is thrown away last
        return found

    def holds(self, key: str) -> bool:
        """Whether there is a take of a key; whether it is whole is known when it is read."""
        return self._path(key).is_file()

    def put(self, key: str, kept: Kept) -> None:
        """Keep a take. A folder that can't be written, or a full disk, is no reason not to speak."""
        data = _written(kept)
        path = self._path(key)
        name = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as stream:
                name = stream.name
                stream.write(data)
            os.replace(name, path)
        except OSError:
            if name:
                with suppress(OSError):
                    os.unlink(name)
            return
        self._written += len(data)
        if self._written > self._most // 16:
            self._written = 0
            self._trim()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.take"

    def _trim(self) -> None:
        """Throw away what was used longest ago until the rest is no larger than allowed."""
        files = []
        for path in self.folder.glob("*/*.take"):
            with suppress(OSError):
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files, key=lambda file: file[0]):
            if total <= self._most:
                return
            with suppress(OSError):
                path.unlink()
            total -= size


def _written(kept: Kept) -> bytes:
    pcm = np.rint(kept.samples.astype(np.float64) * 32768).clip(-32768, 32767).astype("<i2").tobytes()
    head = {"rate": kept.rate, "created": kept.created, "sha256": hashlib.sha256(pcm).hexdigest()}
    return _FORMAT + json.dumps(head).encode() + b"\n" + pcm


def _read(data: bytes) -> Kept:
    """Read a file of the cache.

    Raises:
        ValueError: it is broken.
    """
    if not data.startswith(_FORMAT):
        raise ValueError("no take")
    end = data.index(b"\n", len(_FORMAT), len(_FORMAT) + _MAX_HEAD)
    head = json.loads(data[len(_FORMAT) : end])
    pcm = data[end + 1 :]
    if hashlib.sha256(pcm).hexdigest() != head["sha256"] or not 4000 <= int(head["rate"]) <= 192_000:
        raise ValueError("a broken take")
    samples = (np.frombuffer(pcm, "<i2") / np.float32(32768)).astype(np.float32)
    return Kept(samples, int(head["rate"]), str(head["created"]))

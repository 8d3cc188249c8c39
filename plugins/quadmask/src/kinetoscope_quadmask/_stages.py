"""What the stages of a pipeline leave in a folder, and whether it still stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import attrs

from kinetoscope_spec import Mask, Video
from kinetoscope_spec.files import write_text

__all__ = ["Stage", "Stages", "digest_of", "frames_digest"]

RECORD: Final = "stages.json"
MOST_RECORD_BYTES: Final = 1 << 20


@attrs.frozen
class Stage:
    """One stage as it went.

    Attributes:
        name: `segment`, `reason`, `locate` or `combine`.
        provider: who did it, or an empty string.
        cached: whether an earlier run's output was taken.
        seconds: how long it took.
        files: names in the folder.
    """

    name: str
    provider: str
    cached: bool
    seconds: float
    files: tuple[str, ...]


class Stages:
    """A folder with outputs of stages, and a record of what each was made from.

    A stage's output stands while its key is the same and its files are there. Files that somebody edited
    stand too: what comes later is then made of the edited ones, since keys hold digests of what a stage reads.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        self.stages: list[Stage] = []
        self._record: dict[str, Any] = {} if fresh else _read(folder / RECORD)
        self._started = perf_counter()

    def stands(self, name: str, key: str, provider: str = "") -> bool:
        """Return whether a stage need not be done again; it is noted then as cached."""
        self._started = perf_counter()
        held = self._record.get(name)
        files = held.get("files") if isinstance(held, dict) and held.get("key") == key else None
        if not isinstance(files, list) or not all(
            isinstance(file, str) and Path(file).name == file and (self.folder / file).is_file()
            for file in files
        ):
            return False
        self.stages.append(Stage(name, provider, True, 0.0, tuple(files)))
        return True

    def finish(self, name: str, key: str, files: Sequence[str], provider: str = "") -> None:
        """Record that a stage is done, and what it left."""
        seconds = perf_counter() - self._started
        self.stages.append(Stage(name, provider, False, round(seconds, 3), tuple(files)))
        self._record[name] = {"key": key, "files": list(files), "provider": provider}
        write_text(self.folder / RECORD, json.dumps(self._record, indent=1) + "\n")

    def digest(self, *names: str) -> str:
        """Return a digest of what stages left, as it is now."""
        found = hashlib.sha256()
        for stage in self.stages:
            for file in stage.files if stage.name in names else ():
                with (self.folder / file).open("rb") as stream:
                    found.update(f"{file}:{hashlib.file_digest(stream, 'sha256').hexdigest()};".encode())
        return found.hexdigest()


def digest_of(*parts: Any) -> str:
    """Return a digest of JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def frames_digest(stream: Video | Mask) -> str:
    """Return a digest of all frames of a stream."""
    found = hashlib.sha256(f"{stream.width}x{stream.height}@{stream.rate}".encode())
    for frame in stream.frames():
        found.update(frame.tobytes())
    return found.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_bytes()) if path.stat().st_size <= MOST_RECORD_BYTES else None
    except (OSError, ValueError, RecursionError):
        return {}  # then all is made again
    return held if isinstance(held, dict) else {}

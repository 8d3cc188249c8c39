"""Where levels of detail are kept: one file a mesh, and no more of them than a bound."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

__all__ = ["KEPT_BYTES", "folder", "read", "write"]

KEPT_BYTES = 2**28
"""Of all files; a mesh of 20,000 triangles takes a tenth of a megabyte."""


def folder() -> Path:
    """Return `cache/detail` below `KINETOSCOPE_HOME`, or below the user's folder. Needs platformdirs."""
    home = os.environ.get("KINETOSCOPE_HOME")
    if home:
        return Path(home).expanduser() / "cache" / "detail"
    from platformdirs import user_data_dir

    return Path(user_data_dir("kinetoscope", appauthor=False)) / "cache" / "detail"


def read(path: Path, names: Sequence[str], *, most_bytes: int = KEPT_BYTES) -> list[list[Any]] | None:
    """Return rows of what is kept under `names`, or None where there is nothing, or nothing whole.

    What would unpack to more than `most_bytes` is not whole. Arrays are of any kind and shape.
    """
    try:
        with path.open("rb") as file:
            with ZipFile(file) as packed:
                if sum(part.file_size for part in packed.infolist()) > most_bytes:
                    return None
            file.seek(0)
            with np.load(file, allow_pickle=False) as held:
                rows = [[held[f"{name}{i}"] for name in names] for i in range(int(held["count"]))]
    except Exception:  # noqa: BLE001 - spoilt files fail in whatever way they like, and are made again
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # what is used is what stays
    return rows


def write(path: Path, rows: Sequence[Mapping[str, Any]], *, most_bytes: int = KEPT_BYTES) -> bool:
    """Keep `rows`, and tell whether that could be done.

    What was used longest ago is dropped where files would take more than `most_bytes`.
    """
    arrays = {f"{name}{i}": value for i, row in enumerate(rows) for name, value in row.items()}
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
            np.savez_compressed(file, count=len(rows), **arrays)
        os.replace(part, path)
        _prune(path, most_bytes)
        return True
    except OSError:
        if part is not None:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return False


def _prune(kept: Path, most_bytes: int) -> None:
    """Drop the files beside `kept` used longest ago, with what killed processes left, until all fit; never `kept`."""
    found = []
    for path in kept.parent.iterdir():
        # Another process may drop a file meanwhile.
        with contextlib.suppress(FileNotFoundError):
            told = path.stat()
            found.append((path != kept, told.st_mtime_ns, told.st_size, path))
    total = sum(size for _, _, size, _ in found)
    for other, _, size, path in sorted(found, key=lambda each: each[1]):
        if total <= most_bytes:
            return
        if other:
            # A folder, or what another process has open, stays, and is no reason to keep the rest.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                total -= size

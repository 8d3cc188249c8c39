"""Arrays out of a `.npz` archive, none of which can run code or take more memory than it has bytes."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope_spec import FormatError

__all__ = ["MAX_BYTES", "read_arrays"]

MAX_BYTES = 4 * 1024**3
"""The largest file, and the most that its arrays may come to, unless the caller allows more."""

DEFLATE_RATIO = 1032
"""No deflated byte stands for more than this (zlib's technical notes); stored ones stand for themselves."""


def read_arrays(path: Path, keys: Collection[str], max_bytes: int) -> dict[str, Any]:
    """Return the arrays called `keys` that the archive at `path` holds.

    Raises:
        FormatError: it is no archive of arrays, or one of them is damaged, of objects, or larger than
            what is there of it.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FormatError("a device, pipe or socket", path=path, expected="a regular file")
        if status.st_size > max_bytes:
            raise FormatError(
                f"the file has {status.st_size:,} bytes",
                path=path,
                expected=f"at most max_bytes={max_bytes:,}",
            )
        try:
            with zipfile.ZipFile(file) as archive:
                return _arrays(archive, path, keys, max_bytes, status.st_size)
        except FormatError:
            raise
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError,
                RuntimeError, OverflowError, KeyError) as error:  # fmt: skip
            raise FormatError(f"no archive of arrays: {' '.join(str(error).split())}", path=path) from error


def _arrays(
    archive: zipfile.ZipFile, path: Path, keys: Collection[str], max_bytes: int, size: int
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = max_bytes
    for member in archive.infolist():
        key = member.filename.removesuffix(".npy")
        if key not in keys or not member.filename.endswith(".npy"):
            continue
        if key in found:
            raise FormatError(f"two members are called {key!r}", path=path)
        most = _most(member, path, size)
        if member.file_size > min(most, left):
            raise FormatError(
                f"{key!r} declares {member.file_size:,} bytes",
                path=path,
                expected=f"at most {min(most, left):,}",
            )
        with archive.open(member) as stream:
            found[key] = _array(stream.read(member.file_size + 1), key, path)
        left -= member.file_size
    return found


def _most(member: zipfile.ZipInfo, path: Path, size: int) -> int:
    """Return how many bytes a member can have."""
    if member.flag_bits & 1:
        raise FormatError(f"{member.filename!r} is encrypted", path=path)
    held = min(member.compress_size, size)
    if member.compress_type == zipfile.ZIP_STORED:
        return held
    if member.compress_type == zipfile.ZIP_DEFLATED:
        return DEFLATE_RATIO * held
    raise FormatError(
        f"{member.filename!r} is compressed by method {member.compress_type}", path=path, expected="deflate"
    )


def _array(data: bytes, key: str, path: Path) -> Any:
    """Return the array in the bytes of a `.npy` file (NumPy's format, versions 1 to 3)."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.hasobject or dtype.kind not in "biufU":
        raise FormatError(f"{key!r} holds {dtype}", path=path, expected="numbers or text")
    body = data[stream.tell() :]
    count = 1
    for n in shape:
        count *= n
    if any(n < 0 for n in shape) or count * dtype.itemsize != len(body):
        raise FormatError(f"{key!r} has {len(body):,} bytes", path=path, expected=f"{list(shape)} of {dtype}")
    if dtype.itemsize == 0:
        return np.full(shape, "", dtype) if count <= len(data) else np.zeros(0, dtype)
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")

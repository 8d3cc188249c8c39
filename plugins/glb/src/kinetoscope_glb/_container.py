"""Files as bytes: reads one whole after a look at its beginning, and takes a GLB's chunks apart."""

from __future__ import annotations

import stat
import struct
from pathlib import Path
from typing import NoReturn

import attrs

from kinetoscope_glb.signature import MAGIC, starts_as_json
from kinetoscope_spec import FormatError

HEAD = 64 * 1024
"""An opening brace must stand within so many bytes; nothing more is read of a file where none does."""

MAX_BYTES = 4 * 1024**3
"""The largest file that is read unless the caller allows more."""

_HEADER = struct.Struct("<4sII")
_CHUNK = struct.Struct("<II")
_JSON, _BIN = 0x4E4F534A, 0x004E4942


@attrs.frozen
class Parts:
    """What a file holds: its JSON, where that begins, the binary chunk if it has one."""

    json: bytes
    offset: int
    binary: memoryview | None
    is_binary: bool
    size: int
    trailing: int = 0


def read_parts(path: Path, max_bytes: int = MAX_BYTES) -> Parts:
    """Return the parts of the glTF file at `path`, binary or not, whatever its suffix.

    Raises:
        FormatError: it is no regular file, does not begin as a glTF does, or is larger than `max_bytes`.
        OSError: it can't be read.
    """
    data = read_bytes(path, max_bytes)
    if not data.startswith(MAGIC):
        return Parts(data, 0, None, False, len(data))
    return _chunks(data, path)


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of the file at `path`, which must begin as a glTF does."""
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FormatError("a device, pipe or socket", path=path, expected="a regular file")
    with path.open("rb") as file:
        head = file.read(HEAD)
        if not (head.startswith(MAGIC) or starts_as_json(head)):
            raise FormatError(
                f"it begins with {head[:8]!r}" if head else "it is empty",
                path=path,
                offset=0,
                expected="the letters glTF, or a JSON object",
            )
        if head.startswith(MAGIC):
            _check_header(head, path, status.st_size)
        if status.st_size > max_bytes:
            raise FormatError(
                f"the file has {status.st_size:,} bytes",
                path=path,
                expected=f"at most max_bytes={max_bytes:,}",
            )
        # As much memory as there is file: a reader makes room for all that it is asked for.
        file.seek(0)
        data = file.read(status.st_size + 1)
    if len(data) > status.st_size:
        raise FormatError("the file grew while it was read", path=path)
    return data


def _check_header(head: bytes, path: Path, size: int) -> None:
    if len(head) < _HEADER.size:
        _cut(path, len(head), f"a header of {_HEADER.size} bytes")
    _, version, length = _HEADER.unpack_from(head)
    if version == 1:
        raise FormatError("a binary glTF 1.0", path=path, offset=4, expected="glTF 2.0; convert it first")
    if version != 2:
        raise FormatError(f"binary glTF version {version}", path=path, offset=4, expected="version 2")
    if length > size:
        raise FormatError(
            f"{length:,} bytes are declared and there are {size:,}: it was cut short",
            path=path,
            offset=8,
            expected="the whole file",
        )


def _cut(path: Path, at: int, expected: str) -> NoReturn:
    raise FormatError("the file ends here", path=path, offset=at, expected=expected)


def _chunks(data: bytes, path: Path) -> Parts:
    """Take a GLB apart (glTF 2.0, 4.4.3): JSON first, then BIN, then whatever others add."""
    _, _, end = _HEADER.unpack_from(data)
    at = _HEADER.size
    found: list[tuple[int, int, int]] = []
    while at < end:
        if at + _CHUNK.size > end:
            if found and not any(data[at:end]):
                break  # padding after the last chunk
            _cut(path, at, "the 8 bytes that begin a chunk")
        length, kind = _CHUNK.unpack_from(data, at)
        begin = at + _CHUNK.size
        if begin + length > end:
            raise FormatError(
                f"a chunk of {length:,} bytes is declared and {end - begin:,} are left",
                path=path,
                offset=at,
                expected="chunks within the file's declared length",
            )
        found.append((kind, begin, length))
        at = begin + length
    if not found or found[0][0] != _JSON:
        raise FormatError("the first chunk is not JSON", path=path, offset=12, expected="the chunk 'JSON'")
    _, begin, length = found[0]
    # Only the second chunk is the buffer (4.4.3.3); further ones are of extensions.
    binary = None
    if len(found) > 1 and found[1][0] == _BIN:
        binary = memoryview(data)[found[1][1] : found[1][1] + found[1][2]]
    return Parts(data[begin : begin + length], begin, binary, True, len(data), len(data) - end)

"""Opening what may be anything, and writing so that a file is there whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av

from kinetoscope_spec import FormatError

__all__ = ["UnreadableError", "checked", "open_input", "replacing"]

# Play lists and network addresses are left out on purpose: a file must not make us open others.
_DEMUXERS = "mov,matroska,gif,avi,mpegts,mpeg,flv,ogg,asf,apng,h264,hevc,ivf,wav,mp3,aac,flac,aiff,caf"
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS}


class UnreadableError(FormatError, OSError):
    """The file can't be read at all: it is missing, a folder, a pipe, or may not be read."""


def checked(path: str | Path) -> Path:
    """Return `path` if it names an ordinary file with something in it.

    Raises:
        UnreadableError: it does not.
        FormatError: the file is empty.
    """
    path = Path(path)
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise UnreadableError(f"can't be read: {_reason(error)}", path=path, expected="a file") from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no ordinary file"
        raise UnreadableError(f"is {kind}", path=path, expected="a file")
    if not os.access(path, os.R_OK):
        raise UnreadableError("may not be read", path=path, expected="permission to read")
    if status.st_size == 0:
        raise FormatError("is empty", path=path, expected="a film or a picture")
    return path


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


@contextmanager
def open_input(path: str | Path) -> Iterator[Any]:
    """Open a container for reading; whatever FFmpeg says against it becomes a `FormatError`."""
    path = checked(path)
    try:
        # `file:` keeps names such as `http:film.mp4` from being taken for addresses.
        with av.open(f"file:{path.absolute()}", container_options=_OPTIONS) as container:
            yield container
    except (av.error.FFmpegError, UnicodeError) as error:
        raise FormatError(f"can't be decoded: {_reason(error)}", path=path, expected="a film") from error


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place at the end, or leaves no trace."""
    path = Path(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def _umask() -> int:
    """Return the process's umask: read from Linux where it can be, so that nobody sees it change."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    except OSError:
        pass
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

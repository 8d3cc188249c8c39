"""Files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["making_folder", "replacing", "write_text"]


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what is written there takes its place at the end.

    The temporary name ends in the same suffix, since writers choose formats by it. Missing folders
    are made. Whatever is raised inside (Ctrl-C too) leaves `path` as it was, and no litter.

    Raises:
        IsADirectoryError: `path` is a folder.
        OSError: the folder can't be made or written.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder, expected the name of a file to write")
    temporary = target.with_name(f".{target.stem[:80]}.{os.urandom(6).hex()}{target.suffix}")
    with making_folder(target.parent):
        try:
            yield temporary
            os.replace(temporary, target)
        except BaseException as error:
            if isinstance(error, OSError) and error.filename is None and error.errno is not None:
                error.filename = str(target)  # a full disk does not say which file it was
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


@contextmanager
def making_folder(folder: Path) -> Iterator[None]:
    """Make `folder` and those above it; if what happens inside fails, take away those that were made."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for made in missing:
            with suppress(OSError):
                made.rmdir()
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 so that a reader sees the old file or the new one, never a part."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")

"""Writing a folder of files whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from kinetoscope_spec.files import making_folder

__all__ = ["write_folder"]


def write_folder(target: Path, files: Mapping[str, str]) -> None:
    """Make the folder `target` of `files`, relative path to text; it appears when all are written.

    Raises:
        FileExistsError: something is there, other than an empty folder.
        OSError: it can't be written; nothing is left then.
    """
    if os.path.lexists(target) and not _is_empty_folder(target):
        raise FileExistsError(f"{target} is there already, expected nothing or an empty folder")
    for path in files:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError(f"{path!r} leads out of the folder")
    temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}")
    with making_folder(target.parent):
        try:
            for path, text in files.items():
                file = temporary / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="\n")
            if os.name == "nt" and target.is_dir():  # other systems replace an empty folder themselves
                target.rmdir()
            os.replace(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())

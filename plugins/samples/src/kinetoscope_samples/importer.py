"""Reads recipe files as if they were clips."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kinetoscope_samples.biped import generate
from kinetoscope_samples.recipe import parse
from kinetoscope_spec import Asset, FormatError

__all__ = ["SampleImporter"]

_LARGEST_BYTES = 1 << 20


class SampleImporter:
    """Makes the motion that a recipe file describes. The same recipe gives the same motion."""

    def read(self, path: str | Path) -> Asset:
        """Read the recipe at `path` and return the biped's skeleton and its motion.

        Raises:
            FormatError: no recipe, or one with a wrong key or value; names the line.
            OSError: the file can't be opened: missing, a folder, no permission.
        """
        path = Path(path)
        recipe = parse(_text(path), path=path)
        name = path.name.removesuffix(".toml").removesuffix(".sample")
        motion = generate(recipe, name=name)
        metadata = {
            "format": "kinetoscope-sample",
            "unit_m": 1.0,
            "axes": "+X+Y+Z",
            "licence": "CC0-1.0",
            "action": recipe.action,
            "seed": recipe.seed,
        }
        return Asset(name, motion.skeleton, (motion,), metadata=metadata)


def _text(path: Path) -> str:
    """Return the text of a recipe file.

    Raises:
        FormatError: it is no ordinary file, too large, or no UTF-8.
        OSError: the system can't open it.
    """
    status = os.stat(path)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FormatError("is no ordinary file", path=path, expected="a recipe file")
    if status.st_size > _LARGEST_BYTES and stat.S_ISREG(status.st_mode):
        raise FormatError(
            f"has {status.st_size} bytes", path=path, expected=f"a recipe of {_LARGEST_BYTES} at most"
        )
    data = path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("is no UTF-8", path=path, offset=error.start, expected="text") from error

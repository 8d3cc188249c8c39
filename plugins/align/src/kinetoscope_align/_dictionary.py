"""CMU's pronouncing dictionary, as the wheel of pocketsphinx carries it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["dictionary", "model_folder"]


def model_folder() -> Path | None:
    """Return the folder of the English model, or None where it is not installed."""
    found = find_spec("pocketsphinx")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "model" / "en-us"
    return folder if folder.is_dir() else None


@lru_cache(maxsize=1)
def dictionary() -> Mapping[str, str]:
    """Return the sounds, parted by spaces, of 126,000 English words in lower case; empty without the model."""
    folder = model_folder()
    if folder is None:
        return {}
    lines = (folder / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if " " in line)

"""Where weights, caches and records live: `KINETOSCOPE_HOME`, or the platform's user folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["home", "home_folder", "weights"]


def home_folder() -> str:
    """Return `home()` as a string: `--help` reads its cache without the 7 ms that pathlib takes."""
    if given := os.environ.get("KINETOSCOPE_HOME"):
        return os.path.expanduser(given)
    import platformdirs

    return platformdirs.user_data_dir("kinetoscope", appauthor=False)


def home() -> Path:
    """Return the folder of this user's caches, records and weights; it need not exist yet."""
    from pathlib import Path

    return Path(home_folder())


def weights() -> Path:
    """Return the folder below which `weights:FILE` is looked for."""
    return home() / "weights"

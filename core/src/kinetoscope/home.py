"""Where weights, caches and records live: `KINETOSCOPE_HOME`, or the platform's user folder."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["home", "weights"]


def home() -> Path:
    """Return the folder of this user's caches, records and weights; it need not exist yet."""
    if given := os.environ.get("KINETOSCOPE_HOME"):
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("kinetoscope", appauthor=False))


def weights() -> Path:
    """Return the folder below which `weights:FILE` is looked for."""
    return home() / "weights"

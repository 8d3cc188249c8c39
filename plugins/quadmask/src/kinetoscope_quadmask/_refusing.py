"""What commands that make films refuse before they work."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kinetoscope_quadmask.values import KEEP
from kinetoscope_spec import ConfigError, Mask, Quadmask, ValidationError, Video

__all__ = ["check_background", "check_writing"]


def check_background(mask: Mask, path: Path, *, bright: bool = False) -> None:
    """Raise unless a mask leaves something in some frame.

    Args:
        mask: read up to the first frame that is not covered whole.
        path: of its film, named in the error.
        bright: whether it is said to be bright on the object, and might be dark.

    Raises:
        ValidationError: it covers all of every frame.
    """
    kept = (frame == KEEP if isinstance(mask, Quadmask) else frame == 0 for frame in mask.frames())
    if not any(frame.any() for frame in kept):
        hint = " (is it --dark on what is to be taken out?)" if bright else ""
        raise ValidationError(f"{path}: the mask covers all of every frame, expected some background{hint}")


def check_writing(media: Any, film: Video, *paths: Path | None) -> None:
    """Raise before the work what writing films to these places, if they are any, would raise after it.

    Raises:
        ValidationError: there is no such folder.
        ConfigError: a kind of film that is not written.
    """
    small = Video.from_frames(np.zeros((1, 16, 16, 3), np.uint8), film.rate)
    for path in filter(None, paths):
        if not path.parent.is_dir():
            raise ValidationError(f"{path}: there is no folder {path.parent}, expected one that exists")
        with TemporaryDirectory(prefix="kinetoscope-", ignore_cleanup_errors=True) as folder:
            trial = Path(folder) / f"trial{path.suffix}"
            try:
                media.write(trial, small)
            except ConfigError as error:  # it speaks of the trial
                raise ConfigError(str(error).replace(str(trial), str(path))) from error

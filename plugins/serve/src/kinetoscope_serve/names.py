"""Names of uploaded files: which are taken, and where they lead."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from kinetoscope_serve.limits import Refused

__all__ = ["SAMPLES", "checked"]

SAMPLES: Final = "samples"
"""The folder that stands for the service's own files."""

DEPTH, LENGTH, WHOLE = 4, 100, 200
_PART: Final = re.compile(r"[^\W_][\w .,()+@=&'#~-]*", re.UNICODE)
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, whatever follows them."""


def checked(name: str) -> PurePosixPath:
    """Return the path of an upload below its job's folder.

    Folders are written with `/`. A part begins with a letter or digit, so that none is hidden or leads up.

    Raises:
        Refused: it may not be called that.
    """
    text = unicodedata.normalize("NFC", name)
    parts = text.split("/")
    fits = len(parts) <= DEPTH and len(text) <= WHOLE and all(map(_is_part, parts))
    if not fits:
        raise Refused(
            422,
            f"{name[:80]!r} is no name for an upload, expected up to {DEPTH} parts of letters, digits and "
            f"spaces, dots or dashes, such as 'clips/walk.bvh'",
        )
    if parts[0].casefold() == SAMPLES:
        raise Refused(422, f"{name[:80]!r}: the folder {SAMPLES!r} is the service's own")
    return PurePosixPath(*parts)


def _is_part(part: str) -> bool:
    return (
        len(part.encode()) <= LENGTH
        and _PART.fullmatch(part) is not None
        and not part.endswith((" ", "."))
        and _DEVICES.fullmatch(part) is None
    )

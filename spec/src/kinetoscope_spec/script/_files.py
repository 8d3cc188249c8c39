"""Scripts in files, in the three forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kinetoscope_spec.errors import FormatError
from kinetoscope_spec.script._ssml import parse_ssml
from kinetoscope_spec.script._ssml_write import write_ssml
from kinetoscope_spec.script._text import parse_text, write_text
from kinetoscope_spec.script._toml import parse_toml, write_toml
from kinetoscope_spec.voice import Script

__all__ = ["LARGEST_BYTES", "SUFFIXES", "read_script", "write_script"]

LARGEST_BYTES = 16 << 20
"""Nobody speaks longer scripts: about a month of speech."""

SUFFIXES: dict[str, tuple[Callable[..., Script], Callable[[Script], str]]] = {
    ".toml": (parse_toml, write_toml),
    ".ssml": (parse_ssml, write_ssml),
    ".xml": (parse_ssml, write_ssml),
}
"""How each suffix is read and written; any other is plain text."""


def read_script(path: str | Path) -> Script:
    """Read a script: TOML from `.toml`, SSML from `.ssml` and `.xml`, else plain text, all in UTF-8.

    Raises:
        FormatError: it is not what its suffix says, too large, or no UTF-8; names file and line.
        OSError: it can't be read.
    """
    file = Path(path)
    with file.open("rb") as stream:
        held = stream.read(LARGEST_BYTES + 1)
    if len(held) > LARGEST_BYTES:
        raise FormatError(f"over {LARGEST_BYTES >> 20} MiB", path=file, expected="a script")
    read = SUFFIXES.get(file.suffix.lower(), (parse_text, write_text))[0]
    if read is parse_ssml:
        return parse_ssml(held, path=file)
    try:
        text = held.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("no UTF-8", path=file, offset=error.start) from None
    return read(text, path=file)


def write_script(script: Script, path: str | Path) -> None:
    """Write a script in the form that the suffix asks for.

    Raises:
        ValidationError: the form can't hold it.
        OSError: it can't be written.
    """
    file = Path(path)
    write = SUFFIXES.get(file.suffix.lower(), (parse_text, write_text))[1]
    file.write_text(write(script), encoding="utf-8", newline="\n")

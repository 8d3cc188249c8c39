"""Second looks: what seems wrong about a file although it does not change its label."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator

from numpy.lib.format import descr_to_dtype

from kinetoscope_magika._knowledge import content_types, settings
from kinetoscope_magika._source import WINDOW, Ends
from kinetoscope_magika._verdict import Guess
from kinetoscope_spec import Detection

__all__ = ["alarms", "second_opinion"]

_ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_END, _ENTRY = b"PK\x05\x06", b"PK\x01\x02"
_SCRIPTS = (b"<?php", b"<script", b"\n#!/", b"<%@")

_OBJECTS = re.compile(rb"""['"](?:[|<>=]?O\d*|object|[^'"]*\\[^'"]*)['"]""")
"""A string that may stand for the type of objects: by name, or by escapes."""

_SURE = 0.9
"""How sure the network must be of code before a label that it does not know is doubted."""


def alarms(found: Detection, ends: Ends) -> Iterator[str]:
    """Yield what looks wrong about a file whose label was found."""
    if ends.changed:
        yield "the file shrank while it was read"
    if ends.size > WINDOW and ends.blanks > WINDOW - settings().least:
        yield f"begins with {ends.blanks} blank bytes, which hide what follows from others"
    is_zip = ends.head.startswith(_ZIPS)
    if not is_zip and _has_zip_end(ends):
        yield f"a zip archive is appended: this {found.label} opens as a zip too"
    if is_zip:
        yield from _strange_members(found, ends)
    if not found.is_text:
        script = next((s for s in _SCRIPTS if s in ends.tail[-1024:].lower()), None)
        if script is not None and found.label not in ("unknown", "zip", "jar"):
            yield f"a script ({script.decode().strip()}) stands at the end of this {found.label}"
    if found.label == "npy" and _holds_objects(ends.head):
        yield "holds Python objects: loading it would run a pickle"


def _has_zip_end(ends: Ends) -> bool:
    """Tell whether a zip's end record (APPNOTE 4.3.16) stands in the file's tail."""
    at = ends.tail.rfind(_END)
    while at >= 0:
        if len(ends.tail) - at >= 22:
            size, offset, comment = struct.unpack_from("<IIH", ends.tail, at + 12)
            # What follows the comment hides nothing: unpackers look for the record, not for the end.
            if at + 22 + comment <= len(ends.tail) and size + offset <= ends.size:
                return True
        at = ends.tail.rfind(_END, 0, at)
    return False


def _strange_members(found: Detection, ends: Ends) -> Iterator[str]:
    """Yield alarms about the members whose directory entries lie in the file's tail."""
    for entry in re.finditer(re.escape(_ENTRY), ends.tail):
        at = entry.start()
        if at + 46 > len(ends.tail):
            return
        length = struct.unpack_from("<H", ends.tail, at + 28)[0]
        name = ends.tail[at + 46 : at + 46 + length].decode("utf-8", "replace")
        parts = re.split(r"[/\\]", name)
        if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
            yield f"its member {name!r} would be unpacked outside the folder"
        elif found.label == "npz" and not name.endswith(".npy"):
            yield f"its member {name!r} is no array"


def _holds_objects(head: bytes) -> bool:
    """Tell whether an NPY header's type has objects in it, however the header is written.

    A header that is longer than the head, or has escapes, is searched for the words of that type.
    """
    start = 10 if head[6] == 1 else 12
    length = int.from_bytes(head[8:start], "little")
    header = head[start : start + length]
    try:
        if len(header) < length or b"\\" in header:
            raise ValueError("is not to be read as it stands")
        described = ast.literal_eval(header.decode("latin-1").strip())
        return bool(descr_to_dtype(described["descr"]).hasobject)
    except Exception:  # noqa: BLE001 - a forged header raises anything
        return _OBJECTS.search(header) is not None


def second_opinion(found: Detection, guess: Guess) -> Iterator[str]:
    """Yield an alarm where the network says something else than signature or rule."""
    known = content_types().get(guess.label)
    if guess.label == found.label or known is None:
        return
    # Of labels that it does not know the network can only be wrong: it must be sure of code.
    trained = found.label in content_types()
    if trained and guess.score >= 0.5 and guess.label not in ("txt", "unknown", "randombytes", "randomtxt"):
        yield f"the network takes it for {guess.label} ({guess.score:.2f})"
    elif not trained and known.group in ("code", "executable") and guess.score >= _SURE:
        yield f"the network takes it for {guess.label}, which is {known.group} ({guess.score:.2f})"

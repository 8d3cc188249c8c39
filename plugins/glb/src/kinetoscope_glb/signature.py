"""How glTF files are known by their bytes. Imports nothing heavy: detectors call it often."""

from __future__ import annotations

import re

__all__ = ["JSON_CHUNK", "MAGIC", "is_glb", "is_gltf", "starts_as_json"]

MAGIC = b"glTF"
"""The first four bytes of a binary file, of any version (glTF 2.0, 4.4.2)."""

JSON_CHUNK = b"JSON"

_BOM = b"\xef\xbb\xbf"
_START = re.compile(rb"(?:\xef\xbb\xbf)?+[ \t\r\n]*+\{")
_ASSET = re.compile(
    # Any order of keys within "asset"; possessive, so that hostile heads cost one pass.
    rb'"asset"\s*+:\s*+\{[^{}]{0,2000}?"version"\s*+:\s*+"[12]\.[0-9]++"'
)
_TOP_KEYS = rb'"(?:accessors|bufferViews|buffers|nodes|meshes|scenes|scene|animations|skins|materials)"\s*+:\s*+[\[0-9{]'
_KEY = re.compile(_TOP_KEYS)


def is_glb(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file with these first bytes is a binary glTF, for detectors (see `Signature.rule`).

    The magic, a version of 1 or 2, and in version 2 a first chunk of JSON. The declared length decides
    nothing: a file cut short is a damaged GLB and no other format.
    """
    if len(head) < 20 or not head.startswith(MAGIC):
        return False
    version = int.from_bytes(head[4:8], "little")
    return version == 1 or (version == 2 and head[16:20] == JSON_CHUNK)


def is_gltf(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file with these first and last bytes is a glTF in JSON, for detectors.

    A JSON object with `"asset": {... "version": "2.0" ...}` in the first or last 4,096 bytes. Where
    both miss it (writers may put it anywhere), it is taken for JSON and no more.
    """
    if not starts_as_json(head):
        return False
    if _ASSET.search(head):
        return size <= len(head) or _KEY.search(head) is not None or _KEY.search(tail) is not None
    return _ASSET.search(tail) is not None and _KEY.search(head) is not None


def starts_as_json(head: bytes) -> bool:
    """Tell whether an opening brace stands first, after a byte order mark and blanks."""
    return _START.match(head) is not None

"""How a BVH file is known by its first bytes. Imports nothing heavy: detectors call it often."""

from __future__ import annotations

import re

__all__ = ["is_bvh", "starts_as_bvh"]

_WORD = rb"(?i:HIERARCHY)(?![^\s{])"
_START = re.compile(_WORD)
_WHOLE = re.compile(
    # Possessive, so that a head made of blanks costs one pass.
    _WORD + rb"\s++(?i:ROOT)[ \t]++[^\s{][^\r\n{]*+\s*+\{\s*+(?i:OFFSET|CHANNELS)(?!\S)",
)
_BOM = b"\xef\xbb\xbf"


def _begin(head: bytes) -> int:
    start = len(_BOM) if head.startswith(_BOM) else 0
    return len(head) - len(head[start:].lstrip())


def starts_as_bvh(head: bytes) -> bool:
    """Tell whether the first word, after a byte order mark and blanks, is `HIERARCHY`."""
    return _START.match(head, _begin(head)) is not None


def is_bvh(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file with these first bytes is a BVH, for detectors (see `Signature.rule`).

    The words HIERARCHY, ROOT and a name, an opening brace and OFFSET (or CHANNELS) must stand
    first, in that order, after a byte order mark and blanks. `tail` and `size` decide nothing: a
    file cut short is a damaged BVH and no other format.
    """
    return _WHOLE.match(head, _begin(head)) is not None

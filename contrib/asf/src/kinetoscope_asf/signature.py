"""How Acclaim's files are known by their first bytes. Imports nothing heavy: detectors call it often."""

from __future__ import annotations

import re

__all__ = ["is_amc", "is_asf"]

_START = re.compile(rb"(?:\s*+#[^\r\n]*+)*+\s*+:(\w++)")
"""The first section, after comments."""

_SECTION = re.compile(rb"(?m)^[ \t]*+:(\w++)")
_SKELETON = {b"version", b"name", b"units", b"documentation", b"root", b"bonedata"}
_MOTION = {b"fully-specified", b"fully", b"degrees", b"radians"}


def _first(head: bytes) -> bytes:
    found = _START.match(head)
    return found[1].lower() if found else b""


def is_asf(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file with these first bytes is a skeleton (see `Signature.rule`).

    Its first section must be one of a skeleton's, and another must follow.
    """
    if _first(head) not in _SKELETON:  # and nothing else is looked for: every text is asked about
        return False
    sections = {section.lower() for section in _SECTION.findall(head)}
    return len(sections & _SKELETON) > 1


def is_amc(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file with these first bytes is a motion: flags, then a frame's number and a bone."""
    return (
        _first(head) in _MOTION and re.search(rb"(?m)^\s*\d+\s*[\r\n]+\s*\w+[ \t]+[-+.\d]", head) is not None
    )

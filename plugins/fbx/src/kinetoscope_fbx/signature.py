"""How FBX files begin."""

from __future__ import annotations

import re
from typing import Final

from kinetoscope_fbx._ascii import states_version
from kinetoscope_fbx._binary import MAGIC

__all__ = ["is_ascii_fbx", "starts_as_fbx"]

_HEAD: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:;[^\n]*\n\s*)*?(?:; FBX \d+\.\d+\.\d+|FBXHeaderExtension[ \t]*:)"
)


def is_ascii_fbx(head: bytes, tail: bytes = b"", size: int = 0) -> bool:
    """Tell whether a file with these first bytes is an ASCII FBX file (see `Signature.rule`).

    A comment or a header that states a version must stand first; `tail` and `size` decide nothing.
    """
    return _HEAD.match(head, 0, 4096) is not None and states_version(head) is not None


def starts_as_fbx(head: bytes) -> bool:
    """Tell whether a file that begins so is an FBX file, binary or ASCII."""
    return head.startswith(MAGIC) or is_ascii_fbx(head)

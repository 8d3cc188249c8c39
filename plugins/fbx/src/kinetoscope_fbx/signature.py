"""How FBX files begin."""

from __future__ import annotations

from typing import Final

from kinetoscope_fbx._ascii import states_version
from kinetoscope_fbx._binary import MAGIC

__all__ = ["is_ascii_fbx", "starts_as_fbx"]

_WORDS: Final = (b"FBXHeaderExtension", b"; FBX ")


def is_ascii_fbx(head: bytes) -> bool:
    """Tell whether the beginning of a file is that of an ASCII FBX file."""
    return any(word in head[:4096] for word in _WORDS) and states_version(head) is not None


def starts_as_fbx(head: bytes) -> bool:
    """Tell whether a file that begins so is an FBX file, binary or ASCII."""
    return head.startswith(MAGIC) or is_ascii_fbx(head)

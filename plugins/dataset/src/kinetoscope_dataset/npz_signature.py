"""How a `.npz` of motion is known among archives of arrays."""

from __future__ import annotations

from typing import Final

__all__ = ["KEYS", "is_npz"]

KEYS: Final = (
    "names",
    "parents",
    "rest_positions",
    "rest_rotations",
    "rest_scales",
    "positions",
    "rotations",
    "scales",
    "morph_names",
    "morph_weights",
    "framerate",
    "start_time",
    "name",
    "licence",
)
"""What an archive may hold, in the order in which it is written."""


def is_npz(head: bytes, tail: bytes, size: int) -> bool:
    """Whether the first member is one of ours and the directory at the end lists a skeleton."""
    length = int.from_bytes(head[26:28], "little")
    first = head[30 : 30 + length]
    ours = first.removesuffix(b".npy").decode("latin-1") in KEYS and first.endswith(b".npy")
    return head[:4] == b"PK\x03\x04" and ours and b"names.npy" in tail and b"parents.npy" in tail

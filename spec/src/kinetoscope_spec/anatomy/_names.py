"""Reading a joint's name: its side, its word, its numbers, and what kind of node it says it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import attrs

from kinetoscope_spec.anatomy._words import AUXILIARY, ENDS, PREFIXES, TWIST, WORDS

__all__ = ["JointName", "read_name"]

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+")
_VERTEBRA = re.compile(r"^[lt]\d{1,2}$|^c7$")
_SIDES = {
    "left": "left", "l": "left", "lft": "left", "lf": "left", "左": "left",
    "right": "right", "r": "right", "rgt": "right", "rt": "right", "右": "right",
}  # fmt: skip
_GLUED = ("left", "right", "l", "r")


@attrs.frozen
class JointName:
    """What a joint's name says of its place in a body.

    Attributes:
        side: `left`, `right` or None.
        word: all words but side, prefix and numbers, joined, lower case.
        numbers: digits as they are written, in order.
        pieces: the words one by one.
        kind: `joint`, `twist`, `end`, or `auxiliary` for what stands beside the body.
    """

    side: str | None
    word: str
    numbers: tuple[str, ...]
    pieces: tuple[str, ...]
    kind: str

    @property
    def key(self) -> tuple[str, tuple[str, ...], str]:
        """What the two joints of a pair have in common."""
        return self.word, self.numbers, self.kind


@lru_cache(maxsize=8192)
def read_name(name: str) -> JointName:
    """Read a joint's name.

    `UpperLeg_L`, `l_upperLeg`, `mixamorig:LeftUpperLeg`, `Bip01 L UpperLeg`, `UpperLegL` and
    `lupperleg` are all of side `left` and word `upperleg`.
    """
    plain = unicodedata.normalize("NFKC", re.split(r"[:|/]", name)[-1])
    pieces = [piece for found in _PIECES.findall(plain) for piece in _japanese(found.lower())]
    if _VERTEBRA.match("".join(pieces)):
        return JointName(None, "spine", tuple(pieces[1:]), ("spine",), "joint")
    pieces = _without_prefix(pieces)
    side, rest = _side(pieces)
    words = tuple(piece for piece in rest if not piece.isdigit())
    numbers = tuple(str(int(piece)) if len(piece) < 4 else piece for piece in rest if piece.isdigit())
    return JointName(side, "".join(words), numbers, words, _kind(words))


def _japanese(piece: str) -> list[str]:
    """Split 左 and 右 from what they are written in front of."""
    return [piece[0], piece[1:]] if len(piece) > 1 and piece[0] in "左右" else [piece]


def _without_prefix(pieces: Sequence[str]) -> list[str]:
    """Drop what a tool puts before every name, with its number, as long as something is left."""
    left = list(pieces)
    while len(left) > 1 and left[0] in PREFIXES:
        after = 2 if left[0] in ("bip", "mixamorig", "character") and left[1].isdigit() else 1
        if after >= len(left):
            break
        left = left[after:]
    return left


def _side(pieces: Sequence[str]) -> tuple[str | None, list[str]]:
    """Find the piece that tells the side; a whole word goes before one that is glued to another."""
    for wanted in (("left", "right", "左", "右"), tuple(_SIDES)):
        for i, piece in enumerate(pieces):
            if piece in wanted and len(pieces) > 1:
                return _SIDES[piece], [*pieces[:i], *pieces[i + 1 :]]
    for i, piece in enumerate(pieces):
        for word in _GLUED:
            for bare in (piece.removeprefix(word), piece.removesuffix(word)):
                if bare != piece and (bare in WORDS or (len(word) > 1 and piece.startswith(word))):
                    return _SIDES[word], [*pieces[:i], bare, *pieces[i + 1 :]]
    return None, list(pieces)


def _kind(words: Sequence[str]) -> str:
    word = "".join(words)
    if any(piece in AUXILIARY for piece in words) or word.endswith("ik"):
        return "auxiliary"
    if any(piece in ENDS for piece in words):
        return "end"
    twisted = any(piece in TWIST for piece in words) or word.endswith(TWIST)
    return "twist" if twisted else "joint"

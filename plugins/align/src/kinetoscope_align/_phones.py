"""The sounds of speech: the 39 of CMU's dictionary and IPA, and how long each takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

import attrs

__all__ = ["ARPABET", "Phone", "arpabet", "pieces", "seconds_of"]


@attrs.frozen
class Phone:
    """A sound.

    Attributes:
        ipa: as cues name it.
        seconds: how long it is in itself (Allen, Hunnicutt and Klatt, From Text to Speech: the MITalk
            system, 1987, table 9.1, inherent durations).
    """

    ipa: str
    seconds: float


ARPABET: Final = {
    "AA": Phone("ɑ", 0.24), "AE": Phone("æ", 0.23), "AH": Phone("ʌ", 0.14), "AO": Phone("ɔ", 0.24),
    "AW": Phone("aʊ", 0.26), "AY": Phone("aɪ", 0.25), "B": Phone("b", 0.085), "CH": Phone("tʃ", 0.12),
    "D": Phone("d", 0.075), "DH": Phone("ð", 0.05), "EH": Phone("ɛ", 0.15), "ER": Phone("ɚ", 0.18),
    "EY": Phone("eɪ", 0.19), "F": Phone("f", 0.10), "G": Phone("ɡ", 0.08), "HH": Phone("h", 0.08),
    "IH": Phone("ɪ", 0.135), "IY": Phone("i", 0.155), "JH": Phone("dʒ", 0.11), "K": Phone("k", 0.08),
    "L": Phone("l", 0.08), "M": Phone("m", 0.07), "N": Phone("n", 0.06), "NG": Phone("ŋ", 0.095),
    "OW": Phone("oʊ", 0.22), "OY": Phone("ɔɪ", 0.28), "P": Phone("p", 0.09), "R": Phone("ɹ", 0.08),
    "S": Phone("s", 0.105), "SH": Phone("ʃ", 0.105), "T": Phone("t", 0.075), "TH": Phone("θ", 0.09),
    "UH": Phone("ʊ", 0.16), "UW": Phone("u", 0.21), "V": Phone("v", 0.06), "W": Phone("w", 0.08),
    "Y": Phone("j", 0.08), "Z": Phone("z", 0.075), "ZH": Phone("ʒ", 0.07),
}  # fmt: skip

_VOWEL_S: Final = 0.17
_CONSONANT_S: Final = 0.08

VOWELS: Final = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝᵻ")

_AFFRICATES: Final = ("tʃ", "dʒ", "ts", "dz", "tɕ", "dʑ", "tʂ", "dʐ", "pf")
_DIPHTHONGS: Final = ("aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "əʊ", "ɪə", "eə", "ʊə")

_NEAREST: Final = {
    "AA": "ɑɒaɶɐ", "AE": "æ", "AH": "ʌəɘɜɞɤ", "AO": "ɔ", "B": "bɓʙ", "CH": "ʨʧ", "D": "dɖɗ", "DH": "ð",
    "EH": "ɛœeø", "ER": "ɚɝ", "F": "fɸ", "G": "ɡgɠɢ", "HH": "hɦħʕxχɣʁ", "IH": "ɪʏɨᵻ", "IY": "iy",
    "JH": "ʤʥɟ", "K": "kqc", "L": "lɫɭʎɬɮʟ", "M": "mɱ", "N": "nɳɲ", "NG": "ŋɴ", "OW": "oɵ", "P": "p",
    "R": "ɹrɾɻʀɽ", "S": "s", "SH": "ʃʂɕç", "T": "tʈ", "TH": "θ", "UH": "ʊ", "UW": "uʉɯ", "V": "vβʋ",
    "W": "wʍɥ", "Y": "jʝ", "Z": "z", "ZH": "ʒʐʑ",
}  # fmt: skip
"""Sounds of all languages, each by the English one that is nearest to it in place and manner."""

_TO_ARPABET: Final = {sound: name for name, sounds in _NEAREST.items() for sound in sounds} | {
    "tʃ": "CH", "dʒ": "JH", "tɕ": "CH", "dʑ": "JH", "tʂ": "CH", "dʐ": "JH", "aɪ": "AY", "aʊ": "AW",
    "eɪ": "EY", "oʊ": "OW", "ɔɪ": "OY", "əʊ": "OW",
}  # fmt: skip


def pieces(ipa: str) -> Iterator[str]:
    """Split IPA into sounds, without stress, length, tones, ties and accents."""
    letters = [
        c
        for c in unicodedata.normalize("NFD", ipa)
        if unicodedata.category(c)[0] == "L" and unicodedata.category(c) != "Lm"
    ]
    place = 0
    while place < len(letters):
        pair = "".join(letters[place : place + 2])
        taken = pair if pair in _AFFRICATES or pair in _DIPHTHONGS else letters[place]
        yield taken
        place += len(taken)


def arpabet(ipa: str) -> list[str]:
    """Return the names of the English sounds that are nearest to those of `ipa`; unknown ones are left out."""
    found: list[str] = []
    for piece in pieces(ipa):
        parts = (piece,) if piece in _TO_ARPABET else tuple(piece)
        found += [_TO_ARPABET[part] for part in parts if part in _TO_ARPABET]
    return found


_SECONDS: Final = {phone.ipa: phone.seconds for phone in ARPABET.values()}


def seconds_of(ipa: str) -> float:
    """Return how long a sound takes."""
    if ipa in _SECONDS:
        return _SECONDS[ipa]
    return sum(_VOWEL_S if piece[0] in VOWELS else _CONSONANT_S for piece in pieces(ipa)) or _CONSONANT_S

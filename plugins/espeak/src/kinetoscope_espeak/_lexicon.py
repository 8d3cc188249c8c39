"""IPA as the mnemonics that eSpeak NG reads, for whichever language is spoken.

The library reads no IPA, but its events tell the IPA of what it says. So the mnemonics are tried out once
for each language, and what comes back is the dictionary; a language keeps only the sounds it has, others
are taken from the nearest it does have.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from kinetoscope_espeak._library import loaded

__all__ = ["mnemonics"]

_VOWELS: Final = (
    "@ a A a: A: aI aU eI oU @U OI e E e: E: i I i: o O o: O: u U u: y y: Y Y: W W: V 3 3: @L a# & 0 i@ e@ U@"
    ' u" i" I# E# a~ A~ E~ O~ o~ e~ W~'
)
_CONSONANTS: Final = (
    "p b t d k g q ? f v T D s z S Z S; Z; x Q C h H j w B ts dz tS dZ tS; dZ; * r R r- l L l^"
    " m n N n^ t# J c X P M"
)
"""Mnemonics as the library's phoneme tables name them (docs/phonemes.md of eSpeak NG)."""

_OPEN: Final = frozenset(_VOWELS.split())
_MNEMONICS: Final = (*_VOWELS.split(), *_CONSONANTS.split())
_PAIRS: Final = frozenset(held[:2] for held in _MNEMONICS if len(held) > 1)

_NEAREST: Final[Mapping[str, str]] = {
    "ɑ": "aæɐ", "æ": "aɛ", "ɐ": "aə", "ʌ": "aəɐ", "ɒ": "ɔoɑ", "ɔ": "o", "o": "ɔ", "ɛ": "e", "e": "ɛ", "ə": "ɐeɛa",
    "ɜ": "əeɛ", "ɚ": "ɜə", "ɪ": "iᵻ", "i": "ɪ", "ᵻ": "ɪi", "ɨ": "ɪi", "ʊ": "uɯ", "u": "ʊɯ", "y": "ʏiu", "ʏ": "yi",
    "ø": "œeo", "œ": "øɛ", "ɯ": "uʊ", "ʉ": "uʊ", "θ": "ts", "ð": "dz", "ŋ": "n", "ʃ": "sɕ", "ʒ": "zʃ", "ç": "xʃ",
    "x": "χhk", "χ": "xh", "ɣ": "ɡx", "ʁ": "rɾɹ", "r": "ɾɹʁ", "ɹ": "rɾ", "ɾ": "rɹd", "ʀ": "ʁr", "ɫ": "l", "ʎ": "lj",
    "ɲ": "nj", "β": "bv", "ɸ": "f", "v": "wbʋ", "ʋ": "vw", "w": "uv", "ɡ": "k", "g": "ɡk", "ɕ": "ʃs", "ʑ": "ʒz",
    "z": "s", "ʔ": "", "h": "xɦ", "ɦ": "h", "q": "k", "c": "k", "ɟ": "ɡ", "ɥ": "j", "j": "i", "ʈ": "t", "ɖ": "d",
    "p": "b", "b": "p", "t": "d", "d": "t", "k": "ɡ", "f": "v", "s": "z", "l": "r", "m": "n", "n": "m", "a": "ɐäɑ",
}  # fmt: skip
"""What stands in for a sound that a language lacks, nearest first."""

_MARKS: Final = {"ˈ": "'", "'": "'", "ˌ": ","}


def mnemonics(ipa: str, voice: str) -> str:
    """Return IPA in the library's mnemonics for its voice `voice`; what nothing is near to is left out."""
    sounds = _sounds(voice)
    text = unicodedata.normalize("NFC", ipa)
    longest = max(map(len, sounds), default=1)
    parts: list[str] = []
    place = 0
    while place < len(text):
        taken = next(
            (text[place : place + n] for n in range(longest, 0, -1) if text[place : place + n] in sounds), ""
        )
        if taken:
            parts.append(sounds[taken])
        elif text[place] in _MARKS:
            parts.append(_MARKS[text[place]])
        elif (near := _near(text[place], sounds)) is not None:
            parts.append(sounds[near])
        place += max(len(taken), 1)
    return _joined(parts)


def _near(sound: str, sounds: Mapping[str, str]) -> str | None:
    """Return the nearest sound that the language has, by steps from one to the next."""
    seen, edge = {sound}, sound
    while edge:
        step = "".join(dict.fromkeys("".join(_NEAREST.get(one, "") for one in edge)))
        edge = "".join(one for one in step if one not in seen)
        for one in edge:
            for written in (one, one + "ː"):
                if written in sounds:
                    return written
        seen |= set(edge)
    return None


def _joined(parts: list[str]) -> str:
    """Put mnemonics side by side; `|` keeps two from being read as one."""
    text = ""
    for part in parts:
        text += f"|{part}" if text and any((text[-1] + part).startswith(held) for held in _PAIRS) else part
    return text


@lru_cache(maxsize=32)
def _sounds(voice: str) -> Mapping[str, str]:
    """Return the mnemonics of the language of a voice by their IPA."""
    found: dict[str, str] = {}
    with loaded() as library:
        # Short ones first: of a long one that a language lacks, only the beginning is heard.
        for mnemonic in sorted(_MNEMONICS, key=len):
            # A consonant alone may be devoiced as at the end of a word: it is heard before a vowel.
            text = f"[[{mnemonic}]]" if mnemonic in _OPEN else f"[[{mnemonic}@]]"
            spoken = library.speak(f"<speak>{text} </speak>", voice, phonemes=True)
            heard = [
                event.ipa.lstrip("ˈˌ") for event in spoken.events if event.ipa and event.kind == "phoneme"
            ]
            if len(heard) == (1 if mnemonic in _OPEN else 2) and not heard[0].startswith("("):
                found.setdefault(heard[0], mnemonic)
    return found

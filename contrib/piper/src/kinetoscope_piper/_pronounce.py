"""How English words are said: misaki's dictionaries (Apache-2.0), and rules for what they lack."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from kinetoscope_piper._network import folder_of, symbols

__all__ = ["pronounced"]

_SYMBOLS: Final = {"A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ", "ʤ": "dʒ", "ʧ": "tʃ", "ᵊ": "ə"}
"""misaki's letters for two sounds, as eSpeak NG, by whose phonemes the network was trained, writes them."""

_WEAK: Final = {"the": "ðə", "a": "ɐ", "to": "tə", "and": "ænd", "of": "əv", "i": "aɪ"}
_ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_LETTER_NAMES: Final = (
    "ˈeɪ bˈiː sˈiː dˈiː ˈiː ˈɛf dʒˈiː ˈeɪtʃ ˈaɪ dʒˈeɪ kˈeɪ ˈɛl ˈɛm ˈɛn ˈoʊ pˈiː kjˈuː ˈɑːɹ ˈɛs tˈiː jˈuː vˈiː "
    "dˈʌbəljˌuː ˈɛks wˈaɪ zˈiː"
)
_NAMES: Final = dict(zip("abcdefghijklmnopqrstuvwxyz", _LETTER_NAMES.split(), strict=True))
_LETTERS: Final = {
    "tch": "tʃ", "sch": "ʃ", "ch": "tʃ", "sh": "ʃ", "th": "θ", "ph": "f", "ck": "k", "qu": "kw", "ng": "ŋ",
    "ee": "iː", "ea": "iː", "oo": "uː", "ou": "aʊ", "ai": "eɪ", "ay": "eɪ", "oa": "oʊ", "oi": "ɔɪ", "au": "ɔː",
    "ie": "iː", "ei": "aɪ", "a": "æ", "b": "b", "c": "k", "d": "d", "e": "ɛ", "f": "f", "g": "ɡ", "h": "h",
    "i": "ɪ", "j": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "o": "ɑː", "p": "p", "q": "k", "r": "ɹ", "s": "s",
    "t": "t", "u": "ʌ", "v": "v", "w": "w", "x": "ks", "y": "i", "z": "z",
}  # fmt: skip
_GRAPHEME: Final = re.compile("|".join(_LETTERS))
_PIECE: Final = re.compile(r"\d+|[a-z]+(?:'[a-z]+)*|[^\s\w]|\w", re.IGNORECASE)
_SIGNS: Final = {
    "&": "and",
    "%": "percent",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "$": "dollars",
    "€": "euros",
}
_LONGEST_NUMBER: Final = 6
_UNKNOWN: Final = "lˈɛɾɚ"
"""What is said of a letter that has no name here: letter."""


@lru_cache(maxsize=1)
def _dictionary() -> Mapping[str, str]:
    folder = folder_of("misaki")
    held: dict[str, Any] = {}
    for name in ("us_silver.json", "us_gold.json"):
        held |= json.loads((folder / name).read_text(encoding="utf-8"))
    said = ((word, v if isinstance(v, str) else v.get("DEFAULT")) for word, v in held.items())
    return {word: sounds for word, sounds in said if sounds}


def pronounced(word: str, lexicon: Mapping[str, str]) -> str:
    """Return the phonemes of a word, IPA as eSpeak NG writes it; never empty."""
    told = lexicon.get(word, lexicon.get(word.lower(), word))
    if len(told) > 2 and told[0] == told[-1] == "/":
        known = symbols()
        return "".join(c for c in told[1:-1] if (c in known and c.isalpha()) or c in "ˈˌː") or _UNKNOWN
    return " ".join(sounds for piece in _pieces(told) for sounds in _said(piece)) or _UNKNOWN


def _pieces(text: str) -> list[str]:
    plain = unicodedata.normalize("NFD", text.replace("’", "'").replace("ß", "ss"))
    return _PIECE.findall("".join(c for c in plain if unicodedata.category(c)[0] != "M"))


def _said(piece: str) -> Iterator[str]:
    if piece.isdigit():
        digits = "".join(str(unicodedata.digit(c, 0)) for c in piece)
        yield from (_word(part) for part in _number(digits))
    elif piece in _SIGNS:
        yield _word(_SIGNS[piece])
    elif piece == ".":
        yield _word("point")
    elif piece.isascii() and piece[0].isalpha():
        yield _word(piece)
    elif piece.isalnum():
        yield _UNKNOWN


def _number(digits: str) -> list[str]:
    """Return a number in words; long ones digit by digit."""
    ones, tens = _ONES.split(), _TENS.split()
    if len(digits) > _LONGEST_NUMBER or (len(digits) > 1 and digits[0] == "0"):
        return [ones[int(digit)] for digit in digits]
    number = int(digits)
    if number >= 1000:
        rest = number % 1000
        return [*_number(str(number // 1000)), "thousand", *(_number(str(rest)) if rest else [])]
    if number >= 100:
        rest = number % 100
        return [ones[number // 100], "hundred", *(_number(str(rest)) if rest else [])]
    if number < 20:
        return [ones[number]]
    return [tens[number // 10 - 2], *([ones[number % 10]] if number % 10 else [])]


@lru_cache(maxsize=4096)
def _word(word: str) -> str:
    lower = word.lower()
    if lower in _WEAK and word != "A":
        return _WEAK[lower]
    found = _looked_up(word) or _inflected(lower) or _compound(lower)
    if found:
        return found
    if not re.search("[aeiouy]", lower) or (word.isupper() and len(word) < 5):
        return " ".join(_NAMES[c] for c in lower if c in _NAMES)
    return "".join(_LETTERS[match] for match in _GRAPHEME.findall(lower))


def _looked_up(word: str) -> str | None:
    held = _dictionary()
    found = held.get(word) or held.get(word.lower()) or held.get(word.capitalize())
    return _espeak(found) if found else None


def _inflected(word: str) -> str | None:
    """Return an inflected form of a word that is known."""
    for ending, least, sounds in (
        ("'s", 1, "z"),
        ("s", 3, "z"),
        ("ing", 3, "ɪŋ"),
        ("ed", 3, "d"),
        ("ly", 3, "li"),
    ):
        base = word.removesuffix(ending)
        if base != word and len(base) >= least and (found := _looked_up(base) or _looked_up(base + "e")):
            voiceless = sounds == "z" and found[-1] in "ptkfθ"
            return found + ("s" if voiceless else sounds)
    return None


def _compound(word: str) -> str | None:
    for cut in range(len(word) - 3, 2, -1):
        first, second = _looked_up(word[:cut]), _looked_up(word[cut:])
        if first and second:
            return first + second.replace("ˈ", "ˌ")
    return None


def _espeak(sounds: str) -> str:
    made = "".join(_SYMBOLS.get(c, c) for c in sounds).replace("ɜɹ", "ɜː").replace("əɹ", "ɚ")
    return re.sub("(?<=[ˈˌ])([iuɑɔ])(?!ɪ)", r"\1ː", made)

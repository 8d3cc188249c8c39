"""How letters sound: rules for English words that no dictionary has, and rough ones for all scripts."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["english_sounds", "rough_sounds", "spelt"]

_RULES: Final = [
    (re.compile(pattern), sounds.split())
    for pattern, sounds in (
        ("^kn|^gn|^pn", "N"), ("^wr", "R"), ("^ps", "S"), ("^wh(?=o)", "HH"), ("^x", "Z"),
        ("tch|ch", "CH"), ("sch(?=[aeiou])", "S K"), ("sh|(?<=.)ti(?=on|al|ous)|ssi(?=on)|ci(?=al|ous|an)", "SH"),
        ("(?<=[aeiou])si(?=on)", "ZH"), ("th", "TH"), ("ph|gh(?=$|t$)(?<=[ou]gh)", "F"), ("gh(?=t)|(?<=[aeiou])gh", ""),
        ("^gh", "G"), ("ng(?=$|[sd]$|ing)", "NG"), ("n(?=[kgqx])", "NG"), ("ck|cc(?![ei])|kk", "K"), ("qu", "K W"),
        ("dg(?=[eiy])", "JH"), ("g(?=[eiy])", "JH"), ("gu(?=[ei])|gg", "G"), ("sc(?=[eiy])", "S"), ("c(?=[eiy])", "S"),
        ("wh", "W"), ("mb$", "M"), ("mn$", "M"), ("ss|ce$", "S"), ("(?<=[aeioulmnrbdgv])s$", "Z"),
        ("es$(?<=[sxz]es)", "IH Z"),
        ("(?<=[aeiou])s(?=[aeiou])", "Z"), ("(?<=[td])ed$", "IH D"), ("(?<=[pkfscxh])ed$", "T"), ("(?<=[^aeiou])ed$", "D"),
        ("tion", "SH AH N"), ("ture", "CH ER"), ("ough", "AO"), ("augh|aught", "AO"), ("eigh", "EY"), ("igh", "AY"),
        ("air|are$|ear(?=$)", "EH R"), ("eer|ier$", "IH R"), ("oor|ore|our|oar|or", "AO R"), ("ar", "AA R"),
        ("er|ir|ur|ear", "ER"), ("a(?=[^aeiouwy]e$|[^aeiouwy]es$|[^aeiouwy]ing$)", "EY"),
        ("i(?=[^aeiouwyr]e$|[^aeiouwy]es$|[^aeiouwy]ing$)", "AY"), ("o(?=[^aeiouwy]e$|[^aeiouwy]es$|[^aeiouwy]ing$)", "OW"),
        ("u(?=[^aeiouwy]e$|[^aeiouwy]es$|[^aeiouwy]ing$)", "UW"), ("e(?=[^aeiouwy]e$)", "IY"),
        ("ai|ay|ei|ey(?=.)", "EY"), ("ee|ea|ie(?=.)|ey$", "IY"), ("ie$", "IY"), ("oa|oe$|ow$", "OW"), ("oo", "UW"),
        ("ou|ow", "AW"), ("oi|oy", "OY"), ("au|aw", "AO"), ("ew|ue|eu|ui", "UW"), ("^y(?=[aeiou])", "Y"),
        ("(?<=[^aeiou])y$(?<=^..)", "AY"), ("y$", "IY"), ("y", "IH"), ("le$(?<=[^aeiou]le)", "AH L"),
        ("(?<=[aeiouy].)e$|(?<=..)e$", ""),
        ("i$", "IY"), ("o$", "OW"), ("a$", "AH"), ("u$", "UW"), ("^e$|^.e$", "IY"),
        ("a", "AE"), ("e", "EH"), ("i", "IH"), ("o", "AA"), ("u", "AH"), ("x", "K S"), ("j", "JH"), ("q|c", "K"),
        ("bb?", "B"), ("dd?", "D"), ("ff?", "F"), ("g", "G"), ("h", "HH"), ("k", "K"), ("ll?", "L"), ("mm?", "M"),
        ("nn?", "N"), ("pp?", "P"), ("rr?", "R"), ("s", "S"), ("tt?", "T"), ("vv?", "V"), ("w", "W"), ("zz?", "Z"),
    )
]  # fmt: skip
"""Tried in order at each place; the first that fits is taken."""

_NAMES: Final = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH",
    "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY",
    "q": "K Y UW", "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY",
    "w": "D AH B AH L Y UW", "x": "EH K S", "y": "W AY", "z": "Z IY",
}  # fmt: skip


def spelt(letters: str) -> list[str]:
    """Return the sounds of the names of ASCII letters."""
    return [sound for letter in letters.lower() for sound in _NAMES.get(letter, "").split()]


def english_sounds(word: str) -> list[str]:
    """Return the sounds (of CMU's dictionary) of an English word of ASCII letters, by rule."""
    lower = word.lower()
    if not re.search("[aeiouy]", lower):
        return spelt(lower)
    found: list[str] = []
    place = 0
    while place < len(lower):
        for pattern, sounds in _RULES:
            match = pattern.match(lower, place)
            if match and match.end() > place:
                found += sounds
                place = match.end()
                break
        else:
            place += 1
    return found or spelt(lower)


_LATIN: Final = {
    "c": "k", "g": "ɡ", "q": "k", "r": "ɹ", "x": "ks", "y": "j", "ß": "s", "æ": "æ", "ø": "ø", "œ": "œ",
    "ð": "ð", "þ": "θ", "ı": "ɨ", "ł": "w", "đ": "d", "ŋ": "ŋ",
}  # fmt: skip
_PAIRS: Final = {"ch": "tʃ", "sh": "ʃ", "th": "θ", "ph": "f", "zh": "ʒ", "kh": "x", "ts": "ts", "ng": "ŋ"}
_SYLLABIC: Final = ("SYLLABLE", "HIRAGANA", "KATAKANA", "DEVANAGARI", "BENGALI", "TAMIL", "TELUGU", "THAI")
_IDEOGRAPH: Final = ["t", "a", "n"]
"""A syllable of the commonest shape: what an ideograph sounds like is not to be seen in it."""


def rough_sounds(word: str) -> list[str]:
    """Return sounds (IPA) of a word of any script, roughly: by Latin values, or by the letters' names."""
    spelling = "".join(_latin(letter) for letter in unicodedata.normalize("NFC", word.lower()))
    found: list[str] = []
    place = 0
    while place < len(spelling):
        pair = spelling[place : place + 2]
        if pair in _PAIRS:
            found.append(_PAIRS[pair])
        elif spelling[place] == "*":
            found += _IDEOGRAPH
        elif spelling[place] != spelling[place - 1 : place]:  # double letters are one sound
            found += _LATIN.get(spelling[place], spelling[place])
        place += len(pair) if pair in _PAIRS else 1
    return found or list(_IDEOGRAPH)


def _latin(letter: str) -> str:
    """Return a letter in Latin ones, `*` for an ideograph, nothing for a mark."""
    base = unicodedata.normalize("NFD", letter)[0]
    if base.isascii() and base.isalpha():
        return base
    if letter in _LATIN:
        return letter
    name = unicodedata.name(letter, "")
    category = unicodedata.category(letter)
    if category == "Nd":
        return {"0": "nul", "1": "on", "2": "to", "3": "tri", "4": "for"}.get(
            str(unicodedata.digit(letter)), "siks"
        )
    if category[0] != "L" or not name:
        return ""
    if "IDEOGRAPH" in name:
        return "*"
    last = "".join(c for c in name.split()[-1].lower() if c.isascii() and c.isalpha())
    if any(kind in name for kind in _SYLLABIC):
        return last
    if len(last) == 2 and last[0] == "e":  # em, en, es: letters named as ours are
        return last[1]
    return last[: 2 if last[:2] in _PAIRS else 1]

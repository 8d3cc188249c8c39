"""The words of a script, each with its sounds, and with the silence that may follow it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from kinetoscope_align._dictionary import dictionary
from kinetoscope_align._letters import english_sounds, rough_sounds, spelt
from kinetoscope_align._numbers import number_words
from kinetoscope_align._phones import ARPABET, arpabet, pieces, seconds_of
from kinetoscope_spec import Line, Script
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.script import Sounded, plain_text, steps, words

__all__ = ["Part", "Spoken", "spoken_words"]

_BREAKS: Final = {",": 1, ";": 1, ":": 1, "–": 1, "—": 1, "、": 1, ".": 2, "!": 2, "?": 2, "…": 2, "。": 2}
_SYMBOLS: Final = {
    "&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "$": "dollars", "€": "euros",
    "£": "pounds", "#": "number", "°": "degrees",
}  # fmt: skip
_TOKEN: Final = re.compile(
    r"\d[\d,.]*\d(?:st|nd|rd|th)?|\d(?:st|nd|rd|th)?|[a-z]+(?:'[a-z]+)*'?|\S", re.IGNORECASE
)
_ACRONYM: Final = re.compile(r"[A-Z]{2,5}s?")


@attrs.frozen
class Part:
    """What an acoustic model takes for a word.

    Attributes:
        name: the dictionary's entry, or None where it has none.
        sounds: names of CMU's dictionary.
    """

    name: str | None
    sounds: tuple[str, ...]


@attrs.frozen
class Spoken:
    """A word of a script.

    Attributes:
        text: as its cue names it.
        line: number of its line.
        english: whether it is taken for English.
        parts: what it is read as in English ("42": forty, two); of another language, empty.
        sounds: IPA.
        pause: of what follows: 0 for no silence, 1 for a short one, 2 for a long one.
    """

    text: str
    line: int
    english: bool
    parts: tuple[Part, ...]
    sounds: tuple[str, ...]
    pause: int = 0

    @property
    def seconds(self) -> float:
        """How long it takes to say, at the pace of `_phones`."""
        return sum(map(seconds_of, self.sounds))


def spoken_words(script: Script) -> list[Spoken]:
    """Return the words of a script.

    Raises:
        ValidationError: there is none.
    """
    found: list[Spoken] = []
    for number, line in enumerate(script.lines):
        text = plain_text(line.text)
        held = words(text)
        stops = _after(text, [(word.start, word.end) for word in held])
        tagged = _tagged_pauses(line, len(held))
        language = line.language or script.language
        english = language.lower().replace("_", "-").split("-")[0] == "en"
        for i, word in enumerate(held):
            pause = 2 if i in tagged or i + 1 == len(held) else stops[i]
            found.append(_spoken(word.text, number, english, script.lexicon, pause))
    if not found:
        raise ValidationError(f"{script.text[:60]!r} holds no word, expected at least one")
    return found


def _after(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return how long a silence the punctuation after each word asks for."""
    following = [*[start for start, _ in spans], len(text)][1:]
    between = [text[end:start] for (_, end), start in zip(spans, following, strict=True)]
    return [max((_BREAKS.get(c, 0) for c in piece), default=0) for piece in between]


def _tagged_pauses(line: Line, count: int) -> frozenset[int]:
    """Return the numbers of the words after which a tag stands that takes time by itself."""
    try:
        asked = steps(line.text)
    except ValidationError:  # an unknown tag is the voice's to refuse; here it is none
        return frozenset()
    found: set[int] = set()
    seen = 0
    for step in asked:
        if isinstance(step, Sounded):
            found.add(seen - 1)
        else:
            seen += len(words(step.text))
    return frozenset(found) if seen == count else frozenset()


def _spoken(text: str, line: int, english: bool, lexicon: Mapping[str, str], pause: int) -> Spoken:
    told = lexicon.get(text, lexicon.get(text.lower(), text))
    if len(told) > 2 and told[0] == told[-1] == "/":
        given = tuple(arpabet(told)) if english else ()
        spelling = tuple(pieces(told[1:-1])) or ("ə",)
        return Spoken(text, line, bool(given), (Part(None, given),) if given else (), spelling, pause)
    if not english:
        sounds = tuple(sound for word in told.split() for sound in rough_sounds(word))
        return Spoken(text, line, False, (), sounds or ("ə",), pause)
    parts = tuple(part for token in _tokens(told) for part in _parts(token))
    ipa = tuple(ARPABET[sound].ipa for part in parts for sound in part.sounds)
    if not ipa:
        return Spoken(text, line, False, (), tuple(rough_sounds(told)), pause)
    return Spoken(text, line, True, parts, ipa, pause)


def _tokens(text: str) -> list[str]:
    plain = "".join(_ascii(letter) for letter in text.replace("’", "'"))
    return _TOKEN.findall(plain)


def _ascii(letter: str) -> str:
    return letter if letter in _SYMBOLS else unicodedata.normalize("NFD", letter)[0]


def _parts(token: str) -> list[Part]:
    number = number_words(token)
    if number is not None:
        return [_part(word) for word in number]
    if token in _SYMBOLS:
        return [_part(_SYMBOLS[token])]
    if token[0].isdigit() and len(token) > 1:  # 3.4.5, 1,2: read piece by piece
        return [part for piece in re.findall(r"\d+|[a-z]+", token, re.IGNORECASE) for part in _parts(piece)]
    if not (token.isascii() and any(map(str.isalpha, token))):
        sounds = tuple(arpabet("".join(rough_sounds(token)))) if token.isalpha() else ()
        return [Part(None, sounds)] if sounds else []
    return [_part(token)]


def _part(word: str) -> Part:
    lower = word.lower()
    held = dictionary()
    if lower in held:
        return Part(lower, tuple(held[lower].split()))
    if _ACRONYM.fullmatch(word):
        return Part(None, tuple(spelt(word)))
    base, mark, ending = lower.partition("'")
    if mark and base in held:
        return Part(None, (*held[base].split(), *_ENDINGS.get(ending, ("Z",) if ending else ())))
    return Part(None, tuple(english_sounds("".join(filter(str.isalpha, lower)))))


_ENDINGS: Final = {
    "s": ("Z",), "ll": ("AH", "L"), "re": ("ER",), "ve": ("V",), "d": ("D",), "m": ("M",), "t": ("T",),
    "n": ("N",),
}  # fmt: skip

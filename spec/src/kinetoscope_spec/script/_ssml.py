"""Scripts from a subset of SSML 1.1 (W3C, 2010)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.parsers import expat

import attrs

from kinetoscope_spec.errors import FormatError, ValidationError, nearest
from kinetoscope_spec.script._prosody import EXPECTED, break_seconds, prosody_value, seconds, within
from kinetoscope_spec.script.steps import words
from kinetoscope_spec.script.tags import LONGEST_PAUSE_S, find_tag
from kinetoscope_spec.voice import Line, Script

__all__ = ["parse_ssml"]

_DEEPEST = 200
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_EMPHASIS = {
    "strong": "[strong emphasis]",
    "moderate": "[emphasis]",
    "reduced": "[reduced emphasis]",
    "none": "",
}
_SKIPPED = ("desc", "lexicon", "lookup", "meta", "metadata", "title")
_PLAIN = ("audio", "p", "s", "token", "w")
_NEUTRAL: Mapping[str, Any] = {"rate": 1.0, "pitch": 1.0, "range": 1.0, "volume": 0.0, "style": ""}


@attrs.frozen
class _Context:
    """What holds inside an element."""

    name: str
    language: str | None = None
    speaker: str = "narrator"
    prosody: Mapping[str, Any] = attrs.field(factory=lambda: dict(_NEUTRAL))
    emphasis: str = ""
    spelt: bool = False
    silent: bool = False
    instead: str | None = None
    pronounced: str | None = None


def parse_ssml(text: str | bytes, *, path: object = None) -> Script:
    """Read a script from SSML: a line wherever the paragraph, the language or the voice changes.

    Known are `speak`, `p`, `s`, `break`, `prosody` (rate, pitch, range, volume), `emphasis`, `voice`
    (name), `lang`, `sub`, `phoneme` (IPA, of one word), `say-as` (characters), `mark`, `audio` (its
    text is read), and Microsoft's `express-as` with a style of the catalogue.

    Raises:
        FormatError: no XML, a document type (entities could grow without bound), an unknown element
            or value, or no words; names the line.
    """
    reader = _Reader(path)
    parser = expat.ParserCreate(namespace_separator=" ")
    reader.place = lambda: parser.CurrentLineNumber
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.read
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.buffer_text = True
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise FormatError(f"no XML: {expat.ErrorString(error.code)}", path=path, line=error.lineno) from None
    except (ValueError, UnicodeError) as error:
        raise FormatError(f"no XML: {error}", path=path) from None
    reader.flush()
    try:
        return Script(reader.lines, reader.voices, reader.language, reader.lexicon)
    except ValidationError as error:
        raise FormatError(str(error), path=path) from None


class _Reader:
    """Takes the events of an XML parser; holds the script so far."""

    def __init__(self, path: object) -> None:
        self.path = path
        self.place: Callable[[], int] = lambda: 0
        self.language = "en"
        self.voices: dict[str, str] = {}
        self.lexicon: dict[str, str] = {}
        self.lines: list[Line] = []
        self._stack: list[_Context] = []
        self._said: list[str] = []
        self._written: dict[str, Any] = dict(_NEUTRAL)

    def refuse(self, *_parts: object) -> None:
        raise self._wrong("a document type", "none: SSML is read without")

    def begin(self, tag: str, given: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self._stack:
            if name != "speak":
                raise self._wrong(f"the root <{name}>", "<speak>")
            self.language = given.get(_LANGUAGE, "en")
            self._stack.append(_Context("speak"))
            return
        if len(self._stack) >= _DEEPEST:
            raise self._wrong(f"elements nested {_DEEPEST} deep", "fewer")
        outer = attrs.evolve(self._stack[-1], name=name, instead=None, pronounced=None)
        begin = getattr(self, f"_{name.replace('-', '_')}", None)
        if name in _SKIPPED:
            inner = attrs.evolve(outer, silent=True)
        elif name in _PLAIN:
            inner = outer
        elif name in _KNOWN and begin is not None:
            inner = begin(outer, given)
        else:
            raise self._wrong(f"the element <{name}>{nearest(name, [*_KNOWN, *_PLAIN])}", "one of the subset")
        inner = attrs.evolve(inner, language=given.get(_LANGUAGE, inner.language))
        if name == "p" or (inner.language, inner.speaker) != (outer.language, outer.speaker):
            self.flush()
        self._stack.append(inner)
        if inner.instead is not None and not inner.silent:
            self._say(inner.instead, inner)
            self._stack[-1] = attrs.evolve(inner, silent=True)

    def end(self, _tag: str) -> None:
        inner = self._stack.pop()
        outer = self._stack[-1] if self._stack else inner
        if inner.name == "p" or (inner.language, inner.speaker) != (outer.language, outer.speaker):
            self.flush(inner)
        elif inner.name == "s":
            self._said.append(" ")

    def read(self, text: str) -> None:
        inner = self._stack[-1]
        if inner.silent:
            return
        if inner.pronounced is not None and (word := text.strip()):
            if len(words(word)) != 1:
                raise self._wrong(f"the phonemes of {word!r}", "those of one word")
            ipa = f"/{inner.pronounced.strip('/')}/"
            if self.lexicon.setdefault(words(word)[0].text, ipa) != ipa:
                raise self._wrong(f"a second pronunciation of {word!r}", "one a word and script")
        self._say(" ".join(c for c in text if not c.isspace()) if inner.spelt else text, inner)

    def flush(self, inner: _Context | None = None) -> None:
        text = " ".join("".join(self._said).split())
        context = inner or (self._stack[-1] if self._stack else _Context("speak"))
        if words(re.sub(r"\[[^\]]*\]", " ", text)) or "[" in text:
            self.lines.append(Line(text, context.speaker, context.language))
        self._said, self._written = [], dict(_NEUTRAL)

    # -- elements

    def _speak(self, outer: _Context, _given: Mapping[str, str]) -> _Context:
        return outer

    _lang = _speak

    def _voice(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        name = given.get("name", "").split(",")[0].strip()
        if name:
            self.voices[name] = name
        language = given.get("languages", "").split()
        spoken = language[0].partition(":")[0] if language else outer.language
        return attrs.evolve(outer, speaker=name or outer.speaker, language=spoken)

    def _break(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        time, strength = given.get("time"), given.get("strength", "medium")
        lasts = seconds(time) if time is not None else break_seconds(strength)
        if lasts is None:
            raise self._wrong(f"a break of {time or strength!r}", "time such as 500ms, or a strength")
        if lasts and not outer.silent:
            self._said.append(f" [pause {min(lasts, LONGEST_PAUSE_S):.6g}s] ")
        return outer

    def _prosody(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        held = dict(outer.prosody)
        for key, text in given.items():
            if key == _LANGUAGE:
                continue
            value = prosody_value(key, text) if key in EXPECTED else None
            if value is None:
                raise self._wrong(f"prosody with {key}={text!r}", EXPECTED.get(key, ", ".join(EXPECTED)))
            held[key] = within(key, held[key] + value if key == "volume" else held[key] * value)
        return attrs.evolve(outer, prosody=held)

    def _express_as(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        style = given.get("style", "")
        try:
            find_tag(style)
        except ValidationError as error:
            raise self._wrong(f"the style {style!r}: {error}", "one of the catalogue") from None
        return attrs.evolve(outer, prosody={**outer.prosody, "style": style})

    def _emphasis(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        level = given.get("level", "moderate")
        if level not in _EMPHASIS:
            raise self._wrong(f"emphasis {level!r}", ", ".join(_EMPHASIS))
        return attrs.evolve(outer, emphasis=_EMPHASIS[level])

    def _sub(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        return attrs.evolve(outer, instead=given.get("alias", ""))

    def _phoneme(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        if given.get("alphabet", "ipa").lower() != "ipa" or not given.get("ph", "").strip():
            raise self._wrong(f"phonemes {given.get('ph', '')!r}", "ph in the alphabet ipa")
        return attrs.evolve(outer, pronounced=given["ph"].strip())

    def _say_as(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        return attrs.evolve(outer, spelt=given.get("interpret-as") in ("characters", "spell-out", "verbatim"))

    def _mark(self, outer: _Context, given: Mapping[str, str]) -> _Context:
        name = " ".join(re.sub(r"[\[\]]", " ", given.get("name", "")).split())
        if name and not outer.silent:
            self._said.append(f" [mark {name}] ")
        return outer

    # -- words

    def _say(self, text: str, inner: _Context) -> None:
        """Add words, and before them the tags by which what holds now differs from what held before."""
        # Brackets and stars mean something in a line's text; as words of SSML they do not.
        text = text.replace("[", "(").replace("]", ")").replace("*", "\u2217")
        if text.strip():
            self._said += self._changes(inner.prosody)
            if inner.emphasis:
                text = re.sub(r"(?<!\S)(?=\S)", f"{inner.emphasis} ", text)
        self._said.append(text)

    def _changes(self, wanted: Mapping[str, Any]) -> list[str]:
        found = []
        if self._written["style"] and not wanted["style"]:
            found.append(" [neutral] ")
            self._written = dict(_NEUTRAL)
        for key, value in wanted.items():
            if value != self._written[key]:
                shown = {"style": value, "volume": f"volume {value:g}dB" if key == "volume" else ""}
                found.append(f" [{shown.get(key) or f'{key} {100 * value:.6g}%'}] ")
        self._written = dict(wanted)
        return found

    def _wrong(self, what: str, expected: str) -> FormatError:
        return FormatError(what, path=self.path, line=self.place(), expected=expected)


_KNOWN = (
    "speak",
    "lang",
    "voice",
    "break",
    "prosody",
    "express-as",
    "emphasis",
    "sub",
    "phoneme",
    "say-as",
    "mark",
)

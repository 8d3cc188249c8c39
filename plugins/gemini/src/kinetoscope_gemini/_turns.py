"""From a script's lines to sentences that know speaker, style and words, in a model's dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from kinetoscope_gemini._languages import resolve
from kinetoscope_gemini._models import Model
from kinetoscope_gemini._tags import Effect, category_of, compiled
from kinetoscope_gemini._words import cued, has_words, seconds_of, sentences
from kinetoscope_spec import Line, Script
from kinetoscope_spec.script import words

__all__ = ["Atom", "Report", "atoms_of"]

_STARRED = re.compile(r"(?<!\*)(\*{1,2})(?=[^*\s])([^*]*[^*\s])\1(?!\*)")
_STAR = re.compile(r"\*+(?=\w)|(?<=\w)\*+")
"""`*Emphasis*` as scripts have it, and what is left of it where a sentence was cut in two."""


@attrs.frozen
class Atom:
    """The least that is sent: a sentence, or a part of one that is too long.

    Attributes:
        speaker: as the script calls them.
        language: BCP 47 tag of the model.
        text: as it is sent, without tags.
        tags: those before it, in the dialect's form.
        resumed: those that were sent before and are still in force; a request that begins here repeats them.
        style: how it is to be said, empty where nothing is asked for.
        moods: the tags in force that change how loud it is meant to be.
        words: its words as the script writes them: its cues.
        seconds: estimate of how long it takes.
        gap_s: silence before it, exact; 0: none was asked for.
        accent: the region that was asked for (`en-AU`), or None.
    """

    speaker: str
    language: str
    text: str
    tags: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    style: str = ""
    moods: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    seconds: float = 0.0
    gap_s: float = 0.0
    accent: str | None = None


def _tags_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where audio tags begin and end: from a bracket that opens to the next that closes."""
    end = 0
    while (start := text.find("[", end)) >= 0 and (close := text.find("]", start)) >= 0:
        end = close + 1
        yield start, end


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return `text` with white space in place of its tags, so that all else stays where it is."""
    out, at = [], 0
    for start, end in spans:
        out += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*out, text[at:]])


class Report:
    """What became of each tag and each word of the lexicon, for the provenance."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, Any]] = {}
        self._words: dict[str, dict[str, Any]] = {}
        self.ipa: dict[str, str] = {}

    def tag(self, tag: str, effect: Effect) -> None:
        """Note one use of a tag."""
        self._tags.setdefault(tag, {"tag": tag, "how": effect.how, "note": effect.note})

    def word(self, word: str, said: str, how: str) -> None:
        """Note a word of the lexicon that was met."""
        self._words[word] = {"word": word, "said": said, "how": how}

    def tags(self) -> list[dict[str, Any]]:
        """Return what became of the tags, each once, in the order in which they were met."""
        return list(self._tags.values())

    def lexicon(self) -> list[dict[str, Any]]:
        """Return what became of the lexicon's words that were met."""
        return list(self._words.values())


def atoms_of(script: Script, model: Model, most_s: float, report: Report) -> tuple[list[Atom], float]:
    """Cut a script into atoms of at most `most_s` seconds; `report` learns what became of its tags.

    Returns the atoms, and the seconds of silence that were asked for after the last.

    Raises:
        ValidationError: a language that the model does not speak.
    """
    found: list[Atom] = []
    gap_s = 0.0
    for line in script.lines:
        builder = _LineBuilder(line, script, model, most_s, report, gap_s)
        found += builder.atoms()
        gap_s = builder.gap_s
    return found, gap_s


class _LineBuilder:
    """Builds the atoms of one line: a reader of tokens with a style, tags that wait, and a silence."""

    def __init__(
        self, line: Line, script: Script, model: Model, most_s: float, report: Report, gap_s: float
    ) -> None:
        self._line, self._lexicon, self._model = line, script.lexicon, model
        self._most_s, self._report = most_s, report
        tag = line.language or script.language
        self._language = resolve(tag, model.languages)
        self._accent = tag if "-" in tag else None
        self.gap_s = gap_s
        self._waiting: list[str] = []
        self._moods: dict[str, tuple[str, Effect]] = {}  # by category
        self._stress = False

    def atoms(self) -> Iterator[Atom]:
        text = self._line.text
        tags = list(_tags_in(text))
        bare = _blanked(text, tags)
        found = words(bare)
        at = 0
        for span in [*tags, None]:
            end = span[0] if span else len(text)
            for first, last in sentences(bare[at:end], self._most_s):
                said = self._sent(bare[at + first : at + last])
                cues = cued(found, at + first, at + last)
                if has_words(said) or cues:
                    yield self._atom(said, cues)
            if span:
                yield from self._take(text[span[0] + 1 : span[1] - 1])
                at = span[1]
        yield from self._flush()

    def _take(self, tag: str) -> Iterator[Atom]:
        """Act on a tag."""
        effect = compiled(tag, self._model.dialect)
        self._report.tag(tag, effect)
        if effect.kind == "plain" or category_of(tag) == "control":
            self._moods.clear()
        elif effect.mood:  # it takes the place of the one before it in its category, as in every voice
            self._moods.pop(category_of(tag), None)
            self._moods[category_of(tag)] = " ".join(tag.lower().split()), effect
        if effect.kind == "inline":
            self._waiting.append(effect.value)
        elif effect.kind == "stress":
            self._stress = True
        elif effect.kind == "word":
            yield self._atom(f"{effect.value},", ())
        elif effect.kind == "silence":
            yield from self._flush()
            self.gap_s += effect.seconds

    def _flush(self) -> Iterator[Atom]:
        """Send tags that stand before no more words by themselves."""
        if self._waiting:
            yield self._atom("", ())

    def _atom(self, said: str, cues: tuple[str, ...]) -> Atom:
        held = list(self._moods.values())
        inline = [effect.value for _, effect in held if effect.kind == "inline"]
        atom = Atom(
            self._line.speaker,
            self._language,
            said,
            tuple(self._waiting),
            tuple(value for value in inline if value not in self._waiting),
            ", ".join(effect.value for _, effect in held if effect.kind == "style"),
            tuple(mood for mood, _ in held),
            cues,
            seconds_of(said) + 0.5 * len(self._waiting),
            self.gap_s,
            self._accent,
        )
        self._waiting, self.gap_s = [], 0.0
        return atom

    def _sent(self, text: str) -> str:
        """Return text as it is sent: the lexicon's words replaced, nothing in it that means a tag."""
        said = _STARRED.sub(
            lambda match: match[2].upper(), _replaced(text, self._lexicon, self._model, self._report)
        )
        said = _STAR.sub("", said)
        found = words(said) if self._stress else []
        if found:  # 3.8 stresses a word in capitals (its guide, "Emphasis"), the others mostly do
            word, self._stress = found[0], False
            said = said[: word.start] + word.text.upper() + said[word.end :]
        return " ".join(_plain(said, self._model.dialect).split())


def _plain(text: str, dialect: str) -> str:
    """Take out what the dialect would not read but obey: stray brackets, angles, bars, control characters."""
    marks = r"[<>|\[\]]" if dialect == "3.8" else r"[\[\]]"
    return re.sub(marks, " ", "".join(c if c.isprintable() or c.isspace() else " " for c in text))


def _replaced(text: str, lexicon: Mapping[str, str], model: Model, report: Report) -> str:
    out, at = [], 0
    for word in words(text):
        said = lexicon.get(word.text)
        if said is None:
            continue
        ipa = len(said) > 2 and said[0] == said[-1] == "/"
        if ipa:
            report.word(word.text, said, "unsupported" if model.dialect == "3.8" else "approximated")
            if model.dialect != "3.8":
                report.ipa[word.text] = said
        elif has_words(said):
            report.word(word.text, said, "native")
            out += [text[at : word.start], said]
            at = word.end
    return "".join([*out, text[at:]])

"""What a line's text asks for, step by step: words under an effect, silences, sounds and marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

import attrs

from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.script.tags import Effect, Tag, find_tag
from kinetoscope_spec.voice import Script

__all__ = ["Said", "Sounded", "Step", "Word", "plain_text", "steps", "tags_of", "words"]

_TAG = re.compile(r"\[[^\]]*\]")
_STARRED = re.compile(r"(?<!\*)(\*{1,2})(?=[^*\s])([^*]*[^*\s])\1(?!\*)")


_NEXT = re.compile(r"\S+")
_NEAR = 200
"""How many letters on either side tell whether stars stand inside a word."""


@attrs.frozen
class Word:
    """A word of a text: what stands between white space, without punctuation at its ends.

    Attributes:
        text: as it is written.
        start, end: where it stands in the text it was found in.
    """

    text: str
    start: int
    end: int


@attrs.frozen
class Said:
    """Text that is spoken in one way.

    Attributes:
        text: without tags and stars.
        effect: of all the tags that are in force, together.
        tags: those tags.
    """

    text: str
    effect: Effect = attrs.field(factory=Effect)
    tags: tuple[Tag, ...] = ()


@attrs.frozen
class Sounded:
    """A tag that acts where it stands: a pause, a sound or a mark.

    Attributes:
        tag: it.
        effect: its own, with those of the tags in force.
    """

    tag: Tag
    effect: Effect = attrs.field(factory=Effect)


Step = Said | Sounded


def words(text: str) -> tuple[Word, ...]:
    """Return the words of a text that holds no tags; what has neither letter nor digit is none."""
    found = []
    for match in re.finditer(r"\S+", text):
        kept = [i for i, c in enumerate(match[0]) if unicodedata.category(c)[0] in "LMN"]
        if kept and any(unicodedata.category(match[0][i])[0] in "LN" for i in kept):
            start, end = match.start() + kept[0], match.start() + kept[-1] + 1
            found.append(Word(text[start:end], start, end))
    return tuple(found)


def plain_text(text: str) -> str:
    """Return a line's text as it is read: without tags, and without the stars of emphasis."""
    parts = [part for piece in _TAG.split(text) for part, _ in (*_starred(piece), (" ", 0))]
    return " ".join("".join(parts).split())


def tags_of(script: Script) -> tuple[Tag, ...]:
    """Return the tags of a script in order, each as often as it stands there.

    Raises:
        ValidationError: one is unknown; names line and nearest.
    """
    return tuple(tag for number in range(len(script.lines)) for tag in _found(script, number))


def _found(script: Script, number: int) -> Iterator[Tag]:
    for match in _TAG.finditer(script.lines[number].text):
        try:
            yield find_tag(match[0][1:-1])
        except ValidationError as error:
            error.add_note(f"in line {number + 1} of the script")
            raise


def steps(text: str) -> list[Step]:
    """Return what a line's text asks for.

    A tag that colours the voice holds up to the end of the line or up to another of its category;
    `[neutral]` ends them all. `*words*` are spoken with emphasis, `**words**` with strong emphasis;
    `[emphasis]` and its kin are for the next word.

    Raises:
        ValidationError: a tag is unknown; names the nearest.
    """
    held: dict[str, Tag] = {}
    emphasis = 0
    found: list[Step] = []
    place = 0
    for match in (*_TAG.finditer(text), None):
        stands = f"{text[place : match.start()]} " if match else text[place:]  # a tag parts words
        said, emphasis = _said(stands, tuple(held.values()), emphasis)
        found += said
        if match is None:
            return _merged(found)
        place = match.end()
        tag = find_tag(match[0][1:-1])
        if tag.category == "control":
            held.clear()
        elif tag.category == "emphasis":
            emphasis = tag.effect.emphasis
        elif tag.lasts:
            held.pop(tag.category, None)
            held[tag.category] = tag
        else:
            found.append(Sounded(tag, _together(tuple(held.values()))))
    return found


def _merged(found: Sequence[Step]) -> list[Step]:
    """Put together what is spoken in one way."""
    merged: list[Step] = []
    for step in found:
        last = merged[-1] if merged else None
        if isinstance(step, Said) and isinstance(last, Said) and _alike(last, step):
            merged[-1] = attrs.evolve(last, text=last.text + step.text)
        else:
            merged.append(step)
    return merged


def _alike(one: Said, other: Said) -> bool:
    return one.tags == other.tags and (one.effect == other.effect or not other.text.strip())


def _together(tags: Sequence[Tag]) -> Effect:
    effect = Effect()
    for tag in tags:
        effect = effect.then(tag.effect)
    return effect


def _said(text: str, tags: tuple[Tag, ...], emphasis: int) -> tuple[list[Step], int]:
    """Return the steps of text between two tags, and the emphasis that still waits for a word."""
    effect = _together(tags)
    found: list[Step] = []
    for part, stars in _starred(text):
        rest = part
        first = next(iter(words(part)), None) if emphasis and not stars else None
        if first is not None:
            found += [
                Said(part[: first.start], effect, tags),
                Said(first.text, attrs.evolve(effect, emphasis=emphasis), tags),
            ]
            rest = part[first.end :]
        if words(part):
            emphasis = 0
        found.append(Said(rest, attrs.evolve(effect, emphasis=stars), tags))
    return [step for step in found if isinstance(step, Said) and step.text], emphasis


def _starred(text: str) -> list[tuple[str, int]]:
    """Split text where words stand between stars; return each part with the number of its stars."""
    parts: list[tuple[str, int]] = []
    place = 0
    for match in _STARRED.finditer(text):
        start, end = match.span()
        around = (
            text[max(place, start - _NEAR) : start].rsplit(None, 1)[-1:] if _touches(text, start - 1) else []
        )
        around += _NEXT.findall(text, end, end + _NEAR)[:1] if _touches(text, end) else []
        if not any(words(piece) for piece in around):  # stars inside a word are no emphasis
            parts += [(text[place : match.start()], 0), (match[2], len(match[1]))]
            place = match.end()
    return [*parts, (text[place:], 0)]


def _touches(text: str, place: int) -> bool:
    return 0 <= place < len(text) and not text[place].isspace()

"""Which requests a script becomes: casts of two, one language each, and no longer than holds together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from kinetoscope_gemini._models import Model
from kinetoscope_gemini._turns import Atom, Report, atoms_of
from kinetoscope_gemini._voices import CHARACTERS, DEFAULT, LIBRARY_PREFIXES
from kinetoscope_spec import Script, ValidationError
from kinetoscope_spec.errors import nearest

__all__ = ["Chunk", "Plan", "Turn", "plan_of", "voice_of"]

_ATOM_SHARE: Final = 0.5
"""The longest sentence, as a share of the longest request: two fit."""


@attrs.frozen
class Turn:
    """What one speaker says in one request without a change of style."""

    speaker: str
    voice: str
    style: str
    text: str


@attrs.frozen
class Chunk:
    """What one request is to speak.

    Attributes:
        turns: in order; at most as many speakers as the model takes.
        language: BCP 47 tag of the model.
        words: the cues, in order.
        seconds: estimate of its length.
        gap_s: exact silence before it; 0: as it comes.
        moods: what changes how loud it is meant to be; only chunks with the same are made alike.
        accent: the region that was asked for, or None.
    """

    turns: tuple[Turn, ...]
    language: str
    words: tuple[str, ...]
    seconds: float
    gap_s: float = 0.0
    moods: tuple[str, ...] = ()
    accent: str | None = None

    @property
    def cast(self) -> dict[str, str]:
        """Speaker to voice."""
        return {turn.speaker: turn.voice for turn in self.turns}


@attrs.frozen
class Plan:
    """Everything that is sent for a script, and what is reported of it.

    Attributes:
        chunks: the requests, in order.
        report: what became of tags and lexicon.
        tail_s: exact silence at the end.
        voices: those that speak, each once.
    """

    chunks: tuple[Chunk, ...]
    report: Report
    tail_s: float
    voices: tuple[str, ...]


def voice_of(name: str, model: Model) -> str:
    """Return the voice of a name, whatever its case, or the id of a library voice where there are any.

    Raises:
        ValidationError: there is no such voice; names the nearest.
    """
    for known in CHARACTERS:
        if name.casefold() == known.casefold():
            return known
    if name.startswith(LIBRARY_PREFIXES):
        if model.dialect == "3.8":
            return name
        raise ValidationError(f"voice {name!r} is of the library of the 3.8 models, {model.id} has none")
    raise ValidationError(
        f"unknown voice {name!r}, expected one of {', '.join(CHARACTERS)}{nearest(name, list(CHARACTERS))}"
    )


def plan_of(script: Script, model: Model, chunk_s: float) -> Plan:
    """Cut a script into requests of about `chunk_s` seconds of speech each.

    Raises:
        ValidationError: no word to say, or a voice or language that the model does not have.
    """
    voices = {name: voice_of(voice, model) for name, voice in script.voices.items()}
    report = Report()
    atoms, tail_s = atoms_of(script, model, chunk_s * _ATOM_SHARE, report)
    if not any(atom.words for atom in atoms):
        raise ValidationError(f"{script.text[:40]!r} holds no word to say, expected at least one")
    chunks = tuple(_chunk(group, voices, model) for group in _packed(atoms, model, chunk_s))
    cast = dict.fromkeys(turn.voice for chunk in chunks for turn in chunk.turns)
    return Plan(chunks, report, tail_s, tuple(cast))


def _packed(atoms: Sequence[Atom], model: Model, chunk_s: float) -> Iterator[list[Atom]]:
    """Group neighbours that one request can hold."""
    group: list[Atom] = []
    for atom in atoms:
        if group and not _fits(group, atom, model, chunk_s):
            yield group
            group = []
        group.append(atom)
    if group:
        yield group


def _fits(group: Sequence[Atom], atom: Atom, model: Model, chunk_s: float) -> bool:
    first = group[0]
    speakers = {held.speaker for held in group} | {atom.speaker}
    return (
        len(speakers) <= model.speakers
        and (atom.language, atom.accent) == (first.language, first.accent)
        and not atom.gap_s
        and sum(held.seconds for held in group) + atom.seconds <= chunk_s
        # the 2.5 models take one style for all of a request
        and (model.dialect != "2.5" or atom.style == first.style)
    )


def _chunk(group: Sequence[Atom], voices: Mapping[str, str], model: Model) -> Chunk:
    turns: list[Turn] = []
    for i, atom in enumerate(group):
        tags = atom.tags if i else (*atom.resumed, *atom.tags)
        text = " ".join(part for part in (_tagged(tags, model), atom.text) if part)
        last = turns[-1] if turns else None
        if last and (last.speaker, last.style) == (atom.speaker, atom.style):
            turns[-1] = attrs.evolve(last, text=f"{last.text} {text}")
        else:
            voice = voices.get(atom.speaker, DEFAULT)
            turns.append(Turn(atom.speaker, voice, atom.style, text))
    return Chunk(
        tuple(turns),
        group[0].language,
        tuple(word for atom in group for word in atom.words),
        sum(atom.seconds for atom in group),
        group[0].gap_s,
        tuple(sorted(_unique(mood for atom in group for mood in atom.moods))),
        group[0].accent,
    )


def _tagged(tags: Sequence[str], model: Model) -> str:
    """Return tags as they are sent; 3.1 does not want two side by side."""
    if not tags:
        return ""
    return " ".join(tags) if model.dialect == "3.8" else f"[{', '.join(tags)}]"


def _unique(values: Iterable[str]) -> dict[str, None]:
    return dict.fromkeys(values)

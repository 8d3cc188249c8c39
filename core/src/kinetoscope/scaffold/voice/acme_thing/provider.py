"""The provider `acme-thing`: speaks scripts, letter by letter, with cues and provenance."""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from acme_thing.sound import RATE, letter_sound, silence
from kinetoscope_spec import Audio, Cue, Line, Provenance, Script, ValidationError
from kinetoscope_spec.errors import nearest
from kinetoscope_spec.voice import VoiceInfo

__all__ = ["AcmeThingVoice"]

TAGS = ("whispers", "short pause")
VOICES = (
    VoiceInfo("deep", ("en", "de"), RATE, TAGS, "a low voice"),
    VoiceInfo("bright", ("en", "de"), RATE, TAGS, "a high voice"),
)
PITCH_HZ = {"deep": 110.0, "bright": 190.0}
LETTER_S = {"en": 0.07, "de": 0.08}
GAP_S, PAUSE_S = 0.05, 0.4

TAG = re.compile(r"(\[[^\]]*\])")


@attrs.frozen
class Part:
    """A line, or what the provider knows about how to say it."""

    line: Line
    voice: VoiceInfo
    language: str


class AcmeThingVoice:
    """Speaks with the sounds of `acme_thing.sound`; what is here keeps the contract around them."""

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the voices, the default one first."""
        return VOICES

    def speak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it: the pieces of the stream, one after the other."""
        pieces = list(self.stream(script, **options))
        cues: list[Cue] = []
        before = 0.0
        for piece in pieces:
            cues += [attrs.evolve(c, start=c.start + before, end=c.end + before) for c in piece.cues]
            before += piece.duration
        named = dict.fromkeys(script.voices.get(line.speaker, VOICES[0].name) for line in script.lines)
        made = _provenance(script, ", ".join(named))
        return Audio(np.concatenate([piece.samples for piece in pieces]), RATE, cues, made)

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        """Speak it line by line. What is wrong with the script is said at once."""
        if options:
            raise ValidationError(f"there is no option {next(iter(options))!r}, expected none")
        parts = [_checked(line, script) for line in script.lines]
        if not any(_words(part.line.text) for part in parts):
            raise ValidationError(f"{script.text[:40]!r} holds no word, expected at least one")
        return (_spoken(part, script) for part in parts if part.line.text.strip())

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it in another thread."""
        return await asyncio.to_thread(self.speak, script, **options)

    async def astream(self, script: Script, **options: Any) -> AsyncIterator[Audio]:
        """Speak it line by line in another thread."""
        pieces = self.stream(script, **options)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece


def _checked(line: Line, script: Script) -> Part:
    named = {voice.name: voice for voice in VOICES}
    voice = _known("voice", script.voices.get(line.speaker, VOICES[0].name), list(named))
    for tag in TAG.findall(line.text):
        _known("audio tag", tag[1:-1], TAGS)
    language = _known("language", line.language or script.language, named[voice].languages)
    return Part(line, named[voice], language)


def _known(kind: str, word: str, known: Sequence[str]) -> str:
    if word not in known:
        raise ValidationError(
            f"unknown {kind} {word!r}, expected one of {', '.join(known)}{nearest(word, known)}"
        )
    return word


def _words(text: str) -> list[str]:
    """Return the words of a text without its audio tags."""
    return [word for piece in TAG.sub(" ", text).split() if (word := _bare(piece))]


def _bare(piece: str) -> str:
    """Return a piece of text without punctuation at its ends; empty where nothing else is in it."""
    others = "".join(c for c in piece if not (c.isalnum() or unicodedata.category(c).startswith("M")))
    return piece.strip(others) if any(c.isalnum() for c in piece) else ""


def _spoken(part: Part, script: Script) -> Audio:
    """Return one line: its words with a gap after each, cues where they are."""
    sounds, cues, at, whispers = [silence(GAP_S)], [], round(GAP_S * RATE), False
    for i, piece in enumerate(TAG.split(part.line.text)):  # every second one is a tag
        whispers = whispers or piece == "[whispers]"
        if piece == "[short pause]":
            sounds.append(silence(PAUSE_S))
            at += len(sounds[-1])
        for word in [] if i % 2 else _words(piece):
            sound = _word(script.lexicon.get(word, word), part, whispers)
            cues.append(Cue("word", word, at / RATE, (at + len(sound)) / RATE))
            sounds += [sound, silence(GAP_S)]
            at += len(sound) + len(sounds[-1])
    return Audio(np.concatenate(sounds)[:, None], RATE, cues, _provenance(script, part.voice.name))


def _word(word: str, part: Part, whispers: bool) -> NDArray[np.float32]:
    count = round(LETTER_S[part.language] * RATE)
    letters = [c for c in unicodedata.normalize("NFKD", word.lower()) if c.isalnum()] or ["e"]
    return np.concatenate(
        [letter_sound(c, count, 0.0 if whispers else PITCH_HZ[part.voice.name]) for c in letters]
    )


def _provenance(script: Script, voice: str) -> Provenance:
    digest = hashlib.sha256(script.text.encode()).hexdigest()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Provenance("acme-thing", "formants", voice, digest, created)

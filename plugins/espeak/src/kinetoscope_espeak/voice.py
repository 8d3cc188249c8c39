"""The provider `espeak`: speaks scripts with eSpeak NG."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_espeak._languages import voice_of
from kinetoscope_espeak._library import RATE, close
from kinetoscope_espeak._speech import Planned, Sound, plan, sound_of
from kinetoscope_espeak._tags import treatment, treatments
from kinetoscope_espeak._voices import TIMBRES, infos, timbre
from kinetoscope_spec import Audio, Cue, Provenance, Script, VoiceInfo
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.script import Tag, Treatment, plain_text, steps, tags_of, words

__all__ = ["EspeakVoice"]

_DEFAULT: Final = next(iter(TIMBRES))
_LINE_GAP_S: Final = 0.35
"""Silence between two lines, unless a tag at their ends says how long it is to be."""


@attrs.frozen
class _Work:
    """A script that was found good."""

    lines: tuple[Planned, ...]
    provenance: Provenance


class EspeakVoice:
    """Speaks scripts in any of 120 languages, the same samples each time, from any number of threads.

    The library runs in processes of its own (`_library` says why), which stay for the next call until
    `close`, or the end of this process.
    """

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the voices, the default one first. Each speaks every language."""
        return infos()

    def treatment(self, tag: Tag) -> Treatment:
        """Return what is done with a tag: native, approximated (how), or unsupported."""
        return treatment(tag)

    def speak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it, with cues of sentences, words, phonemes and marks, and provenance.

        `provenance.details["tags"]` tells what was done with each tag of the script.

        Raises:
            ValidationError: no word to say; an unknown voice, language, tag or option.
            ProviderUnavailable: eSpeak NG can't be loaded here.
            EspeakCrashed: it crashes at some words, however they are put to it.
        """
        work = _prepared(script, options)
        sounds = list(_sounds(work, script))
        cues: list[Cue] = []
        before = 0
        for sound in sounds:
            shift = before / RATE
            cues += [attrs.evolve(cue, start=cue.start + shift, end=cue.end + shift) for cue in sound.cues]
            before += len(sound.samples)
        return _audio(Sound(np.concatenate([sound.samples for sound in sounds]), tuple(cues)), work)

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        """Speak it line by line. What is wrong with the script is said at once."""
        work = _prepared(script, options)
        return (_audio(sound, work) for sound in _sounds(work, script))

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it in another thread."""
        return await asyncio.to_thread(self.speak, script, **options)

    async def astream(self, script: Script, **options: Any) -> AsyncIterator[Audio]:
        """Speak it line by line in another thread."""
        pieces = await asyncio.to_thread(self.stream, script, **options)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    def close(self) -> None:
        """End the processes that wait for work; speaking again starts them again."""
        close()


def _prepared(script: Script, options: dict[str, Any]) -> _Work:
    """Find out all that could be wrong with a script before the first sample."""
    if options:
        raise ValidationError(f"unknown option {next(iter(options))!r}, espeak takes none")
    tags = tags_of(script)
    named = {speaker: timbre(name) for speaker, name in script.voices.items()}
    default = timbre(_DEFAULT)
    language = voice_of(script.language)
    planned, spoken = [], []
    for line in script.lines:
        own = named.get(line.speaker, default)
        voice = language if line.language is None else voice_of(line.language)
        text = plain_text(line.text)
        if words(text):
            spoken.append(own.name)
        planned.append(plan(steps(line.text), text, own, voice))
    if not spoken:
        raise ValidationError(f"{script.text[:60]!r} holds no word, expected at least one")
    return _Work(tuple(planned), _provenance(script, spoken, treatments(tags)))


def _provenance(script: Script, spoken: Sequence[str], done: Sequence[Treatment]) -> Provenance:
    return Provenance(
        "espeak",
        "eSpeak NG 1.52",
        ", ".join(dict.fromkeys(spoken)),
        hashlib.sha256(script.text.encode("utf-8", "surrogatepass")).hexdigest(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        details={"tags": [attrs.asdict(held) for held in done]},
    )


def _sounds(work: _Work, script: Script) -> Iterator[Sound]:
    """Speak the lines one after the other, with silence between them."""
    lines = [line for line in work.lines if line.atoms]
    for i, line in enumerate(lines):
        sound = sound_of(line, script.lexicon)
        following = lines[i + 1] if i + 1 < len(lines) else None
        if following and not (line.ends_with_pause or following.begins_with_pause):
            gap = np.zeros(round(_LINE_GAP_S * RATE), np.float32)
            sound = attrs.evolve(sound, samples=np.concatenate([sound.samples, gap]))
        if len(sound.samples):
            yield sound


def _audio(sound: Sound, work: _Work) -> Audio:
    return Audio(sound.samples[:, None], RATE, sound.cues, work.provenance)

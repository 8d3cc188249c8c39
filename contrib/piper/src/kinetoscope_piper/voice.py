"""The provider `piper`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_piper._network import RATE
from kinetoscope_piper._speech import line_sound
from kinetoscope_spec import Audio, Cue, Provenance, Script, VoiceInfo
from kinetoscope_spec.errors import ValidationError, nearest
from kinetoscope_spec.script import Tag, Treatment, catalogue, plain_text, tags_of, words

__all__ = ["PiperVoice"]

_NAME: Final = "joe"
_LANGUAGES: Final = ("en-US", "en")
_GAP_S: Final = 0.3


class PiperVoice:
    """Speaks English scripts in the voice of Joe, the same samples each time, from any thread."""

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the one voice."""
        return (VoiceInfo(_NAME, _LANGUAGES, RATE, tuple(catalogue()), "American, a man's"),)

    def treatment(self, tag: Tag) -> Treatment:
        """Return what is done with a tag: speed, volume, pauses and marks are native, nothing else is done."""
        effect = tag.effect
        if tag.category in ("pause", "control", "mark"):
            return Treatment(tag.name, "native", f"{effect.pause:g} s of silence" if effect.pause else "")
        done = [f"rate {100 * effect.rate:.0f} %"] if effect.rate != 1 else []
        done += [f"volume {effect.volume:+g} dB"] if effect.volume else []
        if tag.category in ("pace", "volume") and done:
            return Treatment(tag.name, "native", ", ".join(done))
        if done and tag.lasts:
            return Treatment(tag.name, "approximated", ", ".join(done))
        return Treatment(tag.name, "unsupported", "the network takes phonemes and a speed, no directions")

    def speak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it, with cues of words (estimated) and marks, and provenance.

        Raises:
            ValidationError: no word to say; an unknown voice, language, tag or option.
            ProviderUnavailable: weights or dictionary are not installed.
        """
        pieces = list(self.stream(script, **options))
        cues: list[Cue] = []
        before = 0
        for piece in pieces:
            shift = before / RATE
            cues += [attrs.evolve(c, start=c.start + shift, end=c.end + shift) for c in piece.cues]
            before += len(piece.samples)
        return attrs.evolve(pieces[-1], samples=np.concatenate([p.samples for p in pieces]), cues=cues)

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        """Speak it line by line. What is wrong with the script is said at once."""
        provenance = self._prepared(script, options)
        return self._pieces(script, provenance)

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it in another thread."""
        return await asyncio.to_thread(self.speak, script, **options)

    async def astream(self, script: Script, **options: Any) -> AsyncIterator[Audio]:
        """Speak it line by line in another thread."""
        pieces = await asyncio.to_thread(self.stream, script, **options)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    def _pieces(self, script: Script, provenance: Provenance) -> Iterator[Audio]:
        first = True
        for line in script.lines:
            samples, cues = line_sound(line, script.lexicon)
            if not len(samples):
                continue
            gap = 0 if first else round(_GAP_S * RATE)
            first = False
            moved = [attrs.evolve(c, start=c.start + gap / RATE, end=c.end + gap / RATE) for c in cues]
            yield Audio(
                np.concatenate([np.zeros(gap, np.float32), samples])[:, None], RATE, moved, provenance
            )

    def _prepared(self, script: Script, options: dict[str, Any]) -> Provenance:
        if options:
            raise ValidationError(f"unknown option {next(iter(options))!r}, piper takes none")
        treated = {tag.name: self.treatment(tag) for tag in tags_of(script)}
        for name in script.voices.values():
            if name != _NAME:
                raise ValidationError(f"unknown voice {name!r}{nearest(name, [_NAME])}; there is {_NAME}")
        known = [tag.lower() for tag in _LANGUAGES]
        for line in script.lines:
            language = line.language or script.language
            if language.lower().replace("_", "-") not in known:
                near = nearest(language, _LANGUAGES)
                raise ValidationError(
                    f"unknown language {language!r}{near}; piper speaks {', '.join(_LANGUAGES)}"
                )
        if not any(words(plain_text(line.text)) for line in script.lines):
            raise ValidationError(f"{script.text[:60]!r} holds no word, expected at least one")
        return Provenance(
            "piper",
            "en_US-joe-medium",
            _NAME,
            hashlib.sha256(script.text.encode("utf-8", "surrogatepass")).hexdigest(),
            datetime.now(UTC).isoformat(timespec="seconds"),
            details={"tags": [attrs.asdict(done) for done in treated.values()]},
        )

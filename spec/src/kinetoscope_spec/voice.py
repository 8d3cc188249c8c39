"""Scripts, the audio spoken from them, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, in_range, shaped
from kinetoscope_spec._value import Value, as_tuple, frozen_mapping
from kinetoscope_spec.errors import ValidationError

__all__ = ["Audio", "Cue", "Line", "Provenance", "Script", "VoiceInfo"]


@attrs.frozen
class Line:
    """What one speaker says in one go.

    Attributes:
        text: the words, with audio tags in square brackets (`[whispers]`, `[short pause]`).
        speaker: a name among the script's speakers.
        language: BCP 47 tag, or None for the script's.
    """

    text: str
    speaker: str = "narrator"
    language: str | None = None


@attrs.frozen(eq=False, repr=False)
class Script(Value):
    """Lines by speakers.

    Attributes:
        lines: what is said, in order.
        voices: speaker to voice name; a speaker without one gets the provider's default.
        language: BCP 47 tag of lines that name none.
        lexicon: word to alias, or to IPA between slashes (`/təˈmɑːtəʊ/`).
    """

    lines: tuple[Line, ...] = attrs.field(converter=as_tuple)
    voices: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)
    language: str = "en"
    lexicon: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)

    def __attrs_post_init__(self) -> None:
        if not any(line.text.strip() for line in self.lines):
            raise ValidationError("Script.lines hold no text, expected at least one word")

    @classmethod
    def of(cls, text: str, **kwargs: Any) -> Script:
        """Build a script of one line."""
        return cls((Line(text),), **kwargs)

    @property
    def text(self) -> str:
        """The texts of its lines, one below the other: what `Provenance.text_sha256` is the hash of."""
        return "\n".join(line.text for line in self.lines)


def _tags(value: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


@attrs.frozen
class VoiceInfo:
    """What a provider says of one of its voices.

    Attributes:
        name: what `Script.voices` calls it.
        languages: BCP 47 tags that it speaks, its own first.
        rate: samples per second that it gives.
        tags: audio tags that it follows, without their brackets; None takes any.
        summary: one line for lists.
        deterministic: whether the same script gives the same samples.
    """

    name: str
    languages: tuple[str, ...] = attrs.field(converter=as_tuple)
    rate: int
    tags: tuple[str, ...] | None = attrs.field(default=(), converter=_tags)
    summary: str = ""
    deterministic: bool = True

    def __attrs_post_init__(self) -> None:
        if not self.name or not self.languages or self.rate <= 0:
            raise ValidationError(
                f"VoiceInfo {self.name!r} speaks {list(self.languages)} at {self.rate} samples a second, "
                "expected a name, at least one language and a rate above 0"
            )


@attrs.frozen
class Cue:
    """Something at a time in the audio.

    Attributes:
        kind: `word`, `phoneme`, `viseme`, `sentence` or `mark`.
        value: the word, the IPA phoneme, the viseme's name.
        start, end: seconds from the beginning of the audio.
        source: `native` (from the synthesiser), `aligned` or `estimated`.
    """

    kind: str = attrs.field(validator=attrs.validators.in_(("word", "phoneme", "viseme", "sentence", "mark")))
    value: str
    start: float
    end: float
    source: str = attrs.field(
        default="native", validator=attrs.validators.in_(("native", "aligned", "estimated"))
    )

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.start <= self.end < np.inf:
            raise ValidationError(
                f"Cue {self.value!r} runs from {self.start} to {self.end} s, expected 0 <= start <= end"
            )


@attrs.frozen(eq=False, repr=False)
class Provenance(Value):
    """Where synthesised media came from.

    Attributes:
        provider, model, voice: who made it.
        text_sha256: hash of the text, not the text: SHA-256 in hexadecimal of `Script.text` (the lines'
            texts joined by line feeds) in UTF-8; of the whole script's in each piece of a stream too.
        created: ISO 8601, UTC: `2026-01-31T12:00:00+00:00`.
        watermark: name of the watermark that was put in, or None.
        details: what else is known, JSON values only.
    """

    provider: str
    model: str | None = None
    voice: str | None = None
    text_sha256: str | None = None
    created: str | None = None
    watermark: str | None = None
    details: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)


@attrs.frozen(eq=False, repr=False)
class Audio(Value):
    """Sound.

    Attributes:
        samples: float32 `[N, C]` in [-1, 1].
        rate: samples per second.
        cues: ordered by start, inside the audio.
        provenance: who made it, or None for a recording.
    """

    samples: Array
    rate: int = attrs.field(converter=int)
    cues: tuple[Cue, ...] = attrs.field(default=(), converter=as_tuple)
    provenance: Provenance | None = None

    def __attrs_post_init__(self) -> None:
        samples = shaped("Audio", "samples", self.samples, ["N", "C"], np.float32)
        object.__setattr__(self, "samples", in_range("Audio.samples", samples, -1, 1))
        if self.rate <= 0:
            raise ValidationError(f"Audio.rate is {self.rate}, expected samples per second above 0")
        latest = 0.0
        for i, cue in enumerate(self.cues):
            if cue.start < latest or cue.end > self.duration + 1 / self.rate:
                raise ValidationError(
                    f"Audio.cues[{i}] ({cue.value!r}) runs from {cue.start} to {cue.end} s, expected it after "
                    f"{latest} s and inside {self.duration:.3f} s"
                )
            latest = cue.start

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.rate

"""What a watermarker takes and gives."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import attrs
from numpy.typing import NDArray

from kinetoscope_spec import Audio, ValidationError

__all__ = ["Array", "Marking", "Verdict", "Watermarker", "Window"]

Array = NDArray[Any]


def _share(_instance: object, _attribute: object, value: float | None) -> None:
    if value is not None and not 0 <= value <= 1:
        raise ValidationError(f"a score is {value}, expected 0 to 1")


@attrs.frozen
class Window:
    """A stretch of the sound that was looked at.

    Attributes:
        start, end: seconds.
        score: 0 (surely not marked) to 1 (surely marked); None where nothing can be said.
        abstained: why nothing can be said, or an empty string.
    """

    start: float
    end: float
    score: float | None = attrs.field(default=None, validator=_share)
    abstained: str = ""


@attrs.frozen
class Verdict:
    """Whether a sound is marked.

    Attributes:
        marked: whether the mark was found, in a window or in all of it.
        score: 0 to 1, that of the best window or of the whole; None where nothing can be said of any.
        windows: what was looked at, in order, at the speed at which the mark was found.
        abstained: why nothing can be said of the sound at all, or an empty string. Then `marked` is False.
        speed: how much faster than it was marked the sound plays (1.05: 5 % faster and higher).
    """

    marked: bool
    score: float | None = attrs.field(default=None, validator=_share)
    windows: tuple[Window, ...] = ()
    abstained: str = ""
    speed: float = 1.0

    def __attrs_post_init__(self) -> None:
        if self.marked and (self.abstained or self.score is None):
            raise ValidationError("a verdict says marked and abstains, expected one of the two")


class Marking(Protocol):
    """A sound being marked as it comes. Not to be shared between threads."""

    def push(self, samples: Array) -> Array:
        """Take the next samples `[N, C]`, N of any size, and return those `[M, C]` that are marked."""
        ...

    def finish(self) -> Array:
        """Return the rest. Over all, as many samples were returned as taken."""
        ...


@runtime_checkable
class Watermarker(Protocol):
    """Puts a mark into sound that nobody hears and `verify` finds again. Safe to use from many threads.

    The mark survives 16 bits, MP3 and Opus at the rates of speech, resampling, and cutting. It holds
    no message: who made a sound is in its provenance. Rates are 8 to 48 kHz.
    """

    def mark(self, audio: Audio) -> Audio:
        """Return the same sound, marked: same length, rate, cues and provenance.

        Raises:
            ValidationError: its rate is below 8 kHz.
        """
        ...

    def open(self, rate: int, channels: int) -> Marking:
        """Begin to mark a sound that comes in pieces: together they will be what `mark` returns of the whole.

        Raises:
            ValidationError: the rate is below 8 kHz, or there is no channel.
        """
        ...

    def verify(self, audio: Audio, *, search: bool = True) -> Verdict:
        """Say whether a sound is marked; with `search` also at speeds about its own.

        It abstains, and does not guess, where a sound is none that it can tell a mark in: silence,
        tones, sound without the frequencies that carry the mark.
        """
        ...

"""Decoding audio that comes in pieces of any size."""

from __future__ import annotations

import numpy as np

from kinetoscope_gemini._sound import RATE, Samples, decoded, pcm_parameters, resampled

__all__ = ["BlobDecoder"]


class BlobDecoder:
    """Turns the pieces of a stream into samples at 24 kHz.

    Raw PCM of 24 kHz is given on as it comes, a sample that a piece cuts in two with the next. Anything
    else is gathered, to be resampled as a whole at the end.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._gathered: list[Samples] = []
        self._rate = RATE

    def push(self, data: bytes, mime: str | None) -> Samples:
        """Return the samples of one piece.

        Raises:
            FormatError: it is in no format that is known.
        """
        if data[:4] == b"RIFF" and not self._rest:
            samples, rate = decoded(data, mime)
        else:
            rate, channels, coding = pcm_parameters(mime)
            width = channels * (2 if coding == 1 else 1)
            held = self._rest + data
            whole = len(held) // width * width
            self._rest = held[whole:]
            samples, rate = decoded(held[:whole], mime) if whole else (_none(), rate)
        if rate == RATE and not self._gathered:
            return samples
        self._gathered.append(samples)
        self._rate = rate
        return _none()

    def finish(self) -> Samples:
        """Return what was gathered."""
        held, self._gathered = self._gathered, []
        return resampled(np.concatenate(held), self._rate, RATE) if held else _none()


def _none() -> Samples:
    return np.zeros(0, np.float32)

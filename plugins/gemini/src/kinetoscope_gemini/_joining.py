"""Joining what separate requests gave: their silent ends brought to a natural length, or an exact one."""

from __future__ import annotations

from typing import Final

import numpy as np

from kinetoscope_gemini._sound import FRAME_S, RATE, SILENT, Samples, frame_levels

__all__ = ["Joiner"]

_FRAME: Final = round(FRAME_S * RATE)
_LEAST, _MOST = round(0.15 * RATE), round(0.70 * RATE)
"""Silence between two requests, in samples: what they bring is kept between these bounds."""
_EDGE: Final = round(0.30 * RATE)
"""The most silence that is left at the beginning and at the end."""


class Joiner:
    """Takes chunks of 24 kHz, whole or as they come, and gives the samples of the whole in order.

    The result does not depend on the pieces in which a chunk was pushed: frames are counted from the
    chunk's beginning and judged one by one.

    Attributes:
        given: samples given so far.
        origin: where the chunk's first sample lies among those given, be it cut off or not.
    """

    def __init__(self) -> None:
        self.given = 0
        self.origin = 0
        self._tail = _none()
        self._first = True
        self._gap_s = 0.0
        self._partial = _none()
        self._lead: list[Samples] | None = None

    def begin(self, gap_s: float) -> None:
        """Begin a chunk, after exactly `gap_s` seconds of silence, or 0 for what is natural."""
        self._gap_s, self._lead, self._partial = gap_s, [], _none()

    def push(self, samples: Samples, *, gain: float = 1.0, last: bool = False) -> Samples:
        """Return what can be given out once `samples` of the chunk have come: up to its last sound."""
        held = np.concatenate([self._partial, samples])
        whole = len(held) if last else len(held) // _FRAME * _FRAME
        self._partial, held = held[whole:], held[:whole]
        heard = np.flatnonzero(frame_levels(held, RATE) > SILENT)
        held = held * np.float32(gain)
        out = []
        if self._lead is not None:  # nothing of this chunk was heard before
            if not len(heard):
                self._lead.append(held)
                return _none()
            begin = int(heard[0]) * _FRAME
            out.append(self._between(np.concatenate([*self._lead, held[:begin]])))
            held, heard = held[begin:], heard - heard[0]
            self._lead = None
        if not len(heard):
            self._tail = np.concatenate([self._tail, held])
            return _none()
        end = (int(heard[-1]) + 1) * _FRAME
        out += [self._tail, held[:end]]
        self._tail = held[end:]
        return self._give(np.concatenate(out))

    def finish(self, tail_s: float) -> Samples:
        """Return what is left: the end of the last chunk and `tail_s` seconds of silence."""
        silence = np.zeros(round(tail_s * RATE), np.float32)
        return self._give(np.concatenate([self._tail[: 0 if tail_s else _EDGE], silence]))

    def _between(self, lead: Samples) -> Samples:
        """Return the silence before the chunk, whose own is `lead`, and note where the chunk began."""
        tail, self._tail = self._tail, _none()
        if self._gap_s:
            silence = np.zeros(round(self._gap_s * RATE), np.float32)
        elif self._first:
            silence = lead[max(0, len(lead) - _EDGE) :]
        else:
            missing = np.zeros(max(0, _LEAST - len(tail) - len(lead)), np.float32)
            spare = max(0, len(tail) + len(lead) - _MOST)
            kept = max(0, len(tail) - spare)
            lead_cut = max(0, spare - len(tail))
            silence = np.concatenate([tail[:kept], missing, lead[lead_cut:]])
        self._first = False
        self.origin = self.given + len(silence) - len(lead)
        return silence

    def _give(self, samples: Samples) -> Samples:
        self.given += len(samples)
        return samples


def _none() -> Samples:
    return np.zeros(0, np.float32)

"""Sound in and out of films."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

from kinetoscope_av._files import open_input
from kinetoscope_spec import Audio, FormatError

__all__ = ["SoundWriter", "read_audio"]

_RATES = {
    "libopus": (48000,),
    "aac": (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000),
}
_CHUNK = 4096
"""Samples handed to the encoder at once."""


class SoundWriter:
    """The stream of sound in an open container, written alongside the pictures."""

    def __init__(self, container: Any, audio: Audio, codec: str | None) -> None:
        assert codec is not None
        self._container, self._audio, self._at = container, audio, 0
        rate = audio.rate if audio.rate in _RATES[codec] else 48000
        self._layout = {1: "mono", 2: "stereo"}.get(audio.samples.shape[1], f"{audio.samples.shape[1]}c")
        self._stream = container.add_stream(codec, rate=rate)
        self._stream.codec_context.layout = self._layout if self._layout in ("mono", "stereo") else "stereo"
        self._stream.codec_context.bit_rate = 192_000 if audio.samples.shape[1] > 1 else 128_000

    def until(self, seconds: float) -> None:
        """Encode the sound up to this second of the film."""
        stop = min(int(seconds * self._audio.rate), len(self._audio.samples))
        while self._at < stop:
            end = min(self._at + _CHUNK, stop)
            self._encode(self._audio.samples[self._at : end])
            self._at = end

    def close(self) -> None:
        """Encode the rest."""
        self.until(self._audio.duration + 1)
        self._container.mux(self._stream.encode(None))

    def _encode(self, samples: np.ndarray) -> None:
        packed = np.ascontiguousarray(samples.reshape(1, -1), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=self._layout)
        frame.sample_rate = self._audio.rate
        frame.pts = self._at
        frame.time_base = 1 / av_fraction(self._audio.rate)
        self._container.mux(self._stream.encode(frame))


def av_fraction(rate: int) -> Any:
    """Return `rate` as the fraction that PyAV wants for time bases."""
    from fractions import Fraction

    return Fraction(rate)


def read_audio(path: str | Path, start: float = 0.0, stop: float | None = None) -> Audio | None:
    """Return the sound between two seconds, counted from the film's first frame; None if silent."""
    with open_input(path) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        if stream.codec_context is None:  # FFmpeg knows no decoder for it
            raise FormatError(
                "its sound is of an unknown codec",
                path=path,
                expected="another, or audio=False for the picture",
            )
        origin = _origin(container)
        if start > 1:
            container.seek(int((start + origin - 1) / stream.time_base), stream=stream, backward=True)
        pieces = _pieces(container, stream, start + origin, None if stop is None else stop + origin)
        rate = stream.codec_context.sample_rate
        channels = stream.codec_context.channels
    if not rate or not channels:
        raise FormatError("its sound states no rate", path=path)
    return Audio(np.concatenate(pieces) if pieces else np.zeros((0, channels), np.float32), rate)


def _origin(container: Any) -> float:
    """Return the second at which the picture begins: sound is counted from there."""
    for stream in container.streams.video:
        if stream.start_time is not None:
            return float(stream.start_time * stream.time_base)
    return 0.0


def _pieces(container: Any, stream: Any, start: float, stop: float | None) -> list[np.ndarray]:
    rate = stream.codec_context.sample_rate
    resampler = av.AudioResampler(format="flt", layout=stream.codec_context.layout, rate=rate)
    pieces: list[np.ndarray] = []
    at: int | None = None
    first = round(start * rate)
    last = None if stop is None else round(stop * rate)
    for frame in container.decode(stream):
        begin = 0 if frame.time is None else round(frame.time * rate)
        for out in resampler.resample(frame):
            samples = out.to_ndarray().reshape(-1, len(stream.codec_context.layout.channels))
            if at is None:
                at = begin
                if at > first:
                    pieces.append(np.zeros((at - first, samples.shape[1]), np.float32))
            low = max(first - at, 0)
            high = len(samples) if last is None else min(last - at, len(samples))
            if high > low:
                pieces.append(np.clip(samples[low:high], -1, 1))
            at += len(samples)
        if last is not None and at is not None and at >= last:
            break
    return _without_padding(pieces, stream, first)


def _without_padding(pieces: list[np.ndarray], stream: Any, first: int) -> list[np.ndarray]:
    """Cut off the silence with which the encoder filled its last frame, where the container tells.

    MP4 keeps the duration on a clock of milliseconds; what differs from it by more than two frames of
    the codec is no padding.
    """
    if stream.duration is None or not pieces:
        return pieces
    rate = stream.codec_context.sample_rate
    end = round(((stream.start_time or 0) + stream.duration) * stream.time_base * rate) + rate // 1000
    whole = np.concatenate(pieces)
    surplus = first + len(whole) - end
    return [whole[:-surplus]] if 0 < surplus <= 2 * (stream.codec_context.frame_size or 0) else [whole]

"""Sound in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import av
import numpy as np

from kinetoscope_av._files import replacing
from kinetoscope_av._sound import av_fraction
from kinetoscope_spec import Audio, ConfigError, ValidationError

__all__ = ["SUFFIXES", "write_audio"]

_CHUNK = 1 << 16
"""Samples converted at once."""


@attrs.frozen
class _Kind:
    container: str
    codec: str
    rates: tuple[int, ...] = ()  # that the codec has; none: any
    bitrate: int | None = None  # a channel, by default; None: lossless


_KINDS = {
    ".wav": _Kind("wav", "pcm_s16le"),
    ".flac": _Kind("flac", "flac"),
    ".mp3": _Kind(
        "mp3", "libmp3lame", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), 64_000
    ),
    ".opus": _Kind("ogg", "libopus", (48000,), 32_000),
}
SUFFIXES = tuple(_KINDS)


def write_audio(
    path: str | Path,
    audio: Audio,
    *,
    metadata: Mapping[str, str] | None = None,
    bitrate: int | None = None,
) -> None:
    """Write a recording; see `AvMedia.write_audio`."""
    target = Path(path)
    kind = _KINDS.get(target.suffix.lower())
    if kind is None:
        raise ConfigError(f"{target}: suffix {target.suffix!r}, expected one of {', '.join(_KINDS)}")
    channels = audio.samples.shape[1]
    if channels not in (1, 2):
        raise ValidationError(f"{target}: sound has {channels} channels, expected one or two")
    if bitrate is not None and (kind.bitrate is None or not 6_000 <= bitrate <= 512_000):
        raise ConfigError(
            f"{target}: bitrate is {bitrate}, expected 6000 to 512000 bit/s, and none for what is lossless"
        )
    with replacing(target) as temporary, av.open(str(temporary), "w", format=kind.container) as container:
        container.metadata.update(metadata or {})
        rate = audio.rate if not kind.rates or audio.rate in kind.rates else 48000
        stream: Any = container.add_stream(kind.codec, rate=rate)
        context = stream.codec_context
        context.layout = "mono" if channels == 1 else "stereo"
        if kind.bitrate is not None:
            context.bit_rate = bitrate or kind.bitrate * channels
        _encode(container, stream, audio)


def _encode(container: Any, stream: Any, audio: Audio) -> None:
    layout = stream.codec_context.layout.name
    container.start_encoding()  # only now the encoder says how long its frames are
    resampler = av.AudioResampler(
        format=stream.codec_context.format,
        layout=layout,
        rate=stream.codec_context.sample_rate,
        frame_size=stream.codec_context.frame_size or None,
    )
    for at in range(0, len(audio.samples), _CHUNK):
        packed = np.ascontiguousarray(audio.samples[at : at + _CHUNK].reshape(1, -1), np.float32)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = audio.rate, at, 1 / av_fraction(audio.rate)
        for out in resampler.resample(frame):
            container.mux(stream.encode(out))
    for out in resampler.resample(None):
        container.mux(stream.encode(out))
    container.mux(stream.encode(None))

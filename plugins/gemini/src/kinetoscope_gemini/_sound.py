"""The audio in an answer: what format it is, its samples, its level, and its silent ends."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import FormatError

__all__ = [
    "FRAME_S", "RATE", "SILENT", "Pcm", "Samples", "audible", "decoded", "frame_levels", "level",
    "matching_gain", "pcm_parameters", "resampled",
]  # fmt: skip

Samples = NDArray[np.float32]
Pcm = tuple[Samples, int]
"""Mono samples in [-1, 1] and their rate."""

RATE: Final = 24_000
"""Samples per second of every answer that was seen, and of what is given out."""

FRAME_S: Final = 0.02
_QUIET: Final = 10 ** (-40 / 20)
"""Below the loudest frame by this much, a frame counts as silence."""
SILENT: Final = 10 ** (-54 / 20)
"""A frame whose RMS is not above this is silent, whatever the rest of the audio is like."""
_GAIN_DB: Final = 6.0
"""The most by which a chunk is made louder or softer to match the first."""
_PEAK: Final = 0.98


def decoded(data: bytes, mime: str | None) -> Pcm:
    """Return the samples of an answer; its first bytes count for more than its MIME type.

    Raises:
        FormatError: a format that is not known, or a file that is broken.
    """
    if data[:4] == b"RIFF":
        return _wav(data)
    for magic, name in ((b"ID3", "MP3"), (b"\xff\xfb", "MP3"), (b"OggS", "Ogg"), (b"fLaC", "FLAC")):
        if data.startswith(magic) and not (mime or "").lower().startswith("audio/l16"):
            raise FormatError(f"the audio is {name}", expected="WAV or linear PCM of 16 bits")
    rate, channels, coding = pcm_parameters(mime)
    return _mono(_values(data, coding, 8 if coding != 1 else 16), channels), rate


def pcm_parameters(mime: str | None) -> tuple[int, int, int]:
    """Return rate, channels and coding (1 linear, 6 A-law, 7 µ-law) of `audio/L16;codec=pcm;rate=24000`.

    Raises:
        FormatError: no MIME type of raw sound.
    """
    text = (mime or "audio/l16").lower().replace(" ", "")
    codings = {
        "audio/l16": 1, "audio/pcm": 1, "audio/raw": 1, "audio/x-raw": 1,
        "audio/mulaw": 7, "audio/basic": 7, "audio/x-mulaw": 7, "audio/pcmu": 7,
        "audio/alaw": 6, "audio/x-alaw": 6, "audio/pcma": 6,
    }  # fmt: skip
    kind = text.partition(";")[0]
    if kind not in codings:
        raise FormatError(f"the audio is of type {mime!r}", expected="audio/wav or audio/L16")
    rate = int(_number(text, "rate") or (RATE if codings[kind] == 1 else 8000))
    channels = int(_number(text, "channels") or 1)
    if not 4000 <= rate <= 192_000 or not 1 <= channels <= 8:
        raise FormatError(
            f"the audio is of type {mime!r}", expected="a rate of 4 to 192 kHz, 1 to 8 channels"
        )
    return rate, channels, codings[kind]


def _number(mime: str, key: str) -> str | None:
    match = re.search(rf";{key}=(\d{{1,7}})(?:;|$)", mime)
    return match.group(1) if match else None


def _wav(data: bytes) -> Pcm:
    """Read a WAV file; a length that was not known when its header was written (0, -1) means all of it.

    "Multimedia Programming Interface and Data Specifications 1.0", chapter 3.
    """
    parts: dict[bytes, bytes] = {}
    for name, body in _riff_chunks(data):
        parts.setdefault(name, body)
        if name == b"data":
            break
    if len(parts.get(b"fmt ", b"")) < 16 or b"data" not in parts:
        raise FormatError("the WAV file has no format or no data", offset=12, expected="'fmt ' and 'data'")
    coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", parts[b"fmt "])
    if coding == 0xFFFE and len(parts[b"fmt "]) >= 26:  # extensible: the format's number begins its GUID
        coding = struct.unpack_from("<H", parts[b"fmt "], 24)[0]
    if not 4000 <= rate <= 192_000 or not 1 <= channels <= 8:
        raise FormatError(f"the WAV file has {channels} channels at {rate} samples/s", offset=12)
    return _mono(_values(parts[b"data"], coding, bits), channels), rate


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            there = len(data) - at - 8
            if size not in (0, 0xFFFFFFFF) and size > there:
                raise FormatError(f"the WAV file ends {size - there} bytes early", offset=len(data))
            size = there if size in (0, 0xFFFFFFFF) else size
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _values(data: bytes, coding: int, bits: int) -> Samples:
    if coding == 1 and bits == 16:
        return np.asarray(np.frombuffer(data[: len(data) // 2 * 2], "<i2") / 32768, np.float32)
    if coding == 1 and bits in (24, 32):
        return _linear(data, bits)
    if coding == 3 and bits == 32:
        return np.frombuffer(data[: len(data) // 4 * 4], "<f4").clip(-1, 1)
    if coding in (6, 7) and bits == 8:
        table = _alaw_table() if coding == 6 else _mulaw_table()
        return table[np.frombuffer(data, np.uint8)]
    raise FormatError(f"the audio has coding {coding} with {bits} bits", expected="linear PCM of 16 bits")


def _linear(data: bytes, bits: int) -> Samples:
    width = bits // 8
    whole = np.frombuffer(data[: len(data) // width * width], np.uint8).reshape(-1, width)
    top = np.zeros((len(whole), 4), np.uint8)
    top[:, 4 - width :] = whole
    return (top.view("<i4")[:, 0] / np.float64(2**31)).astype(np.float32)


def _mulaw_table() -> Samples:
    """Return the 256 values of µ-law (ITU-T G.711)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    value = (((code & 15) << 3) + 132 << ((code >> 4) & 7)) - 132
    return (np.where(code & 128, -value, value) / 32768).astype(np.float32)


def _alaw_table() -> Samples:
    """Return the 256 values of A-law (ITU-T G.711)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    value = np.where(exponent == 0, (mantissa << 4) + 8, (mantissa << 4) + 264 << np.maximum(exponent - 1, 0))
    return (np.where(code & 128, value, -value) / 32768).astype(np.float32)


def _mono(values: Samples, channels: int) -> Samples:
    if channels == 1:
        return values
    whole = values[: len(values) // channels * channels].reshape(-1, channels)
    return np.asarray(whole.mean(axis=1), np.float32)


def resampled(samples: Samples, rate: int, to: int) -> Samples:
    """Return samples at another rate, band-limited; by the Fourier transform of all of them."""
    if rate == to or not len(samples):
        return samples
    count = max(1, round(len(samples) * to / rate))
    step = rate // math.gcd(rate, to)  # of a multiple of it the other length is whole, the ratio exact
    size = -(-(len(samples) + rate // 10) // step) * step  # a tenth of a second keeps the ends apart
    padded = np.pad(samples.astype(np.float64), (0, size - len(samples)))
    length = size * to // rate
    out: NDArray[Any] = np.fft.irfft(np.fft.rfft(padded), length) * (length / size)
    return out[:count].clip(-1, 1).astype(np.float32)


def frame_levels(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Return the RMS of each frame of 20 ms, the last one shorter."""
    size = max(1, round(FRAME_S * rate))
    frames = samples.astype(np.float64)
    if len(frames) % size:
        frames = np.concatenate([frames, np.zeros(-len(frames) % size)])
    frames = frames.reshape(-1, size)
    power: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", frames, frames) / size)
    return power


def audible(samples: Samples, rate: int) -> NDArray[np.bool_]:
    """Return for each frame of 20 ms whether it is heard: within 40 dB of the loudest, and no mere hiss."""
    return _audible(frame_levels(samples, rate))


def _audible(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    heard: NDArray[np.bool_] = levels > max(float(levels.max(initial=0.0)) * _QUIET, SILENT)
    return heard


def level(samples: Samples, rate: int) -> float:
    """Return the RMS of what is audible: the level of speech, whatever its pauses (as ITU-T P.56)."""
    levels = frame_levels(samples, rate)
    levels = levels[_audible(levels)]
    return float(np.sqrt((levels**2).mean())) if len(levels) else 0.0


def matching_gain(samples: Samples, found: float, wanted: float) -> float:
    """Return the factor that brings samples of level `found` to `wanted`: at most 6 dB, never into clipping."""
    if found <= 0 or wanted <= 0:
        return 1.0
    most = 10 ** (_GAIN_DB / 20)
    gain = min(max(wanted / found, 1 / most), most)
    peak = float(np.abs(samples).max(initial=0.0))
    return min(gain, max(1.0, _PEAK / peak)) if gain > 1 else gain

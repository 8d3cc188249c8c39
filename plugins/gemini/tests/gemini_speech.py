"""What the loopback server says: a tone for each letter, pitched by the voice, with pauses between words."""

from __future__ import annotations

import re
import zlib

import numpy as np

Said = list[tuple[str, str, str]]
"""(voice, style, text) of each turn."""

RATE = 24_000
TAG = r"\[[^\]]*\]|<[^>]*>|\|[^|]*\|"
"""What is obeyed, not read."""
LETTER_S, GAP_S, EDGE_S = 0.03, 0.03, 0.12


def spoken(said: Said, gain: float = 1.0, rate: int = RATE) -> bytes:
    """Return PCM of 16 bits: silence, the words of every turn, silence."""
    pieces = [np.zeros(int(EDGE_S * rate))]
    for voice, style, text in said:
        pitch = 90.0 + zlib.crc32(voice.lower().encode()) % 150
        shade = zlib.crc32(style.encode()) % 100 / 1000
        for word in re.sub(TAG, " ", text).split():
            pieces += [tone(word, pitch, shade, rate), np.zeros(int(GAP_S * rate))]
    sound = np.concatenate([*pieces, np.zeros(int(EDGE_S * rate))])
    return np.rint(sound * gain * 0.4 * 32767).clip(-32768, 32767).astype("<i2").tobytes()


def tone(word: str, pitch: float, shade: float, rate: int) -> np.ndarray:
    out = []
    for letter in word[:200]:
        at = np.arange(int(LETTER_S * rate)) / rate
        second = 2 + ord(letter) % 7
        wave = np.sin(2 * np.pi * pitch * at) + (0.5 + shade) * np.sin(2 * np.pi * second * pitch * at)
        out.append(wave / 1.6 * np.minimum(1, 20 * np.minimum(at, LETTER_S - at) / LETTER_S))
    return np.concatenate(out)

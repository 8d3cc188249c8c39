"""What the contract of voices judges by: words of a text, speech compared, a WAV file."""

from __future__ import annotations

import io
import unicodedata
import wave
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec.contracts._law import require
from kinetoscope_spec.voice import Audio, Cue

__all__ = ["ALIKE", "few", "joined", "require_alike", "shapes", "through_wav", "uncovered", "words_of"]

ALIKE = 1e-4
"""By how much samples of the same speech may differ, three steps of 16 bits: sums are not associative."""

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""What the Unicode names of letters begin with that are written without spaces between words."""


def words_of(text: str) -> list[str]:
    """Return the words that a voice is to cue.

    Words are what stands between white space once audio tags are taken out, without what is no
    letter, mark or digit at their ends; what holds neither letter nor digit is none.
    """
    bare, depth = [], 0
    for i, letter in enumerate(text):
        if letter == "[" and "]" in text[i:]:
            depth = 1
        bare.append(" " if depth else letter)
        if letter == "]":
            depth = 0
    words = (_trimmed(piece) for piece in "".join(bare).split())
    return [word for word in words if any(unicodedata.category(c)[0] in "LN" for c in word)]


def _trimmed(piece: str) -> str:
    kept = [i for i, c in enumerate(piece) if unicodedata.category(c)[0] in "LMN"]
    return piece[kept[0] : kept[-1] + 1] if kept else ""


def joined(pieces: Iterable[Audio]) -> Audio:
    """Return the pieces of a stream as one audio, their cues moved to where they are in it."""
    held = list(pieces)
    cues: list[Cue] = []
    before = 0
    for piece in held:
        rate = piece.rate
        cues += [
            attrs.evolve(c, start=c.start + before / rate, end=c.end + before / rate) for c in piece.cues
        ]
        before += len(piece.samples)
    rates = {piece.rate for piece in held}
    channels = {piece.samples.shape[1] for piece in held}
    require(
        len(rates) == len(channels) == 1, f"the pieces of the stream have rates {rates}, channels {channels}"
    )
    return Audio(np.concatenate([piece.samples for piece in held]), held[0].rate, cues, held[0].provenance)


def uncovered(words: Sequence[str], found: Sequence[str]) -> str | None:
    """Say which word is not covered by cues in order, or return None.

    Several cues may make up a word of letters that are written without spaces.
    """
    place = 0
    for word in words:
        made = ""
        while made != word:
            if place == len(found):
                return f"the cues end before the word {word!r}"
            made += found[place]
            place += 1
            if made != word and not (word.startswith(made) and _is_unspaced(word)):
                return f"where {word!r} is to be, the cues say {made!r}"
    return None if place == len(found) else f"after the last word the cues go on with {found[place]!r}"


def _is_unspaced(word: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(_UNSPACED) for letter in word)


def require_alike(one: str, a: Audio, other: str, b: Audio) -> None:
    require(a.rate == b.rate, f"{one} has {a.rate} samples a second, {other} {b.rate}")
    require(a.samples.shape == b.samples.shape, f"{one} and {other} have {shapes(a, b)}")
    off = float(np.abs(a.samples - b.samples).max(initial=0))
    require(off <= ALIKE, f"samples of {one} and {other} differ by up to {off:.2g}, expected {ALIKE:g}")
    says = [[(cue.kind, cue.value) for cue in audio.cues] for audio in (a, b)]
    require(says[0] == says[1], f"{one} has the cues {few(says[0])}, {other} {few(says[1])}")
    for i, (x, y) in enumerate(zip(a.cues, b.cues, strict=True)):
        apart = max(abs(x.start - y.start), abs(x.end - y.end))
        require(apart <= 1.5 / a.rate, f"cue {i} ({x.value!r}) of {one} and {other} are {apart:.4f} s apart")


def shapes(a: Audio, b: Audio) -> str:
    return f"{list(a.samples.shape)} and {list(b.samples.shape)} samples"


def few(values: Sequence[Any]) -> str:
    return str(list(values[:12])) + (f" and {len(values) - 12} more" if len(values) > 12 else "")


def through_wav(audio: Audio) -> Audio:
    """Return `audio` as it is after a WAV file of 16 bits."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(audio.samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(audio.rate)
        file.writeframes(np.rint(audio.samples * 32767).astype("<i2").tobytes())
    stream.seek(0)
    with wave.open(stream, "rb") as file:
        read = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return Audio(read / np.float32(32767), file.getframerate())

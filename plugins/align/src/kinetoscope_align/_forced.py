"""Forced alignment with PocketSphinx and its English model.

Its own way to align (`set_align_text`) fails on many voices in the pass that looks for the best path
through the word lattice; without that pass, and with beams so wide that nothing is pruned which could
still come to the end, it doesn't. Time and memory grow with the square of the length, so that long
sound goes through it in windows: the first pass is free to stop after any word, what it says of the
last pause is kept, and the next window begins there.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from kinetoscope_align._estimate import Timed
from kinetoscope_align._phones import ARPABET
from kinetoscope_align._sound import Samples
from kinetoscope_align._words import Spoken

__all__ = ["RATE", "forced", "resampled"]

RATE: Final = 16_000
_FRAME_S: Final = 0.01
_FRAME: Final = 160
_PAD_S: Final = 0.2
_WINDOW_S: Final = 30.0
_LEVEL: Final = 16_384
_BEAM: Final = 1e-300
_SHORTEST: Final = 3
"""Frames of a sound in which each of its three states is held once."""

_RUSHED: Final = 0.5
"""Share of sounds that are as short as can be at which the words are not the ones that are spoken."""

_MARGIN: Final = 100
"""Frames at the end of a window in which its words are not to be trusted."""

_LEAST_WORDS: Final = 3

Pcm = NDArray[np.int16]


def resampled(samples: Samples, rate: int) -> Pcm:
    """Return sound between -1 and 1 at 16 kHz in 16 bits."""
    at_rate = samples if rate == RATE else resample_poly(samples.astype(np.float64), RATE, rate)
    loudest = float(np.abs(at_rate).max(initial=0)) or 1.0
    pcm: Pcm = np.rint(np.asarray(at_rate) * (_LEVEL / loudest)).astype(np.int16)
    return pcm


@attrs.frozen
class _Token:
    """An entry of the decoder's dictionary, and the number of the word that it is a part of."""

    name: str
    word: int


def forced(words: Sequence[Spoken], pcm: Pcm) -> list[Timed] | None:
    """Return when each of some English words is said in sound at 16 kHz, or None where it does not fit.

    Times are seconds from the beginning of the sound.
    """
    decoder, tokens = _prepared(words)
    frames: list[tuple[int, int, list[tuple[str, int, int]]]] = []  # of each token
    place, first = 0, 0
    while first < len(tokens):
        rest = tokens[first:]
        window = pcm[place * _FRAME :]
        if len(window) > _WINDOW_S * RATE:
            window, kept = _prefix(decoder, rest, window)
            if not kept:
                return None
            rest = rest[:kept]
        found = _aligned(decoder, [token.name for token in rest], window)
        if found is None:
            return None
        frames += [
            (a + place, b + place, [(name, s + place, e + place) for name, s, e in sounds])
            for a, b, sounds in found
        ]
        place += len(window) // _FRAME
        first += len(rest)
    return _timed(words, tokens, frames)


def _prepared(words: Sequence[Spoken]) -> tuple[Any, list[_Token]]:
    """Return a decoder that knows all words, and what it calls them."""
    sphinx = import_module("pocketsphinx")
    decoder = sphinx.Decoder(
        lm=None, loglevel="FATAL", bestpath=False, beam=_BEAM, wbeam=_BEAM, pbeam=_BEAM, cmn="batch"
    )
    tokens: list[_Token] = []
    added: dict[tuple[str, ...], str] = {}
    for number, word in enumerate(words):
        for part in word.parts:
            if not part.sounds:
                continue
            name = part.name
            if name is None:
                name = added.get(part.sounds)
                if name is None:
                    name = added[part.sounds] = f"~{len(added)}"
                    decoder.add_word(name, " ".join(part.sounds), True)
            tokens.append(_Token(name, number))
    return decoder, tokens


def _heard(decoder: Any, pcm: Pcm) -> bool:
    """Let the decoder hear a sound; False where it comes to no end."""
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    try:
        decoder.end_utt()
    except RuntimeError:
        return False
    return True


def _prefix(decoder: Any, tokens: Sequence[_Token], pcm: Pcm) -> tuple[Pcm, int]:
    """Return a window of sound that ends where a word does, and how many words it holds."""
    window = pcm[: int(_WINDOW_S * RATE)]
    names = [token.name for token in tokens[: int(_WINDOW_S * 12)]]
    last = len(names)
    arcs: list[tuple[Any, ...]] = [(i, i + 1, 1.0, name) for i, name in enumerate(names)]
    arcs += [(i, last, 1.0) for i in range(1, last - 1)]
    decoder.add_fsg("prefix", decoder.create_fsg("prefix", 0, last, arcs))
    decoder.activate_search("prefix")
    if not _heard(decoder, window) or decoder.seg() is None:
        return window, 0
    trusted = len(window) // _FRAME - _MARGIN
    ends: list[tuple[int, int, int]] = []  # how long it is silent after it, frame, words
    kept = 0
    for segment in decoder.seg():
        if segment.word.startswith("<sil>") and ends and kept == ends[-1][2]:
            silent = segment.end_frame - segment.start_frame
            ends[-1] = (silent, segment.start_frame + silent // 2, kept)
        if segment.word[0] in "<[(":
            continue
        kept += 1
        whole = kept == len(tokens) or tokens[kept].word != tokens[kept - 1].word
        if segment.end_frame <= trusted and whole:
            ends.append((0, segment.end_frame + 1, kept))
    late = [end for end in ends if end[2] >= _LEAST_WORDS and end[1] >= trusted // 2] or ends[-1:]
    if not late:
        return window, 0
    _, frame, count = max(late)
    return window[: frame * _FRAME], count


def _aligned(
    decoder: Any, names: Sequence[str], pcm: Pcm
) -> list[tuple[int, int, list[tuple[str, int, int]]]] | None:
    """Return the first frame of each word, the one after its last, and the same of its sounds."""
    pad = np.zeros(int(_PAD_S * RATE), np.int16)
    padded = np.concatenate([pad, pcm, pad])
    decoder.set_align_text(" ".join(names))
    if not _heard(decoder, padded) or decoder.hyp() is None:
        return None
    try:
        decoder.set_alignment()
    except RuntimeError:
        return None
    if not _heard(decoder, padded):
        return None
    before, most = len(pad) // _FRAME, len(pcm) // _FRAME + 1
    found = []
    for entry in decoder.get_alignment():
        if entry.name[0] in "<[(":
            continue
        sounds = [
            (
                sound.name,
                min(max(sound.start - before, 0), most),
                min(max(sound.start + sound.duration - before, 0), most),
            )
            for sound in entry
        ]
        found.append((sounds[0][1], sounds[-1][2], sounds))
    lasts = [end - start for _, _, sounds in found for _, start, end in sounds]
    rushed = sum(length <= _SHORTEST for length in lasts) / max(len(lasts), 1)
    return found if len(found) == len(names) and rushed < _RUSHED else None


def _timed(
    words: Sequence[Spoken],
    tokens: Sequence[_Token],
    frames: Sequence[tuple[int, int, list[tuple[str, int, int]]]],
) -> list[Timed] | None:
    """Put the parts of each word together."""
    parts: list[list[tuple[str, int, int]]] = [[] for _ in words]
    for token, (_, _, sounds) in zip(tokens, frames, strict=True):
        parts[token.word] += sounds
    if not all(parts):
        return None
    found = []
    for word, sounds in zip(words, parts, strict=True):
        timed = tuple(
            Timed(ARPABET[name].ipa, start * _FRAME_S, end * _FRAME_S, "aligned")
            for name, start, end in sounds
        )
        found.append(Timed(word.text, timed[0].start, timed[-1].end, "aligned", timed))
    return found

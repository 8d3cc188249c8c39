"""Captions from a script and the cues of its words: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.script.steps import plain_text, words
from kinetoscope_spec.voice import Audio, Cue, Script

__all__ = ["Caption", "captions", "srt", "vtt"]

ROW_LETTERS: Final = 42
ROWS: Final = 2
LONGEST_S: Final = 7.0
SHORTEST_S: Final = 5 / 6
"""What one reads with ease (Netflix, Timed Text Style Guide: General Requirements, 2021)."""

GAP_S: Final = 1.0
"""A silence this long ends a caption."""

_LINGERS_S: Final = 0.5
_SENTENCE_END = re.compile(r"[.!?…。！？।][\"'”’»)\]]*$")


@attrs.frozen
class Caption:
    """Words on the screen.

    Attributes:
        start, end: seconds.
        text: one or two rows.
        speaker: who says them, or empty where the script has one speaker.
    """

    start: float
    end: float
    text: str
    speaker: str = ""


@attrs.frozen
class _Piece:
    """What stands between white space, and when it is heard."""

    text: str
    start: float
    end: float


def captions(script: Script, audio: Audio) -> list[Caption]:
    """Return the captions of `audio`, which was spoken from `script`.

    Raises:
        ValidationError: the audio's cues are not the script's words.
    """
    cues = [cue for cue in audio.cues if cue.kind == "word"]
    several = len({line.speaker for line in script.lines}) > 1
    found: list[Caption] = []
    place = 0
    for line in script.lines:
        pieces, place = _timed(plain_text(line.text), cues, place)
        for group in _grouped(pieces):
            text = _rows([piece.text for piece in group])
            found.append(Caption(group[0].start, group[-1].end, text, line.speaker if several else ""))
    if place != len(cues):
        raise ValidationError(f"the audio has {len(cues)} words, the script {place}")
    return _lingering(found, audio.duration)


def _timed(text: str, cues: Sequence[Cue], place: int) -> tuple[list[_Piece], int]:
    """Return a line's pieces with their times, and the number of the next cue."""
    found: list[_Piece] = []
    for piece in text.split():
        held = words(piece)
        if not held:
            if found:  # a dash goes with the word before it
                found[-1] = attrs.evolve(found[-1], text=f"{found[-1].text} {piece}")
            continue
        first, made = place, ""
        while made != held[0].text:
            # Several cues make up a word where a language is written without spaces.
            if place == len(cues) or not held[0].text.startswith(made + cues[place].value):
                raise ValidationError(f"the audio's cues do not say {held[0].text!r}, word {first + 1}")
            made += cues[place].value
            place += 1
        found.append(_Piece(piece, cues[first].start, cues[place - 1].end))
    return found, place


def _grouped(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Part pieces into captions: at ends of sentences, at silences, and where one is full."""
    held: list[_Piece] = []
    for piece in pieces:
        if held and (
            piece.start - held[-1].end >= GAP_S
            or piece.end - held[0].start > LONGEST_S
            or not _fits([*held, piece])
            or (_SENTENCE_END.search(held[-1].text) and held[-1].end - held[0].start >= SHORTEST_S)
        ):
            yield held
            held = []
        held.append(piece)
    if held:
        yield held


def _fits(pieces: Sequence[_Piece]) -> bool:
    rows = _rows([piece.text for piece in pieces]).split("\n")
    return len(rows) <= ROWS and all(len(row) <= ROW_LETTERS for row in rows)


def _rows(texts: Sequence[str]) -> str:
    """Break text where the two rows are nearest to each other in length."""
    whole = " ".join(texts)
    if len(whole) <= ROW_LETTERS or len(texts) < 2:
        return whole
    pairs = [(" ".join(texts[:i]), " ".join(texts[i:])) for i in range(1, len(texts))]
    return "\n".join(min(pairs, key=lambda pair: max(map(len, pair))))


def _lingering(found: Sequence[Caption], duration: float) -> list[Caption]:
    """Leave captions on the screen for a moment, but never over the next."""
    ends = [later.start for later in found[1:]] + [duration]
    return [
        attrs.evolve(held, end=max(held.end, min(max(held.end + _LINGERS_S, held.start + SHORTEST_S), end)))
        if held.end < end
        else attrs.evolve(held, end=max(held.start, end))
        for held, end in zip(found, ends, strict=True)
    ]


def srt(held: Sequence[Caption]) -> str:
    """Return captions as SubRip."""
    parts = [
        f"{i}\n{_time(c.start, ',')} --> {_time(c.end, ',')}\n{_named(c)}\n" for i, c in enumerate(held, 1)
    ]
    return "\n".join(parts)


def _named(caption: Caption) -> str:
    return f"{caption.speaker}: {caption.text}" if caption.speaker else caption.text


def vtt(held: Sequence[Caption]) -> str:
    """Return captions as WebVTT (W3C, 2019), with voice spans for speakers."""
    parts = ["WEBVTT\n"]
    for caption in held:
        text = html.escape(caption.text, quote=False)
        if caption.speaker:
            text = f"<v {html.escape(caption.speaker, quote=False)}>{text}</v>"
        parts.append(f"{_time(caption.start, '.')} --> {_time(caption.end, '.')}\n{text}\n")
    return "\n".join(parts)


def _time(seconds: float, point: str) -> str:
    whole = round(1000 * seconds)
    return (
        f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{point}{whole % 1000:03}"
    )

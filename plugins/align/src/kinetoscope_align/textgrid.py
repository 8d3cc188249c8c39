"""Cues as a TextGrid of Praat, for looking at them over the waveform.

The long text format, as Praat's manual has it ("TextGrid file formats"): interval tiers that cover the
sound without gaps, what stands between cues as empty intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kinetoscope_spec import Audio, Cue

__all__ = ["textgrid"]

_TIERS: Final = {"sentence": "sentences", "word": "words", "phoneme": "phonemes", "viseme": "visemes"}


def textgrid(audio: Audio) -> str:
    """Return the cues of a sound, a tier for each kind that it has; marks are left out."""
    end = max([audio.duration, *(cue.end for cue in audio.cues)])
    tiers = {
        name: list(_filled([cue for cue in audio.cues if cue.kind == kind], end))
        for kind, name in _TIERS.items()
        if any(cue.kind == kind for cue in audio.cues)
    }
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6f}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers.items(), 1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += [
            "        xmin = 0",
            f"        xmax = {end:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for i, (a, b, text) in enumerate(intervals, 1):
            quoted = text.replace('"', '""')
            lines += [
                f"        intervals [{i}]:",
                f"            xmin = {a:.6f}",
                f"            xmax = {b:.6f}",
            ]
            lines.append(f'            text = "{quoted}"')
    return "\n".join(lines) + "\n"


def _filled(cues: Sequence[Cue], end: float) -> Iterator[tuple[float, float, str]]:
    """Yield intervals without gaps; what takes no time in microseconds has no interval."""
    at = 0.0
    for cue in cues:
        start, stop = max(round(cue.start, 6), at), round(cue.end, 6)
        if stop <= start:
            continue
        if start > at:
            yield at, start, ""
        yield start, stop, cue.value
        at = stop
    if at < round(end, 6) or not at:
        yield at, round(end, 6), ""

"""The report of a run as one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope.shot.speech import Spoken

__all__ = ["page"]

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.2rem; font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .6rem; }
figure { margin: 0; } img, svg { width: 100%; height: auto; display: block; border-radius: 3px; }
figcaption, small { color: #888; } .bar { background: #4a7fb5; height: .6rem; border-radius: 2px; }
.warn { border-left: 4px solid #d08a1d; padding-left: .7rem; } .flag { color: #c0392b; font-weight: 600; }
"""

_WIDTH, _HEIGHT = 1000, 120
_NON_COMMERCIAL = re.compile(r"non-?\s?commercial|\bNC\b|-NC-", re.IGNORECASE)


def page(facts: Mapping[str, Any], pictures: Sequence[Path], spoken: Spoken | None) -> str:
    """Return the page.

    Args:
        facts: what `report.facts` says.
        pictures: JPEG files `before-N.jpg` and `after-N.jpg`, N the frame.
        spoken: what is said in the film, with its cues.
    """
    name = escape(facts["shot"]["name"])
    shape = f"{facts['frames']} frames, {facts['seconds']:.2f} s"
    parts = [
        f"<h1>{name}</h1><p>{escape(facts['film'])}: {shape}</p>",
        _warnings(facts["warnings"]),
        _pictures(pictures, facts["frames"] / facts["seconds"]),
        _voice(facts, spoken),
        _figures(facts["figures"]),
        _losses(facts["losses"]),
        _stages(facts["stages"]),
        _inputs(facts),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    return "<h2>To be known</h2>" + "".join(f'<p class="warn">{escape(text)}</p>' for text in warnings)


def _pictures(pictures: Sequence[Path], rate: float) -> str:
    """Show the film, each picture under that of the plate at the same frame where there is one."""
    found: dict[int, dict[str, Path]] = {}
    for path in pictures:
        kind, _, number = path.stem.partition("-")
        found.setdefault(int(number), {})[kind] = path
    if not found:
        return ""
    both = any("before" in kinds for kinds in found.values())
    cells = (
        f"<figure>{''.join(_image(kinds[kind]) for kind in ('before', 'after') if kind in kinds)}"
        f"<figcaption>{number / rate:.2f} s</figcaption></figure>"
        for number, kinds in sorted(found.items())
    )
    title = "Before and after" if both else "The film"
    return f'<h2>{title}</h2><div class="pictures">{"".join(cells)}</div>'


def _image(path: Path) -> str:
    held = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{path.stem}" src="data:image/jpeg;base64,{held}">'


def _voice(facts: Mapping[str, Any], spoken: Spoken | None) -> str:
    if spoken is None or facts["voice"] is None:
        return ""
    audio, told = spoken.audio, facts["voice"]
    words = [cue for cue in audio.cues if cue.kind == "word"]
    marks = "".join(
        f'<line x1="{cue.start / audio.duration * _WIDTH:.1f}" y1="0" '
        f'x2="{cue.start / audio.duration * _WIDTH:.1f}" y2="{_HEIGHT}" stroke="#d08a1d"/>'
        f'<text x="{cue.start / audio.duration * _WIDTH + 3:.1f}" y="{14 + 14 * (i % 2)}" '
        f'font-size="13" fill="currentColor">{escape(cue.value)}</text>'
        for i, cue in enumerate(words)
    )
    sources = ", ".join(sorted({cue.source for cue in words})) or "none"
    line = f"{told['provider']}, {told['seconds']:.2f} s, watermark {told['watermark']}, times of words: {sources}"
    wave = f'<path d="{_envelope(audio.samples[:, 0])}" fill="#4a7fb5"/>'
    return f"<h2>The voice</h2>{_drawing(wave + marks)}<small>{escape(line)}</small>"


def _envelope(samples: np.ndarray[Any, Any]) -> str:
    """Return an SVG path around the loudest samples of each of 500 stretches."""
    stretches = [part for part in np.array_split(samples, 500) if len(part)]
    top = max(float(np.abs(samples).max(initial=0.0)), 1e-6)
    middle, reach, step = _HEIGHT / 2, _HEIGHT / 2 - 2, _WIDTH / len(stretches)
    over = [f"{i * step:.1f},{middle - reach * float(p.max()) / top:.1f}" for i, p in enumerate(stretches)]
    under = [f"{i * step:.1f},{middle - reach * float(p.min()) / top:.1f}" for i, p in enumerate(stretches)]
    return "M" + "L".join([*over, *reversed(under)]) + "Z"


def _drawing(inside: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{inside}</svg>'


def _figures(figures: Mapping[str, Any]) -> str:
    if not figures:
        return ""
    skate, error = figures["foot_skate_cm_s"], figures["path_error_m"]
    pelvis, steps = figures["pelvis_speed_m_s"], figures["steps_per_s"]
    rows = (
        ("foot skate, before planting", f"{skate['before']:.2f} cm/s", ""),
        ("foot skate, after planting", f"{skate['after']:.2f} cm/s", ""),
        ("path error, mean", f"{error['mean']:.3f} m", f"at most {error['max']:.3f} m"),
        ("pelvis speed", f"{pelvis['value']:.2f} m/s", _range(pelvis["training"])),
        ("steps", f"{steps['value']:.2f} /s", _range(steps["training"])),
        ("joint angles beyond the clips'", f"{figures['joint_angles']['outside_share']:.2%}", ""),
    )
    return f"<h2>The performance</h2>{_table(('figure', '', 'clips'), rows, numbers=(1,))}"


def _range(limits: Sequence[float]) -> str:
    return f"{limits[0]:.2f} to {limits[1]:.2f}"


def _losses(losses: Sequence[Mapping[str, float]] | None) -> str:
    """Draw the total loss over the steps, on a logarithmic scale; nothing for a model that has none."""
    held = [(row["step"], row["total"]) for row in losses or () if row.get("total", 0) > 0]
    if len(held) < 2:
        return ""
    steps, values = (np.array(column, float) for column in zip(*held, strict=True))
    heights = np.log(values)
    reach = max(float(np.ptp(heights)), 1e-9)
    x = steps / steps[-1] * _WIDTH
    y = _HEIGHT - 4 - (heights - heights.min()) / reach * (_HEIGHT - 8)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    line = f'<polyline points="{points}" fill="none" stroke="#4a7fb5" stroke-width="2"/>'
    told = f"total loss over {steps[-1]:.0f} steps, from {values[0]:.3g} to {values[-1]:.3g} (logarithmic)"
    return f"<h2>The training</h2>{_drawing(line)}<small>{told}</small>"


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    longest = max((stage["seconds"] for stage in stages), default=0.0) or 1.0
    rows = []
    for stage in stages:
        who = " ".join(filter(None, (stage["provider"], f"({stage['distribution']} {stage['version']})")))
        bar = f'<div class="bar" style="width:{100 * stage["seconds"] / longest:.1f}%"></div>'
        taken = "kept" if stage["cached"] else f"{stage['seconds']:.1f} s"
        by = who if stage["distribution"] else stage["provider"] or ""
        rows.append((stage["name"], by, stage["why"] or "", taken, _Markup(bar)))
    return f"<h2>Stages</h2>{_table(('stage', 'by', 'why', 'time', ''), rows, numbers=(3,))}"


def _inputs(facts: Mapping[str, Any]) -> str:
    sources = [*facts["inputs"], *filter(None, (facts["plate"], facts["environment"]))]
    rows = [(Path(s["path"]).name, s["sha256"][:16], _licence(s.get("licence"))) for s in sources]
    return f"<h2>Made from</h2>{_table(('file', 'SHA-256', 'licence'), rows)}"


def _licence(text: str | None) -> str:
    """Return a licence for a table; one that forbids commercial use stands out."""
    if not text:
        return "not stated"
    line = text.strip().splitlines()[0][:80]
    if _NON_COMMERCIAL.search(text):
        return _Markup(f'<span class="flag">non-commercial</span> {escape(line)}')
    return line


class _Markup(str):
    """Text that is HTML already."""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    lines = []
    for row in rows:
        cells = (
            f"<td{' class=number' if i in numbers else ''}>{text if isinstance(text, _Markup) else escape(text)}</td>"
            for i, text in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"

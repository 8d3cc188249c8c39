"""A match as a text to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinetoscope_retarget.protocol import LeftOut, Match, Pair

__all__ = ["report"]

_WIDTH = 96


def report(match: Match) -> str:
    """Return pairs in columns, then what was left out, by reason, then notes."""
    head = f"{len(match.pairs)} joints matched"
    if match.same_shape:
        head += " (the same skeleton, up to names, axes and scale)"
    rows = [(p.role or "-", p.target, _movers(p), p.why, f"{p.confidence:.2f}") for p in match.pairs]
    lines = [head, *_columns(("role", "target", "source", "why", "sure"), rows)]
    for whose, left in (("source", match.left_out_source), ("target", match.left_out_target)):
        lines += _left_out(whose, left)
    return "\n".join([*lines, *(f"note: {note}" for note in match.notes)])


def _movers(pair: Pair) -> str:
    if pair.second is None:
        return pair.source
    return f"{pair.source} {1 - pair.share:.0%} + {pair.second} {pair.share:.0%}"


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    ]


def _left_out(whose: str, left: Sequence[LeftOut]) -> list[str]:
    if not left:
        return []
    reasons: dict[str, list[str]] = {}
    for item in left:
        reasons.setdefault(item.reason, []).append(item.joint)
    lines = [f"left out of the {whose} ({len(left)}):"]
    for reason, joints in reasons.items():
        line = f"  {reason}: "
        for i, joint in enumerate(joints):
            word = joint + ("," if i < len(joints) - 1 else "")
            if len(line) + len(word) > _WIDTH:
                lines.append(line.rstrip())
                line = "    "
            line += word + " "
        lines.append(line.rstrip())
    return lines

"""What `kinetoscope mask` says while it works and when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope_quadmask.streams import count_frames

if TYPE_CHECKING:
    from kinetoscope_quadmask.pipeline import Masked
    from kinetoscope_spec import Progress

__all__ = ["human", "progress", "told"]


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield a `progress(done, total, message)` that draws a bar on standard error, for a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _done, _total, _message: None
        return
    with click.progressbar(length=1000, label="masking", file=sys.stderr) as bar:

        def tell(done: int, total: int, message: str) -> None:
            bar.label = message
            bar.update(done * 1000 // max(total, 1) - bar.pos)

        yield tell


def told(made: Masked, out: Path, names: tuple[str, str], seconds: float) -> dict[str, Any]:
    """Return what is printed as JSON."""
    return {
        "output": str(out),
        "frames": count_frames(made.quadmask),
        "seconds": round(seconds, 3),
        "provider": names[0] or None,
        "reasoner": names[1] or None,
        "scene": made.reasoning.scene or None,
        "belongings": [held.noun for held in made.reasoning.belongings],
        "affected": [held.noun for held in made.reasoning.affected],
        "doubts": [{"object": d.index + 1, "frame": d.frame, "reason": d.reason} for d in made.doubts],
        "warnings": list(made.warnings),
        "stages": [
            {
                "name": stage.name,
                "provider": stage.provider or None,
                "cached": stage.cached,
                "seconds": stage.seconds,
                "files": [str(made.folder / file) for file in stage.files],
            }
            for stage in made.stages
        ],
    }


def human(data: dict[str, Any]) -> str:
    """Return the same for people."""
    lines = [f"object {d['object']}, frame {d['frame']}: {d['reason']}" for d in data["doubts"]]
    lines += data["warnings"]
    for title, key in (("goes with it", "belongings"), ("changes", "affected")):
        if data[key]:
            lines.append(f"{title}: {', '.join(data[key])}")
    if data["scene"]:
        lines.append(f"without it: {data['scene']}")
    cached = [stage["name"] for stage in data["stages"] if stage["cached"]]
    if cached:
        lines.append(f"taken from an earlier run: {', '.join(cached)}")
    by = " and ".join(name for name in (data["provider"], data["reasoner"]) if name) or "the mask"
    lines.append(f"{data['frames']} frames in {data['seconds']:.1f} s by {by}: {data['output']}")
    return "\n".join(lines)

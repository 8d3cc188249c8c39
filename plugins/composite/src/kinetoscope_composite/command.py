"""`kinetoscope solve-camera`: how the camera of a film turned."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

if TYPE_CHECKING:
    from kinetoscope_composite.protocol import CameraSolve

__all__ = ["command"]


@click.command("solve-camera")
@click.argument("video", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--mask",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A film that is black where the camera is to be told from, and anything else where things move.",
)
@click.option(
    "--field-of-view",
    "degrees",
    type=click.FloatRange(0, 180, min_open=True, max_open=True),
    help="Vertical, degrees; found in the film unless it is given.",
)
@click.option(
    "--height", "height_m", default=1.6, show_default=True, help="Of the camera over the ground, m."
)
@click.option("--pitch", default=0.0, show_default=True, help="Degrees by which the first frame looks down.")
@click.option("--provider", metavar="NAME", help="Ask this compositor.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(
    ctx: click.Context,
    video: Path,
    out: Path,
    mask: Path | None,
    degrees: float | None,
    height_m: float,
    pitch: float,
    provider: str | None,
    as_json: bool,
) -> None:
    """Find how the camera of VIDEO turned, and write where it looks in each frame to OUT, JSON."""
    from kinetoscope_spec.files import write_text

    for path in filter(None, (video, mask)):
        if out.exists() and out.samefile(path):
            raise click.UsageError(f"{out} is what is read; name another file to write")
    host = ctx.find_root().obj
    with redirect_stdout(sys.stderr):
        media = host.provider("media")
        covered = None if mask is None else _covering(media.open(mask))
        view = None if degrees is None else float(np.radians(degrees))
        solved = host.provider("compositor", provider).solve(
            media.open(video), mask=covered, field_of_view=view
        )
    data = _summary(solved) | {"output": str(out)}
    write_text(
        out, json.dumps(data | {"cameras": _cameras(solved, height_m, float(np.radians(pitch)))}) + "\n"
    )
    click.echo(json.dumps(data) if as_json else _human(data))


def _covering(film: Any) -> Any:
    """Return a mask of the pixels of a film that are not black."""
    from kinetoscope_spec import Mask

    def source(start: int, stop: int | None) -> Any:
        for frame in film.frames(start, stop):
            yield np.where(frame[..., :3].max(axis=-1) > 15, 255, 0).astype(np.uint8)

    return Mask(film.width, film.height, film.rate, source, film.frame_count)


def _summary(solved: CameraSolve) -> dict[str, Any]:
    return {
        "frames": len(solved),
        "field_of_view_deg": round(float(np.degrees(solved.field_of_view)), 4),
        "measured": solved.measured,
        "still": solved.still,
        "error_px": round(solved.error_px, 4),
        "parallax": solved.parallax,
    }


def _cameras(solved: CameraSolve, height_m: float, pitch: float) -> list[dict[str, Any]]:
    cameras = (solved.camera(i, height_m=height_m, pitch=pitch) for i in range(len(solved)))
    return [
        {name: np.round(getattr(camera, name), 7).tolist() for name in ("position", "target", "up")}
        for camera in cameras
    ]


def _human(data: dict[str, Any]) -> str:
    how = "measured" if data["measured"] else "not told by the film"
    what = "stands still" if data["still"] else f"turns; off by {data['error_px']:.2f} px"
    warning = (
        "\nnear and far things move against each other: the camera did more than turn"
        if data["parallax"]
        else ""
    )
    return (
        f"{data['frames']} frames, {data['field_of_view_deg']:.1f} degrees high ({how}); the camera {what}: "
        f"{data['output']}{warning}"
    )

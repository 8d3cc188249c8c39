"""`kinetoscope shoot`: a shot file in, a film out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host


@click.command("shoot")
@click.argument("shot", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The film's file, instead of the shot's own.")
@json_option
@pass_host
def command(host: Host, shot: Path, out: Path | None) -> None:
    """Shoot SHOT, a shot file (TOML): train or reuse a model, generate, plant the feet, render.

    Beside the film come a report (JSON) and the performance as BVH, as shown and as generated.
    """
    from kinetoscope.shot.run import shoot

    with progress_bar("shooting") as progress:
        film = shoot(host, shot, out=out, progress=progress)
    data = {
        "film": str(film.film),
        "report": str(film.report),
        "motion": str(film.motion),
        "unplanted": str(film.unplanted),
        "figures": film.figures,
        "stages": film.stages,
    }
    emit(click.get_current_context(), data, _human)


def _human(data: dict[str, Any]) -> str:
    figures = data["figures"]
    skate, speed, steps = (figures[key] for key in ("foot_skate_cm_s", "pelvis_speed_m_s", "steps_per_s"))
    lines = [
        f"  {stage['name']:<13} {stage['seconds']:7.1f} s  {stage['provider'] or ''}"
        f"{' (from the cache)' if stage['cached'] else ''}"
        for stage in data["stages"]
    ]
    lines += [
        "",
        f"  foot skate    {skate['before']:.2f} cm/s, after planting {skate['after']:.2f} cm/s",
        f"  path error    {figures['path_error_m']['mean']:.3f} m mean, {figures['path_error_m']['max']:.3f} m at most",
        f"  pelvis speed  {speed['value']:.2f} m/s (clips: {_range(speed['training'])})",
        f"  steps         {steps['value']:.2f} a second (clips: {_range(steps['training'])})",
        "",
        f"film:   {data['film']}",
        f"report: {data['report']}",
    ]
    return "\n".join(lines)


def _range(values: list[float]) -> str:
    return f"{values[0]:.2f} to {values[1]:.2f}"

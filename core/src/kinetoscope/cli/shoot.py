"""`kinetoscope shoot`: a shot file in, a film out; or several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar, table
from kinetoscope.cli._workers import host_options, opened

if TYPE_CHECKING:
    from kinetoscope import Host


@click.command("shoot")
@click.argument("shots", metavar="SHOT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The film's file, instead of the shot's own; of several shots, a folder for their films.",
)
@click.option(
    "--from",
    "first",
    metavar="STAGE",
    help="Make this stage and all after it again; the film is signed anew.",
)
@click.option("--until", metavar="STAGE", help="Stop after this stage; what it made is kept.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="STAGE=NAME",
    help="Let this provider do a stage, whatever the shot says.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Shots at once; of one shot, stages and ranges of frames. Else its stages, one a core.",
)
@click.option("--executor", metavar="NAME[://ADDRESS]", help="Where to work, such as dask://host:8786.")
@json_option
@pass_host
def command(
    host: Host,
    shots: tuple[Path, ...],
    out: Path | None,
    first: str | None,
    until: str | None,
    providers: tuple[str, ...],
    jobs: int | None,
    executor: str | None,
) -> None:
    """Shoot SHOT, a shot file (TOML): clean the plate, train, generate, speak, render, composite.

    What an earlier run has made of the same is taken up, be it one that was killed. Beside the film come
    a report (HTML and JSON) and the performance as BVH, planted and as generated.

    Of several shots each goes where it says, or into the folder --out, called as its shot file. One that
    fails does not stop the others.
    """
    ways: dict[str, Any] = {"first": first, "until": until, "providers": chosen(providers)}
    if len(shots) > 1:
        _shoot_several(host, shots, out, ways, executor, jobs)
        return
    with progress_bar("shooting") as bar, opened(host, executor, jobs or 1) as held:
        film = host.shoot(
            shots[0],
            out=out,
            **ways,
            workers=jobs,
            executor=held,
            options=host_options(),
            progress=lambda event: bar(round(1000 * event.whole), 1000, f"{event.stage}: {event.message}"),
        )
    files = ("film", "report", "page", "motion", "unplanted")
    data: dict[str, Any] = {name: _text(getattr(film, name)) for name in files}
    data |= {"figures": film.figures, "stages": film.stages, "warnings": film.warnings}
    emit(click.get_current_context(), data, _human)


def _shoot_several(
    host: Host,
    shots: tuple[Path, ...],
    out: Path | None,
    ways: dict[str, Any],
    executor: str | None,
    jobs: int | None,
) -> None:
    """Shoot all, tell what became of each, and end with 1 if one failed."""
    from kinetoscope.shot.several import shoot_all, takes

    ctx = click.get_current_context()
    # Shots at once have the cores; one after the other, each one's stages do.
    wanted = takes(shots, out, **ways, workers=None if executor is None and jobs is None else 1)
    at_once = min(jobs or 1, len(wanted))
    where = executor or ("processes" if at_once > 1 else None)
    with opened(host, where, at_once) as held, progress_bar("shooting") as bar:
        done = shoot_all(host, wanted, executor=held, options=host_options(), progress=bar)
    data = {
        "shots": [outcome._asdict() | {"shot": str(shot)} for shot, outcome in zip(shots, done, strict=True)],
        "failed": sum(bool(outcome.reason) for outcome in done),
    }
    emit(ctx, data, _several)
    if data["failed"]:
        ctx.exit(1)


def _several(data: dict[str, Any]) -> str:
    rows = [
        (
            one["shot"],
            f"{one['seconds']:.1f} s",
            f"failed: {one['reason']}" if one["reason"] else one["film"] or "no film",
        )
        for one in data["shots"]
    ]
    warned = [f"warning: {one['shot']}: {text}" for one in data["shots"] for text in one["warnings"]]
    told = f"{len(rows) - data['failed']} shot, {data['failed']} failed"
    return "\n".join([table(("shot", "time", "film"), rows), *warned, "", told])


def chosen(given: tuple[str, ...]) -> dict[str, str]:
    """Return providers by stage from `stage=name` words."""
    pairs = {}
    for text in given:
        stage, equals, name = text.partition("=")
        if not (stage and equals and name):
            raise click.BadParameter(f"{text!r}: expected STAGE=NAME, such as render=raster")
        pairs[stage.strip()] = name.strip()
    return pairs


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _human(data: dict[str, Any]) -> str:
    lines = [
        f"  {stage['name']:<13} {stage['seconds']:7.1f} s  {stage['provider'] or ''}"
        f"{' (from the cache)' if stage['cached'] else ''}"
        for stage in data["stages"]
    ]
    lines += [f"warning: {text}" for text in data["warnings"]]
    if data["film"] is None:
        return "\n".join([*lines, "", "no film was asked for"])
    figures = data["figures"]
    skate, speed, steps = (figures[key] for key in ("foot_skate_cm_s", "pelvis_speed_m_s", "steps_per_s"))
    lines += [
        "",
        f"  foot skate    {skate['before']:.2f} cm/s, after planting {skate['after']:.2f} cm/s",
        f"  path error    {figures['path_error_m']['mean']:.3f} m mean, {figures['path_error_m']['max']:.3f} m at most",
        f"  pelvis speed  {speed['value']:.2f} m/s (clips: {_range(speed['training'])})",
        f"  steps         {steps['value']:.2f} a second (clips: {_range(steps['training'])})",
        "",
        f"film:   {data['film']}",
        f"report: {data['page']}",
    ]
    return "\n".join(lines)


def _range(values: list[float]) -> str:
    return f"{values[0]:.2f} to {values[1]:.2f}"

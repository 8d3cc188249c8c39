"""`kinetoscope generate`: a checkpoint and a path in, motions, a film and a table out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope.shot.generate import Wish
    from kinetoscope.shot.steering import Velocities
    from kinetoscope.shot.tracking import Targets

FARTHEST_M = 1000.0
FASTEST_M_S = 20.0
FIGURE_EIGHT = "figure-eight"


def _points(
    _ctx: click.Context, _parameter: click.Parameter, text: str | None
) -> str | list[list[float]] | None:
    if text is None or text == FIGURE_EIGHT:
        return text
    try:
        points = [[float(number) for number in point.split(",")] for point in text.split()]
    except ValueError:
        points = []
    if len(points) < 2 or any(len(point) != 2 for point in points):
        points = []
    if not points or not all(abs(number) <= FARTHEST_M for point in points for number in point):
        raise click.BadParameter(
            f"{text!r} is not a path; write points as x,z in metres, at most 1000 m away: '0,0 0,4 2,8', "
            f"or {FIGURE_EIGHT}"
        )
    return points


def _velocities(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Velocities | None:
    from kinetoscope.shot.steering import Velocities
    from kinetoscope_spec.errors import ValidationError

    if text is None:
        return None
    try:
        parts = [part.partition("@") for part in text.split()]
        wanted = [[float(number) for number in velocity.split(",")] for velocity, _, _ in parts]
        if all(abs(number) <= FASTEST_M_S for velocity in wanted for number in velocity):
            return Velocities([float(second or 0) for _, _, second in parts], wanted)
    except (ValueError, ValidationError):
        pass
    raise click.BadParameter(
        f"{text!r} are no velocities; write x,z in m/s, at most {FASTEST_M_S:g}, and from when on, later and "
        "later: '0,1.2 1.2,0@4'"
    )


@click.command("generate")
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--start",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The clip whose motion it begins with.",
)
@click.option(
    "--path",
    callback=_points,
    help="Points on the ground, 'x,z x,z ...' in metres, or figure-eight, round and round (needs --seconds).",
)
@click.option(
    "--velocity",
    callback=_velocities,
    help="Instead of a path, velocities 'x,z x,z@SECOND ...' in m/s, each from its second on (needs --seconds).",
)
@click.option(
    "--track",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Instead of a path, a motion of the same skeleton; its head and hands alone are known, and followed.",
)
@click.option(
    "--speed", type=click.FloatRange(0.05, 20), help="m/s along the path; the clips' median if not given."
)
@click.option("--style", help="A label that the clips carry.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option(
    "--seeds",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="So many motions, by SEED and the next; each file's name ends in its seed.",
)
@click.option("--seconds", type=click.FloatRange(0.5, 3600), help="The longest it may take.")
@click.option("--plant/--no-plant", default=True, show_default=True, help="Keep feet still on the ground.")
@click.option(
    "--film", type=click.Path(dir_okay=False, path_type=Path), help="A film of all of them on one path."
)
@json_option
@pass_host
def command(
    host: Host,
    checkpoint: Path,
    out: Path,
    start: Path,
    path: str | list[list[float]] | None,
    velocity: Velocities | None,
    track: Path | None,
    speed: float | None,
    style: str | None,
    seed: int,
    seeds: int,
    seconds: float | None,
    plant: bool,
    film: Path | None,
) -> None:
    """Let the model in CHECKPOINT walk along a path, as fast as is told, or after a head and hands.

    The motion is written to OUT (BVH).

    A table tells how it walked: how far from what it followed, how feet skate before and after they are planted,
    and, with several seeds, how many of the motions are visibly different.
    """
    from kinetoscope.shot import generate
    from kinetoscope.shot.outputs import refuse_overwriting
    from kinetoscope.shot.stages import Stages

    if sum(given is not None for given in (path, velocity, track)) != 1:
        raise click.UsageError("expected one of --path, --velocity and --track")
    if track is not None and speed is not None:
        raise click.UsageError("--track goes as fast as the head does, --speed is for --path")
    if velocity is not None and seconds is None:
        raise click.UsageError("--velocity has no end; say how long with --seconds")
    if path == FIGURE_EIGHT and seconds is None:
        raise click.UsageError("--path figure-eight has no end; say how long with --seconds")
    files = [out] if seeds == 1 else [out.with_stem(f"{out.stem}-{seed + i}") for i in range(seeds)]
    for file in [*files, *([] if film is None else [film])]:
        refuse_overwriting(file, [start, *([] if track is None else [track])])
    way = path or velocity or _targets(host, track, start)
    wish = generate.Wish(way, speed, style, tuple(range(seed, seed + seeds)), seconds, plant)
    with progress_bar("generating") as progress, Stages(host).stage("generate") as stage:
        walks = generate.generate(host, checkpoint, start, wish, files, film=film, progress=progress)
    data: dict[str, Any] = {
        "output": str(files[0]),
        "outputs": [str(file) for file in files],
        "film": None if film is None else str(film),
        "frames": walks.motions[0].frame_count,
        "framerate": walks.motions[0].framerate,
        "seconds": stage.seconds,
        "metrics": walks.figures(),
    }
    emit(click.get_current_context(), data, lambda data: _human(data, wish))


def _targets(host: Host, track: Path | None, start: Path) -> Targets:
    """Return what is known of the motion in `track`, which must be of the skeleton that `start` moves."""
    from kinetoscope.shot.mocap import same_body
    from kinetoscope.shot.tracking import Targets
    from kinetoscope_spec.errors import ConfigError

    assert track is not None
    motions, begins = host.open(track).motions, host.open(start).motions
    if not motions:
        raise ConfigError(f"{track} holds no motion to follow")
    if begins and not same_body(begins[0], motions[0]):
        raise ConfigError(f"{track} moves another skeleton than {start}, expected the same: its sizes count")
    return Targets.of(motions[0])


_FOLLOWED = {
    "path_error_m": "path error m",
    "velocity_error_m_s": "velocity error m/s",
    "tracking_error_m": "head and hands off m",
}
"""What is told of whom, and how the table calls it."""


def _human(data: dict[str, Any], wish: Wish) -> None:
    followed = next(name for name in _FOLLOWED if name in data["metrics"]["walks"][0])
    rows = [
        (
            str(seed),
            str(walk["frames"]),
            f"{walk[followed]['mean']:.3f}",
            f"{walk[followed]['max']:.3f}",
            f"{walk['foot_skate_cm_s']['before']:.2f}",
            f"{walk['foot_skate_cm_s']['after']:.2f}",
            f"{walk['pelvis_speed_m_s']['value']:.2f}",
        )
        for seed, walk in zip(wish.seeds, data["metrics"]["walks"], strict=True)
    ]
    columns = ("seed", "frames", _FOLLOWED[followed], "at most", "skate cm/s", "planted", "speed m/s")
    click.echo(table(columns, rows))
    diversity = data["metrics"]["diversity"]
    if diversity:
        click.echo(
            f"{len(diversity['different'])} of {len(rows)} are at least {diversity['visible_m']} m apart a joint, "
            f"{diversity['apart_m']:.3f} m on average"
        )
    click.echo(
        f"{data['frames']} frames at {data['framerate']:g} Hz in {data['seconds']:.1f} s: {data['output']}"
    )

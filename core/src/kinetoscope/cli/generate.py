"""`kinetoscope generate`: a checkpoint and a path in, a motion out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host


FARTHEST_M = 1000.0


def _points(_ctx: click.Context, _parameter: click.Parameter, text: str) -> list[list[float]]:
    try:
        points = [[float(number) for number in point.split(",")] for point in text.split()]
    except ValueError:
        points = []
    if len(points) < 2 or any(len(point) != 2 for point in points):
        points = []
    if not points or not all(abs(number) <= FARTHEST_M for point in points for number in point):
        raise click.BadParameter(
            f"{text!r} is not a path; write points as x,z in metres, at most 1000 m away: '0,0 0,4 2,8'"
        )
    return points


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
    "--path", required=True, callback=_points, help="Points on the ground, 'x,z x,z ...' in metres."
)
@click.option("--speed", type=click.FloatRange(0.05, 20), help="m/s; the clips' median if not given.")
@click.option("--style", help="A label that the clips carry.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option("--seconds", type=click.FloatRange(0.5, 3600), help="The longest it may take.")
@click.option("--plant/--no-plant", default=True, show_default=True, help="Keep feet still on the ground.")
@json_option
@pass_host
def command(
    host: Host,
    checkpoint: Path,
    out: Path,
    start: Path,
    path: list[list[float]],
    speed: float | None,
    style: str | None,
    seed: int,
    seconds: float | None,
    plant: bool,
) -> None:
    """Let the model in CHECKPOINT walk along a path and write the motion to OUT (BVH)."""
    import attrs
    import numpy as np

    from kinetoscope.shot import measure
    from kinetoscope.shot.learn import load_checkpoint
    from kinetoscope.shot.mocap import read_clips
    from kinetoscope.shot.outputs import refuse_overwriting
    from kinetoscope.shot.perform import perform, pick_start
    from kinetoscope.shot.settings import Listing
    from kinetoscope.shot.stages import Stages
    from kinetoscope_spec import Asset
    from kinetoscope_spec import Path as GroundPath
    from kinetoscope_spec.files import replacing

    # What can be found out before the work is found out before it.
    way = GroundPath(np.asarray(path))
    refuse_overwriting(out, [start])
    writer = host.writer(out.suffix.removeprefix("."))
    with progress_bar("generating") as progress, Stages(host).stage("generate") as stage:
        learned = load_checkpoint(host, checkpoint)
        speed = speed or float(np.median([gait.speed_m_s for gait in learned.gaits]))
        clips = read_clips(host, Listing((start,), frozenset({start})))
        motion = perform(
            learned,
            pick_start(clips.motions, None, speed),
            way,
            speed_m_s=speed,
            seed=seed,
            style=style,
            max_seconds=seconds,
            progress=progress,
        )
        motion = attrs.evolve(motion, rotations=learned.limits.clamp(motion.rotations), name=out.stem)
        if plant:
            contacts = measure.contact_frames(motion, learned.rest_m)
            solver = host.provider("solver")
            planting = solver.plant(motion, contacts=contacts, ground_m=learned.rest_m, limits=learned.limits)
            motion = planting.motion
        with replacing(out) as building:
            writer.write(Asset(out.stem, motion.skeleton, (motion,)), building, unit=1.0)
    data = {
        "output": str(out),
        "frames": motion.frame_count,
        "framerate": motion.framerate,
        "seconds": stage.seconds,
    }
    emit(
        click.get_current_context(),
        data,
        f"{motion.frame_count} frames at {motion.framerate:g} Hz in {stage.seconds:.1f} s: {out}",
    )

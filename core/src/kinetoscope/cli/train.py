"""`kinetoscope train`: clips in, a checkpoint out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """Yield a folder beside `out` to build in; it is gone afterwards."""
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)


@click.command("train")
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The checkpoint's folder; must not exist."
)
@click.option("--model", help="Provider of the model hook.")
@click.option("--feature", default="locomotion", show_default=True, help="Provider of the feature hook.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps at most; reproducible.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the clips at most; reproducible.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Seconds of training at most.")
@json_option
@pass_host
def command(
    host: Host,
    clips: tuple[Path, ...],
    out: Path,
    model: str | None,
    feature: str,
    seed: int,
    steps: int | None,
    epochs: int | None,
    seconds: float | None,
) -> None:
    """Train a model on CLIPS (files and folders) and keep it in a checkpoint folder."""
    from kinetoscope.shot.learn import learn
    from kinetoscope.shot.mocap import read_clips
    from kinetoscope.shot.settings import Listing, files_in
    from kinetoscope.shot.stages import Stages
    from kinetoscope_spec.files import making_folder

    if out.exists():
        raise click.UsageError(f"{out} exists; a checkpoint goes into a folder of its own")
    listing = Listing(
        tuple(file for clip in clips for file in (files_in(clip) if clip.is_dir() else [clip])),
        frozenset(clip for clip in clips if clip.is_file()),
    )
    limits = {"steps": steps, "epochs": epochs, "seconds": seconds}
    with making_folder(out.parent), workplace(out) as building:
        with progress_bar("training") as progress:
            stages = Stages(host)
            read = read_clips(host, listing, progress)
            learned = learn(
                stages,
                read,
                model=model,
                feature=feature,
                options={},
                seed=seed,
                budget={key: value for key, value in limits.items() if value is not None} or None,
                cache=building,
                progress=progress,
            )
        (trained,) = (building / "models").iterdir()
        os.replace(trained, out)
    for warning in read.warnings:
        click.echo(f"warning: {warning}", err=True)
    record = learned.record
    data = {
        "checkpoint": str(out),
        "model": record["model"],
        "feature": record["feature"],
        "clips": len(record["sources"]),
        "warnings": list(read.warnings),
        "losses": record["losses"],
        "seconds": sum(stage.seconds for stage in stages.done),
    }
    emit(
        click.get_current_context(),
        data,
        f"trained {data['model']} on {data['clips']} files in {data['seconds']:.0f} s: {out}",
    )

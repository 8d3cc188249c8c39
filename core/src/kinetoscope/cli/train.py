"""`kinetoscope train`: clips in, a checkpoint out."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope.shot.learn import Learned
    from kinetoscope.shot.mocap import Clips
    from kinetoscope.shot.stages import Stages
    from kinetoscope_spec.protocols import Progress


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """Yield a folder beside `out` to build in; it is gone afterwards."""
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)


LIMITS = ("steps", "epochs", "seconds")

DEFAULTS: dict[str, Any] = {
    "model": None,
    "feature": "locomotion",
    "seed": 0,
    **dict.fromkeys(LIMITS),
    "model_options": {},
    "feature_options": {},
}
"""What a training is told, and what it does untold."""


def read_settings(path: Path) -> dict[str, Any]:
    """Return the options that a TOML file gives.

    Raises:
        ConfigError: it is no TOML, or has an entry that is none of `DEFAULTS`, or of another kind.
    """
    from kinetoscope_spec.errors import ConfigError, nearest

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    kinds: dict[str, Any] = {
        "model": str,
        "feature": str,
        "seed": int,
        "steps": int,
        "epochs": int,
        "seconds": (int, float),
    }
    for name, value in found.items():
        if name not in DEFAULTS:
            raise ConfigError(f"{path}: unknown entry {name!r}{nearest(name, tuple(DEFAULTS))}")
        if not isinstance(value, kinds.get(name, dict)) or isinstance(value, bool):
            raise ConfigError(f"{path}: {name} is {value!r}, which is of the wrong kind")
        if not isinstance(value, str | dict) and value < (0 if name == "seed" else 1e-9):
            raise ConfigError(f"{path}: {name} is {value!r}, expected more")
    return found


def combined(settings: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked for: the command line before the file, the file before the defaults."""
    return {**DEFAULTS, **settings, **{name: value for name, value in given.items() if value is not None}}


def metrics(record: dict[str, Any]) -> dict[str, float]:
    """Return how the training ended: its last losses, and the codebook's perplexity if there is one."""
    last = dict(record["losses"][-1]) if record["losses"] else {}
    return last if record["perplexity"] is None else {**last, "perplexity": record["perplexity"]}


@click.command("train")
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The checkpoint's folder; must not exist."
)
@click.option(
    "--config",
    "settings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file of the options here, with tables [model_options] and [feature_options].",
)
@click.option("--model", help="Provider of the model hook.")
@click.option("--feature", help="Provider of the feature hook; locomotion unless given.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Of weights, order and noise; 0 unless given."
)
@click.option("--mirror/--no-mirror", default=None, help="Learn every clip in the mirror too.")
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that training is kept in as it goes, and taken up from if it is there.",
)
@click.option(
    "--logs", type=click.Path(file_okay=False, path_type=Path), help="A folder for TensorBoard's logs."
)
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps at most; reproducible.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the clips at most; reproducible.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Seconds of training at most.")
@json_option
@pass_host
def command(
    host: Host,
    clips: tuple[Path, ...],
    out: Path,
    settings: Path | None,
    mirror: bool | None,
    resume: Path | None,
    logs: Path | None,
    **given: Any,
) -> None:
    """Train a model on CLIPS (files and folders) and keep it in a checkpoint folder."""
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
    asked = combined({} if settings is None else read_settings(settings), given)
    if mirror is not None:
        asked["feature_options"] = {**asked["feature_options"], "mirror": mirror}
    working = {"checkpoint": resume, "logs": logs}
    stages = Stages(host)
    with making_folder(out.parent), workplace(out) as building:
        with progress_bar("training") as progress:
            read = read_clips(host, listing, progress)
            learned = _learn(stages, read, asked, working, building, progress)
        (trained,) = (building / "train").iterdir()
        os.replace(trained, out)
    _tell(out, learned, read, sum(stage.seconds for stage in stages.done))


def _learn(
    stages: Stages,
    read: Clips,
    asked: dict[str, Any],
    working: dict[str, Path | None],
    building: Path,
    progress: Progress,
) -> Learned:
    """Train as is `asked`; the checkpoint goes into the folder `building`."""
    from kinetoscope.shot.learn import learn
    from kinetoscope.shot.store import Store

    return learn(
        stages,
        read,
        model=asked["model"],
        feature=asked["feature"],
        options=asked["feature_options"],
        seed=asked["seed"],
        budget={key: asked[key] for key in LIMITS if asked[key] is not None} or None,
        store=Store(building, sys.maxsize),
        progress=progress,
        model_options=asked["model_options"],
        working={key: str(path) for key, path in working.items() if path is not None},
    )


def _tell(out: Path, learned: Learned, read: Clips, seconds: float) -> None:
    """Print what was trained, and what to beware of."""
    collapsed = list(getattr(learned.fitted, "collapsed", ()))
    warnings = list(read.warnings)
    if collapsed:
        shown = ", ".join(map(str, collapsed[:20]))
        warnings.append(f"{len(collapsed)} channels of the codebook are hardly used: {shown}")
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    record = learned.record
    data = {
        "checkpoint": str(out),
        "model": record["model"],
        "feature": record["feature"],
        "clips": len(record["sources"]),
        "warnings": warnings,
        "losses": record["losses"],
        "metrics": metrics(record),
        "collapsed": collapsed,
        "seconds": seconds,
    }
    emit(
        click.get_current_context(),
        data,
        f"trained {data['model']} on {data['clips']} files in {data['seconds']:.0f} s: {out}",
    )

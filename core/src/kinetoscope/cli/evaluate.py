"""`kinetoscope evaluate`: checkpoints and clips in, a table of errors out."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope.evaluation.evaluate import Plan


@click.command("evaluate")
@click.argument(
    "paths",
    metavar="MODEL... CLIPS...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file: horizons, seen, every, samples, seed.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for a page, curves and figures; must not exist.",
)
@json_option
@pass_host
def command(host: Host, paths: tuple[Path, ...], config: Path | None, out: Path | None) -> None:
    """Compare what models make of CLIPS that they have not seen with what really comes next.

    MODEL is a checkpoint's folder, of which there may be several; CLIPS are files and folders of clips.
    Beside the models stand zero velocity (the last pose stays) and interpolation (which is told the pose
    after the last frame). A second table holds each method's errors less zero velocity's on the same
    windows: an interval that is all below 0 is surely better. Train `motion-matching` on the same clips
    to compare with that.
    Models that differ in nothing but the seed of their training are told together as well.
    """
    from kinetoscope.evaluation.evaluate import evaluate
    from kinetoscope.evaluation.report import difference_rows, drawing, error_rows, figure_rows
    from kinetoscope.shot.learn import is_checkpoint, load_checkpoint
    from kinetoscope.shot.mocap import read_clips
    from kinetoscope.shot.settings import Listing, files_in
    from kinetoscope.shot.stages import Stages

    if out is not None and out.exists():
        raise click.UsageError(f"{out} exists; a report goes into a folder of its own")
    if out is not None:
        drawing()  # what is missing is said before the work
    plan = _plan(config)
    folders = [path for path in paths if is_checkpoint(path)]
    rest = [path for path in paths if not is_checkpoint(path)]
    if not folders or not rest:
        raise click.UsageError("expected at least one checkpoint's folder and one clip")
    files = tuple(file for path in rest for file in (files_in(path) if path.is_dir() else [path]))
    with progress_bar("evaluating") as progress, Stages(host).stage("evaluate") as stage:
        models = {_name(folder, folders): load_checkpoint(host, folder) for folder in folders}
        clips = read_clips(host, Listing(files, frozenset(path for path in rest if path.is_file())))
        found = evaluate(host, models, clips.motions, plan, progress=progress)
    if out is not None:
        _write(out, found)
    data: dict[str, Any] = {
        "checkpoint": str(folders[0]),
        "output": None if out is None else str(out),
        "metrics": found,
        "warnings": list(clips.warnings),
        "seconds": stage.seconds,
    }
    emit(
        click.get_current_context(),
        data,
        "\n\n".join(
            [
                *(table(*rows(found)) for rows in (error_rows, difference_rows, figure_rows)),
                _summary(found, stage.seconds),
            ]
        ),
    )


def _plan(config: Path | None) -> Plan:
    from kinetoscope.evaluation.evaluate import Plan
    from kinetoscope_spec.errors import ConfigError

    if config is None:
        return Plan()
    try:
        return Plan.of(tomllib.loads(config.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config} is not TOML: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{config}: {error}") from None


def _name(folder: Path, folders: list[Path]) -> str:
    """Return a folder's name; all of its path where another one has the same."""
    names = [other.resolve().name for other in folders]
    own = folder.resolve().name
    return own if names.count(own) == 1 else str(folder)


def _write(out: Path, found: dict[str, Any]) -> None:
    """Write the report's folder, whole or not at all."""
    import os

    from kinetoscope.cli.train import workplace
    from kinetoscope.evaluation.report import curves, markdown
    from kinetoscope_spec.files import making_folder

    with making_folder(out.parent), workplace(out) as building:
        report = building / "report"
        report.mkdir()
        (report / "evaluation.md").write_text(markdown(found), encoding="utf-8")
        (report / "evaluation.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        (report / "errors.png").write_bytes(curves(found))
        os.replace(report, out)


def _summary(found: dict[str, Any], seconds: float) -> str:
    return f"{found['windows']} windows of {found['clips']} clips in {seconds:.1f} s"

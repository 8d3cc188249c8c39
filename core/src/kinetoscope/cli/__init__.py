"""The command line. This module imports click and little else: commands load when they run."""

from __future__ import annotations

import click

from kinetoscope.cli._group import LazyGroup, LazyHost

__all__ = ["main"]

CORE = {
    "plugins": ("kinetoscope.cli.plugins", "List what is installed, from where, and its state."),
    "explain": ("kinetoscope.cli.explain", "Say which provider would be chosen, and why."),
    "config": ("kinetoscope.cli.config", "Show the settings in force and where each came from."),
    "doctor": ("kinetoscope.cli.doctor", "Check drivers, weights, keys and libraries."),
    "detect": ("kinetoscope.cli.detect", "Tell what files are, from their bytes."),
    "inspect": ("kinetoscope.cli.inspect", "Show what a motion or character file holds."),
    "convert": ("kinetoscope.cli.convert", "Convert files between formats."),
    "train": ("kinetoscope.cli.train", "Train a model on clips."),
    "generate": ("kinetoscope.cli.generate", "Generate motion with a trained model."),
    "render": ("kinetoscope.cli.render", "Render a motion file to a film or a picture."),
    "shoot": ("kinetoscope.cli.shoot", "Run a shot from its description to its film."),
}
"""Core's commands: where each lives (attribute `command`) and its line in `--help`."""


@click.group(cls=LazyGroup, table=CORE, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_file", metavar="FILE", help="Read this file instead of kinetoscope.toml.")
@click.option("--block", multiple=True, metavar="NAME", help="Leave this plugin or distribution out.")
@click.option("--allow", multiple=True, metavar="NAME", help="Use only this plugin or distribution.")
@click.option("--no-autoload", is_flag=True, help="Use no installed plugin at all.")
@click.option("--trace", is_flag=True, help="Time what providers do and print it at the end.")
@click.option("--traceback", is_flag=True, help="Show where an error came from.")
@click.version_option(package_name="kinetoscope", message="%(prog)s %(version)s")
@click.pass_context
def main(
    ctx: click.Context,
    config_file: str | None,
    block: tuple[str, ...],
    allow: tuple[str, ...],
    no_autoload: bool,
    trace: bool,
    traceback: bool,
) -> None:
    """Put an AI-driven character into a shot."""
    ctx.obj = LazyHost(
        config=config_file,
        block=block or None,
        allow=allow or None,
        autoload=not no_autoload,
        trace=trace or None,
    )
    ctx.call_on_close(ctx.obj.close)

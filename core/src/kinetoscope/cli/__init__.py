"""The command line. This module imports click and little else: commands load when they run."""

from __future__ import annotations

import click

from kinetoscope._commands import CORE
from kinetoscope.cli._group import LazyGroup, LazyHost

__all__ = ["main"]


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

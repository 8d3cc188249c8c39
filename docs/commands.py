"""Write the reference of the command line from the commands' own help: `python docs/commands.py`."""

from __future__ import annotations

from pathlib import Path

import click

PAGE = Path(__file__).parent / "pages" / "reference" / "command-line.md"
_HEAD = """\
# The command line

`--json` prints one JSON object on standard output and nothing else there. The exit status is 0 when the
work is done, 1 when it failed (one readable line says why; `--traceback` shows more), 2 when the command
was used wrongly, 130 when it was interrupted (`serve`, which has no other end, exits with 0). An
interrupted command leaves no half-written file.

This page is made from the commands' own help by `docs/commands.py`.
"""


def page() -> str:
    """Return the page as it should be."""
    from kinetoscope.cli import main

    context = click.Context(
        main, info_name="kinetoscope", terminal_width=96, max_content_width=96, **main.context_settings
    )
    parts = [_HEAD, _block("kinetoscope", main, context)]
    for name in sorted(main.list_commands(context)):
        command = main.get_command(context, name)
        if command is not None:
            inner = click.Context(command, parent=context, info_name=name, terminal_width=96)
            parts.append(_block(f"kinetoscope {name}", command, inner))
    return "\n".join(parts)


def _block(title: str, command: click.Command, context: click.Context) -> str:
    return f"## {title}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

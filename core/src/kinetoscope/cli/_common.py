"""What commands share: the host, JSON output, progress, and how errors read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import update_wrapper
from math import isfinite
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

if TYPE_CHECKING:
    from kinetoscope_spec import Progress

__all__ = [
    "describe",
    "emit",
    "json_option",
    "json_stream",
    "pass_host",
    "printable",
    "progress_bar",
    "table",
]

_JSON = "kinetoscope.json"
F = TypeVar("F", bound=Callable[..., Any])


def pass_host(function: F) -> F:
    """Call a command with the run's `Host` as its first argument; it is built now, closed at the end."""

    @click.pass_context
    def command(ctx: click.Context, /, *args: Any, **options: Any) -> Any:
        obj = ctx.find_root().obj
        host = obj.resolve() if hasattr(obj, "resolve") else obj
        return ctx.invoke(function, host, *args, **options)

    return update_wrapper(command, function)  # type: ignore[return-value]


def _want_json(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> bool:
    if wanted and _JSON not in ctx.meta:
        ctx.meta[_JSON] = sys.stdout
        # What a library prints must not get between a program and the one object it reads.
        ctx.with_resource(redirect_stdout(sys.stderr))
    return wanted


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_want_json,
    is_eager=True,
    help="Print one JSON object and nothing else.",
)
"""`--json` for a command; it takes no argument for it: `emit` knows."""


def json_stream(ctx: click.Context) -> TextIO | None:
    """Return where JSON goes if `--json` was asked for: for a command whose object is too large for `emit`."""
    stream: TextIO | None = ctx.meta.get(_JSON)
    return stream


def emit(
    ctx: click.Context, data: dict[str, Any], human: str | Callable[[dict[str, Any]], str | None]
) -> None:
    """Print `data` as JSON if that was asked for, else `human` (a text, or a function of `data`).

    A function may print by itself and return None. Call this once a command.
    """
    stream = ctx.meta.get(_JSON)
    if stream is not None:
        import json

        click.echo(json.dumps(_finite(data), default=_plain, allow_nan=False), file=stream)
        return
    text = human if isinstance(human, str) else human(data)
    if text:
        click.echo(text)


def _finite(value: Any) -> Any:
    """Replace NaN and infinities, which JSON does not have, by null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(held) for key, held in value.items()}
    return [_finite(held) for held in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """Turn what JSON does not know (paths, sets of names) into what it does."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


@contextmanager
def progress_bar(title: str = "") -> Iterator[Progress]:
    """Yield a `progress(done, total, message)` callback: a bar on standard error, for a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _done, _total, _message: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def progress(done: int, total: int, message: str = "") -> None:
            bar.update(task, completed=done, total=total or None, description=message or title)

        yield progress


def table(headers: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Lay `rows` out in columns under `headers`; plain text, so that a pipe reads it too."""
    widths = [max(len(row[i]) for row in (headers, *rows)) for i in range(len(headers))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (headers, *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def printable(text: str) -> str:
    """Return text as a terminal may show it: line breaks, escapes and broken bytes of names are spelled out."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode()
        for letter in text
    )


def describe(error: BaseException) -> list[str]:
    """Return an error's message on one line, then its notes."""
    text = " ".join(str(error).split()) or type(error).__name__
    if not _is_ours(error):
        text = f"{type(error).__name__}: {text}"
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    if not _is_ours(error) and not isinstance(error, OSError):
        notes.append("this looks like a defect; --traceback shows where it happened")
    return [text, *notes]


def _is_ours(error: BaseException) -> bool:
    from kinetoscope_spec.errors import KinetoscopeError

    return isinstance(error, KinetoscopeError)

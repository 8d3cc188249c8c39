"""A click group whose commands are imported when they run, and whose errors are one line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from kinetoscope import discovery

__all__ = ["LazyGroup", "LazyHost"]

INTERRUPTED = 130


class LazyHost:
    """Stands in for the `Host` of a command line run, which is built when it is first used.

    Commands of plugins find it as `ctx.obj` and use it as they would a `Host`.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options
        self._host: Any = None

    def resolve(self) -> Any:
        """Return the host, building it first if need be."""
        if self._host is None:
            from kinetoscope.host import Host

            self._host = Host(**self.options)
        return self._host

    def close(self) -> None:
        """Close the host, if one was built; print what was timed if that was asked for."""
        host, self._host = self._host, None
        if host is None:
            return
        for timing in host.timings() if self.options.get("trace") else ():
            click.echo(str(timing), err=True)
        host.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.resolve(), name)


class LazyGroup(click.Group):
    """Commands from a table of `name: (module, help)`, and from the group `kinetoscope.command`."""

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return core's names in their order, then those of plugins, sorted."""
        return [*self.table, *sorted(self._from_plugins(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name; None if there is none."""
        if cmd_name in self.table:
            return _load(self.table[cmd_name][0], "command")
        if cmd_name not in self._from_plugins(ctx):
            return None
        return _load_plugin_command(cmd_name, ctx.params)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown name is answered with the nearest known one."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            from kinetoscope_spec.errors import nearest

            ctx.fail(f"no command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])
        plugins = self._from_plugins(ctx)
        if plugins:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(
                    [(name, f"(from {' and '.join(plugins[name])})") for name in sorted(plugins)]
                )

    def _from_plugins(self, ctx: click.Context) -> dict[str, list[str]]:
        """Return the names of plugins' commands, and whose they are; what core has stays core's."""
        found: dict[str, list[str]] = {}
        for entry in discovery.entries() if not ctx.params.get("no_autoload") else ():
            if entry.group == discovery.COMMANDS and entry.name not in self.table:
                found.setdefault(entry.name, []).append(entry.distribution)
        return found

    def main(  # type: ignore[override] # click's overloads tell exits from returns; ours does both
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **options: Any
    ) -> Any:
        """Run, and exit: 0 done, 1 the work failed, 2 usage, 130 interrupted."""
        given = list(sys.argv[1:] if args is None else args)
        if not options.pop("standalone_mode", True):
            return super().main(given, prog_name, standalone_mode=False, **options)
        # `--traceback` may stand anywhere, since one adds it after a command has failed.
        end = given.index("--") if "--" in given else len(given)
        traceback = "--traceback" in given[:end]
        given = [word for word in given[:end] if word != "--traceback"] + given[end:]
        try:
            with _unwinding():
                status = super().main(given, prog_name, standalone_mode=False, **options)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - every failure of the work ends in one readable line
            _show(error, traceback=traceback, as_json="--json" in given[:end])
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)


@contextmanager
def _unwinding() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that no half-written file is left."""

    def terminate(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # in a thread of an embedding program, signals are its own business
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(error: Exception, *, traceback: bool, as_json: bool) -> None:
    """Print `error` on standard error, and as the one JSON object if the command is to give one."""
    from kinetoscope.cli._common import describe

    lines = describe(error)
    if traceback:
        from traceback import print_exception

        print_exception(error)
    else:
        click.echo("\n".join((f"error: {lines[0]}", *(f"  {note}" for note in lines[1:]))), err=True)
    if as_json:
        import json

        body = {"error": {"kind": type(error).__name__, "message": lines[0], "notes": lines[1:]}}
        click.echo(json.dumps(body))


def _load(module: str, attribute: str) -> click.Command:
    command: click.Command = getattr(import_module(module), attribute)
    return command


def _load_plugin_command(name: str, options: Mapping[str, Any]) -> click.Command | None:
    """Import a plugin's command; one that fails names itself. None where settings leave it out."""
    from kinetoscope._rows import row_of, settle
    from kinetoscope.config import Config
    from kinetoscope_spec.errors import PluginError

    given = {"block": options.get("block") or None, "allow": options.get("allow") or None}
    config = Config.load(given, file=options.get("config_file"))
    found = [
        entry for entry in discovery.entries() if entry.group == discovery.COMMANDS and entry.name == name
    ]
    rows = [row_of(entry, config) for entry in found]
    settle(rows, config)
    if conflict := next((row.conflict for row in rows if row.conflict), None):
        raise PluginError(conflict)
    row = next((row for row in rows if not row.blocked), None)
    if row is None or row.entry is None or not config.autoload:
        return None
    source = f"command {name!r} of {row.source}"
    if row.broken:
        raise PluginError(f"{source} is broken: {row.broken}")
    module, _, attribute = row.entry.value.partition(":")
    try:
        return _load(module, attribute or "command")
    except (Exception, SystemExit) as error:
        raise PluginError(f"{source} is broken: {type(error).__name__}: {error}") from error

"""`kinetoscope serve`: shots over HTTP."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from kinetoscope_serve.limits import Limits

__all__ = ["command"]

VARIABLE: Final = "KINETOSCOPE_SERVE_TOKEN"
LEAST_TOKEN: Final = 16
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("serve")
@click.option("--address", default="127.0.0.1", metavar="IP", help="Listen there; this machine alone.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, help="0: any that is free.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A name by which the server is reached.")
@click.option("--token-file", type=click.Path(path_type=Path), help=f"Holds the token; else {VARIABLE} does.")
@click.option("--samples", type=_FOLDER, help="Every shot may name what is in there, as samples/NAME.")
@click.option("--folder", type=_FOLDER, help="Keep jobs below it while the service runs.")
@click.option("--queue", type=click.IntRange(1), default=8, help="Jobs that may wait.")
@click.option("--parallel", type=click.IntRange(1), default=1, help="Jobs that are worked on at a time.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=60.0, help="A job may take.")
@click.option("--upload-mb", type=click.IntRange(1), default=1024, help="An upload may have.")
@click.option("--job-mb", type=click.IntRange(1), default=4096, help="A job's files may have.")
@click.option("--keep", type=click.IntRange(1), default=20, help="Finished jobs that are kept.")
@click.option(
    "--keep-hours", type=click.FloatRange(0, min_open=True), default=24.0, help="Keep them for so long."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, with the page's url, and nothing else."
)
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **given: Any) -> None:
    """Shoot shots that others send: a page, and an HTTP API, with a queue, progress and films.

    Beyond this machine a token of your own is needed, and the names by which the server is reached. Ctrl-C
    ends it: the running job is cancelled. Films are kept until they are too old or the service ends.
    """
    from kinetoscope_serve.app import Service
    from kinetoscope_serve.guard import LOOPBACK
    from kinetoscope_serve.jobs import Jobs
    from kinetoscope_serve.server import Server, listen

    address, local = given["address"], _is_local(given["address"])
    token = _token(given["token_file"])
    if not local and token is None:
        raise click.UsageError(
            f"beyond this machine a token is needed: set {VARIABLE}, or give --token-file FILE"
        )
    names = (*given["names"], *(LOOPBACK if local else [address]))
    if not local and not given["names"] and ipaddress.ip_address(address).is_unspecified:
        raise click.UsageError(f"{address} is no name: say by which ones the server is reached, --name HOST")
    obj = ctx.find_root().obj
    host = obj.resolve() if hasattr(obj, "resolve") else obj
    kind: Any = type(host)
    make_host = functools.partial(kind, **getattr(obj, "options", {}))
    limits = _limits(given)
    samples = given["samples"].resolve() if given["samples"] else None
    with tempfile.TemporaryDirectory(prefix="kinetoscope-serve-", dir=given["folder"]) as folder:
        jobs = Jobs(Path(folder).resolve(), limits)
        secret = token or secrets.token_urlsafe(24)
        service = Service(host, make_host, jobs, limits, secret, names, samples)
        server = Server(service, listen(address, given["port"]))
        shown = "localhost" if local else names[0]
        # Behind the #, it is sent to nobody and stands in no log; a token of yours is not shown at all.
        url = f"http://{shown}:{server.port}/" + ("" if token else f"#token={secret}")
        click.echo(json.dumps({"url": url}) if as_json else f"shots on {url}\nCtrl-C ends it")
        # An interrupt ends the loop; whether it is raised again as well is the loop's affair.
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
        click.echo("ended", err=True)


def _is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise click.BadParameter(
            f"{address!r}: expected an IP address, such as 127.0.0.1", param_hint="--address"
        ) from None


def _token(file: Path | None) -> str | None:
    """Return the token that was given, or None.

    An option would be read by every user of the machine, in the list of processes.
    """
    if file is not None:
        try:
            token, place = file.read_text(encoding="utf-8").strip(), str(file)
        except (OSError, UnicodeDecodeError) as error:
            raise click.BadParameter(f"can't be read: {error}", param_hint="--token-file") from None
    elif VARIABLE in os.environ:
        token, place = os.environ[VARIABLE].strip(), VARIABLE
    else:
        return None
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise click.UsageError(f"{place}: expected a token of {LEAST_TOKEN} letters and digits at least")
    return token


def _limits(given: dict[str, Any]) -> Limits:
    from kinetoscope_serve.limits import Limits

    return Limits(
        queue=given["queue"],
        parallel=given["parallel"],
        kept=given["keep"],
        kept_s=given["keep_hours"] * 3600,
        job_s=given["minutes"] * 60,
        job_bytes=given["job_mb"] << 20,
        upload_bytes=given["upload_mb"] << 20,
    )

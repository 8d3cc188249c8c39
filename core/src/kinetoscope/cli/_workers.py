"""Where a command's work is done: `--jobs` and `--executor`."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from kinetoscope import Host
    from kinetoscope.shot.crew import Crew

__all__ = ["host_options", "opened", "workers"]


@contextmanager
def opened(host: Host, wanted: str | None, jobs: int) -> Iterator[Executor | None]:
    """Open what `--executor` names; what fails, Ctrl-C above all, does not wait for its processes."""
    from kinetoscope.convert import open_executor
    from kinetoscope.executors.processes import ProcessExecutor

    held = open_executor(host, wanted, jobs) if wanted is not None else None
    with held or nullcontext():
        try:
            yield held
        except BaseException:  # what nobody waits for may take hours
            if isinstance(held, ProcessExecutor):
                held.kill()
            raise


@contextmanager
def workers(host: Host, wanted: str | None, jobs: int | None) -> Iterator[Crew]:
    """Yield who draws frames: workers of what `--executor` names, so many processes, or nobody but this one."""
    from kinetoscope.shot.crew import Crew

    with opened(host, wanted, jobs or 1) as held:
        yield Crew(held, jobs, host_options())


def host_options() -> dict[str, Any]:
    """Return those with which workers make their hosts: this command's own."""
    found: dict[str, Any] = getattr(click.get_current_context().find_root().obj, "options", {})
    return found

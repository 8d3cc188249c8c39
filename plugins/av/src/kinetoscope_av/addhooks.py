"""What the entry-point group `kinetoscope` finds: this plugin brings the hook `media`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import hookimpl

__all__ = ["addhooks"]


@hookimpl
def addhooks() -> Sequence[object]:
    """Return the module with the specification of `media`."""
    from kinetoscope_av import hooks

    return [hooks]

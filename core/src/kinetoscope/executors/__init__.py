"""Where work runs: the hook `executor`, which the host brings, and its provider `processes`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["executors"]


@hookimpl(specname="executor")
def executors() -> Sequence[Provider]:
    """Offer the provider `processes`."""
    return [
        Provider(
            "processes",
            "processes of this machine",
            load="kinetoscope.executors.processes:Processes",
            contract="kinetoscope.executors.contract:ExecutorContract",
        )
    ]

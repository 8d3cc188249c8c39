"""Ridge regression on waves: a model for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="model")
def providers() -> Sequence[Provider]:
    """Return the model of this distribution."""
    return [Provider("acme-thing", "ridge regression on waves", load="acme_thing.provider:AcmeThingModel")]

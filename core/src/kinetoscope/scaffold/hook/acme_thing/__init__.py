"""The hook `acme_thing` for Kinetoscope, and the provider `acme-thing` of it."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="acme_thing")
def providers() -> Sequence[Provider]:
    """Return the first provider of the hook; nothing else is imported yet."""
    return [Provider("acme-thing", "evens out shaking", load="acme_thing.provider:AcmeThingSmoothing")]

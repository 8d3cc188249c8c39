"""Hands and feet, seen from the hips: a feature for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="feature")
def providers() -> Sequence[Provider]:
    """Return the feature of this distribution."""
    return [
        Provider(
            "acme-thing", "hands and feet, seen from the hips", load="acme_thing.provider:AcmeThingFeature"
        )
    ]

"""The detector `acme-thing` for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="detector")
def providers() -> Sequence[Provider]:
    """Offer `acme-thing`, which asks the host for the signatures that importers bring."""
    return [
        Provider(
            "acme-thing",
            "content types by signatures",
            load="acme_thing.provider:AcmeThingDetector",
            needs=("signatures",),
            contract="acme_thing.contract:AcmeThingContract",
        )
    ]

"""The voice `acme-thing` for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="voice")
def providers() -> Sequence[Provider]:
    """Offer `acme-thing`, which speaks gibberish in two voices."""
    return [
        Provider(
            "acme-thing",
            "a small formant synthesiser, two voices",
            load="acme_thing.provider:AcmeThingVoice",
            languages=("en", "de"),
        )
    ]

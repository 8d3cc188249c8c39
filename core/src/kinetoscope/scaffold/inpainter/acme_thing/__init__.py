"""The inpainter `acme-thing` for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="inpainter")
def providers() -> Sequence[Provider]:
    """Return the inpainter `acme-thing`; nothing else is imported yet."""
    return [
        Provider(
            "acme-thing",
            "Fills what a mask covers from the nearest frames that show it",
            load="acme_thing.provider:AcmeThingInpainter",
        )
    ]

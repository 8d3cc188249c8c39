"""The renderer `acme-thing` for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="renderer")
def providers() -> Sequence[Provider]:
    """Return the renderer `acme-thing`; nothing else is imported yet."""
    return [
        Provider(
            "acme-thing",
            "Flat-shaded triangles, drawn with NumPy alone",
            load="acme_thing.provider:AcmeThingRenderer",
        )
    ]

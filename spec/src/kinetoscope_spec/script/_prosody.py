"""The values of SSML's attributes, as factors, dB and seconds, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kinetoscope_spec.script.tags import LIMITS, LOUDEST_DB, SOFTEST_DB, catalogue, find_tag

__all__ = ["EXPECTED", "break_seconds", "prosody_value", "seconds", "within"]

_LABELS: Final = ("x-slow", "slow", "medium", "fast", "x-fast", "x-low", "low", "high", "x-high")
_RANGES: Final[Mapping[str, float]] = MappingProxyType(
    {"x-low": 0.25, "low": 0.6, "medium": 1.0, "high": 1.4, "x-high": 2.0}
)
EXPECTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rate": "a per cent such as 120%, a factor, or x-slow, slow, medium, fast, x-fast",
        "pitch": "a change such as +10% or -2st, or x-low, low, medium, high, x-high",
        "range": "a change such as +10%, or x-low, low, medium, high, x-high",
        "volume": "a change such as -6dB, or silent, x-soft, soft, medium, loud, x-loud",
    }
)
"""What may stand in the attributes of `prosody`."""


def prosody_value(key: str, text: str) -> float | None:
    """Return what an attribute of `prosody` asks for (a factor; dB for `volume`), or None if it is no value."""
    text = text.strip().lower()
    if text in ("default", "medium"):
        return 0.0 if key == "volume" else 1.0
    value = _volume(text) if key == "volume" else _factor(key, text)
    return None if value is None else within(key, value)


def within(key: str, value: float) -> float:
    """Return `value`, or the nearest that an effect may hold."""
    least, most = (SOFTEST_DB, LOUDEST_DB) if key == "volume" else LIMITS[key]
    return min(max(value, least), most)


def _volume(text: str) -> float | None:
    if text == "silent":
        return SOFTEST_DB
    if match := re.fullmatch(r"([+-]?\d{1,4}(?:\.\d{1,9})?)db", text):
        return float(match[1])
    tag = catalogue().get(f"{text} volume")
    return tag.effect.volume if tag else None


def _factor(key: str, text: str) -> float | None:
    if match := re.fullmatch(r"([+-]?)(\d{1,6}(?:\.\d{1,9})?)(%|st)?", text):
        sign, number, unit = match[1], float(match[2]), match[3]
        if unit == "st":
            return (
                float(2 ** (min(max(float(f"{sign}{number}"), -60), 60) / 12))
                if sign and key == "pitch"
                else None
            )
        if unit == "%":
            return number / 100 if not sign else 1 + float(f"{sign}{number}") / 100
        return number if key == "rate" and not sign else None
    if key == "range":
        return _RANGES.get(text)
    words = {"rate": f"{text} rate", "pitch": f"{text} pitch"}[key]
    tag = catalogue().get(words) if text in _LABELS else None
    return getattr(tag.effect, key) if tag else None


def seconds(text: str) -> float | None:
    """Return a time such as `1.5s` or `300ms` in seconds, or None if it is none."""
    match = re.fullmatch(r"\+?(\d{1,6}(?:\.\d{0,9})?|\.\d{1,9})(ms|s)", text.strip())
    return float(match[1]) / (1000 if match[2] == "ms" else 1) if match else None


def break_seconds(strength: str) -> float | None:
    """Return how long a `break` of this strength is, or None if there is none of that name."""
    if strength == "none":
        return 0.0
    name = f"{strength} break"
    return find_tag(name).effect.pause if name in catalogue() else None

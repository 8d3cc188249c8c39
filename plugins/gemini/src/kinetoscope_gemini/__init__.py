"""Gemini's speech models for Kinetoscope: the provider `gemini` of the hook `voice`."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from kinetoscope_spec import Provider, hookimpl

__all__ = ["configured", "voice"]

_told = threading.local()


@hookimpl
def configured(settings: Mapping[str, Any]) -> None:
    """Take `[plugins.gemini]` for the provider that the same host asks for next.

    A process may hold several hosts; each configures a plugin and then gathers its providers in one
    thread, so what is told here reaches that host's provider and no other's.
    """
    _told.settings = dict(settings)


@hookimpl
def voice() -> Sequence[Provider]:
    """Offer `gemini`, to be tried last where nobody names it: it costs money."""
    settings = getattr(_told, "settings", {})
    return [
        Provider(
            "gemini",
            "Gemini's speech models: 30 directed voices, over 70 languages, dialogue",
            load=partial(_made, settings),
            languages=_languages(settings),
            devices=("network",),
            requires=("module:google.genai", *_key_requirement()),
            order=-1,
        )
    ]


def _made(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_gemini.provider import GeminiVoice

    return GeminiVoice(**settings)


def _languages(settings: Mapping[str, Any]) -> tuple[str, ...]:
    from kinetoscope_gemini._models import DEFAULT_MODEL, MODELS

    model = MODELS.get(settings.get("model", DEFAULT_MODEL), MODELS[DEFAULT_MODEL])
    return model.languages


def _key_requirement() -> tuple[str, ...]:
    """Return the variable that must be set, unless the key can come from elsewhere.

    The keyring itself is not asked: that may open a window, or wait for a daemon.
    """
    if os.environ.get("GOOGLE_API_KEY") or find_spec("keyring") is not None:
        return ()
    return ("env:GEMINI_API_KEY",)

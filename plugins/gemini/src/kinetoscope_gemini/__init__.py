"""Gemini for Kinetoscope: the provider `gemini` of the hooks `voice` and `reasoner`."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kinetoscope_spec import Provider, ValidationError, hookimpl

__all__ = ["configured", "reasoners", "voice"]

_SHARED = ("keyring", "base_url", "api_version", "attempts", "first_wait_s", "patience_s")
"""Settings of the plugin that hold for the reasoner too, unless `[plugins.gemini.reasoner]` has its own."""

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
            languages=_spoken(settings),
            devices=("network",),
            licence="Apache-2.0 AND LicenseRef-Gemini-API-Terms",
            requires=("module:google.genai", *_key_requirement(settings)),
            contract="kinetoscope_gemini.contract:GeminiContract",
            order=-1,
        )
    ]


@hookimpl(specname="reasoner")
def reasoners() -> Sequence[Provider]:
    """Offer `gemini`, to be tried last where nobody names it: it costs money and sends the video away."""
    settings = getattr(_told, "settings", {})
    return [
        Provider(
            "gemini",
            "Gemini's vision models: what changes when an object is taken out",
            load=partial(_reasoner, settings),
            devices=("network",),
            licence="Apache-2.0 AND LicenseRef-Gemini-API-Terms",
            needs=("media",),
            requires=("module:google.genai", *_key_requirement(settings)),
            contract="kinetoscope_gemini.contract_reasoner:GeminiReasonerContract",
            order=-1,
        )
    ]


def _reasoner(settings: Mapping[str, Any], services: Any) -> Any:
    from kinetoscope_gemini.reasoner import GeminiReasoner

    own = settings.get("reasoner", {})
    if not isinstance(own, Mapping):
        raise ValidationError(f"gemini's reasoner is {own!r}, expected a table of settings")
    shared = {name: settings[name] for name in _SHARED if name in settings}
    return GeminiReasoner(services, **{**shared, **own})


def _made(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_gemini.provider import GeminiVoice

    return GeminiVoice(**{name: held for name, held in settings.items() if name != "reasoner"})


def _spoken(settings: Mapping[str, Any]) -> tuple[str, ...]:
    from kinetoscope_gemini._models import DEFAULT_MODEL, model_of

    try:
        return model_of(settings.get("model", DEFAULT_MODEL)).languages
    except (ValidationError, TypeError):  # told when the provider is built, which names the setting
        return ()


def _key_requirement(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the key comes from: the variable that is set, else the keyring or the usual variable."""
    if os.environ.get("GEMINI_API_KEY") or not os.environ.get("GOOGLE_API_KEY"):
        return ("module:keyring",) if _asks_keyring(settings) else ("env:GEMINI_API_KEY",)
    return ("env:GOOGLE_API_KEY",)


def _asks_keyring(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("keyring")) and not os.environ.get("GEMINI_API_KEY")

"""The settings of the providers: `[plugins.gemini]` and its `reasoner`, or the arguments of their classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import attrs

from kinetoscope_gemini._models import DEFAULT_MODEL, model_of
from kinetoscope_spec import ValidationError
from kinetoscope_spec.errors import nearest

__all__ = ["ReasonerSettings", "Settings", "between"]


def between(low: float, high: float) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(settings: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValidationError(f"gemini's {attribute.name} is {value!r}, expected {low:g} to {high:g}")

    return check


def _flag(settings: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise ValidationError(f"gemini's {attribute.name} is {value!r}, expected true or false")


def _folder(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value).expanduser()


def _speech_model(settings: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str):
        raise ValidationError(f"gemini's model is {value!r}, expected the id of a speech model")
    model_of(value)


@attrs.frozen(kw_only=True)
class _Connection:
    """How requests are sent, whatever they ask for.

    Attributes:
        attempts: how often a request is sent at most, counting the first time.
        first_wait_s: the wait before the second time; it doubles, with up to half of it more at random.
        patience_s: longer than this is never waited, even if Gemini asks for it.
        timeout_s: how long a request may take.
        keyring: whether a key that the environment does not have is looked for in the system's keyring
            (service `kinetoscope`, user `gemini`).
        base_url: of another server than Google's.
        api_version: of the API.
    """

    attempts: int = attrs.field(default=4, validator=[attrs.validators.instance_of(int), between(1, 20)])
    first_wait_s: float = attrs.field(default=1.0, validator=between(0, 600))
    patience_s: float = attrs.field(default=60.0, validator=between(0, 3600))
    timeout_s: float = attrs.field(default=120.0, validator=between(0.01, 3600))
    keyring: bool = attrs.field(default=False, validator=_flag)
    base_url: str | None = None
    api_version: str = "v1beta"

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the settings of a table.

        Raises:
            ValidationError: an unknown name (the nearest is named), or a value out of its range.
        """
        known = [field.name for field in attrs.fields(cls)]
        for name in values:
            if name not in known:
                raise ValidationError(
                    f"gemini has no setting {name!r}, expected one of {', '.join(known)}{nearest(name, known)}"
                )
        try:
            return cls(**values)
        except TypeError as error:
            raise ValidationError(f"gemini's settings: {error}") from None


@attrs.frozen(kw_only=True)
class Settings(_Connection):
    """How the provider works. The key is none of them: see `_key`.

    Attributes:
        model: id of the speech model.
        budget_usd: the most that one call of `speak` or `stream` may cost, or None.
        parallel: requests under way at once.
        live: whether `stream` gives the first request's audio while it is made. Without it, streams come
            request by request, their cues are those of `speak`, and with the cache voices are
            deterministic.
        chunk_s: seconds of speech that one request holds at most, about.
        cache: whether takes are kept and used again.
        cache_folder: where; None: below the home of Kinetoscope.
        cache_mb: how much of them, in millions of bytes.

    And those of a connection: `attempts`, `first_wait_s`, `patience_s`, `timeout_s`, `keyring`,
    `base_url`, `api_version`.
    """

    model: str = attrs.field(default=DEFAULT_MODEL, validator=_speech_model)
    budget_usd: float | None = attrs.field(default=None, validator=attrs.validators.optional(between(0, 1e6)))
    parallel: int = attrs.field(default=2, validator=[attrs.validators.instance_of(int), between(1, 64)])
    live: bool = attrs.field(default=True, validator=_flag)
    chunk_s: float = attrs.field(default=40.0, validator=between(1, 300))
    cache: bool = attrs.field(default=True, validator=_flag)
    cache_folder: Path | None = attrs.field(default=None, converter=_folder)
    cache_mb: float = attrs.field(default=1000.0, validator=between(0, 1e9))


def _vision_model(settings: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,99}", value):
        raise ValidationError(f"gemini's model is {value!r}, expected the id of a model that sees")


@attrs.frozen(kw_only=True)
class ReasonerSettings(_Connection):
    """How the reasoner works.

    Attributes:
        model: id of a model that takes pictures and video.
        frames: how many frames are shown with a grid over them.
        film: whether the film is shown, too.
        inline_mb: up to this size, in millions of bytes, the film is part of the request; above it is
            uploaded. Requests hold 20 MB with all that is in them (ai.google.dev, "Video understanding").
        upload_mb: above this only frames are sent.

    And those of a connection, where a request may take longer.
    """

    model: str = attrs.field(default="gemini-3-pro-preview", validator=_vision_model)
    frames: int = attrs.field(default=10, validator=[attrs.validators.instance_of(int), between(1, 100)])
    film: bool = attrs.field(default=True, validator=_flag)
    inline_mb: float = attrs.field(default=12.0, validator=between(0, 14))
    upload_mb: float = attrs.field(default=500.0, validator=between(0, 2000))
    timeout_s: float = attrs.field(default=300.0, validator=between(0.01, 3600))

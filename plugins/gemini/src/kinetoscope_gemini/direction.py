"""What a director says beyond the script: who speaks, where, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from kinetoscope_spec import ValidationError
from kinetoscope_spec.errors import nearest

__all__ = ["Direction"]


@attrs.frozen
class Direction:
    """Notes to the voices, in plain English, each empty where nothing is to be said.

    The 3.1 and 2.5 models are given all of it as a prompt. The 3.8 models take a style alone (`style`
    and `pacing`): the rest is left out, and the report in the audio's provenance says so.

    Attributes:
        profile: who speaks: `Mara, a harbour pilot of fifty`.
        scene: where, and what is going on.
        style: how it is said.
        pacing: how fast, with which pauses.
        accent: of which place.
        context: what was said before, not to be read.
    """

    profile: str = ""
    scene: str = ""
    style: str = ""
    pacing: str = ""
    accent: str = ""
    context: str = ""

    @classmethod
    def of(cls, value: Direction | Mapping[str, Any] | None) -> Direction:
        """Return a direction from a table such as a configuration file has.

        Raises:
            ValidationError: a key it does not know, or a value that is no text.
        """
        if value is None:
            return cls()
        if isinstance(value, Direction):
            return value
        known = [field.name for field in attrs.fields(cls)]
        for key, text in value.items():
            if key not in known:
                raise ValidationError(
                    f"unknown direction {key!r}, expected one of {', '.join(known)}{nearest(key, known)}"
                )
            if not isinstance(text, str):
                raise ValidationError(f"direction {key!r} is {text!r}, expected text")
        return cls(**{key: " ".join(text.split()) for key, text in value.items()})

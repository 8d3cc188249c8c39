"""What a voice makes of audio tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from kinetoscope_spec import Script
from kinetoscope_spec.script import Tag, Treatment, tags_of

__all__ = ["treatment_of", "treatments"]


def treatment_of(voice: Any, tag: Tag) -> Treatment | None:
    """Return what `voice` does with a tag, or None if it does not say.

    A voice says so by a method `treatment(tag)`; of one without, its list of tags is all that is known.
    """
    told = getattr(voice, "treatment", None)
    if callable(told):
        held: Treatment = told(tag)
        return held
    taken = voice.voices()[0].tags
    if taken is None or tag.name in taken:
        return None
    return Treatment(tag.name, "unsupported", "not among the tags that the voice names")


def treatments(voice: Any, script: Script) -> list[dict[str, Any]]:
    """Return what `voice` does with each tag of a script, once for each tag."""
    tags: Iterable[Tag] = {tag.name: tag for tag in tags_of(script)}.values()
    held = ((tag, treatment_of(voice, tag)) for tag in tags)
    return [attrs.asdict(done) if done else {"tag": tag.name, "how": None, "note": ""} for tag, done in held]

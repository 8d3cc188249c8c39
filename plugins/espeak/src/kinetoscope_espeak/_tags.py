"""What this voice makes of each audio tag."""

from __future__ import annotations

from collections.abc import Iterable

from kinetoscope_espeak._prosody import reached
from kinetoscope_spec.script import Effect, Tag, Treatment

__all__ = ["treatment", "treatments"]


def treatment(tag: Tag) -> Treatment:
    """Return what is done with a tag."""
    effect = tag.effect
    if tag.category == "free text":
        return Treatment(tag.name, "unsupported", "takes no directions in words; spoken plainly")
    if tag.category == "sound":
        return Treatment(tag.name, "approximated", f"said as {effect.sound!r} ({_numbers(effect)})")
    if tag.category == "pause":
        return Treatment(tag.name, "native", f"{effect.pause:g} s of silence")
    if tag.category in ("emphasis", "control", "mark"):
        done = {"emphasis": "SSML emphasis of the next word", "control": "ends all tags", "mark": "a cue"}
        return Treatment(tag.name, "native", done[tag.category])
    if not reached(effect):
        return Treatment(tag.name, "approximated", f"as far as the library goes: {_numbers(effect)}")
    native = tag.category in ("pace", "pitch", "range", "volume") and not effect.quality
    how = (
        "native" if native or (effect.quality == "whisper" and tag.category == "delivery") else "approximated"
    )
    return Treatment(tag.name, how, _numbers(effect))


def treatments(tags: Iterable[Tag]) -> tuple[Treatment, ...]:
    """Return what is done with each of the tags, once for each name."""
    return tuple({tag.name: treatment(tag) for tag in tags}.values())


def _numbers(effect: Effect) -> str:
    said = [
        f"{key} {100 * getattr(effect, key):.0f} %"
        for key in ("rate", "pitch", "range")
        if getattr(effect, key) != 1
    ]
    said += [f"volume {effect.volume:+g} dB"] if effect.volume else []
    said += (
        [f"a voice that is {effect.quality}" if effect.quality != "whisper" else "whispered"]
        if effect.quality
        else []
    )
    return ", ".join(said) or "as the voice is"

"""Audio tags: what each becomes in the three dialects, and what is lost on the way.

Sources: ai.google.dev, "Speech generation", sections "Audio tags" of the 3.1 and 3.8 editions; the modes
of tags of the 2.5 models from docs.cloud.google.com, "Gemini-TTS".
"""

from __future__ import annotations

import re
from typing import Final, Literal

import attrs

__all__ = ["Effect", "compiled", "pause_seconds"]

Kind = Literal["inline", "style", "plain", "silence", "nothing"]


@attrs.frozen
class Effect:
    """What a tag does in a dialect.

    Attributes:
        kind: `inline` (stands in the text), `style` (directs what follows), `plain` (ends a style),
            `silence` (put in here, not by Gemini), `nothing`.
        value: the tag or the style as it is sent.
        effect: `native`, `approximated` or `unsupported`, for the report.
        how: what was done, in words, where it is not native.
        seconds: of silence.
        mood: whether it changes how loud what follows is meant to be.
    """

    kind: Kind
    value: str = ""
    effect: str = "native"
    how: str = ""
    seconds: float = 0.0
    mood: bool = False


_ANGLE: Final = frozenset(
    (
        "argh", "breath", "heavy breath", "exhales", "cackle", "cheer", "chuckle", "chuckles", "cough", "cry",
        "gasp", "giggle", "groan", "growl", "grunt", "grr", "hiss", "laugh", "laughter", "moan", "pant", "pff",
        "phew", "scream", "shout", "shriek", "sigh", "sighs", "sneeze", "snicker", "snort", "sob",
        "throat-clearing", "tsk", "whimper", "yawn", "short pause", "long pause",
    )
)  # fmt: skip
"""The 3.8 tags that are sounds or pauses; `whispers` and `whispering` direct what follows: a style."""

_SOUNDS: Final = {
    "laughs": "laugh", "laughing": "laugh", "gasps": "gasp", "gasping": "gasp", "giggles": "giggle",
    "giggling": "giggle", "coughs": "cough", "coughing": "cough", "crying": "sob", "cries": "cry",
    "sobs": "sob", "sobbing": "sob", "sighing": "sigh", "inhales": "breath", "breathes": "breath",
    "breathes in": "breath", "deep breath": "heavy breath", "exhale": "exhales", "breathes out": "exhales",
    "cackles": "cackle", "chuckling": "chuckle", "cheers": "cheer", "groans": "groan", "growls": "growl",
    "grunts": "grunt", "hisses": "hiss", "moans": "moan", "pants": "pant", "panting": "pant",
    "screams": "scream", "shrieks": "shriek", "sneezes": "sneeze", "snickers": "snicker", "snorts": "snort",
    "clears throat": "throat-clearing", "throat clearing": "throat-clearing", "whimpers": "whimper",
    "whimpering": "whimper", "yawns": "yawn", "yawning": "yawn", "tuts": "tsk",
    "medium pause": "short pause", "pause": "short pause",
}  # fmt: skip
"""Other words for them."""

_INHUMAN: Final = re.compile(
    r"\b(applause|thud|gunshot|explosion|music|door|bell|siren|thunder|rain|wind|footsteps|crash|knock(s|ing)?)\b"
)
"""Sounds that no throat makes: 3.8 is documented to make human ones alone."""

_STYLES: Final = {"whispers": "whispering", "whisper": "whispering", "shouts": "shouting", "yells": "yelling"}
_PLAIN: Final = frozenset(("normal", "neutral", "normal voice", "normal pace", "plain"))

_RELIABLE_25: Final = {
    "sigh": "sigh", "sighs": "sigh", "laughing": "laughing", "laughs": "laughing", "laugh": "laughing",
    "uhm": "uhm", "sarcasm": "sarcasm", "sarcastic": "sarcasm", "robotic": "robotic", "shouting": "shouting",
    "shouts": "shouting", "whispering": "whispering", "whispers": "whispering",
    "extremely fast": "extremely fast", "short pause": "short pause", "medium pause": "medium pause",
    "long pause": "long pause", "pause": "medium pause", "clears throat": "clearing throat",
}  # fmt: skip
"""The tags that the 2.5 models follow; any other word in brackets they may read aloud."""

_SOUNDS_31: Final = frozenset(
    (*_ANGLE, *_SOUNDS, "sighs", "gasp", "giggles", "laughs", "cough", "uhm", "clearing throat")
)

_NUMBER = r"(?P<{0}>\d+(?:\.\d+)?)\s*(?P<{0}_unit>ms|milliseconds?|s|sec|secs|seconds?)"
_PAUSES: Final = (
    re.compile(r"(?:pause|break|silence|wait)(?:\s+of|\s+for)?[\s:=]*" + _NUMBER.format("n")),
    re.compile(_NUMBER.format("n") + r"\s*(?:pause|break|silence)"),
)
_LONGEST_PAUSE_S: Final = 60.0

_OVERLAP: Final = re.compile(r"overlap\s*:\s*([^|<>]+)")


def pause_seconds(tag: str) -> float | None:
    """Return the seconds of `[pause 1.5s]`, `[500 ms pause]` and their like, or None; at most 60."""
    for pattern in _PAUSES:
        match = pattern.fullmatch(tag.strip().lower())
        if match:
            factor = 1e-3 if match["n_unit"].startswith("m") else 1.0
            return min(float(match["n"]) * factor, _LONGEST_PAUSE_S)
    return None


def compiled(tag: str, dialect: str) -> Effect:
    """Return what the audio tag `tag` (without brackets) does in a dialect (`2.5`, `3.1` or `3.8`)."""
    name = " ".join(tag.lower().split())
    if not name:
        return Effect("nothing", effect="unsupported", how="an empty tag")
    seconds = pause_seconds(name)
    if seconds is not None:
        return Effect("silence", effect="native", how="silence put in here, exact", seconds=seconds)
    return {"2.5": _on25, "3.1": _on31, "3.8": _on38}[dialect](name, " ".join(tag.split()))


def _on38(name: str, tag: str) -> Effect:
    overlap = _OVERLAP.fullmatch(name)
    if overlap:
        return Effect("inline", f"|{overlap[1].strip()}|")
    if name in _ANGLE:
        return Effect("inline", f"<{name}>")
    if name in _SOUNDS:
        sound = _SOUNDS[name]
        lost = name == "medium pause"
        return Effect(
            "inline", f"<{sound}>", "approximated" if lost else "native", f"as <{sound}>" if lost else ""
        )
    if name in _PLAIN:
        return Effect("plain")
    if _INHUMAN.search(name):
        return Effect("nothing", effect="unsupported", how="3.8 makes human sounds alone")
    return Effect("style", _STYLES.get(name, _angleless(tag)), mood=True)


def _angleless(tag: str) -> str:
    return re.sub(r"[<>|]+", " ", tag).strip()


def _on31(name: str, tag: str) -> Effect:
    if _OVERLAP.fullmatch(name):
        return Effect("nothing", effect="unsupported", how="3.1 has no overlapping speech")
    sound = name in _SOUNDS_31
    return Effect("inline", tag, mood=not sound and name not in _PLAIN)


def _on25(name: str, tag: str) -> Effect:
    if name in _RELIABLE_25:
        value = _RELIABLE_25[name]
        mood = value in ("shouting", "whispering", "extremely fast", "sarcasm", "robotic")
        return Effect("inline", value, mood=mood)
    if name in _PLAIN:
        return Effect("plain")
    if _OVERLAP.fullmatch(name) or _INHUMAN.search(name) or name in _ANGLE or name in _SOUNDS:
        return Effect("nothing", effect="unsupported", how="2.5 does not make this sound, or reads it aloud")
    return Effect("style", tag, "approximated", "as a note to the whole request", mood=True)

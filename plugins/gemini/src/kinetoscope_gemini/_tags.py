"""Audio tags: what each becomes in the three dialects, and what is lost on the way.

Sources: ai.google.dev, "Speech generation", sections "Audio tags" of the 3.1 and 3.8 editions; the modes
of tags of the 2.5 models from docs.cloud.google.com, "Gemini-TTS".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

import attrs

from kinetoscope_spec import ValidationError
from kinetoscope_spec.script import find_tag

__all__ = ["Effect", "category_of", "compiled", "pause_seconds"]

Kind = Literal["inline", "word", "style", "plain", "stress", "silence", "nothing"]


@attrs.frozen
class Effect:
    """What a tag does in a dialect.

    Attributes:
        kind: `inline` (stands in the text), `word` (is said), `style` (directs what follows), `plain` (ends a
            style), `stress` (the next word is stressed), `silence` (put in here, not by Gemini), `nothing`.
        value: the tag, the word or the style as it is sent.
        how: `native`, `approximated` or `unsupported`, for the report.
        note: what was done, in words, where it is not native.
        seconds: of silence.
        mood: whether it changes how loud what follows is meant to be.
    """

    kind: Kind
    value: str = ""
    how: str = "native"
    note: str = ""
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
    "clears throat": "throat-clearing", "clearing throat": "throat-clearing",
    "throat clearing": "throat-clearing", "whimpers": "whimper",
    "whimpering": "whimper", "yawns": "yawn", "yawning": "yawn", "tuts": "tsk",
}  # fmt: skip
"""Other words for them."""

_INHUMAN: Final = re.compile(
    r"\b(applause|thud|gunshot|explosion|music|door|bell|siren|thunder|rain|wind|footsteps|crash|knock(s|ing)?)\b"
)
"""Sounds that no throat makes: 3.8 is documented to make human ones alone."""

_UNLISTED: Final = frozenset(
    (
        "gulps",
        "hiccup",
        "humming",
        "shush",
        "sniffs",
        "snore",
        "wheezing",
        "whistle",
        "laughs harder",
        "starts laughing",
    )
)
"""Sounds that a throat makes and 3.8 does not list."""

_SAID: Final = {
    "ah": "ah", "aww": "aww", "hmm": "hmm", "mm-hmm": "mm-hmm", "oops": "oops", "ouch": "ouch", "ugh": "ugh",
    "uh-huh": "uh-huh", "uhm": "uhm", "wow": "wow", "yay": "yay",
}  # fmt: skip
"""Sounds that are words: where there is no tag for one, it is said."""

_PAUSES: Final = {
    "tiny pause": "short", "beat": "short", "x-weak break": "short", "weak break": "short", "hesitates": "short",
    "short pause": "short", "pause": "medium", "pauses": "medium", "medium pause": "medium",
    "medium break": "medium", "strong break": "long", "long pause": "long", "very long pause": "long",
    "silence": "long", "x-strong break": "long",
}  # fmt: skip
"""Pauses without a number, as the nearest of the three that Gemini documents (about 0.25, 0.5 and 1 s)."""

_STRESS: Final = frozenset(("emphasis", "moderate emphasis", "strong emphasis", "stressed"))
_NUMBERED: Final = re.compile(r"(rate|pitch|range|volume)\s*:?\s*([+-]?)(\d+(?:\.\d+)?)\s*(%|db)")
_WORDS: Final = {
    "rate": ("slower", "faster"), "pitch": ("in a lower pitch", "in a higher pitch"),
    "range": ("in a flat intonation", "in a lively intonation"), "volume": ("softly", "loudly"),
}  # fmt: skip
"""What less and more of a number is called."""

_STYLES: Final = {"whispers": "whispering", "whisper": "whispering", "shouts": "shouting", "yells": "yelling"}
_PLAIN: Final = frozenset(("normal", "neutral", "normal voice", "plain"))

_RELIABLE_25: Final = {
    "sigh": "sigh", "sighs": "sigh", "laughing": "laughing", "laughs": "laughing", "laugh": "laughing",
    "uhm": "uhm", "sarcasm": "sarcasm", "sarcastic": "sarcasm", "robotic": "robotic", "shouting": "shouting",
    "shouts": "shouting", "whispering": "whispering", "whispers": "whispering",
    "extremely fast": "extremely fast", "clears throat": "clearing throat",
}  # fmt: skip
"""The tags that the 2.5 models follow; any other word in brackets they may read aloud."""

_SOUNDS_31: Final = frozenset((*_ANGLE, *_SOUNDS, *_UNLISTED, *_SAID, "clearing throat"))

_NUMBER = r"(?P<{0}>\d+(?:\.\d+)?)\s*(?P<{0}_unit>ms|milliseconds?|s|sec|secs|seconds?)"
_EXACT: Final = (
    re.compile(r"(?:pause|break|silence|wait)(?:\s+of|\s+for)?[\s:=]*" + _NUMBER.format("n")),
    re.compile(_NUMBER.format("n") + r"\s*(?:pause|break|silence)"),
)
_LONGEST_PAUSE_S: Final = 60.0

_OVERLAP: Final = re.compile(r"overlap\s*:\s*([^|<>]+)")


def pause_seconds(tag: str) -> float | None:
    """Return the seconds of `[pause 1.5s]`, `[500 ms pause]` and their like, or None; at most 60."""
    for pattern in _EXACT:
        match = pattern.fullmatch(tag.strip().lower())
        if match:
            factor = 1e-3 if match["n_unit"].startswith("m") else 1.0
            return min(float(match["n"]) * factor, _LONGEST_PAUSE_S)
    return None


@lru_cache(maxsize=1024)
def category_of(tag: str) -> str:
    """Return what a tag is about, by the catalogue; words that it does not know are free text."""
    try:
        return find_tag(tag).category
    except ValidationError:
        return "free text"


def compiled(tag: str, dialect: str) -> Effect:
    """Return what the audio tag `tag` (without brackets) does in a dialect (`2.5`, `3.1` or `3.8`)."""
    tag = tag.replace("[", " ")
    name = " ".join(tag.lower().split())
    common = _in_any(name, dialect)
    if common is not None:
        return common
    free = re.fullmatch(r"style\s*:\s*(\S.*)", " ".join(tag.split()), re.IGNORECASE)
    return {"2.5": _on25, "3.1": _on31, "3.8": _on38}[dialect](
        name, free[1] if free else " ".join(tag.split())
    )


def _in_any(name: str, dialect: str) -> Effect | None:
    """Return what a tag does that is handled alike in all dialects, or None."""
    if not name:
        return Effect("nothing", how="unsupported", note="an empty tag")
    seconds = pause_seconds(name)
    if seconds is not None:
        return Effect("silence", note=f"{seconds:g} s of silence, put in here", seconds=seconds)
    if name.startswith("mark "):
        return Effect("nothing", how="unsupported", note="Gemini gives no times to place a mark by")
    if name in _STRESS:
        return Effect("stress", how="native" if dialect == "3.8" else "approximated", note="in capitals")
    if name == "reduced emphasis":
        return Effect("nothing", how="unsupported", note="a word can be stressed, not slurred")
    if name in _PAUSES:
        length = _PAUSES[name]
        verbatim = "<long pause>" if length == "long" else "<short pause>"
        sent = verbatim if dialect == "3.8" else f"{length} pause"
        exact = name == sent.strip("<>")
        return Effect("inline", sent, "native" if exact else "approximated", "" if exact else f"as {sent}")
    return None


def _directed(name: str) -> str | None:
    """Return the words for `[rate 120%]`, `[pitch -10%]` and their like, or None."""
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return None
    value = float(match[3]) * (-1 if match[2] == "-" else 1)
    more = value > 0 if match[2] or match[4] == "db" else value > 100
    return _WORDS[match[1]][more]


def _on38(name: str, tag: str) -> Effect:
    overlap = _OVERLAP.fullmatch(name)
    if overlap:
        return Effect("inline", f"|{overlap[1].strip()}|")
    sound = _SOUNDS.get(name, name)
    if sound in _ANGLE:
        return Effect("inline", f"<{sound}>")
    if name in _SAID:
        return Effect("word", _SAID[name], "approximated", "said as a word")
    if name in _UNLISTED:
        return Effect("inline", f"<{name}>", "approximated", "a sound that 3.8 does not list")
    if name in _PLAIN:
        return Effect("plain")
    if _INHUMAN.search(name):
        return Effect("nothing", how="unsupported", note="3.8 makes human sounds alone")
    directed = _directed(name)
    if directed:
        return Effect("style", directed, "approximated", f"as the style {directed!r}", mood=True)
    return Effect("style", _STYLES.get(name, _angleless(tag)), mood=True)


def _angleless(tag: str) -> str:
    return " ".join(re.sub(r"[<>|]+", " ", tag).split())


def _on31(name: str, tag: str) -> Effect:
    if _OVERLAP.fullmatch(name):
        return Effect("nothing", how="unsupported", note="3.1 has no overlapping speech")
    directed = _directed(name)
    if directed:
        return Effect("inline", directed, "approximated", f"as [{directed}]", mood=True)
    return Effect("inline", tag, mood=name not in _SOUNDS_31 and name not in _PLAIN)


def _on25(name: str, tag: str) -> Effect:
    if name in _RELIABLE_25:
        value = _RELIABLE_25[name]
        mood = value in ("shouting", "whispering", "extremely fast", "sarcasm", "robotic")
        return Effect("inline", value, mood=mood)
    if name in _PLAIN:
        return Effect("plain")
    if name in _SAID:
        return Effect("word", _SAID[name], "approximated", "said as a word")
    if _OVERLAP.fullmatch(name) or _INHUMAN.search(name) or name in _SOUNDS_31:
        return Effect("nothing", how="unsupported", note="2.5 does not make this sound, or reads it aloud")
    return Effect(
        "style", _directed(name) or tag, "approximated", "as a note to the whole request", mood=True
    )

"""The body of a request: a chunk of the plan in its model's dialect, as plain JSON values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kinetoscope_gemini._languages import code_for
from kinetoscope_gemini._models import Model
from kinetoscope_gemini._plan import Chunk, Turn
from kinetoscope_gemini.direction import Direction

__all__ = ["request_of"]

_SIMPLE_NAME: Final = re.compile(r"[^\W_][\w .'’-]{0,39}")
_LABEL: Final = "#### TRANSCRIPT"


def request_of(
    chunk: Chunk, model: Model, direction: Direction, ipa: Mapping[str, str], *, preamble: bool = False
) -> dict[str, Any]:
    """Return `{"contents": …, "config": …}` for the client; equal chunks give equal requests.

    `preamble` asks a second time, more plainly, what an over-careful filter took amiss (ai.google.dev,
    "Speech generation", section Limitations); the 3.8 models have no place for it.
    """
    names = _names([turn.speaker for turn in chunk.turns])
    parts: list[dict[str, Any]]
    if model.dialect == "3.8":
        parts = [_verbatim(turn, names, direction) for turn in chunk.turns]
    else:
        parts = [{"text": _prompt(chunk, names, direction, ipa, preamble=preamble)}]
    return {
        "contents": [{"role": "user", "parts": parts}],
        "config": {
            "response_modalities": ["AUDIO"],
            "speech_config": _speech(chunk, model, names),
        },
    }


def _speech(chunk: Chunk, model: Model, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the voices: one of them, or exactly two; never both forms, which the server refuses."""
    cast = chunk.cast
    speech: dict[str, Any] = {}
    if len(cast) == 1:
        speech["voice_config"] = _voice(next(iter(cast.values())), model)
    else:
        speech["multi_speaker_voice_config"] = {
            "speaker_voice_configs": [
                {"speaker": names[speaker], "voice_config": _voice(voice, model)}
                for speaker, voice in cast.items()
            ]
        }
    code = code_for(chunk.language, model.languages)
    if code:
        speech["language_code"] = code
    return speech


def _voice(name: str, model: Model) -> dict[str, Any]:
    if model.dialect == "3.8":
        return {"voice": name}
    return {"prebuilt_voice_config": {"voice_name": name}}


def _names(speakers: Sequence[str]) -> dict[str, str]:
    """Return what speakers are called in the request: as they are unless a prompt could mistake it."""
    names: dict[str, str] = {}
    for speaker in dict.fromkeys(speakers):
        name = speaker if _SIMPLE_NAME.fullmatch(speaker) else f"Speaker {len(names) + 1}"
        while name in names.values():
            name += " II"
        names[speaker] = name
    return names


def _verbatim(turn: Turn, names: Mapping[str, str], direction: Direction) -> dict[str, Any]:
    """Return a part of the 3.8 dialect: all of its text is read, direction stands beside it."""
    style = ", ".join(text for text in (direction.style, direction.pacing, turn.style) if text)
    metadata = {"style": style} if style else {}
    if len(names) > 1:
        metadata["speaker"] = names[turn.speaker]
    return {"text": turn.text, "speech_metadata": metadata} if metadata else {"text": turn.text}


def _prompt(
    chunk: Chunk, names: Mapping[str, str], direction: Direction, ipa: Mapping[str, str], *, preamble: bool
) -> str:
    """Return the prompt of the 2.5 and 3.1 dialects: sections, and the transcript last."""
    sections = _sections(chunk, direction, ipa)
    transcript = "\n".join(
        f"{names[turn.speaker]}: {turn.text}" if len(names) > 1 else turn.text for turn in chunk.turns
    )
    who = " and ".join(names.values())
    asked = (
        f"TTS the following conversation between {who}:"
        if len(names) > 1
        else "Synthesize speech of the following transcript:"
    )
    if preamble:
        asked = (
            "This is a request for text-to-speech synthesis, and for nothing else. Read aloud, word for "
            f"word, what stands below {_LABEL}. {asked}"
        )
    return "\n\n".join([asked, *sections, f"{_LABEL}\n{transcript}"])


def _sections(chunk: Chunk, direction: Direction, ipa: Mapping[str, str]) -> list[str]:
    style = chunk.turns[0].style  # one for the whole request: see `_plan`
    notes = [
        ("Style", ", ".join(text for text in (direction.style, style) if text)),
        ("Pacing", direction.pacing),
        ("Accent", direction.accent or chunk.accent or ""),
        ("Pronunciation", "; ".join(f"{word} is {said}" for word, said in _met(chunk, ipa))),
    ]
    written = "\n".join(f"* {name}: {text}" for name, text in notes if text)
    found = [
        ("# AUDIO PROFILE: ", direction.profile),
        ("## THE SCENE: ", direction.scene),
        ("### DIRECTOR'S NOTES\n", written),
        ("### SAMPLE CONTEXT\n", direction.context),
    ]
    return [title + text for title, text in found if text]


def _met(chunk: Chunk, ipa: Mapping[str, str]) -> list[tuple[str, str]]:
    words = set(chunk.words)
    return [(word, said) for word, said in ipa.items() if word in words]

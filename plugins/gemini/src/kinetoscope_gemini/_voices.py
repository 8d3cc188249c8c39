"""Gemini's 30 prebuilt voices (ai.google.dev, "Speech generation", section Voices)."""

from __future__ import annotations

from typing import Final

__all__ = ["CHARACTERS", "DEFAULT", "LIBRARY_PREFIXES"]

DEFAULT: Final = "Kore"

LIBRARY_PREFIXES: Final = ("ext_", "voice_", "voicekey_")
"""What ids of the extended library, of stored and of transient voices of one's own begin with."""

_TABLE = """
Zephyr Bright f, Puck Upbeat m, Charon Informative m, Kore Firm f, Fenrir Excitable m, Leda Youthful f,
Orus Firm m, Aoede Breezy f, Callirrhoe Easy-going f, Autonoe Bright f, Enceladus Breathy m, Iapetus Clear m,
Umbriel Easy-going m, Algieba Smooth m, Despina Smooth f, Erinome Clear f, Algenib Gravelly m,
Rasalgethi Informative m, Laomedeia Upbeat f, Achernar Soft f, Alnilam Firm m, Schedar Even m, Gacrux Mature f,
Pulcherrima Forward f, Achird Friendly m, Zubenelgenubi Casual m, Vindemiatrix Gentle f, Sadachbia Lively m,
Sadaltager Knowledgeable m, Sulafat Warm f
"""


def _characters() -> dict[str, str]:
    found = {}
    for entry in _TABLE.replace("\n", " ").split(","):
        name, character, sex = entry.split()
        found[name] = f"{character.lower()}, {'female' if sex == 'f' else 'male'}"
    return {DEFAULT: found.pop(DEFAULT), **found}


CHARACTERS: Final = _characters()
"""Voice to what it is like, the default one first."""

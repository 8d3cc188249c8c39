"""The voices: timbres of eSpeak NG ("variants") that speak any of its languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import attrs

from kinetoscope_espeak._languages import TAGS
from kinetoscope_espeak._library import RATE
from kinetoscope_spec import VoiceInfo
from kinetoscope_spec.errors import ValidationError, nearest
from kinetoscope_spec.script import catalogue

__all__ = ["TIMBRES", "Timbre", "infos", "quality_of", "timbre"]

_LEVEL = 0.055
"""RMS of plain speech, -25 dB: leaves room for `[shouting]` (+6 dB) and emphasis below full scale."""


@attrs.frozen
class Timbre:
    """One way in which a voice can sound.

    Attributes:
        name: what scripts call it.
        variant: the library's name, empty for none.
        pitch_hz: median fundamental frequency of plain American English; 0 where nothing is voiced.
        rms: of the same, at the library's own volume, in steps of 16 bits.
        summary: one line for lists.
    """

    name: str
    variant: str
    pitch_hz: float
    rms: float
    summary: str

    @property
    def volume(self) -> int:
        """Per cent of the library's volume at which it is as loud as the others."""
        return round(100 * _LEVEL * 32768 / self.rms)


_TABLE: Final = (
    ("neutral", "", 103, 3063, "a man's voice, the library's own"),
    ("f1", "f1", 180, 3710, "a woman, low"),
    ("f2", "f2", 197, 3860, "a woman, middle"),
    ("f3", "f3", 214, 3411, "a woman, bright"),
    ("f4", "f4", 181, 3864, "a woman, warm"),
    ("f5", "f5", 206, 3111, "a woman, breathy"),
    ("m1", "m1", 96, 2843, "a man, low"),
    ("m2", "m2", 102, 2681, "a man, narrow"),
    ("m3", "m3", 106, 3197, "a man, quick"),
    ("m4", "m4", 96, 3177, "a man, slow"),
    ("m5", "m5", 105, 2929, "a man, rough"),
    ("m6", "m6", 102, 3156, "a man, dark"),
    ("m7", "m7", 108, 3767, "a man, nasal"),
    ("m8", "m8", 88, 2018, "a man, deep"),
    ("alex", "Alex", 104, 2735, "a man, clear"),
    ("alicia", "Alicia", 253, 3624, "a woman, high and breathy"),
    ("andrea", "Andrea", 248, 5689, "a woman, high and quick"),
    ("andy", "Andy", 97, 4771, "a man, bright"),
    ("annie", "Annie", 248, 3358, "a young woman"),
    ("announcer", "announcer", 70, 3052, "a man who announces"),
    ("aunty", "aunty", 172, 3759, "an elderly woman, dark"),
    ("belinda", "belinda", 230, 4720, "a woman, sharp"),
    ("boris", "boris", 105, 2573, "a man, hollow"),
    ("croak", "croak", 108, 3039, "a croaking old man"),
    ("david", "david", 76, 2728, "a man, very deep"),
    ("grandma", "grandma", 204, 3344, "an old woman"),
    ("grandpa", "grandpa", 108, 3300, "an old man"),
    ("linda", "linda", 230, 4479, "a woman, firm"),
    ("michel", "michel", 106, 3692, "a man, full"),
    ("paul", "paul", 89, 7004, "a man, hard"),
    ("robert", "robert", 103, 2786, "a man, thin"),
    ("robot", "robosoft8", 141, 2921, "a robot"),
    ("robot2", "UniRobot", 142, 2355, "a robot, monotone"),
    ("shelby", "shelby", 184, 3424, "a woman, plain"),
    ("steph", "steph", 185, 3754, "a woman, soft"),
    ("storm", "Storm", 87, 4869, "a man, dark and loud"),
    ("victor", "victor", 96, 1717, "a man, breathy"),
    ("whisper", "whisper", 0, 2339, "whispers, whatever is asked of it"),
    ("zac", "zac", 350, 5777, "a child"),
)

TIMBRES: Final[Mapping[str, Timbre]] = MappingProxyType({row[0]: Timbre(*row) for row in _TABLE})
"""By name, the default one first.

Left out are variants that ask for `intonation 10` (anika, Demonic, robosoft4 and others): the library has
no such table, reads past its end and crashes.
"""

_QUALITIES: Final = {
    "announcer": ("announcer", "announcer"), "breathy": ("victor", "f5"), "child": ("zac", "zac"),
    "creaky": ("croak", "aunty"), "deep": ("david", "david"), "demonic": ("storm", "storm"),
    "old man": ("grandpa", "grandpa"), "old woman": ("grandma", "grandma"), "robotic": ("robot", "robot"),
    "whisper": ("whisper", "whisper"),
}  # fmt: skip
"""What a man's and a woman's voice becomes."""

_COLOURS: Final = ("breathy", "creaky", "robotic")
_WOMAN_HZ = 150.0


def timbre(name: str) -> Timbre:
    """Return the timbre of a voice's name.

    Raises:
        ValidationError: there is none; names the nearest.
    """
    if name not in TIMBRES:
        near = nearest(name, list(TIMBRES))
        raise ValidationError(f"unknown voice {name!r}{near}; there are {', '.join(TIMBRES)}")
    return TIMBRES[name]


def quality_of(own: Timbre, quality: str) -> tuple[Timbre, float]:
    """Return what a speaker's voice becomes under a quality, and the factor that keeps its pitch.

    Personas (an old man, a child) have their own pitch; what only colours a voice keeps that of the voice.
    """
    if not quality:
        return own, 1.0
    new = TIMBRES[_QUALITIES[quality][own.pitch_hz > _WOMAN_HZ]]
    keeps = quality in _COLOURS and own.pitch_hz and new.pitch_hz
    return new, own.pitch_hz / new.pitch_hz if keeps else 1.0


@lru_cache(maxsize=1)
def infos() -> tuple[VoiceInfo, ...]:
    """Return what there is to say of the voices, the default one first."""
    tags = tuple(catalogue())
    return tuple(VoiceInfo(held.name, TAGS, RATE, tags, held.summary) for held in TIMBRES.values())

"""Speech on a character: curves for the channels that its meshes have, or a jaw that turns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_align.curves import frame_times, jaw_curve, viseme_weights
from kinetoscope_align.visemes import ARKIT, VISEMES, arkit_weights
from kinetoscope_spec import Audio, Mesh, Motion, Skeleton, rotation
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.motion import rest_motion

__all__ = ["JAW_DEGREES", "Figure", "Mouth", "lip_sync", "mouth_of", "with_speech"]

JAW_DEGREES: Final = 18.0
"""How far a jaw turns when it is fully open; people's open by some 20 to 25 degrees in all."""

Curve = NDArray[np.float64]

_JAW: Final = re.compile(r"(^|[^a-z])(lower)?jaw(?![a-z]*(end|tip|nub))", re.IGNORECASE)
_PREFIX: Final = re.compile(r"^.*[.:|]|^(viseme|vis|vrc\.v|v|mouth|fcl_mth)_", re.IGNORECASE)
_VISEMES: Final = {viseme.lower(): viseme for viseme in VISEMES} | {"i": "ih", "o": "oh", "u": "ou"}
_VOWELS: Final = {"aa": "a", "ih": "i", "ou": "u", "E": "e", "oh": "o"}
_VRM: Final = {
    "ee": "e",
    "aa": "a",
    "ih": "i",
    "ou": "u",
    "oh": "o",
    "a": "a",
    "i": "i",
    "u": "u",
    "e": "e",
    "o": "o",
}
"""Vowels as the presets of VRM 1.0 and 0.x name them."""

_OPEN: Final = ("jawopen", "mouthopen", "open")
_ENOUGH: Final = 8
"""So many of the visemes' names make a set of them, and no chance."""


class Figure(Protocol):
    """What has a skeleton and meshes: an `Asset` or a `Character`."""

    @property
    def skeleton(self) -> Skeleton:
        """All nodes."""

    @property
    def meshes(self) -> tuple[Mesh, ...]:
        """Those with morphs have the channels."""


@attrs.frozen
class Mouth:
    """By what a character speaks.

    Attributes:
        kind: `visemes`, `arkit`, `vowels` (VRM), `open` (one channel), `joint` (a jaw), or `none`.
        channels: name of a morph channel to viseme, ARKit shape, vowel or `open`.
        jaw: the node that turns, or None.
    """

    kind: str
    channels: Mapping[str, str] = attrs.field(factory=dict)
    jaw: int | None = None


def mouth_of(figure: Figure) -> Mouth:
    """Find out by what a character can speak: the richest set of channels that its meshes have."""
    names = list(dict.fromkeys(name for mesh in figure.meshes for name in mesh.morph_names))
    arkit = {_flat(shape): shape for pose in ARKIT.values() for shape in pose}
    sets: tuple[tuple[str, dict[str, str], int], ...] = (
        ("visemes", _named(names, _VISEMES), _ENOUGH),
        ("arkit", {name: arkit[_sided(name)] for name in names if _sided(name) in arkit}, 3),
        ("vowels", _named(names, _VRM), 3),
        ("open", {name: "open" for name in names if _flat(_bare(name)) in _OPEN or _flat(name) in _OPEN}, 1),
    )
    for kind, channels, least in sets:
        if len(set(channels.values())) >= least:
            return Mouth(kind, channels)
    jaws = [i for i, name in enumerate(figure.skeleton.names) if _JAW.search(name)]
    return Mouth("joint", jaw=jaws[0]) if jaws else Mouth("none")


def _bare(name: str) -> str:
    return _PREFIX.sub("", _PREFIX.sub("", name))


def _named(names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    return {name: known[_bare(name).lower()] for name in names if _bare(name).lower() in known}


def _flat(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _sided(name: str) -> str:
    """Return a channel's name as ARKit's are compared: `mouthSmile_L` is mouthSmileLeft."""
    bare = re.sub(r"^.*[.:|]", "", name)
    return _flat(re.sub(r"_R$", "Right", re.sub(r"_L$", "Left", bare)))


def lip_sync(figure: Figure, audio: Audio, *, framerate: float = 30.0, name: str = "speech") -> Motion:
    """Return a motion of a character at rest that speaks, from the sound's first frame to its end.

    Args:
        figure: an `Asset` or a `Character` that faces +Z.
        audio: with cues of visemes.
        framerate: frames per second.
        name: the motion's.

    Raises:
        ValidationError: the sound has no visemes; the character has nothing to speak with.
    """
    frames = len(frame_times(audio.duration, framerate))
    still = rest_motion(figure.skeleton, frames, framerate, name=name)
    return with_speech(still, figure, audio)


def with_speech(motion: Motion, figure: Figure, audio: Audio, *, at: float = 0.0) -> Motion:
    """Return a motion whose mouth speaks from `at` seconds on, and is at rest before and after.

    Channels of the mouth that the motion has are replaced; a jaw turns by so much more than it does.

    Raises:
        ValidationError: the sound has no visemes; the character has nothing to speak with; the motion
            moves another skeleton.
    """
    if motion.skeleton is not figure.skeleton and motion.skeleton != figure.skeleton:
        raise ValidationError("the motion moves another skeleton than the character's")
    if not any(cue.kind == "viseme" for cue in audio.cues):
        raise ValidationError(
            "the sound has no cues of visemes; an aligner adds them: host.provider('aligner')"
        )
    mouth = mouth_of(figure)
    if mouth.kind == "none":
        raise ValidationError(
            "the character has nothing to speak with: no morph channels of Oculus visemes, ARKit, VRM vowels "
            "or an open mouth, and no joint named jaw"
        )
    times = np.arange(motion.frame_count) / motion.framerate - at
    curves = viseme_weights(audio.cues, times, audio.duration)
    if mouth.jaw is not None:
        return attrs.evolve(motion, rotations=_turned(motion, mouth.jaw, jaw_curve(curves)))
    return attrs.evolve(motion, morph_weights={**motion.morph_weights, **_channels(mouth, curves)})


def _channels(mouth: Mouth, curves: dict[str, Curve]) -> dict[str, Curve]:
    """Return the curve of each channel."""
    made = curves
    if mouth.kind == "arkit":
        made = arkit_weights(curves)
    elif mouth.kind == "vowels":
        made = _vowels(curves)
    elif mouth.kind == "open":
        made = {"open": jaw_curve(curves)}
    return {channel: made[meant] for channel, meant in mouth.channels.items()}


def _vowels(curves: dict[str, Curve]) -> dict[str, Curve]:
    """Return curves of five vowels: consonants open the mouth a little, as the vowel that is nearest."""
    lent = {"i": ("DD", "kk", "SS", "nn", "TH"), "u": ("CH", "RR")}
    found = {vowel: curves[viseme] for viseme, vowel in _VOWELS.items()}
    for vowel, consonants in lent.items():
        found[vowel] = found[vowel] + 0.4 * np.sum([curves[viseme] for viseme in consonants], axis=0)
    return found


def _turned(motion: Motion, jaw: int, opened: Curve) -> NDArray[np.float64]:
    """Turn a jaw about the character's left-right axis: with +Z ahead, about +X the chin goes down."""
    half = np.radians(JAW_DEGREES) * opened / 2
    turn = np.zeros((len(half), 4))
    turn[:, 0], turn[:, 3] = np.sin(half), np.cos(half)
    rotations = np.array(motion.rotations, np.float64)
    parent = motion.skeleton.parents[jaw]
    # The turn is the character's, at rest; the joint's own axes may point anywhere.
    above = motion.skeleton.rest_transforms()[1][parent] if parent >= 0 else np.array([0.0, 0.0, 0.0, 1.0])
    local = rotation.multiply(rotation.multiply(rotation.inverse(above), turn), above)
    rotations[:, jaw] = rotation.multiply(local, rotations[:, jaw])
    return rotations

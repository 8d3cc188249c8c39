"""A performer who speaks: the mouth by visemes, head and hands by the stresses of the speech."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_align.accents import Accent, accents
from kinetoscope_align.lips import mouth_of, with_speech
from kinetoscope_spec import Audio, Character, Motion, rotation
from kinetoscope_spec.anatomy import SIDES, Person, person
from kinetoscope_spec.errors import ValidationError

__all__ = ["Speaker"]

Array = NDArray[np.float64]

NOD_DEG: Final = 7.0
"""By how much the head goes down with the strongest accent."""

SWAY_DEG: Final = (3.5, 2.0)
"""By how much the head turns and leans at most while it speaks."""

BEAT_DEG: Final = 16.0
"""By how much a forearm is raised with the strongest accent."""

RISE_S, FALL_S = 0.18, 0.34
"""How long before an accent a move begins, and how long after it is over."""

EASE_S: Final = 0.35
"""Over which the sway begins before the speech and ends after it."""

X, Y, Z = np.eye(3)


class Speaker:
    """Lets a performer move with speech; a provider of the hook `lipsync`.

    A character whose meshes have channels for a mouth, or that has a jaw, speaks with it. Head and forearms
    take small turns on top of what the motion does, so that a body without a face is seen to speak as well.
    Hips, legs and feet stay what they are.
    """

    def move(
        self, motion: Motion, character: Character, audio: Audio, *, at: float = 0.0, seed: int = 0
    ) -> Motion:
        """Return the motion with the speech that begins at `at` seconds: see `LipSync`."""
        if motion.skeleton != character.skeleton:
            raise ValidationError("the motion moves another skeleton than the character's")
        seen = any(cue.kind == "viseme" for cue in audio.cues) and mouth_of(character).kind != "none"
        spoken = with_speech(motion, character, audio, at=at) if seen else motion
        stresses = accents(audio)
        if not stresses:
            return spoken
        times = np.arange(motion.frame_count) / motion.framerate - at
        random = np.random.default_rng(seed)
        rotations = np.array(spoken.rotations, np.float64)
        someone = person(motion.skeleton)
        if someone.head is not None:
            _shake(rotations, someone.head, motion, times, stresses, audio.duration, random)
        for side, share in _beats(stresses, random).items():
            _raise(rotations, someone, side, motion, times, share)
        return attrs.evolve(spoken, rotations=rotations.astype(motion.rotations.dtype))


def _shake(
    rotations: Array,
    head: int,
    motion: Motion,
    times: Array,
    stresses: tuple[Accent, ...],
    duration: float,
    random: np.random.Generator,
) -> None:
    """Nod with each accent, and turn and lean a little while the speech lasts."""
    nod = np.radians(NOD_DEG) * _bumps(times, stresses)
    speaking = _ramp(times / EASE_S + 0.5) * _ramp((duration - times) / EASE_S + 0.5)
    moves = [(X, nod)]
    moves += [
        (axis, speaking * _sway(times, most, random)) for axis, most in zip((Y, Z), SWAY_DEG, strict=True)
    ]
    for axis, angles in moves:
        _turn(rotations, head, motion, axis, angles)


def _sway(times: Array, degrees: float, random: np.random.Generator) -> Array:
    """Return a slow wandering within `degrees`, rad: a function of time, the same at every framerate."""
    rates, phases = random.uniform(0.15, 0.6, 3), random.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * rates * times[:, None] + phases)
    wandering: Array = np.radians(degrees) * waves.mean(axis=1)
    return wandering


def _beats(stresses: tuple[Accent, ...], random: np.random.Generator) -> dict[str, tuple[Accent, ...]]:
    """Deal the accents out to the hands: mostly to one of them, to both where they are strong."""
    leading = SIDES[int(random.integers(2))]
    strong = float(np.quantile([accent.strength for accent in stresses], 0.7))
    dealt: dict[str, tuple[Accent, ...]] = {}
    for side in SIDES:
        held = [a for a in stresses if a.strength >= strong or (side == leading and random.random() < 0.7)]
        dealt[side] = tuple(held)
    return dealt


def _raise(
    rotations: Array, someone: Person, side: str, motion: Motion, times: Array, stresses: tuple[Accent, ...]
) -> None:
    """Raise a forearm with each accent: the way in which its elbow bends."""
    elbow, hand = someone.limb(side, "lower_arm"), someone.limb(side, "hand")
    if elbow is None or hand is None or not stresses:
        return
    places = motion.skeleton.rest_transforms()[0]
    bone = places[hand] - places[elbow]
    axis = np.cross(bone, Z)
    size = float(np.linalg.norm(axis))
    if size < 1e-6 * max(float(np.linalg.norm(bone)), 1e-9) or size == 0:
        return  # a forearm that points ahead at rest has no such way
    angles = np.radians(BEAT_DEG) * _bumps(times, stresses)
    _turn(rotations, elbow, motion, axis / size, angles)


def _turn(rotations: Array, joint: int, motion: Motion, axis: Array, angles: Array) -> None:
    """Turn a joint further, about an axis of the character at rest, where +Z is ahead and +Y up."""
    half = angles[:, None] / 2
    turn = np.concatenate([np.sin(half) * axis, np.cos(half)], axis=1)
    parent = motion.skeleton.parents[joint]
    above = motion.skeleton.rest_transforms()[1][parent] if parent >= 0 else np.array([0.0, 0.0, 0.0, 1.0])
    local = rotation.multiply(rotation.multiply(rotation.inverse(above), turn), above)
    moved = rotation.multiply(local, rotations[:, joint])
    rotations[:, joint] = moved / np.linalg.norm(moved, axis=-1, keepdims=True)


def _bumps(times: Array, stresses: tuple[Accent, ...]) -> Array:
    """Return how far a move has gone at each time, 0 to 1: up before each accent and down after it, smoothly."""
    found = np.zeros(len(times))
    for accent in stresses:
        off = times - accent.time
        up, down = _ramp(off / RISE_S + 1), _ramp(1 - off / FALL_S)
        found = np.maximum(found, accent.strength * np.where(off < 0, up, down))
    return found


def _ramp(at: Array) -> Array:
    """Return 0 below 0, 1 above 1, and between a step whose slope and curvature begin and end at 0."""
    x = np.clip(at, 0.0, 1.0)
    step: Array = x**3 * (10 + x * (6 * x - 15))
    return step

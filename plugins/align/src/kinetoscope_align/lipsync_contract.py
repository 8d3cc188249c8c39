"""The laws of the hook `lipsync`, to be run on any provider of it.

    class TestMine(LipSyncContract):
        provider = MyLipSync()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_align.contract import speech
from kinetoscope_align.plainspeech import Said
from kinetoscope_align.visemes import VISEMES
from kinetoscope_spec import Audio, Character, Cue, Mesh, Motion, Skeleton
from kinetoscope_spec.anatomy import person
from kinetoscope_spec.contracts import Contract, law, require, strategies
from kinetoscope_spec.errors import ValidationError

__all__ = ["LipSyncContract", "performers"]

AROUND_S = 0.5
"""How long before the speech and after it a performer may move with it."""

CLOSE = 1e-5
"""By how much components of quaternions and weights may differ that are to be the same."""


@attrs.frozen
class Performer:
    """A character, with a mouth or without one, and what it does; speech with cues; when it begins."""

    character: Character
    motion: Motion
    audio: Audio
    at: float


def _face(skeleton: Skeleton) -> Mesh:
    """Return a triangle on the last joint that has a channel for each viseme but silence."""
    corners = np.array([[0.0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]])
    names = tuple(f"viseme_{name}" for name in VISEMES if name != "sil")
    morphs = np.zeros((len(names), 3, 3))
    return Mesh.from_triangles(
        "face", corners, np.array([[0, 1, 2]]), node=len(skeleton) - 1, morphs=morphs, morph_names=names
    )


@st.composite
def performers(draw: Any) -> Performer:
    """Draw people with any convention's names who walk for 1 to 3 s and speak."""
    skeleton = draw(strategies.bodies())
    said: Said = draw(speech())
    rate = draw(st.sampled_from((24.0, 30.0, 60.0)))
    frames = round(draw(st.floats(1.0, 3.0)) * rate)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    positions = np.repeat(skeleton.rest_positions[None], frames, axis=0).astype(np.float64)
    positions[:, 0, 2] += np.arange(frames) / rate
    turns = np.repeat(skeleton.rest_rotations[None], frames, axis=0) + rng.normal(
        0, 0.05, (frames, len(skeleton), 4)
    )
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    visemes = [Cue("viseme", ("aa", "PP", "E")[i % 3], a, b) for i, (a, b) in enumerate(said.words)]
    meshes = (_face(skeleton),) if draw(st.booleans()) else ()
    at = draw(st.floats(-0.5, 2.0))
    audio = attrs.evolve(said.audio, cues=visemes)
    return Performer(
        Character("someone", skeleton, meshes), Motion(skeleton, positions, turns, rate), audio, at
    )


class LipSyncContract(Contract):
    """What callers of a lip sync rely on; subclass it and set `provider`."""

    hook: ClassVar[str] = "lipsync"
    mutants: ClassVar[str | None] = "kinetoscope_align.lipsync_mutants:MUTANTS"

    @law(performers(), cost=3)
    def test_all_but_the_moves_is_kept(self, who: Performer) -> None:
        """Frames, framerate, skeleton, positions and scales stay, and the rotations of hips, legs and feet."""
        motion, moved = who.motion, self._moved(who)
        require(
            moved.frame_count == motion.frame_count, f"{motion.frame_count} frames became {moved.frame_count}"
        )
        require(moved.framerate == motion.framerate, f"the framerate became {moved.framerate}")
        require(moved.skeleton == motion.skeleton, "the skeleton is another")
        require(np.array_equal(moved.positions, motion.positions), "positions are others")
        someone = person(motion.skeleton)
        low = [j for role, j in someone.limbs.items() if any(w in role for w in ("leg", "foot", "toes"))]
        for joint in [*low, *([] if someone.hips is None else [someone.hips])]:
            off = float(np.abs(moved.rotations[:, joint] - motion.rotations[:, joint]).max())
            require(off <= CLOSE, f"{motion.skeleton.names[joint]} was turned, by {off:.2g}")

    @law(performers(), cost=3)
    def test_it_moves_only_while_it_speaks(self, who: Performer) -> None:
        """From half a second before the speech to half a second after it; all else is as it was."""
        moved = self._moved(who)
        times = np.arange(moved.frame_count) / moved.framerate - who.at
        still = (times < -AROUND_S) | (times > who.audio.duration + AROUND_S)
        off = np.abs(moved.rotations - who.motion.rotations).max(axis=(1, 2))
        require(not still.any() or off[still].max() <= CLOSE, "it moves where nothing is said")
        for name, curve in moved.morph_weights.items():
            require(not still.any() or curve[still].max() <= CLOSE, f"{name} is open where nothing is said")

    @law(performers(), cost=3)
    def test_it_is_seen_to_speak(self, who: Performer) -> None:
        """Where speech lies within the motion something moves with it."""
        moved = self._moved(who)
        times = np.arange(moved.frame_count) / moved.framerate - who.at
        if not ((times > 0.3) & (times < who.audio.duration - 0.3)).sum() > 0.5 * moved.framerate:
            return
        off = float(np.abs(moved.rotations - who.motion.rotations).max())
        wide = max((float(curve.max()) for curve in moved.morph_weights.values()), default=0.0)
        require(off > 1e-3 or wide > 0.05, "nothing moves with the speech")

    @law(performers(), cost=3)
    def test_weights_are_shares(self, who: Performer) -> None:
        """Weights of channels are 0 to 1, and rotations stay unit quaternions."""
        for name, curve in self._moved(who).morph_weights.items():
            low, high = float(curve.min()), float(curve.max())
            require(low >= -CLOSE and high <= 1 + CLOSE, f"{name} goes from {low:.3g} to {high:.3g}")

    @law(performers(), cost=3)
    def test_silence_moves_nothing(self, who: Performer) -> None:
        """With silence that has no cues the motion stays what it is."""
        silent = Audio(np.zeros_like(who.audio.samples), who.audio.rate)
        moved = self.subject.move(who.motion, who.character, silent, at=who.at, seed=1)
        off = float(np.abs(moved.rotations - who.motion.rotations).max())
        require(off <= CLOSE, f"silence turns joints, by {off:.2g}")

    @law(performers(), cost=6)
    def test_framerates_show_the_same(self, who: Performer) -> None:
        """Every second frame of a performance moves as it does in the whole one."""
        motion = who.motion
        half = attrs.evolve(
            motion,
            positions=motion.positions[::2],
            rotations=motion.rotations[::2],
            framerate=motion.framerate / 2,
        )
        whole = self._moved(who).rotations[::2]
        other = self._moved(attrs.evolve(who, motion=half)).rotations
        off = float(np.abs(whole - other).max())
        require(off <= CLOSE, f"at half the framerate rotations differ by {off:.2g}")

    @law(performers(), st.integers(0, 99), cost=6)
    def test_the_same_seed_is_the_same_motion(self, who: Performer, seed: int) -> None:
        """Asked again, it moves alike."""
        one, other = (
            self.subject.move(who.motion, who.character, who.audio, at=who.at, seed=seed) for _ in range(2)
        )
        require(np.array_equal(one.rotations, other.rotations), "the second time it moves otherwise")

    @law(performers())
    def test_another_skeleton_is_refused(self, who: Performer) -> None:
        """A motion of another skeleton is a `ValidationError`."""
        bone = Skeleton(["bone"], [-1], np.zeros((1, 3)))
        motion = Motion(bone, np.zeros((2, 1, 3)), np.tile([0.0, 0, 0, 1], (2, 1, 1)), 30.0)
        try:
            self.subject.move(motion, who.character, who.audio)
        except ValidationError:
            return
        require(False, "it was taken, expected a ValidationError")

    def _moved(self, who: Performer) -> Motion:
        moved: Motion = self.subject.move(who.motion, who.character, who.audio, at=who.at, seed=3)
        return moved

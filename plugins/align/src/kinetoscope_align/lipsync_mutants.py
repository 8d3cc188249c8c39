"""Lip syncs with one thing wrong: what shows that the laws of `LipSyncContract` have teeth."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import Audio, Character, Motion
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant
from kinetoscope_spec.errors import ValidationError

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _LipSync(Wrapper):
    def move(
        self, motion: Motion, character: Character, audio: Audio, *, at: float = 0.0, seed: int = 0
    ) -> Motion:
        moved: Motion = self.real.move(motion, character, audio, at=at, seed=seed)
        return self.after(moved, motion, audio, at)

    def after(self, moved: Motion, motion: Motion, audio: Audio, at: float) -> Motion:
        return moved


def _nudged(motion: Motion, frames: Any, joint: int) -> Motion:
    rotations = np.array(motion.rotations)
    rotations[frames, joint] = rotations[frames, joint][..., [1, 0, 3, 2]] * [1, -1, 1, -1]
    return attrs.evolve(motion, rotations=rotations)


@mutant(MUTANTS, "all_but_the_moves_is_kept")
class Sways(_LipSync):
    """sways in the hips"""

    def after(self, moved: Motion, motion: Motion, audio: Audio, at: float) -> Motion:
        from kinetoscope_spec.anatomy import person

        return _nudged(moved, slice(None), person(motion.skeleton).hips or 0)


@mutant(MUTANTS, "it_moves_only_while_it_speaks")
class Nods(_LipSync):
    """goes on to the end of the motion"""

    def after(self, moved: Motion, motion: Motion, audio: Audio, at: float) -> Motion:
        return _nudged(moved, slice(-1, None), len(motion.skeleton) - 1)


@mutant(MUTANTS, "it_is_seen_to_speak")
class Still(_LipSync):
    """moves nothing"""

    def after(self, moved: Motion, motion: Motion, audio: Audio, at: float) -> Motion:
        return motion


@mutant(MUTANTS, "weights_are_shares")
class Shouts(_LipSync):
    """opens the mouth half as far again"""

    def after(self, moved: Motion, motion: Motion, audio: Audio, at: float) -> Motion:
        wide = {name: 1.5 * np.asarray(curve) for name, curve in moved.morph_weights.items()}
        return attrs.evolve(moved, morph_weights=wide)


@mutant(MUTANTS, "silence_moves_nothing")
class Hears(_LipSync):
    """nods to silence"""

    def after(self, moved: Motion, motion: Motion, audio: Audio, at: float) -> Motion:
        return moved if audio.samples.any() else _nudged(moved, slice(None), len(motion.skeleton) - 1)


@mutant(MUTANTS, "framerates_show_the_same")
class Counts(_LipSync):
    """takes frames for seconds"""

    def move(
        self, motion: Motion, character: Character, audio: Audio, *, at: float = 0.0, seed: int = 0
    ) -> Motion:
        moved: Motion = self.real.move(
            attrs.evolve(motion, framerate=30.0), character, audio, at=at, seed=seed
        )
        return attrs.evolve(moved, framerate=motion.framerate)


@mutant(MUTANTS, "the_same_seed_is_the_same_motion")
class Draws(_LipSync):
    """draws anew each time"""

    calls = 0

    def move(
        self, motion: Motion, character: Character, audio: Audio, *, at: float = 0.0, seed: int = 0
    ) -> Motion:
        Draws.calls += 1
        moved: Motion = self.real.move(motion, character, audio, at=at, seed=seed + Draws.calls)
        return moved


@mutant(MUTANTS, "another_skeleton_is_refused")
class Takes(_LipSync):
    """takes any motion"""

    def move(
        self, motion: Motion, character: Character, audio: Audio, *, at: float = 0.0, seed: int = 0
    ) -> Motion:
        try:
            return super().move(motion, character, audio, at=at, seed=seed)
        except ValidationError:
            return motion

"""Retargeters with one thing wrong: what shows that the laws of `RetargeterContract` have teeth."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from kinetoscope_retarget.protocol import Match, Pairs
from kinetoscope_spec import Motion, Skeleton
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


def _one_tree(a: Skeleton, b: Skeleton) -> bool:
    return bool(np.array_equal(a.parents, b.parents))


class _Retargets(Wrapper):
    """A retargeter whose results are changed."""

    def retarget(self, motion: Motion, target: Any, **options: Any) -> Motion:
        return self.changed(self.real.retarget(motion, target, **options), motion)

    def changed(self, moved: Motion, motion: Motion) -> Motion:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "own_skeleton_changes_nothing")
class Lifts(_Retargets):
    """lifts what stays on its own skeleton by a thousandth"""

    def changed(self, moved: Motion, motion: Motion) -> Motion:
        if moved.skeleton != motion.skeleton:
            return moved
        positions = np.array(moved.positions)
        positions[:, 0] *= 1.001
        return attrs.evolve(moved, positions=positions)


@mutant(MUTANTS, "names_axes_and_units_make_no_difference")
class TrustsNames(_Retargets):
    """takes another name or axis for another bone, and moves a thousandth less"""

    def changed(self, moved: Motion, motion: Motion) -> Motion:
        if moved.skeleton == motion.skeleton or not _one_tree(moved.skeleton, motion.skeleton):
            return moved
        positions = np.array(moved.positions)
        positions[:, 0] *= 0.999
        return attrs.evolve(moved, positions=positions)


@mutant(MUTANTS, "result_is_the_targets")
class Forgets(_Retargets):
    """forgets when the clip starts"""

    def changed(self, moved: Motion, motion: Motion) -> Motion:
        return attrs.evolve(moved, start_time=0.0)


@mutant(MUTANTS, "there_and_back")
class Stiff(_Retargets):
    """keeps forearms stretched on another body"""

    def changed(self, moved: Motion, motion: Motion) -> Motion:
        if _one_tree(moved.skeleton, motion.skeleton):
            return moved
        match = self.real.match(motion.skeleton, moved.skeleton)
        rotations = np.array(moved.rotations)
        for role in ("left_lower_arm", "right_lower_arm"):
            if role in match.roles():
                joint = moved.skeleton.index(match.roles()[role][1])
                rotations[:, joint] = moved.skeleton.rest_rotations[joint]
        return attrs.evolve(moved, rotations=rotations)


@mutant(MUTANTS, "standing_feet_stand")
class Skates(Wrapper):
    """does not care for contacts"""

    def retarget(self, motion: Motion, target: Any, **options: Any) -> Motion:
        moved: Motion = self.real.retarget(motion, target, **{**options, "contacts": False})
        return moved


@mutant(MUTANTS, "every_joint_is_accounted_for")
class Hides(Wrapper):
    """does not say what it left out of the source"""

    def match(self, source: Skeleton, target: Skeleton, **options: Any) -> Match:
        match: Match = self.real.match(source, target, **options)
        return attrs.evolve(match, left_out_source=())


@mutant(MUTANTS, "partners_are_left_and_right")
class Mirrored(Wrapper):
    """takes left for right"""

    def mirror_pairs(self, skeleton: Skeleton) -> Pairs:
        pairs: Pairs = self.real.mirror_pairs(skeleton)
        swapped = [attrs.evolve(pair, left=pair.right, right=pair.left) for pair in pairs.pairs]
        return attrs.evolve(pairs, pairs=tuple(swapped))


@mutant(MUTANTS, "turning_the_ground_turns_the_result")
class Drifts(_Retargets):
    """shifts every other body to the east"""

    def changed(self, moved: Motion, motion: Motion) -> Motion:
        if _one_tree(moved.skeleton, motion.skeleton):
            return moved
        positions = np.array(moved.positions)
        carrier = int(np.argmax(np.abs(positions - moved.skeleton.rest_positions).max(axis=(0, 2))))
        positions[:, carrier, 0] += 0.1
        return attrs.evolve(moved, positions=positions)

"""Providers with one thing wrong: each law of the contract must notice its own.

A mutant wraps a provider that passes. Its docstring says what is wrong, for those who read that a
law did not notice.
"""

from __future__ import annotations

import attrs

from kinetoscope_spec import Motion, ValidationError
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


@mutant(MUTANTS, "skeleton_and_time_are_kept")
class Hurries(Wrapper):
    """gives the motion another framerate"""

    def apply(self, motion: Motion, *, amount: float = 1.0) -> Motion:
        found: Motion = self.real.apply(motion, amount=amount)
        return attrs.evolve(found, framerate=2 * found.framerate)


@mutant(MUTANTS, "an_amount_of_nothing_changes_nothing")
class Drifts(Wrapper):
    """moves every joint by a millimetre, whatever the amount"""

    def apply(self, motion: Motion, *, amount: float = 1.0) -> Motion:
        found: Motion = self.real.apply(motion, amount=amount)
        return attrs.evolve(found, positions=found.positions + 1e-3)


@mutant(MUTANTS, "a_wrong_amount_is_an_error")
class Clamps(Wrapper):
    """takes any amount for the nearest that there is"""

    def apply(self, motion: Motion, *, amount: float = 1.0) -> Motion:
        try:
            found: Motion = self.real.apply(motion, amount=amount)
        except ValidationError:
            found = self.real.apply(motion, amount=1.0)
        return found

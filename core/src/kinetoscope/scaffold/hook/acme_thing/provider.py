"""The provider `acme-thing` of the hook `acme_thing`: evens out what shakes."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Motion, ValidationError

__all__ = ["AcmeThingSmoothing"]

Array = NDArray[Any]


class AcmeThingSmoothing:
    """Puts the mean of a frame and its two neighbours in place of each; see `AcmeThing` in `hooks`."""

    def apply(self, motion: Motion, *, amount: float = 1.0) -> Motion:
        """Return the motion with `amount` of its shaking taken out.

        Raises:
            ValidationError: an amount that is not from 0 to 1.
        """
        if not 0 <= amount <= 1:
            raise ValidationError(f"amount is {amount}, expected a number from 0 to 1")
        if amount == 0:
            return motion
        rotations = _mixed(motion.rotations, _mean(motion.rotations, turns=True), amount)
        length = np.linalg.norm(rotations, axis=-1, keepdims=True)
        positions = _mixed(motion.positions, _mean(motion.positions), amount)
        return attrs.evolve(motion, positions=positions, rotations=rotations / length)


def _mean(values: Array, *, turns: bool = False) -> Array:
    """Return the mean of three frames `[T, J, N]`; the first and last are their own neighbours.

    Of quaternions q and -q, the same rotation, the one on the frame's own side counts.
    """
    before = np.concatenate([values[:1], values[:-1]])
    after = np.concatenate([values[1:], values[-1:]])
    if turns:
        before, after = (
            np.where((other * values).sum(axis=-1, keepdims=True) < 0, -other, other)
            for other in (before, after)
        )
    mean: Array = (before + values + after) / 3
    return mean


def _mixed(values: Array, others: Array, amount: float) -> Array:
    mixed: Array = values + (others - values) * amount
    return mixed

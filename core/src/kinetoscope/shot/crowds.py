"""Characters asked and led side by side: at once by features that can, one after the other by others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kinetoscope_spec import Control, Locomotion

__all__ = ["advance", "inputs"]


def inputs(feature: Locomotion, states: Sequence[Any], controls: Sequence[Control]) -> np.ndarray:
    """Return the model's inputs `[C, X]` of all, each under its control."""
    together = getattr(feature, "crowd_inputs", None)
    if together is not None:
        rows: np.ndarray = together(states, controls)
        return rows
    return np.concatenate([feature.inputs(*asked) for asked in zip(states, controls, strict=True)])


def advance(feature: Locomotion, states: Sequence[Any], outputs: np.ndarray) -> list[Any]:
    """Return the states of all after the frames that the rows of `outputs [C, Y]` describe were played."""
    together = getattr(feature, "crowd_advance", None)
    if together is not None:
        return list(together(states, outputs))
    return [feature.advance(state, row[None]) for state, row in zip(states, outputs, strict=True)]

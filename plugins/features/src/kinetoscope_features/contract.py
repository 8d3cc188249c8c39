"""The contract of the hook `feature`, told how `locomotion` counts frames and what contacts can't have."""

from __future__ import annotations

from kinetoscope_features.locomotion import Locomotion
from kinetoscope_spec.contracts import FeatureContract

__all__ = ["LocomotionContract", "SteppingContract"]


class LocomotionContract(FeatureContract):
    """Rows at 30 frames a second whatever the clip's rate; velocities since the frame before."""

    provider = Locomotion
    name = "locomotion"
    framerate = 30.0
    one_sided = True


class SteppingContract(FeatureContract):
    """Of whether a foot stands, which is so or not: a step function, whose derivative is 0 or none.

    PyTorch says so: asked for a gradient of such rows it raises. Rows that hung on poses by a factor of 0
    would keep the law of gradients and tell a loss nothing; who learns feet not to slide differentiates
    their velocity, and takes contacts as weights.
    """

    def cannot_differentiate(self) -> str | None:
        """Return why the law of gradients does not apply."""
        return "whether a foot stands is a step function: its gradient is 0 or none"

"""What proves the feature `locomotion`: the contract of its hook, told how it counts frames."""

from __future__ import annotations

from kinetoscope_features.locomotion import Locomotion
from kinetoscope_spec.contracts import FeatureContract

__all__ = ["LocomotionContract"]


class LocomotionContract(FeatureContract):
    """Rows at 30 frames a second whatever the clip's rate; velocities since the frame before."""

    provider = Locomotion
    name = "locomotion"
    framerate = 30.0
    one_sided = True

"""The contract of the hook `feature`, told how `locomotion` counts frames and what contacts can't have."""

from __future__ import annotations

from kinetoscope_features.locomotion import Locomotion
from kinetoscope_spec.contracts import FeatureContract

__all__ = ["LocomotionContract", "SteppingContract", "WindowContract"]


class LocomotionContract(FeatureContract):
    """Rows at 30 frames a second whatever the clip's rate; velocities since the frame before."""

    provider = Locomotion
    name = "locomotion"
    framerate = 30.0
    one_sided = True


class SteppingContract(FeatureContract):
    """What hangs on whether a foot stands changes in jumps: there is nothing to differentiate."""

    def cannot_differentiate(self) -> str | None:
        """Return why the law of gradients does not apply."""
        return "whether a foot stands has no gradient"


class WindowContract(FeatureContract):
    """A window reaches beyond a clip's ends, where it is a guess how the motion would have gone on.

    More frames at the end make another guess; and a mean over a window changes less from frame to
    frame than interpolation may change a pose.
    """

    def no_lengths(self) -> str | None:
        """Return why the law of resampling does not apply."""
        return "what lies beyond a clip's ends is extrapolated"

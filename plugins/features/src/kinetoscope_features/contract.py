"""The contract of the hook `feature`, told how `locomotion` counts frames and what contacts can't have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kinetoscope_features.locomotion import Locomotion
from kinetoscope_spec.contracts import FeatureContract

__all__ = [
    "AngularContract",
    "ContactContract",
    "FlatContract",
    "LabelContract",
    "LocomotionContract",
    "SteppingContract",
]


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


_HALF = "computes in half precision on arrays that are not NumPy's"
_REORDERED = "gives the rows in the order of time, whatever the order in which frames are asked for"
_UNMOVED = "leaves rows as they are when it mirrors them"


class ContactContract(SteppingContract):
    """All laws, of a feature that is told by yes and no."""

    unfelt: ClassVar[Mapping[str, str]] = {_HALF: "no rounding moves when a foot touches down"}


class AngularContract(FeatureContract):
    """All laws, of a feature without a column in m/s."""

    unfelt: ClassVar[Mapping[str, str]] = {
        "gives speeds upwards and forwards half as large again, downwards and backwards half as large": (
            "it has no column in m/s"
        )
    }


class LabelContract(FeatureContract):
    """All laws, of a feature whose rows are alike throughout a clip and ask for no joint."""

    unfelt: ClassVar[Mapping[str, str]] = {
        _REORDERED: "all rows of a clip are alike",
        _UNMOVED: "a label is the same in the mirror",
        "lets a KeyError through where a joint is missing": "it asks for no joint",
    }


class FlatContract(FeatureContract):
    """All laws, on flat ground, where every height is 0."""

    unfelt: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            _HALF,
            _REORDERED,
            _UNMOVED,
            "gives rows that depend on how far along z the clip stands",
            "takes every clip for one of 30 frames a second",
        ),
        "on flat ground all heights are 0",
    )

"""Features of motion: what models learn from, each a provider of the hook `feature`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["feature"]


@hookimpl
def feature() -> Sequence[Provider]:
    """Return the features of this distribution."""
    return [
        Provider(
            "root-trajectory",
            "velocity, turn rate and height of the root",
            load="kinetoscope_features.basic:RootTrajectory",
        ),
        Provider(
            "joint-positions",
            "joint positions seen from the root",
            load="kinetoscope_features.basic:JointPositions",
        ),
        Provider(
            "joint-rotations",
            "joint rotations seen from the root, 6D",
            load="kinetoscope_features.basic:JointRotations",
        ),
        Provider(
            "joint-velocities",
            "joint velocities seen from the root",
            load="kinetoscope_features.basic:JointVelocities",
        ),
        Provider(
            "foot-contacts", "which foot stands on the ground", load="kinetoscope_features.basic:FootContacts"
        ),
        Provider(
            "locomotion",
            "walking along a trajectory: windows to learn, frames to play",
            load="kinetoscope_features.locomotion:Locomotion",
            contract="kinetoscope_features.contract:LocomotionContract",
            order=1,
        ),
    ]

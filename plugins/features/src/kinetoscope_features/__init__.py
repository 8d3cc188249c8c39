"""Features of motion: what models learn from, each a provider of the hook `feature`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["feature"]


@hookimpl
def feature() -> Sequence[Provider]:
    """Return the features of this distribution."""
    return [
        *(
            Provider(name, summary, load=f"kinetoscope_features.{home}", contract=_CONTRACTS.get(name))
            for name, (summary, home) in _PLAIN.items()
        ),
        Provider(
            "locomotion",
            "walking along a trajectory: windows to learn, frames to play",
            load="kinetoscope_features.locomotion:Locomotion",
            contract="kinetoscope_features.contract:LocomotionContract",
            order=1,
        ),
    ]


_PLAIN = {
    "root-trajectory": ("velocity, turn rate and height of the root", "basic:RootTrajectory"),
    "joint-positions": ("joint positions seen from the root", "basic:JointPositions"),
    "joint-rotations": ("joint rotations seen from the root, 6D", "basic:JointRotations"),
    "joint-velocities": ("joint velocities seen from the root", "basic:JointVelocities"),
    "joint-angular-velocities": (
        "joint angular velocities seen from the root",
        "basic:JointAngularVelocities",
    ),
    "foot-contacts": ("which foot stands on the ground", "standing:FootContacts"),
    "foot-phase": ("where each foot is in its step", "standing:FootPhase"),
    "periodic-phase": ("phase, amplitude and frequency of swinging hands and feet", "periodic:PeriodicPhase"),
    "trajectory-window": ("where the root was and will be", "ahead:TrajectoryWindow"),
    "terrain-height": ("the ground's height along the root's way", "ahead:TerrainHeight"),
    "guidance-pose": ("the mean pose around a frame", "posture:GuidancePose"),
    "tracking-targets": ("head and hands as a headset knows them", "posture:TrackingTargets"),
    "labels": ("labels from clips' names or a CSV file", "labels:Labels"),
}

_CONTRACTS = {
    name: f"kinetoscope_features.contract:{contract}"
    for name, contract in (
        ("foot-contacts", "ContactContract"),
        ("foot-phase", "ContactContract"),
        ("joint-angular-velocities", "AngularContract"),
        ("labels", "LabelContract"),
        ("terrain-height", "FlatContract"),
    )
}

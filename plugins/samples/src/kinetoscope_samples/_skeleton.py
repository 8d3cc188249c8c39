"""The biped's skeleton: proportions of an adult, names as Mixamo gives them."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_spec import Skeleton

__all__ = ["Body", "body_of"]

# Lengths as shares of the height: D. A. Winter, "Biomechanics and Motor Control of Human
# Movement", 4th ed., fig. 4.1; the foot's inner points by eye.
_THIGH, _SHANK, _ANKLE = 0.245, 0.246, 0.039
_HIP_HALF, _SHOULDER_HALF = 0.052, 0.105
_SPINE, _CHEST, _NECK, _HEAD, _TOP = 0.06, 0.105, 0.145, 0.05, 0.11
_UPPER_ARM, _FOREARM, _HAND = 0.175, 0.146, 0.06
_BALL_FORWARD, _BALL_HEIGHT, _TOES, _HEEL_BACK = 0.075, 0.012, 0.042, 0.03


@attrs.frozen
class Body:
    """A skeleton with the measures that gait needs, in m.

    Attributes:
        skeleton: T pose, all rest rotations identity, the hips at their height above the ground.
        height: of the whole body.
        thigh, shank: lengths.
        ankle: height of the ankle over the sole.
        ball_forward, ball_height: of the toe joint from the ankle's foot point and the sole.
        toes, heel_back: from the toe joint to the tip; from the ankle back to the heel.
        hip_half: half the distance between the hip joints.
    """

    skeleton: Skeleton
    height: float
    thigh: float
    shank: float
    ankle: float
    ball_forward: float
    ball_height: float
    toes: float
    heel_back: float
    hip_half: float

    @property
    def leg(self) -> float:
        """Length of the straight leg from hip to ankle."""
        return self.thigh + self.shank


def body_of(height: float) -> Body:
    """Return the body of a person `height` m tall."""
    h = height
    joints: list[tuple[str, str | None, tuple[float, float, float]]] = [
        ("Hips", None, (0, h * (_THIGH + _SHANK + _ANKLE), 0)),
        ("Spine", "Hips", (0, h * _SPINE, 0)),
        ("Chest", "Spine", (0, h * _CHEST, 0)),
        ("Neck", "Chest", (0, h * _NECK, 0)),
        ("Head", "Neck", (0, h * _HEAD, h * 0.006)),
        ("HeadTop", "Head", (0, h * _TOP, 0)),
    ]
    for name, x in (("Left", 1.0), ("Right", -1.0)):
        joints += [
            (f"{name}Shoulder", "Chest", (x * h * 0.02, h * 0.115, 0)),
            (f"{name}Arm", f"{name}Shoulder", (x * h * (_SHOULDER_HALF - 0.02), 0, 0)),
            (f"{name}ForeArm", f"{name}Arm", (x * h * _UPPER_ARM, 0, 0)),
            (f"{name}Hand", f"{name}ForeArm", (x * h * _FOREARM, 0, 0)),
            (f"{name}HandEnd", f"{name}Hand", (x * h * _HAND, 0, 0)),
        ]
    for name, x in (("Left", 1.0), ("Right", -1.0)):
        joints += [
            (f"{name}UpLeg", "Hips", (x * h * _HIP_HALF, 0, 0)),
            (f"{name}Leg", f"{name}UpLeg", (0, -h * _THIGH, 0)),
            (f"{name}Foot", f"{name}Leg", (0, -h * _SHANK, 0)),
            (f"{name}ToeBase", f"{name}Foot", (0, h * (_BALL_HEIGHT - _ANKLE), h * _BALL_FORWARD)),
            (f"{name}ToeEnd", f"{name}ToeBase", (0, 0, h * _TOES)),
        ]
    names = [name for name, _, _ in joints]
    parents = np.array([-1 if parent is None else names.index(parent) for _, parent, _ in joints])
    skeleton = Skeleton(names, parents, np.array([offset for _, _, offset in joints]))
    return Body(
        skeleton, h, h * _THIGH, h * _SHANK, h * _ANKLE, h * _BALL_FORWARD, h * _BALL_HEIGHT,
        h * _TOES, h * _HEEL_BACK, h * _HIP_HALF,
    )  # fmt: skip

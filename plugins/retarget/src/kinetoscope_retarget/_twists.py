"""Twist joints beside a limb's bones: a share of how far a hand or an arm is turned about its bone."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import rotation
from kinetoscope_spec.anatomy import SIDES, Person, Tree, read_name

__all__ = ["Twist", "add_twists", "twists_of"]

_ENDS = {"upper_arm": "lower_arm", "lower_arm": "hand", "upper_leg": "lower_leg", "lower_leg": "foot"}


@attrs.frozen
class Twist:
    """A twist joint.

    Attributes:
        joint: itself; it hangs on `bone`.
        bone, end: the joints where the bone begins and ends.
        role: such as `left_lower_arm_twist_1`.
        mover: the joint whose turning about the bone it shares: the end of a forearm or a shank; an
            upper arm or thigh itself, whose turning fades out towards the body.
        along: where along the bone it stands, 0 to 1.
    """

    joint: int
    bone: int
    end: int
    role: str
    mover: int
    along: float


def twists_of(body: Person, offsets: Array) -> list[Twist]:
    """Return the twist joints that hang on a body's arms and legs, with bones `offsets [J, 3]`."""
    tree = Tree(body.skeleton)
    found: list[Twist] = []
    for side in SIDES:
        for part, next_part in _ENDS.items():
            bone, end = body.limb(side, part), body.limb(side, next_part)
            if bone is None or end is None or tree.parents[end] != bone:
                continue
            length = float(np.linalg.norm(offsets[end]))
            joints = [
                joint
                for joint in tree.children[bone]
                if read_name(body.skeleton.names[joint]).kind == "twist" and joint != end
            ]
            for i, joint in enumerate(joints):
                along = float(offsets[joint] @ offsets[end]) / max(length * length, 1e-12)
                mover = bone if part.startswith("upper") else end
                role = f"{side}_{part}_twist_{i + 1}"
                found.append(Twist(joint, bone, end, role, mover, float(np.clip(along, 0.0, 1.0))))
    return found


def add_twists(local: Array, twists: Sequence[Twist], pose: Array, body: Person, offsets: Array) -> None:
    """Write into local rotations `[T, J, 4]` what the twist joints share.

    `pose [J, 4]` holds the global rotations of the pose in which nothing is twisted.
    """
    rest = np.asarray(body.skeleton.rest_rotations, np.float64)
    for twist in twists:
        axis = offsets[twist.end] / max(float(np.linalg.norm(offsets[twist.end])), 1e-12)
        above = int(body.skeleton.parents[twist.mover])
        still = pose[twist.mover]
        if above >= 0:
            still = rotation.multiply(rotation.conjugate(pose[above]), still)
        moved = local[:, twist.mover]
        if twist.mover == twist.end:
            turn, share = rotation.multiply(moved, rotation.conjugate(still)), twist.along
        else:
            turn, share = rotation.multiply(rotation.conjugate(still), moved), twist.along - 1.0
        _, about = rotation.swing_twist(turn, axis)
        part = rotation.from_rotation_vector(share * rotation.to_rotation_vector(about))
        local[:, twist.joint] = rotation.multiply(part, rest[twist.joint])

"""The pose in which flesh is shaped: facing +Z, upright, arms slanting down, legs a little apart."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["Stance", "reference_pose", "stance", "stands"]

_ARM = np.array([np.sin(np.radians(48.0)), -np.cos(np.radians(48.0)), 0.0])
_LEG = np.array([np.sin(np.radians(5.0)), -np.cos(np.radians(5.0)), 0.0])
_FRAMES = 48
"""Frames of a motion that are looked at."""

_REST = 0.45
"""Of a foot's length, how far its ankle stands over its toes where no motion tells."""

NEEDED = (
    "hips",
    *(f"{s}_{limb}" for s in ("left", "right") for limb in ("upper_arm", "upper_leg")),
    *(f"{s}_{limb}" for s in ("left", "right") for limb in ("lower_arm", "lower_leg")),
)
"""Roles without which a skeleton isn't taken for a person's."""


@attrs.frozen(eq=False)
class Stance:
    """Where the joints stand when flesh is put on them.

    Attributes:
        matrices: `[J, 4, 4]`, the bind pose.
        positions: `[J, 3]` m.
    """

    matrices: Array
    positions: Array


def reference_pose(
    skeleton: Skeleton, motion: Motion | None, roles: Mapping[str, int]
) -> tuple[Array, float]:
    """Return global matrices `[J, 4, 4]` of a pose that shows how the joints are turned.

    Of a motion it is the frame in which the body is tallest; the rest pose otherwise. The second
    value is the height of the toes' joints over the ground when they stand on it, if they do.
    """
    if motion is None:
        poses = np.asarray(skeleton.rest_matrices(), np.float64)[None]
    else:
        frames = np.unique(np.linspace(0, motion.frame_count - 1, _FRAMES).astype(int))
        poses = np.stack([_pose(motion, int(frame)) for frame in frames])
    height = poses[:, :, 1, 3]
    toes = [joint for role, joint in roles.items() if role.endswith("_toes")]
    standing = float(np.percentile(height[:, toes], 10)) if toes else 0.0
    top = height[:, roles["head"]] if "head" in roles else height.max(axis=1)
    return poses[int(np.argmax(top - height.min(axis=1)))], standing


def _pose(motion: Motion, frame: int) -> Array:
    return np.asarray(motion.slice(frame, frame + 1).global_matrices()[0], np.float64)


def stands(positions: Array, roles: Mapping[str, int]) -> bool:
    """Tell whether joints `[J, 3]` stand as a person can: legs away from the trunk, arms apart.

    The rest pose of many clips doesn't: all bones lie along one axis of the file.
    """
    at = {role: positions[joint] for role, joint in roles.items()}
    shoulders = 0.5 * (at["left_upper_arm"] + at["right_upper_arm"])
    up = at.get("neck", shoulders) - at["hips"]
    across = at["left_upper_arm"] - at["right_upper_arm"]
    for where, sign in (("left", 1.0), ("right", -1.0)):
        leg = at[f"{where}_lower_leg"] - at[f"{where}_upper_leg"]
        arm = at[f"{where}_lower_arm"] - at[f"{where}_upper_arm"]
        if _cosine(leg, up) > -0.5 or _cosine(arm, sign * across) < -0.5 or _cosine(arm, up) > 0.8:
            return False
    return True


def _cosine(a: Array, b: Array) -> float:
    return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)


def stance(skeleton: Skeleton, reference: Array, roles: Mapping[str, int]) -> Stance:
    """Turn the joints of a person from the reference pose into the stance."""
    builder = _Builder(skeleton, reference, roles)
    for joint in range(len(skeleton)):
        builder.place(joint)
    matrices = np.zeros((len(skeleton), 4, 4))
    matrices[:, 3, 3] = 1
    matrices[:, :3, :3] = builder.turn @ reference[:, :3, :3]
    matrices[:, :3, 3] = builder.positions
    return Stance(matrices, builder.positions)


class _Builder:
    def __init__(self, skeleton: Skeleton, reference: Array, roles: Mapping[str, int]) -> None:
        self.parents = skeleton.parents
        self.reference = reference[:, :3, 3]
        self.roles = roles
        self.role_of = {joint: role for role, joint in roles.items()}
        self.turn = np.tile(np.eye(3), (len(skeleton), 1, 1))
        self.positions = np.array(self.reference)
        self._hips_frame = self._frame("upper_leg")
        top = roles.get("chest", roles.get("spine", roles["hips"]))
        self._chest = top
        self._chest_frame = self._frame("upper_arm")

    def place(self, joint: int) -> None:
        """Place one joint, whose parent stands, and find how it turns."""
        parent = int(self.parents[joint])
        if parent >= 0:
            offset = self.reference[joint] - self.reference[parent]
            self.positions[joint] = self.positions[parent] + self.turn[parent] @ offset
        if joint == self.roles["hips"]:
            self.positions[joint] = 0.0
        self.turn[joint] = self._turn(joint, np.eye(3) if parent < 0 else self.turn[parent])

    def _turn(self, joint: int, above: Array) -> Array:
        role = self.role_of.get(joint, "")
        if joint == self.roles["hips"]:
            return self._hips_frame
        if joint == self._chest:
            return self._chest_frame
        where, _, limb = role.partition("_")
        aims = {
            "upper_arm": ("lower_arm", _ARM),
            "lower_arm": ("hand", _ARM),
            "upper_leg": ("lower_leg", _LEG),
            "lower_leg": ("foot", _LEG),
        }
        if limb in aims:
            child, aim = aims[limb]
            aim = aim * ((1 if where == "left" else -1), 1, 1)
            end = self.roles.get(f"{where}_{child}")
            return above if end is None else _swing(above @ self._bone(joint, end), aim) @ above
        if limb == "foot":
            return self._foot(joint, where, above)
        if role == "neck" and "head" in self.roles:
            aim = np.array([0.0, np.cos(0.2), np.sin(0.2)])
            return _swing(above @ self._bone(joint, self.roles["head"]), aim) @ above
        if role == "head":
            return self._chest_frame
        return above

    def _foot(self, joint: int, where: str, above: Array) -> Array:
        end = self.roles.get(f"{where}_toes")
        if end is None:
            return above
        bone = self._bone(joint, end)
        turned = self._hips_frame @ bone
        drop = float(np.clip(-turned[1] / max(np.linalg.norm(turned), 1e-9), 0.25, 0.62))
        if abs(turned[1]) > 0.95 * np.linalg.norm(turned):
            drop = _REST
        aim = np.array([0.12 if where == "left" else -0.12, -drop, np.sqrt(1 - drop * drop)])
        return np.asarray(_swing(above @ bone, aim / np.linalg.norm(aim)) @ above)

    def _bone(self, joint: int, end: int) -> Array:
        return np.asarray(self.reference[end] - self.reference[joint])

    def _frame(self, limb: str) -> Array:
        """Return the rotation that makes the line between two limbs +X and the trunk +Y."""
        at = self.reference
        left = at[self.roles[f"left_{limb}"]] - at[self.roles[f"right_{limb}"]]
        hips = at[self.roles["hips"]]
        tops = [self.roles[r] for r in ("head", "neck", "chest", "spine") if r in self.roles]
        shoulders = 0.5 * (at[self.roles["left_upper_arm"]] + at[self.roles["right_upper_arm"]])
        up = (at[tops[0]] if tops else shoulders) - hips
        if np.linalg.norm(left) < 1e-9 or np.linalg.norm(np.cross(left, up)) < 1e-9 * np.linalg.norm(up):
            return np.eye(3)
        x = left / np.linalg.norm(left)
        y = up - (up @ x) * x
        y /= np.linalg.norm(y)
        return np.stack([x, y, np.cross(x, y)])


def _swing(start: Array, end: Array) -> Array:
    """Return the smallest rotation `[3, 3]` that brings the direction `start` to `end`."""
    length = float(np.linalg.norm(start))
    if length < 1e-9:
        return np.eye(3)
    a, b = start / length, end / np.linalg.norm(end)
    cosine = float(a @ b)
    if cosine < -1 + 1e-9:
        across = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        across /= np.linalg.norm(across)
        return 2 * np.outer(across, across) - np.eye(3)
    v = np.cross(a, b)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    swing: Array = np.eye(3) + k + k @ k / (1 + cosine)
    return swing

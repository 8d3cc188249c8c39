"""Which joints of a skeleton features speak of: the body below the hips' ancestors, and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_features import formulas
from kinetoscope_spec import Motion, Skeleton, anatomy, kinematics
from kinetoscope_spec.errors import ValidationError

__all__ = ["Array", "Body", "require_rigid", "role", "roles_of"]

Array = NDArray[Any]


def role(roles: Mapping[str, int], skeleton: Skeleton, *names: str) -> int:
    """Return the joint that has the first of the roles `names` that any has.

    Raises:
        ValidationError: none has; names the roles and the joints there are.
    """
    for name in names:
        if name in roles:
            return roles[name]
    raise ValidationError(
        f"this skeleton has no joint with the role {' or '.join(map(repr, names))}, expected one known by "
        f"its name (see kinetoscope_spec.anatomy); joints: {', '.join(skeleton.names[:40])}"
    )


def roles_of(skeleton: Skeleton) -> Mapping[str, int]:
    """Return `anatomy.roles`, found once for all clips of a dataset: names, parents and rest positions tell."""
    parents = tuple(int(parent) for parent in skeleton.parents)
    return _roles(skeleton.names, parents, np.asarray(skeleton.rest_positions, np.float64).tobytes())


@lru_cache(maxsize=64)
def _roles(names: tuple[str, ...], parents: tuple[int, ...], positions: bytes) -> Mapping[str, int]:
    return anatomy.roles(Skeleton(names, parents, np.frombuffer(positions).reshape(-1, 3)))


@attrs.frozen(eq=False)
class Body:
    """The joints of a humanoid that features need, by index.

    Attributes:
        skeleton: all nodes.
        joints: `B` indices: the hips and everything below them, parents first.
        parents: for each of the B its parent among the B, -1 for the hips.
        hips, legs, arms, feet: indices into the skeleton; pairs are (left, right); `feet` are the
            toes, or the feet of a skeleton without toes.

    Raises:
        ValidationError: a role is missing; the message names it.
    """

    skeleton: Skeleton
    joints: tuple[int, ...]
    parents: tuple[int, ...]
    hips: int
    legs: tuple[int, int]
    arms: tuple[int, int]
    feet: tuple[int, int]

    @classmethod
    def of(cls, skeleton: Skeleton) -> Body:
        """Find the body of `skeleton` by the names of its joints."""
        roles = roles_of(skeleton)
        hips = role(roles, skeleton, "hips")
        below = [hips]
        for joint in range(hips + 1, len(skeleton)):
            if int(skeleton.parents[joint]) in below:
                below.append(joint)
        place = {joint: i for i, joint in enumerate(below)}

        def pair(*names: str) -> tuple[int, int]:
            left, right = (
                role(roles, skeleton, *(f"{side}_{name}" for name in names)) for side in ("left", "right")
            )
            return left, right

        return cls(
            skeleton=skeleton,
            joints=tuple(below),
            parents=tuple(place.get(int(skeleton.parents[joint]), -1) for joint in below),
            hips=hips,
            legs=pair("upper_leg"),
            arms=pair("upper_arm", "shoulder"),
            feet=pair("toes", "foot"),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the B joints."""
        return tuple(self.skeleton.names[joint] for joint in self.joints)

    @property
    def feet_in_body(self) -> tuple[int, int]:
        """Indices of `feet` among the B joints."""
        return self.joints.index(self.feet[0]), self.joints.index(self.feet[1])

    @property
    def hands(self) -> tuple[int, int]:
        """The left and right hand's joints, or those of the lower or upper arms of a body without hands."""
        roles = roles_of(self.skeleton)
        left, right = (
            role(roles, self.skeleton, f"{side}_hand", f"{side}_lower_arm", f"{side}_upper_arm")
            for side in ("left", "right")
        )
        return left, right

    @property
    def leg_length_m(self) -> float:
        """The length of the bones from the left upper leg to the toes, as the skeleton rests."""
        joint, length = self.feet[0], 0.0
        while joint > self.legs[0]:
            length += float(np.linalg.norm(self.skeleton.rest_positions[joint]))
            joint = int(self.skeleton.parents[joint])
        return length

    def above(self) -> list[int]:
        """Return the ancestors of the hips, topmost first."""
        chain: list[int] = []
        joint = int(self.skeleton.parents[self.hips])
        while joint >= 0:
            chain.insert(0, joint)
            joint = int(self.skeleton.parents[joint])
        return chain

    def yaw(self, positions: Any) -> Any:
        """Return the raw facing `[T]` of global `positions [T, J, 3]`, rad, without jumps."""
        across = (positions[:, joint, :] for joint in (*self.legs, *self.arms))
        return formulas.unwrapped(formulas.facing_yaw(*across))

    def foot_positions(self, positions: Array) -> Array:
        """Return the left and right foot `[T, 2, 3]` of global `positions [T, J, 3]`."""
        return positions[:, list(self.feet)]

    def contacts(
        self,
        feet: Array,
        framerate: float,
        *,
        height_m: float,
        speed_m_s: float,
        ground_m: Sequence[float] | Array | float | None = None,
    ) -> NDArray[np.bool_]:
        """Return which of `feet [T, 2, 3]` touch the ground, bool `[T, 2]`.

        `ground_m` is the height at which the joints rest; None measures it: a joint lies above the
        sole, by an amount that the low end of its own heights tells.
        """
        if ground_m is None:
            ground_m = np.quantile(feet[..., 1], 0.02, axis=0)
        touching: NDArray[np.bool_] = kinematics.contacts(
            feet, framerate, height_m=height_m, speed_m_s=speed_m_s, ground_m=ground_m
        )
        return touching


def require_rigid(motion: Motion) -> None:
    """Refuse a motion whose scales change lengths: positions alone can't carry that.

    Raises:
        ValidationError: naming the motion.
    """
    if motion.scales is not None and not np.allclose(motion.scales, 1.0, atol=1e-4):
        raise ValidationError(
            f"motion {motion.name!r} scales its joints, expected a rigid skeleton: bake scales into offsets"
        )

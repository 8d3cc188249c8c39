"""Rigs: trees of joints with limits and loops, and what their joints are to reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np

from kinetoscope_fabrik.joints import Limit
from kinetoscope_fabrik.protocol import Array
from kinetoscope_spec import Skeleton, ValidationError

__all__ = ["Goal", "PoseSolver", "Posed", "Rig"]


def _offsets(value: Any) -> Array:
    array = np.array(value, np.float64)
    if array.ndim != 2 or array.shape[1] != 3 or not len(array) or not np.isfinite(array).all():
        raise ValidationError(f"Rig.offsets is {list(array.shape)}, expected finite numbers [J, 3]")
    array.setflags(write=False)
    return array


def _numbers(value: Iterable[int]) -> tuple[int, ...]:
    return tuple(int(number) for number in value)


def _pairs(value: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(a), int(b)) for a, b in value)


@attrs.frozen(eq=False)
class Rig:
    """A tree of `J` joints.

    Attributes:
        parents: of each joint; -1 for the first, the root; parents come before their children.
        offsets: `[J, 3]` m, each joint's place in its parent's frame; the root's isn't used.
        limits: how joints may turn, by joint; joints without a limit are balls.
        loops: pairs of joints that are to be in one place: what closes a chain.
    """

    parents: tuple[int, ...] = attrs.field(converter=_numbers)
    offsets: Array = attrs.field(converter=_offsets)
    limits: Mapping[int, Limit] = attrs.field(factory=dict)
    loops: tuple[tuple[int, int], ...] = attrs.field(default=(), converter=_pairs)

    def __attrs_post_init__(self) -> None:
        joints = len(self.offsets)
        if len(self.parents) != joints:
            raise ValidationError(f"Rig has {len(self.parents)} parents and {joints} offsets")
        if self.parents[0] != -1 or any(not 0 <= up < j for j, up in enumerate(self.parents) if j):
            raise ValidationError(
                f"Rig.parents is {self.parents}, expected -1 and then parents that come before their children"
            )
        for joint in (*self.limits, *(joint for loop in self.loops for joint in loop)):
            if not 0 <= joint < joints:
                raise ValidationError(
                    f"Rig has a limit or a loop at joint {joint}, expected 0 to {joints - 1}"
                )

    @classmethod
    def of(cls, skeleton: Skeleton, *, limits: Mapping[str, Limit] | None = None) -> Rig:
        """Return the rig of a skeleton in its rest pose's proportions, with limits by joint name.

        Raises:
            ValidationError: a name that no joint has, several roots.
        """
        index = {name: joint for joint, name in enumerate(skeleton.names)}
        for name in limits or {}:
            if name not in index:
                raise ValidationError(f"no joint is named {name!r}; there are {', '.join(skeleton.names)}")
        by_joint = {index[name]: limit for name, limit in (limits or {}).items()}
        return cls(tuple(skeleton.parents), skeleton.rest_positions, by_joint)


@attrs.frozen(eq=False)
class Goal:
    """What one joint is to reach, in each of `B` poses.

    Attributes:
        joint: which.
        position: `[B, 3]` m, where it is to be; None leaves that open.
        rotation: `[B, 4]` xyzw, how it is to stand in the world; None leaves that open.
        pole: `[B, 3]` m, to which side the joints above it are to bend, up to the next that several
            goals hang on or the root; None leaves that open.
        weight: where goals pull against each other, how much this one counts; above 0.
    """

    joint: int
    position: Array | None = None
    rotation: Array | None = None
    pole: Array | None = None
    weight: float = 1.0


@attrs.frozen(eq=False)
class Posed:
    """`B` poses of a rig after solving.

    Attributes:
        rotations: `[B, J, 4]` xyzw, local.
        roots: `[B, 3]` m, where the root is.
        positions: `[B, J, 3]` m, where all joints are in the world.
        iterations: int64 `[B]`; 0 where nothing had to be iterated.
        converged: bool `[B]`, whether all goals are met and all loops closed, within the tolerances.
        off_m: `[B]` m, the farthest that a joint is from its goal, or a loop is open.
        off_rad: `[B]` rad, the most by which a joint is turned from its goal.
    """

    rotations: Array
    roots: Array
    positions: Array
    iterations: Array
    converged: Array
    off_m: Array
    off_rad: Array


@runtime_checkable
class PoseSolver(Protocol):
    """A solver of rigs as well: several ends, loops, joint limits, orientations.

    No joint leaves its limit, whatever the goals, and no offset changes. A pose that meets its goals
    within its limits is returned as it came. Poses of a batch don't influence each other.
    """

    def pose(
        self,
        rig: Rig,
        rotations: Array,
        goals: Sequence[Goal],
        *,
        roots: Array | None = None,
        free_root: bool = False,
        tolerance: float = 1e-3,
        angle: float = 1e-3,
        iterations: int = 100,
    ) -> Posed:
        """Solve a batch of poses of one rig.

        Args:
            rig: the tree of joints, their limits and loops.
            rotations: `[B, J, 4]` xyzw, local: the poses to begin with, such as the last frame's.
            goals: what joints are to reach; several may share joints above them.
            roots: `[B, 3]` m, where the roots are; None is the origin.
            free_root: let the root move, as the pelvis of a body whose feet are planted does.
            tolerance: m, how near is near enough.
            angle: rad, the same for orientations.
            iterations: at most so many.

        Raises:
            ValidationError: a shape, NaN, a joint that isn't there, a weight or tolerance below 0.
        """
        ...

"""Skeletons and motions: who moves, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import kinematics, rotation
from kinetoscope_spec._arrays import Array, curves, numbers, numbers_or_none, shaped, unit_quaternions
from kinetoscope_spec._value import Value, frozen_mapping
from kinetoscope_spec.errors import ValidationError, nearest

__all__ = ["Motion", "Skeleton"]


def _names(value: Sequence[str]) -> tuple[str, ...]:
    names = tuple(value)
    for i, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise ValidationError(f"Skeleton.names[{i}] is {name!r}, expected a non-empty string")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValidationError(f"Skeleton.names holds {twice!r} twice, expected unique names")
    if not names:
        raise ValidationError("Skeleton.names is empty, expected at least one joint")
    return names


@attrs.frozen(eq=False, repr=False)
class Skeleton(Value):
    """A forest of named nodes, parents before children; joints or not.

    Attributes:
        names: `J` unique, non-empty names.
        parents: int64 `[J]`, -1 for a root.
        rest_positions: `[J, 3]` m, relative to the parent.
        rest_rotations: `[J, 4]` unit quaternions xyzw, relative to the parent; identity if None.
        rest_scales: `[J, 3]`, relative to the parent; ones if None.

    Raises:
        ValidationError: a name twice, a parent after its child, a number that is not finite.
    """

    names: tuple[str, ...] = attrs.field(converter=_names)
    parents: Array = attrs.field(converter=numbers)
    rest_positions: Array = attrs.field(converter=numbers)
    rest_rotations: Array = attrs.field(default=None, converter=numbers_or_none)
    rest_scales: Array = attrs.field(default=None, converter=numbers_or_none)

    def __attrs_post_init__(self) -> None:
        count = len(self.names)
        size = {"J": count}
        parents = shaped("Skeleton", "parents", self.parents, ["J"], np.int64, sizes=size)
        for joint, parent in enumerate(parents):
            if not -1 <= parent < joint:
                raise ValidationError(
                    f"Skeleton.parents[{joint}] ({self.names[joint]!r}) is {parent}, expected -1 or "
                    f"a joint before it: parents come first"
                )
        rotations = (
            rotation.identity(np.empty((count, 4))) if self.rest_rotations is None else self.rest_rotations
        )
        scales = np.ones((count, 3)) if self.rest_scales is None else self.rest_scales
        rotations = shaped("Skeleton", "rest_rotations", rotations, ["J", 4], sizes=size)
        set_ = object.__setattr__
        set_(self, "parents", parents)
        set_(
            self,
            "rest_positions",
            shaped("Skeleton", "rest_positions", self.rest_positions, ["J", 3], sizes=size),
        )
        set_(self, "rest_rotations", unit_quaternions("Skeleton.rest_rotations", rotations))
        set_(self, "rest_scales", shaped("Skeleton", "rest_scales", scales, ["J", 3], sizes=size))

    def __len__(self) -> int:
        return len(self.names)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((self.names, self.parents.tobytes()))

    def index(self, name: str) -> int:
        """Return the index of the joint called `name`.

        Raises:
            KeyError: there is none; the message names the nearest.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(f"no joint {name!r} in this skeleton{nearest(name, self.names)}") from None

    def children(self, joint: int) -> tuple[int, ...]:
        """Return the indices of the joints whose parent is `joint`."""
        return tuple(int(child) for child in np.flatnonzero(self.parents == joint))

    def rest_matrices(self) -> Array:
        """Return the global matrices of the rest pose, `[J, 4, 4]`."""
        matrices: Array = kinematics.global_matrices(
            self.parents, self.rest_positions, self.rest_rotations, self.rest_scales
        )
        return matrices

    def rest_transforms(self) -> tuple[Array, Array]:
        """Return the global `positions [J, 3]` and `rotations [J, 4]` of the rest pose."""
        rest = Motion(
            self, self.rest_positions[None], self.rest_rotations[None], 1.0, scales=self.rest_scales[None]
        )
        positions, rotations = rest.global_transforms()
        return positions[0], rotations[0]


@attrs.frozen(eq=False, repr=False)
class Motion(Value):
    """A clip: one local transform for every node and frame, at a constant framerate.

    Attributes:
        skeleton: whose motion it is.
        positions: `[T, J, 3]` m, relative to the parent; T is at least 1.
        rotations: `[T, J, 4]` unit quaternions xyzw, relative to the parent.
        framerate: frames per second.
        name: the clip's name.
        scales: `[T, J, 3]`, relative to the parent, or None where nothing is scaled.
        start_time: seconds at which the first frame stands on the file's own time axis.
        morph_weights: weights of morph channels over time, `[T]` by name; a mesh takes those of its
            own `morph_names`, and rests in channels that are not named.

    Raises:
        ValidationError: a shape, NaN, infinity, a quaternion that is not of unit length.
    """

    skeleton: Skeleton = attrs.field(validator=attrs.validators.instance_of(Skeleton))
    positions: Array = attrs.field(converter=numbers)
    rotations: Array = attrs.field(converter=numbers)
    framerate: float = attrs.field(converter=float)
    name: str = ""
    scales: Array | None = None
    start_time: float = attrs.field(default=0.0, converter=float)
    morph_weights: Mapping[str, Array] = attrs.field(factory=dict, converter=curves)

    def __attrs_post_init__(self) -> None:
        if not (np.isfinite(self.framerate) and self.framerate > 0):
            raise ValidationError(f"Motion.framerate is {self.framerate}, expected frames per second above 0")
        if not np.isfinite(self.start_time):
            raise ValidationError(f"Motion.start_time is {self.start_time}, expected seconds")
        size: dict[str, int] = {"J": len(self.skeleton)}
        positions = shaped("Motion", "positions", self.positions, ["T", "J", 3], sizes=size)
        rotations = shaped("Motion", "rotations", self.rotations, ["T", "J", 4], sizes=size)
        if not len(positions):
            raise ValidationError("Motion.positions has no frame, expected at least one")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "rotations", unit_quaternions("Motion.rotations", rotations))
        if self.scales is not None:
            object.__setattr__(
                self, "scales", shaped("Motion", "scales", self.scales, ["T", "J", 3], sizes=size)
            )
        weights = {
            name: shaped("Motion", f"morph_weights[{name!r}]", curve, ["T"], sizes=size)
            for name, curve in self.morph_weights.items()
        }
        object.__setattr__(self, "morph_weights", frozen_mapping(weights))

    def _repr_html_(self) -> str:
        """Show the moving figure in a notebook."""
        from kinetoscope_spec.display import motion_html

        return motion_html(self)

    @property
    def frame_count(self) -> int:
        """Number of frames, T."""
        return len(self.positions)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last: 0 for a single frame."""
        return (self.frame_count - 1) / self.framerate

    def global_transforms(self) -> tuple[Array, Array]:
        """Return global `positions [T, J, 3]` m and `rotations [T, J, 4]` xyzw.

        Positions take scales into account exactly; rotations are the product of local rotations,
        which under non-uniform scale is not the whole story: see `global_matrices`.
        """
        positions, rotations = kinematics.global_transforms(
            self.skeleton.parents, self.positions, self.rotations
        )
        if self.scales is not None:
            positions = self.global_matrices()[..., :3, 3]
        return positions, rotations

    def global_matrices(self) -> Array:
        """Return global `[T, J, 4, 4]` matrices, with scale and shear."""
        matrices: Array = kinematics.global_matrices(
            self.skeleton.parents, self.positions, self.rotations, self.scales
        )
        return matrices

    def slice(self, start: int, stop: int | None = None) -> Motion:
        """Return frames `start` to `stop` (not included), counted as a Python slice counts.

        Raises:
            ValidationError: no frame is left.
        """
        first, last, _ = slice(start, stop).indices(self.frame_count)
        return attrs.evolve(
            self,
            positions=self.positions[first:last],
            rotations=self.rotations[first:last],
            scales=None if self.scales is None else self.scales[first:last],
            morph_weights={name: curve[first:last] for name, curve in self.morph_weights.items()},
            start_time=self.start_time + first / self.framerate,
        )

    def resample(self, framerate: float) -> Motion:
        """Return the same motion at another framerate, from the first frame on.

        Positions, scales and morph weights are interpolated linearly, rotations along the shorter
        arc. The last frame lies at or before the end of this motion, never after it.

        Raises:
            ValidationError: `framerate` is not above 0.
        """
        if not (np.isfinite(framerate) and framerate > 0):
            raise ValidationError(f"framerate is {framerate}, expected frames per second above 0")
        if framerate == self.framerate:
            return self
        # A hair more, so that a whole number of steps is not lost to rounding.
        count = int(np.floor(self.duration * framerate * (1 + 1e-9) + 1e-9)) + 1
        at = np.minimum(np.arange(count) * (self.framerate / framerate), self.frame_count - 1)
        low = np.minimum(at.astype(np.int64), max(self.frame_count - 2, 0))
        high = np.minimum(low + 1, self.frame_count - 1)
        weight = (at - low).astype(self.positions.dtype)[:, None]
        return attrs.evolve(
            self,
            positions=_mix(self.positions, low, high, weight),
            rotations=rotation.slerp(
                self.rotations[low], self.rotations[high], weight.astype(self.rotations.dtype)
            ),
            scales=None if self.scales is None else _mix(self.scales, low, high, weight),
            morph_weights={
                name: curve[low] + (curve[high] - curve[low]) * weight[:, 0]
                for name, curve in self.morph_weights.items()
            },
            framerate=framerate,
        )


def _mix(values: Array, low: Array, high: Array, weight: Array) -> Array:
    mixed: Array = values[low] + (values[high] - values[low]) * weight[..., None]
    return mixed


def rest_motion(skeleton: Skeleton, frames: int = 1, framerate: float = 30.0, **kwargs: Any) -> Motion:
    """Return a motion that holds the rest pose for `frames` frames."""
    return Motion(
        skeleton,
        np.repeat(skeleton.rest_positions[None], frames, axis=0),
        np.repeat(skeleton.rest_rotations[None], frames, axis=0),
        framerate,
        scales=None
        if np.all(skeleton.rest_scales == 1)
        else np.repeat(skeleton.rest_scales[None], frames, axis=0),
        **kwargs,
    )

"""What the plain features share: rows for each frame of a clip, of arrays of any library.

A feature says its columns, its rows and what they become in the mirror; where the root is, at which
rate rows are computed and which frames are asked for is decided here.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

import attrs
import numpy as np
from array_api_compat import array_namespace

from kinetoscope_features import fused
from kinetoscope_features.body import Array, Body, require_rigid
from kinetoscope_features.heading import tried
from kinetoscope_features.root import SMOOTHING_S, RootTrack, root_track
from kinetoscope_spec import Column, Feature, FeatureSchema, Motion, Skeleton, kinematics
from kinetoscope_spec.errors import ValidationError, nearest

__all__ = [
    "MOST_S",
    "ArrayFeature",
    "FrameFeature",
    "above_0",
    "checked_frames",
    "computed_together",
    "configured",
    "digest",
    "flat",
    "joint_columns",
    "picked",
    "within",
]


F = TypeVar("F")

MOST_S = 60.0
"""The widest window under which anything is averaged, s: what is computed grows with it."""


def within(low: float, high: float, kind: type = float) -> Any:
    """Return a validator of numbers from `low` to `high`; whole ones if `kind` is int."""

    def check(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        number = whole or (kind is float and isinstance(value, float))
        if not number or not low <= value <= high:
            what = "a whole number" if kind is int else "a number"
            raise ValidationError(
                f"{attribute.name} is {value!r:.60}, expected {what} from {low:g} to {high:g}"
            )

    return check


def above_0(feature: Any, field: attrs.Attribute[Any], value: Any) -> None:
    """Check a framerate, as attrs does: None, or a finite number above 0."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (number and 0 < value < math.inf):
        raise ValidationError(f"{field.name} is {value!r:.60}, expected a number above 0, or None")


def digest(held: Any) -> str:
    """Return what stands for a large option in a feature's `repr`, by which training sets know it again."""
    made = (
        np.ascontiguousarray(held, np.float64).tobytes()
        if isinstance(held, np.ndarray)
        else repr(held).encode()
    )
    return f"<sha256 {hashlib.sha256(made).hexdigest()}>"


def configured(feature: F, options: Mapping[str, Any]) -> F:
    """Return `feature` with other options.

    Raises:
        ValidationError: an unknown option (naming the nearest) or a value out of range.
    """
    known = [field.name for field in attrs.fields(type(feature)) if field.init]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            raise ValidationError(f"{type(feature).__name__} has no option {name!r}{nearest(name, known)}")
    try:
        return attrs.evolve(feature, **options)  # type: ignore[misc]
    except (TypeError, ValueError) as error:
        raise ValidationError(f"options of {type(feature).__name__}: {error}") from None


@attrs.frozen(kw_only=True)
class FrameFeature:
    """What the plain features share.

    Options:
        framerate: frames per second at which rows are computed; a clip is resampled to it. None
            keeps the clip's own.
        smoothing_s: standard deviation of the root's Gaussian smoothing, s.

    Attributes:
        fused: which of `fused.KINDS` the rows are, if compiled code computes them.
    """

    fused: ClassVar[str | None] = None
    framerate: float | None = attrs.field(default=None, validator=above_0)
    smoothing_s: float = attrs.field(default=SMOOTHING_S, validator=within(0.0, MOST_S))

    def configured(self, **options: Any) -> Self:
        """Return a new feature with these options; this one stays as it is.

        Raises:
            ValidationError: an unknown option (naming the nearest) or a value out of range.
        """
        return configured(self, options)

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the columns for motions of `skeleton`."""
        return FeatureSchema(tuple(self._columns(Body.of(skeleton))))

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return rows `[N, D]` for the `frames` asked for, all if None.

        Frames count at the feature's framerate. Velocities and smoothing look at the whole clip,
        so a row does not depend on which others are asked for.

        Raises:
            ValidationError: a joint is missing or a frame lies outside the clip.
        """
        (rows,) = computed_together([self], motion)
        return rows if frames is None else rows[checked_frames(frames, len(rows), motion.name)]

    def mirrored(self, rows: Array, skeleton: Skeleton) -> Array:
        """Return the rows of the motion mirrored on the plane x = 0, left and right exchanged.

        A joint is turned out of its rest pose by the mirror image of its partner's turn.
        """
        return self._mirrored(np.asarray(rows), Body.of(skeleton))

    def turning(self, skeleton: Skeleton) -> Array:
        """Return the columns `[P, 2]` that are X and Z of what turns with a root which faces elsewhere.

        Raises:
            ValidationError: the rows are other ones then in a way that turning does not make good.
        """

        def rows(motion: Motion, radians: float) -> Array:
            positions, rotations = (np.asarray(held, np.float64) for held in motion.global_transforms())
            root = root_track(body, positions, motion.framerate, smoothing_s=self.smoothing_s)
            root = RootTrack(root.ground, root.yaw + radians)
            return np.asarray(self._rows(body, positions, rotations, root, motion.framerate))

        body = Body.of(skeleton)
        framerate = 30.0 if self.framerate is None else self.framerate
        return tried(type(self).__name__, self._columns(body), rows, skeleton, framerate)

    def _seen(self, body: Body, positions: Any, rotations: Any, framerate: float) -> Any:
        root = root_track(body, positions, framerate, smoothing_s=self.smoothing_s)
        return self._rows(body, positions, rotations, root, framerate)

    def _columns(self, body: Body) -> list[Column]:
        raise NotImplementedError

    def _rows(self, body: Body, positions: Any, rotations: Any, root: RootTrack, framerate: float) -> Any:
        raise NotImplementedError

    def _mirrored(self, rows: Array, body: Body) -> Array:
        raise NotImplementedError


def computed_together(
    features: Sequence[Feature], motion: Motion, *, dtype: Any = np.float64, compiled: bool | None = None
) -> list[Array]:
    """Return the rows of all frames by each of `features`; what several need is computed once.

    The rows are those that each feature computes alone.

    Args:
        features: whose rows.
        motion: rigid.
        dtype: of the rows, float32 or float64.
        compiled: whether joints' rows are computed by compiled code (`fused`), which gives the same; None
            is where Numba is installed and there is work enough for it.

    Raises:
        ValidationError: a joint is missing, or the motion is not rigid.
    """
    groups: dict[tuple[float | None, float], list[int]] = {}
    rows: list[Any] = [None] * len(features)
    for i, feature in enumerate(features):
        if isinstance(feature, FrameFeature):
            groups.setdefault((feature.framerate, feature.smoothing_s), []).append(i)
        else:
            rows[i] = np.asarray(feature.compute(motion), dtype)
    for key, members in groups.items():
        seen = _view(motion, *key)
        held: list[Any] = [features[i] for i in members]
        made = _fused_rows(held, *seen, dtype=dtype, compiled=compiled)
        for i, feature in zip(members, held, strict=True):
            found = made.get(feature.fused)
            rows[i] = np.asarray(feature._rows(*seen), dtype) if found is None else found
    return rows


def _fused_rows(
    features: Sequence[FrameFeature],
    body: Body,
    positions: Array,
    rotations: Array,
    root: RootTrack,
    framerate: float,
    *,
    dtype: Any,
    compiled: bool | None,
) -> dict[str | None, Array]:
    """Return the rows of each kind that compiled code computes, if any of `features` is of it."""
    kinds = {feature.fused for feature in features if feature.fused is not None}
    wanted = [kind for kind in fused.KINDS if kind in kinds]
    joints = len(body.joints)
    if compiled is None:
        compiled = fused.wanted(len(positions) * joints * len(wanted))
    if not wanted or not compiled:
        return {}
    ends = np.cumsum([0, *(fused.KINDS[kind] * joints for kind in wanted)]).tolist()
    block = np.empty((len(positions), ends[-1]), dtype)
    places = dict(zip(wanted, ends, strict=False))
    fused.joint_rows(body, positions, rotations, root, framerate, block, places)
    return {kind: block[:, a:b] for kind, a, b in zip(wanted, ends, ends[1:], strict=False)}


def _view(motion: Motion, framerate: float | None, smoothing_s: float) -> tuple[Any, ...]:
    """Return what rows are made of: body, global positions and rotations, root, framerate."""
    require_rigid(motion)
    if framerate is not None:
        motion = motion.resample(framerate)
    body = Body.of(motion.skeleton)
    positions, rotations = (np.asarray(held, np.float64) for held in motion.global_transforms())
    root = root_track(body, positions, motion.framerate, smoothing_s=smoothing_s)
    return body, positions, rotations, root, motion.framerate


class ArrayFeature(FrameFeature):
    """A plain feature that array libraries other than NumPy compute, too."""

    def rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        """Return the rows `[T, D]` of all frames, by arrays of any library, which may differentiate them.

        Args:
            skeleton: whose motion it is; rigid.
            positions: `[T, J, 3]` m, relative to the parent.
            rotations: `[T, J, 4]` unit quaternions xyzw, relative to the parent.
            framerate: frames per second.

        Raises:
            ValidationError: a joint is missing, or the feature has another framerate.
        """
        if self.framerate is not None and self.framerate != framerate:
            raise ValidationError(
                f"arrays of {framerate:g} frames a second, expected {self.framerate:g}: `rows` does not resample"
            )
        positions, rotations = kinematics.global_transforms(skeleton.parents, positions, rotations)
        return self._seen(Body.of(skeleton), positions, rotations, framerate)


def checked_frames(frames: Sequence[int] | Array, count: int, name: str) -> Array:
    """Return `frames` as indices into the `count` frames of the clip called `name`.

    Raises:
        ValidationError: one lies outside, or is no whole number.
    """
    asked = np.asarray(frames).reshape(-1)
    if asked.size and asked.dtype.kind not in "iu":
        raise ValidationError(f"frames asked of {name!r} are {asked.dtype}, expected whole numbers")
    asked = asked.astype(np.int64)
    outside = (asked < -count) | (asked >= count)
    if outside.any():
        raise ValidationError(f"frame {asked[outside][0]} asked of {name!r}, which has {count} frames")
    return asked


def picked(values: Any, joints: Sequence[int]) -> Any:
    """Return the `joints` of `values [T, J, K]`, of any array library."""
    xp = array_namespace(values)
    return xp.take(values, xp.asarray(list(joints), device=getattr(values, "device", None)), axis=1)


def flat(values: Any) -> Any:
    """Return `values [T, B, K]` as rows `[T, B K]`."""
    frames, joints, size = values.shape
    return array_namespace(values).reshape(values, (frames, joints * size))


def joint_columns(body: Body, name: str, unit: str, components: Sequence[str]) -> list[Column]:
    """Return columns called `name` for all components of all joints of the body."""
    return [Column(name, unit, joint, component) for joint in body.names for component in components]

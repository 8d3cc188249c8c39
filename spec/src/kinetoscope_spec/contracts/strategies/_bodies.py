"""Humanoid skeletons, and motions of them that look like walking: what features accept."""

from __future__ import annotations

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["bodies", "mirrored_walks", "quaternion_product", "still_body", "walks"]

CENTRE = ("hips", "spine", "chest", "neck", "head")
LIMBS = ("shoulder", "upper_arm", "lower_arm", "hand", "upper_leg", "lower_leg", "foot", "toes")

# For each convention: how a side is written, and the names of CENTRE and of LIMBS.
STYLES = (
    ("Left{}", "Right{}", "Hips Spine Chest Neck Head", "Shoulder Arm ForeArm Hand UpLeg Leg Foot ToeBase"),
    ("mixamorig:Left{}", "mixamorig:Right{}",
     "mixamorig:Hips mixamorig:Spine mixamorig:Spine2 mixamorig:Neck mixamorig:Head",
     "Shoulder Arm ForeArm Hand UpLeg Leg Foot ToeBase"),
    ("{}_L", "{}_R", "Hips Spine Chest Neck Head", "Shoulder UpperArm LowerArm Hand UpperLeg LowerLeg Foot Toes"),
    ("{}_l", "{}_r", "pelvis spine_01 spine_03 neck_01 head",
     "clavicle upperarm lowerarm hand thigh calf foot ball"),
    ("L_{}", "R_{}", "Pelvis Spine1 Spine3 Neck Head", "Collar Shoulder Elbow Wrist Hip Knee Ankle Foot"),
    ("{}.L", "{}.R", "hips spine chest neck head",
     "shoulder upper_arm forearm hand thigh shin foot toe"),
)  # fmt: skip

PARENT = {"spine": "hips", "chest": "spine", "neck": "chest", "head": "neck", "shoulder": "chest",
          "upper_arm": "shoulder", "lower_arm": "upper_arm", "hand": "lower_arm", "upper_leg": "hips",
          "lower_leg": "upper_leg", "foot": "lower_leg", "toes": "foot", "finger": "hand", "end": "head"}  # fmt: skip

# Offsets from the parent for a body 1 m tall in a T-pose that faces +Z; of the left side, which is at +X.
OFFSETS = {"hips": (0, 0.53, 0), "spine": (0, 0.1, 0), "chest": (0, 0.15, 0), "neck": (0, 0.1, 0),
           "head": (0, 0.06, 0.01), "shoulder": (0.03, 0.08, 0), "upper_arm": (0.07, 0, 0),
           "lower_arm": (0.15, 0, 0), "hand": (0.14, 0, 0), "upper_leg": (0.055, -0.02, 0),
           "lower_leg": (0, -0.24, 0.01), "foot": (0, -0.23, -0.01), "toes": (0, -0.035, 0.08),
           "finger": (0.05, 0, 0), "end": (0, 0, 0)}  # fmt: skip

LEGS = ("above", "hips", "upper_leg", "lower_leg", "foot", "toes")

RATES = (30.0, 60.0, 24.0, 120.0)
FRAMES = (1, 2, 3, 8, 24, 24)


@attrs.frozen
class _Figure:
    """A skeleton that is its own mirror image, all of its axes the world's; then `axes` turn them.

    Attributes:
        names, parents, offsets: as a skeleton has them.
        partner: of each joint the one on the other side; itself in the middle.
        axes: `[J, 4]`, by how much each joint's own axes are turned.
        standing: joints that keep still when the body stands on its left foot and steps with the right.
        stepping: the joint that lifts the right leg then.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    partner: tuple[int, ...]
    axes: Array
    standing: tuple[int, ...]
    stepping: int

    def skeleton(self) -> Skeleton:
        still = _identity(1, len(self.names))
        positions, rotations = self.turned(self.offsets[None], still)
        return Skeleton(self.names, self.parents, positions[0], rotations[0])

    def turned(self, positions: Array, rotations: Array) -> tuple[Array, Array]:
        """Return local transforms in the joints' own axes of those in axes that rest as the world's."""
        above = np.concatenate([self.axes, _identity(1)])[list(self.parents)]
        back = above * [-1.0, -1.0, -1.0, 1.0]
        points = np.concatenate([positions, np.zeros_like(positions[..., :1])], axis=-1)
        moved = quaternion_product(quaternion_product(back, points), above)[..., :3]
        return moved, quaternion_product(quaternion_product(back, rotations), self.axes)

    def mirrored(self, positions: Array, rotations: Array) -> tuple[Array, Array]:
        """Return local transforms, in axes that rest as the world's, mirrored on the plane x = 0."""
        order = list(self.partner)
        return positions[:, order] * [-1.0, 1.0, 1.0], rotations[:, order] * [1.0, -1.0, -1.0, 1.0]


def quaternion_product(a: Array, b: Array) -> Array:
    """Return `a b` of quaternions xyzw `[..., 4]`: (a_w b_v + b_w a_v + a_v x b_v, a_w b_w - a_v . b_v)."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    vector = a[..., 3:] * b[..., :3] + b[..., 3:] * a[..., :3] + np.cross(a[..., :3], b[..., :3])
    real = a[..., 3:] * b[..., 3:] - (a[..., :3] * b[..., :3]).sum(axis=-1, keepdims=True)
    return np.concatenate([vector, real], axis=-1)


def _identity(*shape: int) -> Array:
    """Return identity quaternions `[*shape, 4]`."""
    return np.tile([0.0, 0.0, 0.0, 1.0], (*shape, 1))


def _turns(vectors: Array) -> Array:
    """Return the quaternions of rotation vectors `[..., 3]`, rad."""
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.concatenate([0.5 * np.sinc(angle / (2 * np.pi)) * vectors, np.cos(angle / 2)], axis=-1)


def _named(style: int, left_out: frozenset[str]) -> list[tuple[str, str | None, str]]:
    """Return (role, side, name) of all joints of a naming style, parents first."""
    left, right, centre, limbs = STYLES[style]
    found: list[tuple[str, str | None, str]] = [
        (role, None, word) for role, word in zip(CENTRE, centre.split(), strict=True)
    ]
    words = dict(zip(LIMBS, limbs.split(), strict=True)) | {"finger": "Index1"}
    for side, pattern in (("left", left), ("right", right)):
        found += [(role, side, pattern.format(word)) for role, word in words.items()]
    found.append(("end", None, "HeadTop_End"))
    return [entry for entry in found if entry[0] not in left_out]


def _figure(joints: list[tuple[str, str | None, str]], height: float, axes: Array | None = None) -> _Figure:
    """Return the figure of joints (role, side, name), parents first."""
    place = {(role, side): i for i, (role, side, _) in enumerate(joints)}
    other = {"left": "right", "right": "left", None: None}
    offsets = np.array([OFFSETS.get(role, (0, 0, 0)) for role, _, _ in joints], float) * height
    offsets[[side == "right" for _, side, _ in joints], 0] *= -1
    return _Figure(
        names=tuple(name for _, _, name in joints),
        parents=tuple(_above(role, side, place) for role, side, _ in joints),
        offsets=offsets,
        partner=tuple(place[role, other[side]] for role, side, _ in joints),
        axes=_identity(len(joints)) if axes is None else axes,
        standing=tuple(i for i, (role, _, _) in enumerate(joints) if role in LEGS),
        stepping=place["upper_leg", "right"],
    )


@st.composite
def _figures(draw: st.DrawFn, *, plain: bool = False) -> _Figure:
    if plain:
        return _standard()
    joints = _named(draw(st.integers(0, len(STYLES) - 1)), draw(_left_out()))
    if draw(st.booleans()):
        joints.insert(0, ("above", None, draw(st.sampled_from(("Root", "Armature", "根")))))
    height = draw(st.sampled_from((1.0, 1.75, 0.3, 2.4)))
    if draw(st.booleans()):
        return _figure(joints, height)
    axes = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(size=(len(joints), 4))
    return _figure(joints, height, axes / np.linalg.norm(axes, axis=-1, keepdims=True))


def _standard() -> _Figure:
    return _figure(_named(0, frozenset({"finger", "end"})), 1.0)


def _left_out() -> st.SearchStrategy[frozenset[str]]:
    parts = ("finger", "end", "toes", "shoulder", "head")
    return st.frozensets(st.sampled_from(parts)).map(
        lambda found: found | {"end"} if "head" in found else found
    )


def _above(role: str, side: str | None, place: dict[tuple[str, str | None], int]) -> int:
    """Return the index of the nearest joint above that the figure has, -1 for none."""
    if role == "hips":
        return place.get(("above", None), -1)
    while role in PARENT:
        role = PARENT[role]
        for held in ((role, side), (role, None)):
            if held in place:
                return place[held]
    return -1


def bodies() -> st.SearchStrategy[Skeleton]:
    """Humanoid skeletons: roles that names tell, in the naming styles of several tools.

    They rest in a T-pose, faced to +Z and its own mirror image on x = 0; heights of 0.3 to 2.4 m, with or
    without shoulders, toes, fingers, head, a root above the hips; axes of the joints the world's, or any.
    """
    return _figures().map(_Figure.skeleton)


@st.composite
def _pairs(
    draw: st.DrawFn,
    frames: st.SearchStrategy[int] | None,
    framerates: st.SearchStrategy[float] | None,
    plain: bool,
) -> tuple[Motion, Motion]:
    figure = draw(_figures(plain=plain))
    count = draw(st.sampled_from(FRAMES) if frames is None else frames)
    framerate = draw(st.sampled_from(RATES) if framerates is None else framerates)
    name = draw(st.sampled_from(("walk_a_01", "jog", "歩く")))
    kind = "walking" if plain else draw(st.sampled_from(("still", "walking", "stepping", "walking")))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seconds = np.arange(count) / framerate
    positions = np.repeat(figure.offsets[None], count, axis=0)
    rotations = _identity(count, len(figure.names))
    if kind != "still":
        swings = _swings(rng, seconds, len(figure.names))
        if kind == "stepping":
            swings[:, figure.standing] = 0.0
            swings[:, figure.stepping, 0] = _lift(rng, seconds)
        rotations = _turns(swings)
        _travel(rng, seconds, positions, rotations, figure.parents, moving=kind == "walking")
    skeleton = figure.skeleton()
    there, back = (
        Motion(skeleton, *figure.turned(*held), framerate, name)
        for held in ((positions, rotations), figure.mirrored(positions, rotations))
    )
    return there, back


def _swings(rng: np.random.Generator, seconds: Array, joints: int) -> Array:
    """Return rotation vectors `[T, J, 3]` that swing at about a step's pace, by up to 0.4 rad."""
    pace, phase = rng.uniform(0.5, 1.5, (joints, 3)), rng.uniform(0, 2 * np.pi, (joints, 3))
    size = rng.uniform(0.0, 0.2, (joints, 3))
    swings: Array = size * np.sin(2 * np.pi * pace * seconds[:, None, None] + phase)
    return swings


def _lift(rng: np.random.Generator, seconds: Array) -> Array:
    """Return by how much a leg is turned about x, rad `[T]`: half of the time lifted, half of it standing."""
    pace, phase = rng.uniform(0.7, 1.3), rng.uniform(0, 2 * np.pi)
    lift: Array = -0.6 * np.maximum(np.sin(2 * np.pi * pace * seconds + phase), 0.0)
    return lift


def _travel(
    rng: np.random.Generator,
    seconds: Array,
    positions: Array,
    rotations: Array,
    parents: tuple[int, ...],
    *,
    moving: bool,
) -> None:
    """Carry the topmost joint along a circle, turning with it; or the hips, below one that stands still.

    Without `moving` it is only put somewhere, to face somewhere.
    """
    carrier = int(rng.integers(0, 2)) if parents[:2] == (-1, 0) and parents.count(0) == 1 else 0
    speed, rate = moving * rng.uniform(0, 2), moving * rng.uniform(-1.5, 1.5)
    yaw = rng.uniform(-np.pi, np.pi) + rate * seconds
    step = np.diff(seconds, prepend=0.0)
    path = np.cumsum(np.stack([np.sin(yaw), np.zeros_like(yaw), np.cos(yaw)], axis=1) * step[:, None], axis=0)
    positions[:, carrier] += rng.normal(size=3) * [3.0, 0.0, 3.0] + speed * path
    positions[:, carrier, 1] += moving * 0.02 * np.sin(2 * np.pi * 2 * seconds)
    upright = np.stack([np.zeros_like(yaw), np.sin(yaw / 2), np.zeros_like(yaw), np.cos(yaw / 2)], axis=1)
    rotations[:, carrier] = quaternion_product(upright, rotations[:, carrier])


def walks(
    *,
    frames: st.SearchStrategy[int] | None = None,
    framerates: st.SearchStrategy[float] | None = None,
    plain: bool = False,
) -> st.SearchStrategy[Motion]:
    """Motions of `bodies`: standing still, stepping on the spot, walking along a circle as every joint swings.

    Smooth, upright, float64, one frame to 24. `plain=True` moves one skeleton only, of metre height.
    """
    return _pairs(frames, framerates, plain).map(lambda pair: pair[0])


def mirrored_walks(
    *, frames: st.SearchStrategy[int] | None = None, framerates: st.SearchStrategy[float] | None = None
) -> st.SearchStrategy[tuple[Motion, Motion]]:
    """Pairs of a walk and the same mirrored on the plane x = 0, left and right exchanged.

    The skeleton is its own mirror image. Where the axes of its joints differ left from right, a joint
    of the mirrored walk is turned out of its rest pose by the mirror image of its partner's turn.
    """
    return _pairs(frames, framerates, False)


def still_body() -> Skeleton:
    """Return one of `bodies`: 1 m tall, of the joints that every humanoid has."""
    return _standard().skeleton()

"""Tapered capsules along bones, for skeletons and bones of which nothing is known but their shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.motion import Skeleton

__all__ = ["Capsule", "capsules", "join", "limbs"]

_THICKNESS = 0.16
"""Radius over length of a bone."""

_TAPER = 0.72
_LONELY_M = 0.1
_THIGH_LENGTH_M = 0.43
_RADII_M = {
    "hips": 0.10, "spine": 0.105, "chest": 0.10, "neck": 0.048, "head": 0.07,
    "shoulder": 0.055, "upper_arm": 0.048, "lower_arm": 0.040, "hand": 0.030,
    "upper_leg": 0.075, "lower_leg": 0.052, "foot": 0.038, "toes": 0.032,
}  # fmt: skip
"""Radii of a person's bones at their upper ends, for a thigh of `_THIGH_LENGTH_M`."""

_ENDS_M = {"head": (0.10, 0.095), "hand": (0.09, 0.034), "toes": (0.05, 0.030)}
"""Lengths and radii of what has no bone of its own."""

_HELPER = re.compile(r"root|reference|armature|world|origin|trajectory|scene|null", re.IGNORECASE)


@attrs.frozen(eq=False)
class Capsule:
    """A tapered capsule `start [3]` to `end [3]` m; it follows `joint`, its ends also others.

    Attributes:
        radii: at start and end, m.
        above: who else carries its start, or `joint`.
        below: who else carries its end, or `joint`.
    """

    start: Array
    end: Array
    radii: tuple[float, float]
    joint: int
    above: int
    below: int


def capsules(skeleton: Skeleton, positions: Array, *, covered: frozenset[int], person: bool) -> list[Capsule]:
    """Return a capsule for each bone that has a length, and a ball at each end that has none.

    `covered` joints have flesh already. In a person only what grows from hands, feet or trunk
    and leads away from it is added: fingers, a tail. A nameless helper above the body gets none.
    """
    parents = skeleton.parents
    lengths = np.array(
        [np.linalg.norm(positions[j] - positions[p]) if p >= 0 else 0.0 for j, p in enumerate(parents)]
    )
    bones = [
        j
        for j, p in enumerate(parents)
        if p >= 0 and j not in covered and lengths[j] > 1e-6 and not _is_helper(skeleton, int(p))
    ]
    typical = float(np.median(lengths[bones])) if bones else 0.0
    found = []
    for j in bones:
        p = int(parents[j])
        radius = _THICKNESS * float(np.clip(lengths[j], 0.4 * typical, 2.5 * typical))
        radius = min(radius, 0.5 * float(lengths[j]) + 0.05 * typical)
        if person:
            radius = min(radius, 0.28 * float(lengths[j]))
        above = int(parents[p]) if parents[p] >= 0 else p
        found.append(Capsule(positions[p], positions[j], (radius, _TAPER * radius), p, above, j))
    if not found and not person:
        root = 0
        found.append(Capsule(positions[root], positions[root], (_LONELY_M, _LONELY_M), root, root, root))
    return found


def limbs(skeleton: Skeleton, positions: Array, roles: Mapping[str, int]) -> list[Capsule]:
    """Return capsules for a person whose joints are turned in ways nobody told.

    All are round, so that however a bone is turned about itself it looks the same; none is blended.
    """
    thigh = np.linalg.norm(positions[roles["left_lower_leg"]] - positions[roles["left_upper_leg"]])
    scale = float(thigh) / _THIGH_LENGTH_M
    limb_of = {joint: role.removeprefix("left_").removeprefix("right_") for role, joint in roles.items()}
    found = []
    for joint, parent in enumerate(skeleton.parents):
        top = int(parent)
        if top < 0 or top not in limb_of or not np.any(positions[joint] != positions[top]):
            continue
        a = scale * _RADII_M[limb_of[top]]
        b = scale * _RADII_M[limb_of.get(joint, limb_of[top])]
        length = float(np.linalg.norm(positions[joint] - positions[top]))
        thick = max(0.5 * length, 0.04 * scale)
        radii = (min(a, thick), min(b, a, thick))
        found.append(Capsule(positions[top], positions[joint], radii, top, top, top))
    for role in ("head", "left_hand", "right_hand", "left_toes", "right_toes"):
        if role in roles:
            joint = roles[role]
            found.append(_end(positions, joint, int(skeleton.parents[joint]), scale, _ENDS_M[limb_of[joint]]))
    return found


def _end(positions: Array, joint: int, parent: int, scale: float, size: tuple[float, float]) -> Capsule:
    """Return a knob of (length, radius) that carries on from the bone that ends at `joint`."""
    bone = positions[joint] - positions[max(parent, 0)]
    length = float(np.linalg.norm(bone))
    along = bone / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
    end = positions[joint] + scale * size[0] * along
    return Capsule(positions[joint], end, (scale * size[1], scale * size[1]), joint, joint, joint)


def join(pieces: Sequence[Capsule], sides: int) -> tuple[Array, Array, Array, Array, Array]:
    """Return vertices, faces, normals `[V, 3]`, joints and weights `[V, 2]` of all capsules."""
    parts = [_mesh(piece, sides) for piece in pieces]
    first = np.cumsum([0, *(len(part[0]) for part in parts[:-1])])
    vertices, faces, normals, joints, weights = zip(*parts, strict=True)
    return (
        np.concatenate(vertices),
        np.concatenate([f + n for f, n in zip(faces, first, strict=True)]),
        np.concatenate(normals),
        np.concatenate(joints),
        np.concatenate(weights),
    )


def _is_helper(skeleton: Skeleton, joint: int) -> bool:
    """Tell whether `joint` is a mere holder of the body: a root by name with one child."""
    return (
        skeleton.parents[joint] < 0
        and len(skeleton.children(joint)) == 1
        and len(skeleton) > 2
        and _HELPER.search(skeleton.names[joint]) is not None
    )


def _mesh(piece: Capsule, sides: int) -> tuple[Array, Array, Array, Array, Array]:
    bone = piece.end - piece.start
    length = float(np.linalg.norm(bone))
    axis = bone / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
    helper = np.eye(3)[np.argmin(np.abs(axis))]
    side = np.cross(helper, axis)
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    around = np.arange(sides) * (2 * np.pi / sides)
    ring = np.cos(around)[:, None] * side + np.sin(around)[:, None] * other
    a, b = piece.radii
    rings, normals, along = [], [], []
    # The caps are parts of spheres that the cone touches, so that the skin has no crease.
    lean = float(np.clip((a - b) / max(length, a + b, 1e-9), -0.99, 0.99))
    tilt = float(np.arcsin(lean))
    quarter = max(3, sides // 4)
    angles = [
        *((0.0, piece.start, a, angle) for angle in np.linspace(-np.pi / 2, tilt, quarter + 1)),
        *((share, piece.start + share * bone, a + share * (b - a), tilt) for share in (0.25, 0.5, 0.75)),
        *((1.0, piece.end, b, angle) for angle in np.linspace(tilt, np.pi / 2, quarter + 1)),
    ]
    for share, centre, radius, angle in angles:
        outwards = np.cos(angle) * ring + np.sin(angle) * axis
        rings.append(centre + radius * outwards)
        normals.append(outwards)
        along.append(np.full(sides, share * length + radius * np.sin(angle)))
    vertices = np.concatenate(rings)
    joints, weights = _weights(piece, np.concatenate(along), length)
    return vertices, _faces(len(rings), sides), np.concatenate(normals), joints, weights


def _faces(rings: int, sides: int) -> Array:
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(sides), indexing="ij")
    a = (i * sides + j).ravel()
    b = (i * sides + (j + 1) % sides).ravel()
    c, d = b + sides, a + sides
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def _weights(piece: Capsule, along: Array, length: float) -> tuple[Array, Array]:
    """Share the ends with the neighbours: half at the joint itself, none a radius further in."""
    a, b = piece.radii
    near = 0.5 * np.clip(1 - (along + a) / max(2 * a, 1e-9), 0, 1)
    far = 0.5 * np.clip(1 - (length + b - along) / max(2 * b, 1e-9), 0, 1)
    start = near >= far
    neighbour = np.where(start, piece.above, piece.below)
    part = np.maximum(near, far)
    part = np.where(neighbour == piece.joint, 0.0, part)
    joints = np.stack([np.full(len(along), piece.joint), neighbour], axis=1)
    return joints, np.stack([1 - part, part], axis=1)

"""Flesh for bare bones: a skinned body built from any skeleton, so that a clip alone can be seen.

A skeleton whose names tell a person's joints (see `anatomy.roles`) becomes a mannequin: volumes that
melt into one another, meshed on their common surface, with gaps at the joints that show a darker
core. Every other skeleton, and every bone that a person doesn't have, gets tapered capsules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec._capsules import Capsule, capsules, join, limbs
from kinetoscope_spec._flesh import Flesh
from kinetoscope_spec._mannequin import SPINE, Figure, figure
from kinetoscope_spec._panels import Skinned, beyond_cuts, near_cuts, panels
from kinetoscope_spec._stance import NEEDED, Stance, reference_pose, stance, stands
from kinetoscope_spec._surface import surface
from kinetoscope_spec.anatomy import roles as roles_of
from kinetoscope_spec.character import Character, Material, Mesh, Skin
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["MATERIALS", "capsule_character"]

MATERIALS: tuple[Material, ...] = (
    Material("bone", base_color=np.array([0.60, 0.53, 0.45, 1.0]), roughness=0.5),
    Material("graphite", base_color=np.array([0.050, 0.053, 0.060, 1.0]), roughness=0.45),
    Material("joint", base_color=np.array([0.030, 0.031, 0.035, 1.0]), roughness=0.6),
)
"""Shell, hands and shoes, and what shows in the gaps."""

_INFLUENCES = 4
_BLEND_M = 0.011
_SOFTNESS_M = 0.016
_INSET_M = 0.007
_ROUNDING_M = 0.007
_EXTREMITY_M = 0.34
"""How far a hand or foot can reach from where it is cut off."""

_THIGH_M = 0.08
_LEAST_M = 1e-4
"""The size of a skeleton under which there is nothing to shape a person around."""

_MOST_CELLS = 4_000_000


def capsule_character(
    skeleton: Skeleton,
    *,
    name: str = "body",
    sides: int = 36,
    motion: Motion | None = None,
    materials: Sequence[Material] = MATERIALS,
) -> Character:
    """Build a skinned body around `skeleton`.

    Args:
        skeleton: any; a person's when its joints' names say so.
        name: the character's.
        sides: vertices around a thigh, at least 6; a capsule has a third of them.
        motion: a clip of `skeleton` that shows how its joints are turned. Some files' rest pose
            says nothing about that (all rotations zero, bones along +X): without a clip such a
            skeleton gets round capsules, which look the same however a bone is turned.
        materials: three: shell, hands and shoes, joints.

    Returns:
        A character over the same skeleton, with normals and at most four influences a vertex. The
        same arguments give the same arrays.

    Raises:
        ValidationError: fewer sides than 6, not three materials, or a motion of other joints.
    """
    if sides < 6:
        raise ValidationError(f"capsule_character: sides is {sides}, expected 6 or more")
    if len(materials) != 3:
        raise ValidationError(f"capsule_character: {len(materials)} materials, expected 3")
    if motion is not None and len(motion.skeleton) != len(skeleton):
        raise ValidationError(
            f"capsule_character: motion moves {len(motion.skeleton)} joints, the skeleton has {len(skeleton)}"
        )
    roles = roles_of(skeleton)
    reference, toe_height = reference_pose(skeleton, motion, roles)
    size = np.ptp(reference[:, :3, 3], axis=0).max()
    person = bool(size > _LEAST_M) and all(role in roles for role in NEEDED)
    told = _moves(motion) or (person and stands(reference[:, :3, 3], roles))
    posed = stance(skeleton, reference, roles) if person and told else Stance(reference, reference[:, :3, 3])
    parts = _mannequin(skeleton, posed, roles, sides, toe_height) if person and told else []
    covered = _covered(skeleton, roles) if person else frozenset[int]()
    extra = capsules(skeleton, posed.positions, covered=covered, person=person)
    if person and not told:
        extra += limbs(skeleton, posed.positions, roles)
    if extra:
        parts.append(_capsule_part(extra, max(6, sides // 3)))
    inverse_bind = _inverse(posed.matrices)
    meshes = [_mesh(part, inverse_bind) for part in parts]
    return Character(name, skeleton, tuple(meshes), tuple(materials))


def _moves(motion: Motion | None) -> bool:
    """Tell whether a motion turns its joints away from the rest pose at all."""
    return motion is not None and not np.allclose(motion.rotations, motion.skeleton.rest_rotations, atol=1e-3)


@attrs.frozen(eq=False)
class _Part:
    name: str
    vertices: Array
    faces: Array
    normals: Array
    joints: Array
    weights: Array
    material: Array


def _mannequin(
    skeleton: Skeleton, posed: Stance, roles: Mapping[str, int], sides: int, toe_height: float
) -> list[_Part]:
    shape = figure(posed.positions, roles, toe_height=toe_height)
    s = shape.scale
    flesh = Flesh(shape.lumps, _BLEND_M * s)
    low, high = flesh.bounds()
    cell = max(2 * np.pi * _THIGH_M * s / sides, float(np.prod(high - low) / _MOST_CELLS) ** (1 / 3))
    skin = _skin(shape, flesh, low, high, cell)
    limbs = np.array([lump.limb for lump in shape.lumps])
    shell = panels(skin, shape.cuts, limbs, _INSET_M * s)
    dark = beyond_cuts(shell, shape.cuts, limbs, _EXTREMITY_M * s)
    core = _core(shape, skin, 1.5 * cell)
    return [
        _part("shell", shell, dark.astype(np.int64), skeleton, posed, roles, shape),
        _part("core", core, np.full(len(core.faces), 2), skeleton, posed, roles, shape),
    ]


def _skin(shape: Figure, flesh: Flesh, low: Array, high: Array, cell: float) -> Skinned:
    """Mesh the whole flesh, with a flat sole."""
    rounding = _ROUNDING_M * shape.scale

    def field(points: Array) -> Array:
        return _smooth_max(flesh(points), shape.sole - points[:, 1], rounding)

    grid = tuple(int(n) for n in np.ceil((high - low) / cell).astype(int) + 2)
    height = low[1] + np.arange(grid[1]) * cell
    values = flesh.sample(low, grid, cell)
    values = _smooth_max(values, np.broadcast_to((shape.sole - height)[None, :, None], grid), rounding)
    vertices, faces, normals = surface(values, low, cell, field)
    middle = vertices[faces].mean(axis=1)
    owner = np.argmax(flesh.shares(middle, flesh.blend), axis=1)
    return Skinned(vertices, normals, flesh.shares(vertices, _SOFTNESS_M * shape.scale), faces, owner)


def _core(shape: Figure, skin: Skinned, reach: float) -> Skinned:
    """Return what shows in the gaps: the skin, a little thinner, around the gaps alone."""
    near = near_cuts(skin.vertices, shape.cuts, reach)[skin.faces].any(axis=1)
    used, faces = np.unique(skin.faces[near], return_inverse=True)
    inset = 0.8 * _INSET_M * shape.scale
    return Skinned(
        (skin.vertices - inset * skin.normals)[used],
        skin.normals[used],
        skin.shares[used],
        faces.reshape(-1, 3),
        skin.owner[near],
    )


def _part(
    name: str,
    skin: Skinned,
    material: Array,
    skeleton: Skeleton,
    posed: Stance,
    roles: Mapping[str, int],
    shape: Figure,
) -> _Part:
    used, faces = np.unique(skin.faces, return_inverse=True)
    vertices = skin.vertices[used]
    normals = skin.normals[used] / np.linalg.norm(skin.normals[used], axis=1, keepdims=True)
    joints, weights = _weights(skeleton, posed, roles, shape, skin.shares[used], vertices)
    return _Part(name, vertices, faces.reshape(-1, 3), normals, joints, weights, material)


def _smooth_max(a: Array, b: Array, width: float) -> Array:
    """Return the larger of two fields, rounded where they meet (Quilez' polynomial)."""
    near = np.maximum(width - np.abs(a - b), 0.0) / width
    joined: Array = np.maximum(a, b) + near * near * width * 0.25
    return joined


def _weights(
    skeleton: Skeleton,
    posed: Stance,
    roles: Mapping[str, int],
    shape: Figure,
    shares: Array,
    vertices: Array,
) -> tuple[Array, Array]:
    """Return joints and weights `[V, 4]`: of the lumps at a vertex, the joints that carry them."""
    total = np.zeros((len(vertices), len(skeleton)))
    for lump, share in zip(shape.lumps, shares.T, strict=True):
        if lump.carrier != SPINE:
            total[:, lump.carrier] += share
    trunk = shares[:, [lump.carrier == SPINE for lump in shape.lumps]].sum(axis=1)
    chain, parts = _along_spine(skeleton, posed, roles, vertices[:, 1])
    for joint, part in zip(chain, parts, strict=True):
        total[:, joint] += trunk * part
    return _heaviest(total)


def _along_spine(
    skeleton: Skeleton, posed: Stance, roles: Mapping[str, int], height: Array
) -> tuple[list[int], Array]:
    """Share the trunk among the joints from hips to chest by height: `[joints, V]`."""
    chain = [roles.get("neck", roles.get("head", roles["left_upper_arm"]))]
    while chain[-1] >= 0 and chain[-1] != roles["hips"]:
        chain.append(int(skeleton.parents[chain[-1]]))
    chain = [joint for joint in chain[:0:-1] if joint >= 0] or [roles["hips"]]
    base = posed.positions[chain, 1]
    top = float(posed.positions[roles.get("neck", roles["left_upper_arm"]), 1])
    middle = np.maximum.accumulate(0.5 * (base + np.append(base[1:], top)))
    middle += np.arange(len(middle)) * 1e-6
    at = np.interp(height, middle, np.arange(len(chain)))
    below = np.minimum(at.astype(int), len(chain) - 1)
    ease = at - below
    ease = ease * ease * (3 - 2 * ease)
    parts = np.zeros((len(chain), len(height)))
    column = np.arange(len(height))
    parts[below, column] += 1 - ease
    parts[np.minimum(below + 1, len(chain) - 1), column] += ease
    return chain, parts


def _heaviest(total: Array) -> tuple[Array, Array]:
    count = min(_INFLUENCES, total.shape[1])
    joints = np.argsort(-total, axis=1, kind="stable")[:, :count]
    weights = np.take_along_axis(total, joints, axis=1)
    weights[weights < 0.01] = 0
    return joints, weights / weights.sum(axis=1, keepdims=True)


def _covered(skeleton: Skeleton, roles: Mapping[str, int]) -> frozenset[int]:
    """Return the joints that the mannequin's flesh holds: its roles, what leads to them, feet, head."""
    held: set[int] = set()
    for role_joint in roles.values():
        joint = role_joint
        while joint >= 0 and joint not in held:
            held.add(joint)
            joint = int(skeleton.parents[joint])
    # Toes' ends, eyes and jaws lie within shoes and head.
    ends = {joint for role, joint in roles.items() if role.endswith(("head", "foot", "toes"))}
    for joint, parent in enumerate(skeleton.parents):
        if int(parent) in ends:
            ends.add(joint)
    return frozenset(held | ends)


def _capsule_part(pieces: Sequence[Capsule], sides: int) -> _Part:
    vertices, faces, normals, joints, weights = join(pieces, sides)
    return _Part("bones", vertices, faces, normals, joints, weights, np.zeros(len(faces), np.int64))


def _inverse(matrices: Array) -> Array:
    """Invert `[J, 4, 4]`; where a joint is scaled to nothing, as far as can be."""
    flat = np.abs(np.linalg.det(matrices)) < 1e-18
    safe = np.where(flat[:, None, None], np.eye(4), matrices)
    inverse: Array = np.linalg.inv(safe)
    for joint in np.flatnonzero(flat):
        inverse[joint] = np.linalg.pinv(matrices[joint])
    return inverse


def _mesh(part: _Part, inverse_bind: Array) -> Mesh:
    bones = np.arange(len(inverse_bind))
    return Mesh.from_triangles(
        part.name,
        part.vertices,
        part.faces,
        normals=part.normals,
        face_material=part.material,
        skin=Skin(part.joints, part.weights, bones, inverse_bind),
    )

"""Forward kinematics and its inverse, skinning and ground contacts, on the array API standard.

Arrays lead with any number of batch dimensions (usually frames), then joints, then components.
Positions are metres, rotations unit quaternions `xyzw`. `parents [J]` holds each joint's parent
index, -1 for a root; a parent always comes before its children.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array

from kinetoscope_spec import _fast, rotation
from kinetoscope_spec._arrays import Array
from kinetoscope_spec._morph import morph_factors, morphed_vertices
from kinetoscope_spec._normals import corner_normals
from kinetoscope_spec._skinning import dual_quaternion_blend, polar, vertex_matrices

if TYPE_CHECKING:
    from kinetoscope_spec.character import Asset, Mesh
    from kinetoscope_spec.motion import Motion

__all__ = [
    "contacts",
    "corner_normals",
    "dual_quaternion_blend",
    "global_matrices",
    "global_transforms",
    "local_transforms",
    "matrices",
    "morph_factors",
    "morphed_vertices",
    "polar",
    "skinned_vertices",
    "velocities",
    "vertex_matrices",
]


@lru_cache(maxsize=256)
def _levels(parents: tuple[int, ...]) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Group joints by depth: for each level its joints and where their parents stand above."""
    depth: list[int] = []
    for joint, parent in enumerate(parents):
        if not -1 <= parent < joint:
            raise ValueError(f"parents[{joint}] is {parent}, expected -1 or an earlier joint")
        depth.append(0 if parent < 0 else depth[parent] + 1)
    levels: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    row: dict[int, int] = {-1: -1}
    for d in range(max(depth, default=-1) + 1):
        joints = tuple(j for j, joint_depth in enumerate(depth) if joint_depth == d)
        levels.append((joints, tuple(row[parents[j]] for j in joints)))
        row = {-1: -1} | {j: i for i, j in enumerate(joints)}
    return tuple(levels)


def _as_parents(parents: Any) -> tuple[int, ...]:
    return parents if isinstance(parents, tuple) else tuple(int(parent) for parent in parents)


def _take(xp: Any, array: Any, indices: Sequence[int], axis: int) -> Any:
    where = xp.asarray(list(indices), device=getattr(array, "device", None))
    return xp.take(array, where, axis=axis)


def _in_joint_order(
    xp: Any, levels: Sequence[tuple[Sequence[int], Sequence[int]]], parts: list[Any], axis: int
) -> Any:
    order = [joint for joints, _ in levels for joint in joints]
    place = [0] * len(order)
    for i, joint in enumerate(order):
        place[joint] = i
    return _take(xp, xp.concat(parts, axis=axis), place, axis)


def global_transforms(parents: Any, positions: Any, rotations: Any) -> tuple[Any, Any]:
    """Turn local transforms into global ones (forward kinematics).

    Args:
        parents: `[J]`, parents first.
        positions: `[..., J, 3]` m, relative to the parent.
        rotations: `[..., J, 4]` xyzw, relative to the parent.

    Returns:
        Global `positions [..., J, 3]` and `rotations [..., J, 4]`.

    Raises:
        ValueError: a parent does not come before its child.
    """
    xp = array_namespace(positions, rotations)
    parents = _as_parents(parents)
    levels = _levels(parents)
    if not levels:
        return positions, rotations
    if is_numpy_array(positions) and _fast.wanted(positions.size // 3):
        return _fast.global_transforms(parents, positions, rotations)
    all_positions, all_rotations = [], []
    p = q = None
    for joints, above in levels:
        level_p, level_q = _take(xp, positions, joints, -2), _take(xp, rotations, joints, -2)
        if p is not None:
            parent_p, parent_q = _take(xp, p, above, -2), _take(xp, q, above, -2)
            level_p = parent_p + rotation.rotate(parent_q, level_p)
            level_q = rotation.multiply(parent_q, level_q)
        p, q = level_p, level_q
        all_positions.append(p)
        all_rotations.append(q)
    return _in_joint_order(xp, levels, all_positions, -2), _in_joint_order(xp, levels, all_rotations, -2)


def local_transforms(parents: Any, positions: Any, rotations: Any) -> tuple[Any, Any]:
    """Turn global transforms into local ones: the inverse of `global_transforms`."""
    xp = array_namespace(positions, rotations)
    parents = _as_parents(parents)
    _levels(parents)
    children = [j for j, parent in enumerate(parents) if parent >= 0]
    if not children:
        return positions, rotations
    above = [parents[j] for j in children]
    roots = [j for j, parent in enumerate(parents) if parent < 0]
    back = rotation.conjugate(_take(xp, rotations, above, -2))
    offset = _take(xp, positions, children, -2) - _take(xp, positions, above, -2)
    groups = ((roots, ()), (children, ()))
    return (
        _in_joint_order(xp, groups, [_take(xp, positions, roots, -2), rotation.rotate(back, offset)], -2),
        _in_joint_order(
            xp,
            groups,
            [
                _take(xp, rotations, roots, -2),
                rotation.multiply(back, _take(xp, rotations, children, -2)),
            ],
            -2,
        ),
    )


def matrices(positions: Any, rotations: Any, scales: Any = None) -> Any:
    """Return `[..., 4, 4]` matrices that scale, then turn, then move column vectors."""
    xp = array_namespace(positions, rotations)
    linear = rotation.to_matrix(rotations)
    if scales is not None:
        linear = linear * scales[..., None, :]
    top = xp.concat((linear, positions[..., None]), axis=-1)
    bottom = xp.zeros_like(top[..., :1, :]) + xp.asarray(
        [0.0, 0.0, 0.0, 1.0], dtype=top.dtype, device=getattr(top, "device", None)
    )
    return xp.concat((top, bottom), axis=-2)


def global_matrices(parents: Any, positions: Any, rotations: Any, scales: Any = None) -> Any:
    """Return global `[..., J, 4, 4]` matrices; unlike transforms they carry scale and shear."""
    xp = array_namespace(positions, rotations)
    levels = _levels(_as_parents(parents))
    local = matrices(positions, rotations, scales)
    parts: list[Any] = []
    above_m = None
    for joints, above in levels:
        level = _take(xp, local, joints, -3)
        if above_m is not None:
            level = xp.matmul(_take(xp, above_m, above, -3), level)
        above_m = level
        parts.append(level)
    return _in_joint_order(xp, levels, parts, -3) if parts else local


def velocities(values: Any, framerate: float) -> Any:
    """Return the rate of change of `values [T, ...]` per second, by central differences.

    The first and last frame take the difference to their one neighbour; one frame has rate 0.
    """
    xp = array_namespace(values)
    if values.shape[0] < 2:
        return xp.zeros_like(values)
    steps = (values[1:, ...] - values[:-1, ...]) * framerate
    return xp.concat((steps[:1, ...], 0.5 * (steps[1:, ...] + steps[:-1, ...]), steps[-1:, ...]), axis=0)


def contacts(
    positions: Any,
    framerate: float,
    *,
    height_m: float = 0.05,
    speed_m_s: float = 0.4,
    ground_m: float | Any = 0.0,
) -> Any:
    """Tell where points touch the ground: lower than `height_m` and slower than `speed_m_s`.

    Args:
        positions: global `[T, K, 3]` m, of feet or toes.
        framerate: frames per second.
        height_m: height over the ground under which a point may be in contact.
        speed_m_s: speed under which it is.
        ground_m: height of the ground, one number or `[K]` (the height at which each point rests).

    Returns:
        bool `[T, K]`.
    """
    xp = array_namespace(positions)
    v = velocities(positions, framerate)
    speed = xp.sqrt(xp.sum(v * v, axis=-1))
    return (positions[..., 1] - ground_m < height_m) & (speed < speed_m_s)


def skinned_vertices(
    asset: Asset, mesh: int | Mesh = 0, motion: int | Motion | None = 0, frame: int = 0
) -> Array:
    """Return the global positions `[V, 3]` m of a mesh's vertices in one frame of a motion.

    Morphs first, by the motion's `morph_weights`; then skinning, as the skin's `blending` says: linear,
    where each vertex is the weighted mean of where its bones would carry it from the bind pose, or by
    dual quaternions (`vertex_matrices`). A mesh without a skin follows its `node`; with neither it
    stays as it is.
    `motion=None` is the rest pose.

    Raises:
        IndexError: there is no such mesh, motion or frame.
    """
    mesh = asset.meshes[mesh] if isinstance(mesh, int) else mesh
    motion = asset.motions[motion] if isinstance(motion, int) else motion
    weights: dict[str, float] = {}
    if motion is None:
        globals_ = asset.skeleton.rest_matrices()
    else:
        if not -motion.frame_count <= frame < motion.frame_count:
            raise IndexError(f"frame {frame} of {motion.frame_count} in motion {motion.name!r}")
        frame %= motion.frame_count
        globals_ = motion.slice(frame, frame + 1).global_matrices()[0]
        weights = {name: float(curve[frame]) for name, curve in motion.morph_weights.items()}
    vertices = np.asarray(morphed_vertices(mesh, weights), dtype=np.float64)
    homogeneous = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    if mesh.skin is None:
        carry = np.eye(4) if mesh.node is None else globals_[mesh.node]
        return (homogeneous @ np.asarray(carry, dtype=np.float64).T)[:, :3]
    skin = mesh.skin
    if skin.blending != "linear":
        return np.asarray(np.einsum("vij,vj->vi", vertex_matrices(skin, globals_), homogeneous))
    bones = np.asarray(globals_, dtype=np.float64)[skin.bones] @ np.asarray(skin.inverse_bind, np.float64)
    moved = np.einsum("vkij,vj->vki", bones[skin.joints], homogeneous)[..., :3]
    blended: Array = np.einsum("vki,vk->vi", moved, np.asarray(skin.weights, dtype=np.float64))
    return blended

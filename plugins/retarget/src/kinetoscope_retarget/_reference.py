"""The pose in which two skeletons are compared: a person standing, facing +Z.

Where the rest pose is one, it is taken. Many files rest otherwise (all bones along one axis, arms
overhead): then a frame of a clip in which somebody stands, or the mean over a clip, straightened.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_retarget import _soles
from kinetoscope_retarget._bones import chained, metric_offsets
from kinetoscope_retarget._stand import frame_of, leg_length, stands, strain, unit
from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import Character, Mesh, Motion, kinematics, rotation
from kinetoscope_spec.anatomy import SIDES, Person, Tree

__all__ = ["Reference", "reference_of"]

_FRAMES = 64
"""Frames of a clip that are looked at."""

_AT_EASE = 0.6
"""The strain up to which a frame of a clip shows how its skeleton stands."""


@attrs.frozen(eq=False)
class Reference:
    """A pose, turned to face +Z with up +Y.

    Attributes:
        positions: global `[J, 3]` m.
        rotations: global `[J, 4]`.
        kind: `rest`, `bind`, `frame`, `clip`, or `axes` where nothing shows how the joints turn.
        toes: height m of standing toes over the ground (ankles without any), or None where nothing
            tells.
    """

    positions: Array
    rotations: Array
    kind: str
    toes: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether the pose shows how the trunk, shoulders, feet and head are held."""
        return self.kind != "axes"


def reference_of(body: Person, clip: Motion | None, character: Character | None = None) -> Reference:
    """Return the best pose there is of a skeleton: of its rest, its bind pose, a clip of it."""
    rest = _rest_globals(body)
    posed = _faced(*rest, body, "rest")
    if posed is not None and stands(posed.positions, body):
        return attrs.evolve(posed, toes=_soles.at_rest(rest[0], body, character))
    if character is not None and (bind := _bind_globals(body, character)) is not None:
        posed = _faced(*bind, body, "bind")
        if posed is not None and stands(posed.positions, body):
            return attrs.evolve(posed, toes=_soles.at_rest(bind[0], body, character))
    if clip is not None:
        return _of_clip(body, clip)
    return _straightened(body, *rest, kind="axes")


def _rest_globals(body: Person) -> tuple[Array, Array]:
    positions, rotations = body.skeleton.rest_transforms()
    return np.asarray(positions, np.float64), np.asarray(rotations, np.float64)


def _bind_globals(body: Person, character: Character) -> tuple[Array, Array] | None:
    """Return the pose in which the skins were bound; joints that carry no skin rest on their parent."""
    rest = body.skeleton
    local = kinematics.matrices(rest.rest_positions, rest.rest_rotations, rest.rest_scales)
    matrices = np.array(local, np.float64)
    bound: dict[int, Array] = {}
    for mesh in character.meshes:
        for bone, inverse in zip(*_bones(mesh), strict=True):
            if abs(np.linalg.det(inverse)) > 1e-18:
                bound.setdefault(int(bone), np.linalg.inv(inverse))
    if not bound:
        return None
    for joint, parent in enumerate(body.skeleton.parents):
        above = matrices[parent] if parent >= 0 else np.eye(4)
        matrices[joint] = bound.get(joint, above @ local[joint])
    u, _, v = np.linalg.svd(matrices[:, :3, :3])
    turns = u @ v
    if (np.linalg.det(turns) < 0).any():
        return None
    return matrices[:, :3, 3], rotation.from_matrix(turns)


def _bones(mesh: Mesh) -> tuple[Array, Array]:
    if mesh.skin is None:
        return np.zeros(0, np.int64), np.zeros((0, 4, 4))
    return mesh.skin.bones, np.asarray(mesh.skin.inverse_bind, np.float64)


def _faced(positions: Array, rotations: Array, body: Person, kind: str) -> Reference | None:
    frame = frame_of(positions, body)
    if frame is None:
        return None
    turn = rotation.from_matrix(frame)
    return Reference(positions @ frame.T, rotation.multiply(turn[None], rotations), kind)


def _sampled(clip: Motion) -> tuple[Array, Array]:
    frames = np.unique(np.linspace(0, clip.frame_count - 1, _FRAMES).round().astype(int))
    some = attrs.evolve(
        clip,
        positions=clip.positions[frames],
        rotations=clip.rotations[frames],
        scales=None if clip.scales is None else clip.scales[frames],
        morph_weights={},
    )
    positions, rotations = some.global_transforms()
    return np.asarray(positions, np.float64), np.asarray(rotations, np.float64)


def _of_clip(body: Person, clip: Motion) -> Reference:
    positions, rotations = _sampled(clip)
    poses = [_faced(p, r, body, "frame") for p, r in zip(positions, rotations, strict=True)]
    good = [(strain(pose.positions, body), i) for i, pose in enumerate(poses) if pose is not None]
    if not good:
        return _straightened(body, *_rest_globals(body), kind="axes")
    toes = _soles.in_clip(positions, body, leg_length(positions, body))
    least, at = min(good)
    best = poses[at]
    if least <= _AT_EASE and best is not None:
        return attrs.evolve(best, toes=toes)
    mean = _mean([pose.rotations for pose in poses if pose is not None])
    reference = _straightened(body, *_posed(body, mean), kind="clip")
    return attrs.evolve(_flat_feet(body, reference, positions, rotations), toes=toes)


def _mean(rotations: Sequence[Array]) -> Array:
    """Return the mean `[J, 4]` of rotations `[J, 4]`: the nearest to the mean of their matrices."""
    matrices = np.mean([rotation.to_matrix(r) for r in rotations], axis=0)
    u, _, v = np.linalg.svd(matrices)
    u[..., -1] *= np.sign(np.linalg.det(u @ v))[..., None]
    mean: Array = rotation.from_matrix(u @ v)
    return mean


def _posed(body: Person, rotations: Array) -> tuple[Array, Array]:
    return chained(body.skeleton, metric_offsets(body.skeleton), rotations), rotations


def _straightened(body: Person, positions: Array, rotations: Array, *, kind: str) -> Reference:
    """Return the pose with hips, spine and neck upright and square to the front.

    Everything else turns with the joint that it hangs on.
    """
    frame = frame_of(positions, body)
    turn = np.eye(3) if frame is None else frame
    turns = {-1: rotation.from_matrix(turn)}
    trunk = _trunk_frames(body, positions)
    result = rotations.copy()
    for joint, parent in enumerate(body.skeleton.parents):
        turns[joint] = turns[int(parent)] if joint not in trunk else trunk[joint]
        result[joint] = rotation.multiply(turns[joint], rotations[joint])
    if body.head is not None and kind == "clip":  # people look ahead, on the whole
        result[body.head] = rotation.multiply(turns[-1], rotations[body.head])
    placed, result = _posed(body, result)
    return Reference(placed, result, kind)


def _trunk_frames(body: Person, positions: Array) -> dict[int, Array]:
    """Return for each joint of the trunk the turn `[4]` that sets it upright and square."""
    chain = [j for j in (body.hips, *body.spine, *body.neck, body.head) if j is not None]
    lines = {
        joint: across
        for joint, part in ((body.hips, "upper_leg"), (body.chest, "upper_arm"))
        if joint is not None and (across := _across(body, positions, part)) is not None
    }
    found: dict[int, Array] = {}
    for joint, above in itertools.pairwise(chain):
        up = unit(positions[above] - positions[joint])
        left = lines.get(joint, next(iter(lines.values()), None))
        if joint == body.hips and not np.any(up):
            up = unit(positions[chain[-1]] - positions[joint])
        if left is None or not np.any(up):
            continue
        left = unit(left - (left @ up) * up)
        if np.any(left):
            found[joint] = rotation.from_matrix(np.stack([left, up, np.cross(left, up)]))
    return found


def _across(body: Person, positions: Array, part: str) -> Array | None:
    a, b = (body.limb(side, part) for side in SIDES)
    return None if a is None or b is None else unit(positions[a] - positions[b])


def _flat_feet(body: Person, reference: Reference, positions: Array, rotations: Array) -> Reference:
    """Set each foot as it is, on average, in those frames in which it is lowest: flat on the ground."""
    result = reference.rotations.copy()
    for side in SIDES:
        foot, toes = body.limb(side, "foot"), body.limb(side, "toes")
        if foot is None or toes is None:
            continue
        height = positions[:, foot, 1] + positions[:, toes, 1]
        low = np.flatnonzero(height <= np.quantile(height, 0.15))
        ahead = positions[low, toes] - positions[low, foot]
        back = rotation.from_yaw(-np.arctan2(ahead[:, 0], ahead[:, 2]))
        for joint in (foot, *Tree(body.skeleton).below(foot)):
            flat = rotation.multiply(back, rotations[low, joint])
            result[joint] = _mean(list(flat[:, None]))[0]
    placed, result = _posed(body, result)
    return Reference(placed, result, reference.kind)

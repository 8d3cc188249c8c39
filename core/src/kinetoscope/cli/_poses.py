"""Which poses of a motion a contact sheet shows, and from where each is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot.film import morphed
from kinetoscope_spec import Asset, Camera, Character, Mesh, Motion, anatomy, kinematics

__all__ = ["Pose", "Row", "aspect", "cameras", "row", "some_vertices"]

Array = NDArray[Any]

COLUMNS = 8
"""Pictures in a row."""

_FIELD_OF_VIEW = np.radians(18.0)
_ELEVATION = np.radians(9.0)
_ASIDE = np.radians(30.0)
"""How far from straight ahead of the figure the camera stands: legs that swing are seen swinging."""

_MARGIN = 1.07
_PERSON_M = 1.75
_AS_IT_IS_M = (0.3, 4.0)
"""Figures of such a size are shown as they are; others are shrunk or grown to a person's height."""

_CLIMB = 1.5
"""A camera that stays at one height sees at most so many heights of the figure."""

_STILL = 1e-4
"""Of the figure's size: who moves less stands still."""

_SAMPLE = 4000
"""So many vertices of a mesh are enough to know where it is."""


@attrs.frozen(eq=False)
class Pose:
    """One picture: whom it shows, in which pose.

    Attributes:
        character: who, morphed as the frame has it.
        matrices: `[J, 4, 4]`, global, m.
        points: `[N, 3]` m, where vertices are.
        yaw: radians about the vertical from +Z towards +X, where the camera stands.
        caption: the time from the first frame on, or the angle from the front.
    """

    character: Character
    matrices: Array
    points: Array
    yaw: float
    caption: str


@attrs.frozen(eq=False)
class Row:
    """The pictures of one motion, and what they have in common.

    Attributes:
        poses: the pictures; `character` and `matrices` are scaled and moved to the origin.
        centres: `[P, 3]` m, what each camera looks at.
        half: half the width, half the height and the reach towards the camera of all, m.
        spacing: m between the lines of the floor, which lies at 0.
    """

    poses: tuple[Pose, ...]
    centres: Array
    half: Array
    spacing: float


def row(character: Character, motion: Motion) -> Row:
    """Choose the pictures of `motion`: frames spread over it, or a still seen from all around."""
    sampled = [some_vertices(m, slice(None, None, len(m.vertices) // _SAMPLE or 1)) for m in character.meshes]
    thin = Asset(character.name, character.skeleton, meshes=sampled)
    frames = np.unique(np.linspace(0, motion.frame_count - 1, COLUMNS).round().astype(int)).tolist()
    ahead = _facing(motion, frames)
    poses = [
        Pose(
            morphed(character, motion, frame),
            motion.slice(frame, frame + 1).global_matrices()[0],
            _points(thin, motion, frame),
            ahead + _ASIDE,
            f"{frame / motion.framerate:.2f} s",
        )
        for frame in frames
    ]
    if _is_still(poses):
        turns = np.arange(COLUMNS) * 2 * np.pi / COLUMNS
        poses = [
            attrs.evolve(poses[0], yaw=ahead + turn, caption=f"{np.degrees(turn):.0f}°") for turn in turns
        ]
    return _normalized(poses)


def _is_still(poses: Sequence[Pose]) -> bool:
    first = poses[0].points
    return all(np.abs(pose.points - first).max() <= _STILL * np.ptp(first, axis=0).max() for pose in poses)


def some_vertices(mesh: Mesh, which: slice) -> Mesh:
    """Return a mesh of some of the vertices and no faces, to find out cheaply where they are."""
    skin = mesh.skin
    if skin is not None:
        skin = attrs.evolve(skin, joints=skin.joints[which], weights=skin.weights[which])
    return Mesh(
        mesh.name,
        mesh.vertices[which],
        np.zeros(0, np.int64),
        np.zeros((0, 3), np.int64),
        node=mesh.node,
        skin=skin,
        morphs=None if mesh.morphs is None else mesh.morphs[:, which],
        morph_names=mesh.morph_names,
        morph_peaks=mesh.morph_peaks,
        morph_weights=mesh.morph_weights,
    )


def _points(thin: Asset, motion: Motion, frame: int) -> Array:
    joints = motion.slice(frame, frame + 1).global_transforms()[0][0]
    meshes = [kinematics.skinned_vertices(thin, mesh, motion, frame) for mesh in thin.meshes]
    drawn = [points for points in meshes if len(points)]
    return np.concatenate(drawn or [joints]).astype(np.float64)


def _facing(motion: Motion, frames: Sequence[int]) -> float:
    """Return the angle about the vertical from +Z to where the figure looks, most of the time."""
    pairs = np.array(anatomy.sided_pairs(motion.skeleton), np.int64).reshape(-1, 2)
    if not len(pairs):
        return 0.0
    positions = np.concatenate([motion.slice(f, f + 1).global_transforms()[0] for f in frames])
    across = (positions[:, pairs[:, 0]] - positions[:, pairs[:, 1]]).mean(axis=1)[:, [0, 2]]
    x, z = across.mean(axis=0)
    if np.hypot(x, z) < 0.3 * np.hypot(*across.T).mean():  # it turns round and round
        x, z = across[0]
    return float(np.arctan2(-z, x))


def _normalized(poses: Sequence[Pose]) -> Row:
    """Bring the figure near the origin and to a size that lights, floor and shadows are made for."""
    lows, highs = (np.array([pick(pose.points, axis=0) for pose in poses]) for pick in (np.min, np.max))
    heights = highs[:, 1] - lows[:, 1]
    size = max(float((highs - lows).max()), 1e-6)
    scale = 1.0 if _AS_IT_IS_M[0] <= size <= _AS_IT_IS_M[1] else _PERSON_M / size
    spacing = 10.0 ** round(np.log10(size / _PERSON_M))
    centres = 0.5 * (lows + highs)
    low, high = lows[:, 1].min(), highs[:, 1].max()
    if high - low <= _CLIMB * heights.max():
        centres[:, 1] = 0.5 * (low + high)
    # By whole squares of the floor, so that what passes under the figure is where it was.
    origin = np.round(centres[0] * (1, 0, 1) / spacing) * spacing + (0, low, 0)
    place = np.diag([scale, scale, scale, 1.0])
    place[:3, 3] = -scale * origin
    # One object for all pictures where it is one: renderers keep on the device what comes back.
    characters = {id(pose.character): _placed(pose.character, place) for pose in poses}
    moved = tuple(
        attrs.evolve(
            pose,
            character=characters[id(pose.character)],
            matrices=place @ pose.matrices,
            points=(pose.points - origin) * scale,
        )
        for pose in poses
    )
    centres = (centres - origin) * scale
    seen = [(pose.points - centre) @ _axes(pose.yaw).T for pose, centre in zip(moved, centres, strict=True)]
    half = np.maximum(np.max([np.abs(points).max(axis=0) for points in seen], axis=0), 1e-3)
    return Row(moved, centres, half, spacing * scale)


def _placed(character: Character, place: Array) -> Character:
    """Move the meshes that hang on no joint: the pose moves all others."""
    if all(mesh.node is not None or mesh.skin is not None for mesh in character.meshes):
        return character
    meshes = [
        mesh
        if mesh.node is not None or mesh.skin is not None
        else attrs.evolve(
            mesh,
            vertices=mesh.vertices @ place[:3, :3].T + place[:3, 3],
            morphs=None if mesh.morphs is None else mesh.morphs @ place[:3, :3].T,
        )
        for mesh in character.meshes
    ]
    return attrs.evolve(character, meshes=meshes)


def _axes(yaw: float) -> Array:
    """Return right, up, and towards the camera, as rows."""
    s, c, rise, level = np.sin(yaw), np.cos(yaw), np.sin(_ELEVATION), np.cos(_ELEVATION)
    return np.array([[c, 0, -s], [-s * rise, level, -c * rise], [s * level, rise, c * level]])


def aspect(rows: Sequence[Row]) -> float:
    """Return width over height of a picture that suits all rows."""
    return float(np.clip(max(shown.half[0] / shown.half[1] for shown in rows), 0.6, 1.3))


def cameras(shown: Row, ratio: float) -> list[Camera]:
    """Return the camera of each picture: one distance for all, so that sizes compare."""
    reach = _MARGIN * max(shown.half[1], shown.half[0] / ratio)
    distance = reach / np.tan(0.5 * _FIELD_OF_VIEW) + shown.half[2]
    return [
        Camera(centre + distance * _axes(pose.yaw)[2], centre, field_of_view=_FIELD_OF_VIEW)
        for pose, centre in zip(shown.poses, shown.centres, strict=True)
    ]

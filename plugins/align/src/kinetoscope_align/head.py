"""A head of capsules that speaks, for looking at visemes without a character at hand."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_align.visemes import ARKIT
from kinetoscope_spec import Character, Material, Mesh, Skeleton

__all__ = ["CHANNELS", "capsule_head"]

Array = NDArray[np.float64]

_ROWS: Final = 24
_COLUMNS: Final = 32
_HINGE: Final = np.array([0.0, 1.56, 0.0])
"""Where the jaw turns, in front of the ears, m."""

_OPEN_RAD: Final = np.radians(22.0)
_LIPS: Final = np.array([0.0, 1.545, 0.098])
_HALF_WIDTH_M: Final = 0.026
_LIP_M: Final = 0.007

CHANNELS: Final = tuple(dict.fromkeys(shape for pose in ARKIT.values() for shape in pose))
"""The morph channels of the lips, named as ARKit names them."""


def capsule_head() -> Character:
    """Build a head on one joint: a skull, a jaw with the channel `jawOpen`, and lips with all `CHANNELS`.

    It faces +Z and stands where a person's would, 1.6 m high.
    """
    skeleton = Skeleton(("head",), (-1,), np.zeros((1, 3)))
    skull = _capsule(np.array([0, 1.60, 0.0]), np.array([0, 1.64, 0.0]), 0.092, 0.095)
    jaw = _capsule(np.array([0, 1.535, 0.02]), np.array([0, 1.515, 0.055]), 0.052, 0.036)
    materials = (
        Material("skin", base_color=np.array([0.62, 0.46, 0.36, 1.0]), roughness=0.6),
        Material("lips", base_color=np.array([0.45, 0.12, 0.11, 1.0]), roughness=0.4),
    )
    opened = _about_hinge(jaw[0], 1.0) - jaw[0]
    meshes = (
        Mesh.from_triangles("skull", *skull[:2], normals=skull[2], node=0),
        Mesh.from_triangles(
            "jaw", *jaw[:2], normals=jaw[2], node=0, morphs=opened[None], morph_names=("jawOpen",)
        ),
        _lips(),
    )
    return Character("capsule head", skeleton, meshes, materials)


def _capsule(low: Array, high: Array, first: float, second: float) -> tuple[Array, NDArray[np.int64], Array]:
    """Return vertices, faces and normals of a tapered capsule."""
    axis = (high - low) / np.linalg.norm(high - low)
    side = np.cross(axis, [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    up = np.linspace(-np.pi / 2, np.pi / 2, _ROWS)[:, None]
    around = np.linspace(0, 2 * np.pi, _COLUMNS, endpoint=False)[None]
    normals = (
        np.sin(up)[..., None] * axis
        + (np.cos(up) * np.cos(around))[..., None] * side
        + (np.cos(up) * np.sin(around))[..., None] * other
    ).reshape(-1, 3)
    upper = np.repeat(up[:, 0] > 0, _COLUMNS)[:, None]
    vertices = np.where(upper, high + second * normals, low + first * normals)
    return vertices, _grid(_ROWS, _COLUMNS, closed=False), normals


def _grid(rows: int, columns: int, *, closed: bool) -> NDArray[np.int64]:
    """Return the triangles of a grid whose columns go round, and whose rows do if `closed`."""
    i, j = np.meshgrid(np.arange(rows if closed else rows - 1), np.arange(columns), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    below = (i + 1) % rows * columns
    c, d = below + j, below + (j + 1) % columns
    faces = np.stack([np.stack([a, c, b], axis=-1), np.stack([b, c, d], axis=-1)], axis=2)
    return faces.reshape(-1, 3).astype(np.int64)


def _about_hinge(points: Array, share: float) -> Array:
    """Return points of the jaw when it is open by a share."""
    angle = _OPEN_RAD * share
    y, z = points[:, 1] - _HINGE[1], points[:, 2] - _HINGE[2]
    turned = np.stack(
        [points[:, 0], y * np.cos(angle) - z * np.sin(angle), y * np.sin(angle) + z * np.cos(angle)], axis=1
    )
    turned[:, 1:] += _HINGE[1:]
    return turned


def _lips() -> Mesh:
    """Return a ring about the mouth: its upper half stays with the skull, its lower goes with the jaw."""
    rows = _COLUMNS
    around = np.linspace(0, 2 * np.pi, rows, endpoint=False)[:, None]
    about = np.linspace(0, 2 * np.pi, _ROWS, endpoint=False)[None]
    outward = np.stack(np.broadcast_arrays(np.cos(around), 0.35 * np.sin(around), 0 * around), axis=-1)
    spine = _LIPS + np.stack(
        [_HALF_WIDTH_M * np.cos(around), 0.006 * np.sin(around), -0.012 * np.cos(around) ** 2], axis=-1
    )
    normals = np.cos(about)[..., None] * outward + np.sin(about)[..., None] * np.array([0.0, 0.0, 1.0])
    normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    vertices = (spine + _LIP_M * normals).reshape(-1, 3)
    place = np.repeat(around[:, 0], _ROWS)
    morphs = np.stack([_moved(name, vertices, place) for name in CHANNELS])
    return Mesh.from_triangles(
        "lips", vertices, _grid(rows, _ROWS, closed=True), normals=normals.reshape(-1, 3), node=0,
        face_material=np.ones(2 * rows * _ROWS, np.int64), morphs=morphs, morph_names=CHANNELS,
    )  # fmt: skip


def _moved(name: str, vertices: Array, place: Array) -> Array:
    """Return by what a channel moves the lips, `[V, 3]` m."""
    moved = np.zeros_like(vertices)
    across, lower, upper = np.cos(place), np.maximum(-np.sin(place), 0), np.maximum(np.sin(place), 0)
    left = np.maximum(across, 0) if name.endswith("Left") else np.maximum(-across, 0)  # +X is its left
    out = np.sign(across) * left
    if name == "jawOpen":
        moved = (_about_hinge(vertices, 1.0) - vertices) * lower[:, None]
    elif name in ("mouthPucker", "mouthFunnel"):
        moved[:, 0] = -(0.013 if name == "mouthPucker" else 0.008) * across
        moved[:, 1] = (0.004 if name == "mouthFunnel" else 0.002) * np.sin(place)
        moved[:, 2] = 0.012
    elif name.startswith(("mouthStretch", "mouthSmile", "mouthDimple")):
        moved[:, 0] = 0.009 * out
        moved[:, 1] = (0.006 if "Smile" in name else 0.0) * left
    elif name.startswith("mouthLowerDown"):
        moved[:, 1] = -0.006 * lower * (0.5 + 0.5 * left)
    elif name.startswith("mouthUpperUp"):
        moved[:, 1] = 0.005 * upper * (0.5 + 0.5 * left)
    elif name in ("mouthClose", "mouthRollLower") or name.startswith("mouthPress"):
        moved[:, 1] = 0.004 * lower
        moved[:, 2] = -0.003 * lower
    elif name in ("mouthRollUpper", "mouthShrugUpper"):
        moved[:, 1] = (-0.003 if "Roll" in name else 0.003) * upper
    return moved

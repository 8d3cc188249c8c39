"""Small pictures of values, for notebooks: NumPy and the standard library draw them.

Nothing in them runs: a motion is an SVG that animates itself, the rest is PNG. So they stand in a saved
notebook, in one that is not trusted, and in mail. A renderer draws better ones.
"""

from __future__ import annotations

import base64
import html
import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from kinetoscope_spec import kinematics
from kinetoscope_spec._arrays import Array

if TYPE_CHECKING:
    from kinetoscope_spec.character import Asset, Character, Material, Mesh
    from kinetoscope_spec.motion import Motion, Skeleton

__all__ = [
    "asset_html",
    "character_html",
    "character_picture",
    "drawn_bones",
    "motion_html",
    "motion_svg",
    "png",
]

_SIDE: Final = 260
"""Pixels: how high pictures are."""

_YAW: Final = np.radians(30.0)
_PITCH: Final = np.radians(10.0)
_MOST_FRAMES: Final = 72
"""Of an animation: more make a notebook heavy, and the eye sees no less."""
_MOST_LINES: Final = 3000

_SAMPLES: Final = 3
"""Points a pixel that a surface is drawn with: enough that it shows no holes."""

_OVER: Final = 2
"""Pictures are drawn so many times as large and averaged."""

_R2: Final = (0.7548776662466927, 0.5698402909980532)
_INK: Final = "#d65c2a"
_LIGHT: Final = np.array([0.35, 0.75, 0.56])


def png(pixels: Array) -> bytes:
    """Return a PNG file of `uint8 [H, W, 3|4]`, top row first (RFC 2083)."""
    rows = np.ascontiguousarray(pixels, np.uint8)
    high, wide, channels = rows.shape
    if channels not in (3, 4):
        raise ValueError(f"pixels have {channels} channels, expected 3 or 4")
    head = struct.pack(">IIBBBBB", wide, high, 8, 2 if channels == 3 else 6, 0, 0, 0)
    # Each row begins with its filter: none.
    lines = np.concatenate([np.zeros((high, 1), np.uint8), rows.reshape(high, -1)], axis=1)
    body = zlib.compress(lines.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))


def motion_svg(motion: Motion) -> str:
    """Return an SVG picture in which a motion's skeleton moves, over and over, at its own speed.

    The figure is seen from ahead and a little aside, with all of its way; a line shows the way on the
    ground. At most 72 frames are in it, of skeletons with many joints fewer.
    """
    parents = np.asarray(motion.skeleton.parents)
    most = int(np.clip(_MOST_LINES // max(len(parents), 1), 2, _MOST_FRAMES))
    frames = np.linspace(0, motion.frame_count - 1, min(motion.frame_count, most)).round().astype(int)
    joints = np.concatenate([motion.slice(f, f + 1).global_transforms()[0] for f in frames.tolist()])
    joints = joints.astype(np.float64)
    ground = joints.mean(axis=1)
    ground[:, 1] = joints[..., 1].min()
    seen, way = _turned(joints), _turned(ground)
    points = np.concatenate([seen.reshape(-1, 3), way])[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    # A figure of no size is drawn as a dot in the middle.
    scale = (_SIDE - 24) / max(high[1] - low[1], (high[0] - low[0]) / 2.6, 1e-6)
    wide = max(int(np.ceil((high[0] - low[0]) * scale)) + 24, 120)
    middle = 0.5 * (low + high)

    def pixels(held: Array) -> Array:
        flat = (held[..., :2] - middle) * (scale, -scale) + (wide / 2, _SIDE / 2)
        rounded: Array = flat.round(1)
        return rounded

    bones = drawn_bones(motion.skeleton)
    drawn = [_lines(pixels(pose)[parents[bones]], pixels(pose)[bones]) for pose in seen]
    drawn = drawn if len(bones) else [_lines(pixels(pose), pixels(pose)) for pose in seen]
    duration = max(motion.frame_count / motion.framerate, 1e-3)
    moves = (
        f'<animate attributeName="d" dur="{duration:.4g}s" repeatCount="indefinite" calcMode="discrete" '
        f'values="{";".join(drawn)}"/>'
        if len(drawn) > 1
        else ""
    )
    track = " ".join(f"{x:g},{y:g}" for x, y in pixels(way).tolist())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{_SIDE}" viewBox="0 0 {wide} {_SIDE}">'
        f'<rect width="{wide}" height="{_SIDE}" rx="6" fill="#eef0f3"/>'
        f'<polyline points="{track}" fill="none" stroke="#b9bec7" stroke-width="3" stroke-linecap="round"/>'
        f'<path d="{drawn[0]}" fill="none" stroke="{_INK}" stroke-width="2.6" stroke-linecap="round">{moves}'
        "</path></svg>"
    )


def drawn_bones(skeleton: Skeleton) -> Array:
    """Return the joints to which a line from their parent is drawn: of a person none above the hips.

    Many files have a root that stays on the floor, far behind the figure.
    """
    from kinetoscope_spec import anatomy

    parents = np.asarray(skeleton.parents)
    drawn, joint = parents >= 0, anatomy.roles(skeleton).get("hips", -1)
    while joint >= 0:
        drawn[joint], joint = False, int(parents[joint])
    return np.flatnonzero(drawn)


def _lines(start: Array, end: Array) -> str:
    pairs = zip(start.tolist(), end.tolist(), strict=True)
    return "".join(f"M{a[0]:g} {a[1]:g}L{b[0]:g} {b[1]:g}" for a, b in pairs)


def _turned(points: Array) -> Array:
    """Return points as they are seen: x to the right, y up, z towards who looks."""
    s, c, rise, level = np.sin(_YAW), np.cos(_YAW), np.sin(_PITCH), np.cos(_PITCH)
    axes = np.array([[c, 0, -s], [-s * rise, level, -c * rise], [s * level, rise, c * level]])
    turned: Array = points @ axes.T
    return turned


def motion_html(motion: Motion) -> str:
    """Return what a notebook shows of a motion: the figure as it moves, and its name and length."""
    told = (
        f"{motion.frame_count} frames at {motion.framerate:g} Hz, {motion.duration:.2f} s, "
        f"{len(motion.skeleton)} joints"
    )
    return _shown(motion_svg(motion), motion.name or "Motion", told)


def character_picture(character: Character, pose: Array | None = None) -> Array:
    """Return a picture of a character, `uint8 [H, W, 4]`, with nothing behind it.

    Faces are drawn as points, nearest first, in the colours of their materials without textures. Without
    meshes there is nothing to see but the background: one pixel.

    Args:
        character: who; morphs as they rest.
        pose: global matrices `[J, 4, 4]`; None: the rest pose.
    """
    held = [_faces(character, mesh, pose) for mesh in character.meshes if len(mesh.faces)]
    if not held:
        return np.zeros((1, 1, 4), np.uint8)
    corners = _turned(np.concatenate([faces for faces, _ in held]))
    colors = np.concatenate([shades for _, shades in held])
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    size = max(high[1] - low[1], high[0] - low[0], 1e-9)
    scale = (_SIDE - 16) * _OVER / size
    wide = int(np.ceil((high[0] - low[0]) * scale / _OVER)) + 16
    tall = int(np.ceil((high[1] - low[1]) * scale / _OVER)) + 16
    at = (corners - [low[0], high[1], 0]) * [scale, -scale, scale] + [8 * _OVER, 8 * _OVER, 0]
    large = _splatted(at, colors, tall * _OVER, wide * _OVER)
    small = large.reshape(tall, _OVER, wide, _OVER, 4)
    cover = small[..., 3:].mean(axis=(1, 3))
    shown = (small[..., :3] * small[..., 3:]).mean(axis=(1, 3)) / np.maximum(cover, 1e-9)
    picture: Array = np.concatenate([255 * np.clip(shown, 0, 1) ** (1 / 2.2), 255 * cover], axis=-1)
    return picture.round().astype(np.uint8)


def _faces(character: Character, mesh: Mesh, pose: Array | None) -> tuple[Array, Array]:
    """Return a mesh's triangles `[F, 3, 3]` m in a pose, and their lit linear colours `[F, 3]`."""
    from kinetoscope_spec.motion import rest_motion

    if pose is None:
        pose = rest_motion(character.skeleton).global_matrices()[0]
    vertices = kinematics.morphed_vertices(mesh)
    homogeneous = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    if mesh.skin is not None:
        moved = np.einsum("vij,vj->vi", kinematics.vertex_matrices(mesh.skin, pose), homogeneous)
    else:
        moved = (homogeneous @ (np.eye(4) if mesh.node is None else pose[mesh.node]).T)[:, :3]
    corners = moved[mesh.corner_vertex[mesh.faces]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = 0.28 + 0.72 * np.abs(normals @ _LIGHT).clip(0, 1)
    owner = np.zeros(len(mesh.faces), np.int64) if mesh.face_material is None else mesh.face_material
    return corners, _base(character.materials)[owner] * light[:, None]


def _base(materials: Sequence[Material]) -> Array:
    held = [np.asarray(material.base_color, np.float64)[:3] for material in materials]
    return np.stack(held or [np.full(3, 0.8)])


def _splatted(triangles: Array, colors: Array, tall: int, wide: int) -> Array:
    """Draw triangles `[F, 3, 3]` in pixels (x right, y down, z near) as points: `[H, W, 4]`, alpha 0 or 1."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    flat = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    # Long thin faces need points along their edges, too.
    rim = sum(np.linalg.norm((q - p)[:, :2], axis=1) for p, q in ((a, b), (b, c), (c, a)))
    counts = (1 + _SAMPLES * flat + 0.5 * rim).astype(np.int64)
    face = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(face)) - np.repeat(np.cumsum(counts) - counts, counts)
    # The R2 sequence (Roberts 2018) fills a square evenly; its upper half is folded onto the triangle.
    u, v = np.mod(0.5 + number * _R2[0], 1.0), np.mod(0.5 + number * _R2[1], 1.0)
    over = u + v > 1
    u, v = np.where(over, 1 - u, u)[:, None], np.where(over, 1 - v, v)[:, None]
    points = a[face] + u * (b - a)[face] + v * (c - a)[face]
    x = points[:, 0].astype(np.int64).clip(0, wide - 1)
    y = points[:, 1].astype(np.int64).clip(0, tall - 1)
    order = np.argsort(points[:, 2], kind="stable")  # of points on one pixel the last one stays: the nearest
    picture = np.zeros((tall * wide, 4))
    picture[(y * wide + x)[order], :3] = colors[face[order]]
    picture[y * wide + x, 3] = 1.0
    return picture.reshape(tall, wide, 4)


def character_html(character: Character) -> str:
    """Return what a notebook shows of a character: a picture of how it rests, and what it is made of."""
    vertices = sum(len(mesh.vertices) for mesh in character.meshes)
    told = f"{len(character.skeleton)} joints, {len(character.meshes)} meshes, {vertices} vertices"
    return _shown(_picture(character), character.name or "Character", told)


def asset_html(asset: Asset) -> str:
    """Return what a notebook shows of an asset: its character, its first motion, and what else it holds."""
    shown = ""
    if asset.meshes:
        pose = asset.motions[0].slice(0, 1).global_matrices()[0] if asset.motions else None
        shown += _picture(asset.character(), pose) + " "
    if asset.motions:
        shown += motion_svg(asset.motions[0])
    told = f"{len(asset.skeleton)} joints, {len(asset.motions)} motions, {len(asset.meshes)} meshes"
    if asset.motions and asset.motions[0].duration:
        told += f"; {asset.motions[0].name or 'the first motion'}: {asset.motions[0].duration:.2f} s"
    return _shown(shown, asset.name or "Asset", told)


def _picture(character: Character, pose: Array | None = None) -> str:
    data = base64.b64encode(png(character_picture(character, pose))).decode()
    return f'<img alt="" src="data:image/png;base64,{data}">'


def _shown(picture: str, name: str, told: str) -> str:
    """Lay a picture over its caption. Names come from files: they are text, whatever they look like."""
    caption = f"<figcaption><b>{html.escape(name)}</b> {html.escape(told)}</figcaption>"
    return f"<figure style='margin:0'>{picture}{caption}</figure>"

"""From an asset to the bytes of a glTF file."""

from __future__ import annotations

import base64
import json
import os
import secrets
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope_glb import _nodes
from kinetoscope_glb._pack import Pack
from kinetoscope_glb._write_materials import STRENGTH, Textures, is_textured, materials
from kinetoscope_glb._write_meshes import Skins, mesh_item
from kinetoscope_glb._write_motions import animation
from kinetoscope_spec import Asset, ConfigError, Mesh, Motion, ValidationError

GENERATOR = "Kinetoscope (kinetoscope-glb)"


def document(asset: Asset, *, motions: Sequence[int] | None, meshes: bool) -> tuple[dict[str, Any], Pack]:
    """Return the JSON of `asset` and the buffer it refers to; see `GlbImporter.write`."""
    pack, chosen = Pack(), _chosen(asset, motions)
    textures, skins = Textures(pack), Skins(pack)
    nodes = _joints(asset)
    roots = [joint for joint, parent in enumerate(asset.skeleton.parents.tolist()) if parent < 0]
    shown: list[dict[str, Any]] = []
    morphing: dict[int, Mesh] = {}
    drawn = [mesh for mesh in asset.meshes if len(mesh.faces)] if meshes else []
    surfaces = materials(asset.materials, textures) if drawn else []
    for mesh in drawn:
        textured = any(is_textured(asset.materials[number]) for number in _materials(mesh, surfaces))
        shown.append(mesh_item(mesh, pack, materials=len(surfaces), textured=textured))
        node = _place(mesh, nodes, roots)
        nodes[node]["mesh"] = len(shown) - 1
        if mesh.skin is not None:
            nodes[node]["skin"] = skins.add(mesh.skin)
        if mesh.morph_names:
            morphing[node] = mesh
    if skins.items:
        roots = _joined(asset, drawn, nodes, roots)
    animations = [animation(motion, morphing, pack) for motion in chosen]
    licence = asset.metadata.get("licence")
    lists = {
        "nodes": nodes,
        "meshes": shown,
        "skins": skins.items,
        "materials": surfaces,
        **textures.fields(),
        "animations": animations,
        **pack.fields(),
        "buffers": [{"byteLength": pack.length}] if pack.length else [],
        "extensionsUsed": [STRENGTH] if any("extensions" in surface for surface in surfaces) else [],
    }
    head = {"version": "2.0", "generator": GENERATOR} | (
        {"copyright": licence} if isinstance(licence, str) else {}
    )
    found = {"asset": head, "scene": 0, "scenes": [{"nodes": roots}]}
    return found | {key: value for key, value in lists.items() if value}, pack


def _chosen(asset: Asset, motions: Sequence[int] | None) -> list[Motion]:
    if motions is None:
        return list(asset.motions)
    for number in motions:
        if not -len(asset.motions) <= number < len(asset.motions):
            raise ConfigError(f"motions has {number}, but the asset {asset.name!r} has {len(asset.motions)}")
    return [asset.motions[number] for number in motions]


def _joints(asset: Asset) -> list[dict[str, Any]]:
    skeleton = asset.skeleton
    nodes: list[dict[str, Any]] = [{"name": name} for name in skeleton.names]
    for joint, parent in enumerate(skeleton.parents.tolist()):
        if parent >= 0:
            nodes[parent].setdefault("children", []).append(joint)
    turns = np.asarray(skeleton.rest_rotations, np.float64)
    turns = turns / np.linalg.norm(turns, axis=1, keepdims=True)
    rest = (
        ("translation", skeleton.rest_positions, (0.0, 0.0, 0.0)),
        ("rotation", turns, _nodes.IDENTITY),
        ("scale", skeleton.rest_scales, (1.0, 1.0, 1.0)),
    )
    for key, values, usual in rest:
        for joint in np.flatnonzero((values != np.array(usual)).any(axis=1)).tolist():
            nodes[joint][key] = values[joint].tolist()
    return nodes


def _helper(name: str, nodes: list[dict[str, Any]], **fields: Any) -> int:
    nodes.append({"name": name, "extras": {_nodes.HELPER: True}, **fields})
    return len(nodes) - 1


def _materials(mesh: Mesh, surfaces: Sequence[Any]) -> list[int]:
    """Return the numbers of the materials that a mesh uses."""
    if not surfaces:
        return []
    return [0] if mesh.face_material is None else np.unique(mesh.face_material).tolist()


def _place(mesh: Mesh, nodes: list[dict[str, Any]], roots: list[int]) -> int:
    """Return the node to show a mesh: its own if that is free, else a helper of its own."""
    if mesh.skin is not None or mesh.node is None:
        roots.append(_helper(mesh.name, nodes))
        return roots[-1]
    if "mesh" not in nodes[mesh.node]:
        return mesh.node
    number = _helper(mesh.name, nodes)
    nodes[mesh.node].setdefault("children", []).append(number)
    return number


def _joined(asset: Asset, drawn: Sequence[Mesh], nodes: list[dict[str, Any]], roots: list[int]) -> list[int]:
    """Return the roots; where a skin has bones below several, they are joined under one (3.7.3.1)."""
    root = np.arange(len(asset.skeleton))
    for joint, parent in enumerate(asset.skeleton.parents.tolist()):
        root[joint] = joint if parent < 0 else root[parent]
    if all(mesh.skin is None or len(set(root[mesh.skin.bones].tolist())) == 1 for mesh in drawn):
        return roots
    joints = [number for number in roots if number < len(asset.skeleton)]
    top = _helper("roots", nodes, children=joints)
    return [top, *(number for number in roots if number >= len(asset.skeleton))]


def file_parts(held: dict[str, Any], pack: Pack, *, binary: bool) -> Iterator[bytes]:
    """Yield the bytes of the file: a GLB (4.4), or JSON with the buffer in it."""
    if not binary:
        if pack.length:
            data = base64.b64encode(b"".join(pack.parts())).decode()
            held["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{data}"
        yield _text(held)
        return
    text = _text(held)
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + (8 + pack.length if pack.length else 0)
    if total >= 2**32:
        raise ValidationError(f"the file would have {total:,} bytes, a GLB holds 4 GiB")
    yield struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A) + text
    if pack.length:
        yield struct.pack("<II", pack.length, 0x004E4942)
        yield from pack.parts()


def _text(held: dict[str, Any]) -> bytes:
    try:
        return json.dumps(held, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise ValidationError(
            f"a name holds {error.object[error.start]!r}, which is no letter in UTF-8"
        ) from None


def write_file(path: Path, parts: Iterator[bytes]) -> None:
    """Write `parts` to a new file beside `path` and put it in its place when it is whole."""
    held = path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}.part")
    # Not by `tempfile`, whose files only their owner may read.
    handle = os.open(held, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
        os.replace(held, path)
    except BaseException:
        os.unlink(held)
        raise

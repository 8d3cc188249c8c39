"""An FBX file into an asset: records, objects, nodes, clips, meshes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._animation import Stack
from kinetoscope_fbx._ascii import parse_ascii
from kinetoscope_fbx._axes import Basis, framerate_of
from kinetoscope_fbx._binary import MAGIC, parse_binary
from kinetoscope_fbx._document import Document, Id, Object, build_document
from kinetoscope_fbx._legacy import build_legacy_document
from kinetoscope_fbx._material import material_of
from kinetoscope_fbx._mesh import Geometry, geometry_of
from kinetoscope_fbx._models import Model, geometric_matrix, models_of
from kinetoscope_fbx._morph import Shapes, shapes_of
from kinetoscope_fbx._node import Node
from kinetoscope_fbx._scene import TRANSFORM_BYTES, bake
from kinetoscope_fbx._skin import skin_of
from kinetoscope_fbx._stacks import stacks_of
from kinetoscope_fbx._textures import Textures
from kinetoscope_spec import Asset, ConfigError, Material, Mesh, Skin

__all__ = ["build_asset"]

Array = NDArray[Any]

_CLIP_BYTES: Final = 256 << 20
_CLIP_BYTES_PER_BYTE: Final = 2048
"""What the clips may take of memory: so much, and so much for each byte of the file."""


def build_asset(data: bytes, path: Path, *, framerate: float | None, stacks: Sequence[str] | None) -> Asset:
    """Return what an FBX file holds. See `FbxImporter.read`."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is told where it would be used
        return _built(data, path, framerate, stacks)


def _built(data: bytes, path: Path, framerate: float | None, stacks: Sequence[str] | None) -> Asset:
    ascii_ = not data.startswith(MAGIC)
    root, version = parse_ascii(data, path) if ascii_ else parse_binary(data, path)
    build = build_legacy_document if version < 6000 else build_document
    document = build(root, version, ascii=ascii_)
    basis = Basis.of(document)
    models = models_of(document)
    chosen = _chosen(list(stacks_of(document)), stacks, path)
    told: list[str] = []
    rate = framerate_of(document) if framerate is None else framerate
    spans = _spans(chosen, rate, len(models), len(data), root)
    bones, motions = bake(chosen, spans, models, basis, rate)
    if bones.helped:
        told.append(
            f"{len(bones.helped)} nodes shear, as uneven scales above turns do in FBX; each has a helper above it"
        )
    materials = _Materials(Textures(document, path.parent, len(data)), told)
    places = {model.held.id: int(place) for model, place in zip(models, bones.place, strict=True)}
    held = [_mesh(document, model, places, basis, materials, len(data), told) for model in models]
    found = [one for one in held if one is not None]
    weights = [_morph_weights(stack, times, found) for stack, times in zip(chosen, spans, strict=True)]
    motions = [
        attrs.evolve(motion, morph_weights=moved) if moved else motion
        for motion, moved in zip(motions, weights, strict=True)
    ]
    return Asset(
        path.stem,
        bones.skeleton,
        motions,
        [mesh for mesh, _ in found],
        materials.made,
        _metadata(document, basis),
        tuple(told),
    )


def _chosen(found: list[Stack], names: Sequence[str] | None, path: Path) -> list[Stack]:
    if names is None:
        return found
    known = {stack.name: stack for stack in found}
    for name in names:
        if name not in known:
            raise ConfigError(f"{path} has no animation stack {name!r}; there are {sorted(known)}")
    return [known[name] for name in names]


def _spans(stacks: list[Stack], rate: float, nodes: int, size: int, root: Node) -> list[Array]:
    """Return the seconds at which each stack is sampled, on the file's clock.

    Raises:
        FormatError: they span more than a file of `size` bytes can mean.
    """
    left = _CLIP_BYTES + _CLIP_BYTES_PER_BYTE * size
    spans: list[Array] = []
    for stack in stacks:
        frames = int(np.floor((stack.stop - stack.start) * rate * (1 + 1e-9) + 1e-6)) + 1
        left -= frames * nodes * TRANSFORM_BYTES
        if left < 0:
            raise root.place.error(
                f"the clip {stack.name!r} spans {stack.stop - stack.start:g} s, {frames:,} frames at {rate:g} Hz "
                f"of {nodes} nodes",
                "as much as a file of that size can mean; ask for a lower framerate or fewer stacks",
            )
        spans.append(stack.start + np.arange(frames) / rate)
    return spans


def _morph_weights(stack: Stack, times: Array, meshes: list[tuple[Mesh, Shapes | None]]) -> dict[str, Array]:
    """Return the weights of morph channels that a stack moves, `[F]` by name."""
    weights: dict[str, Array] = {}
    for _, shapes in meshes:
        for name, channel in (shapes.channels if shapes else {}).items():
            if stack.moves(channel, "DeformPercent"):
                rest = np.array([[[channel.number("DeformPercent", 0.0)]]])
                curve = stack.values([channel], "DeformPercent", rest, times)[0, :, 0] / 100.0
                weights.setdefault(name, curve.astype(np.float32))
    return weights


def _mesh(
    document: Document,
    model: Model,
    places: dict[Id, int],
    basis: Basis,
    materials: _Materials,
    size: int,
    told: list[str],
) -> tuple[Mesh, Shapes | None] | None:
    """Return the mesh that a node carries, and its shapes, or None."""
    holder = next(document.children(model.held, "Geometry", "Mesh"), None)
    if holder is None and model.held.subtype == "Mesh" and document.version < 7000:
        holder = model.held
    geometry = None if holder is None else geometry_of(holder.node)
    if holder is None or geometry is None:
        return None
    node = places[model.held.id]
    inner = geometric_matrix(model.held)
    vertices = geometry.vertices @ inner[:3, :3].T + inner[:3, 3]
    if next(document.children(holder, "Deformer", "VertexCacheDeformer"), None):
        told.append(
            f"{model.name!r} is moved by a vertex cache, which lies in files of its own and is not read"
        )
    skin = skin_of(document, holder, places, len(vertices), model, told)
    shapes = shapes_of(document, holder, len(vertices), size)
    normals = _normals(geometry, inner, basis)
    faces = geometry.faces[:, ::-1] if basis.mirrors != (np.linalg.det(inner[:3, :3]) < 0) else geometry.faces
    own = materials.of(model.held)
    mesh = Mesh(
        model.name,
        basis.points(vertices),
        geometry.corners,
        faces,
        normals=normals,
        uvs=None if geometry.uvs is None else geometry.uvs * (1.0, -1.0) + (0.0, 1.0),
        colors=geometry.colors,
        face_material=_face_materials(geometry, own),
        node=None if skin else node,
        skin=None if skin is None else _in_basis(skin, basis),
        morphs=None if shapes is None else basis.points(shapes.offsets @ inner[:3, :3].T).astype(np.float32),
        morph_names=() if shapes is None else shapes.names,
        morph_peaks=None if shapes is None else np.array(shapes.peaks),
        morph_weights={} if shapes is None else shapes.weights,
    )
    return mesh, shapes


def _in_basis(skin: Skin, basis: Basis) -> Skin:
    return attrs.evolve(skin, inverse_bind=basis.matrices(skin.inverse_bind))


def _normals(geometry: Geometry, inner: Array, basis: Basis) -> Array | None:
    if geometry.normals is None:
        return None
    linear = inner[:3, :3]
    if np.abs(linear - np.eye(3)).max() > 0 and abs(np.linalg.det(linear)) > 1e-12:
        turned = geometry.normals @ np.linalg.inv(linear)
    else:
        turned = geometry.normals
    turned = basis.directions(turned)
    unit: Array = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-300)
    return unit


def _face_materials(geometry: Geometry, own: list[int]) -> Array | None:
    if not own:
        return None
    table = np.array(own)
    return table[np.minimum(geometry.materials, len(own) - 1)]


class _Materials:
    """The materials that meshes use, each made once."""

    def __init__(self, textures: Textures, told: list[str]) -> None:
        self.textures = textures
        self.told = told
        self.made: list[Material] = []
        self.places: dict[Id, int] = {}

    def of(self, model: Object) -> list[int]:
        """Return where the materials of a node stand among those made."""
        found = []
        for held in self.textures.document.children(model, "Material"):
            if held.id not in self.places:
                self.places[held.id] = len(self.made)
                self.made.append(material_of(held, self.textures, self.told))
            found.append(self.places[held.id])
        return found


def _metadata(document: Document, basis: Basis) -> dict[str, Any]:
    header = document.root.find("FBXHeaderExtension")
    creator = document.root.text("Creator") or (header.text("Creator") if header else "")
    return {
        "format": "fbx",
        "version": document.version,
        "encoding": "ascii" if document.ascii else "binary",
        "creator": creator,
        "unit_m": basis.unit_m,
        "axes": basis.names,
        "framerate": framerate_of(document),
    }

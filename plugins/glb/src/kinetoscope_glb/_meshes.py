"""Meshes: primitives joined into one surface, with its skin, its morphs and the nodes that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _morphs, _skins
from kinetoscope_glb._budget import Budget, Warnings
from kinetoscope_glb._json import Item
from kinetoscope_glb._materials import Mapping2D, Surface
from kinetoscope_glb._primitives import Attributes, Primitive, Primitives


@attrs.define(slots=False)
class _Block:
    """Attributes that one or several primitives of a mesh share."""

    attributes: Attributes
    mapping: Mapping2D
    primitives: list[Primitive] = attrs.field(factory=list)
    split: bool = False  # every corner its own, for flat normals

    @property
    def corners(self) -> NDArray[np.int64]:
        """The vertex of each corner, counted within the block."""
        if not self.split:
            return np.arange(len(self.attributes.vertices))
        return np.concatenate([p.faces.ravel() for p in self.primitives])


@attrs.frozen
class Surfaced:
    """A mesh of the file without the node that shows it.

    Attributes:
        item: where it stands in the file.
        name: as the file has it.
        fields: the attributes of a `Mesh` that do not depend on the node.
        influences: for a skin.
        channels: its morphs.
    """

    item: Item
    name: str
    fields: Mapping[str, Any]
    influences: _skins.Influences | None
    channels: _morphs.Channels

    @property
    def size(self) -> int:
        """Vertices and faces together."""
        return len(self.fields["vertices"]) + len(self.fields["faces"])


class Meshes:
    """Builds the meshes of a document, each once, when a node first shows it."""

    def __init__(
        self,
        document: Item,
        primitives: Primitives,
        surfaces: Sequence[Surface],
        unit: float,
        budget: Budget,
        warnings: Warnings,
    ) -> None:
        self._items = document.items("meshes")
        self._primitives = primitives
        self._surfaces = surfaces
        self._unit = unit
        self._budget = budget
        self._warnings = warnings
        self._built: dict[int, Surfaced | None] = {}
        self.lacks_material = False

    def __len__(self) -> int:
        return len(self._items)

    def get(self, index: int) -> Surfaced | None:
        """Return mesh `index`, or None if it has no triangles."""
        if index not in self._built:
            self._built[index] = self._build(self._items[index], index)
        return self._built[index]

    def _build(self, item: Item, index: int) -> Surfaced | None:
        blocks: dict[object, _Block] = {}
        for part in item.items("primitives"):
            primitive = self._primitives.read(part)
            if primitive is None:
                continue
            mapping = self._mapping(part)
            key = (primitive.key, mapping)
            if key not in blocks:
                blocks[key] = _Block(self._primitives.attributes(primitive, mapping.set), mapping)
            blocks[key].primitives.append(primitive)
        if not blocks:
            return None
        return self._surfaced(item, item.text("name") or f"mesh_{index}", list(blocks.values()))

    def _material(self, item: Item) -> int | None:
        return item.index("material", len(self._surfaces), "materials")

    def _mapping(self, item: Item) -> Mapping2D:
        number = self._material(item)
        return Mapping2D() if number is None else self._surfaces[number].mapping

    def _surfaced(self, item: Item, name: str, blocks: list[_Block]) -> Surfaced:
        have = [block.attributes.normals is not None for block in blocks]
        for block in blocks:
            block.split = any(have) and block.attributes.normals is None
        self._count(item, blocks)
        vertices = _joined([block.attributes.vertices for block in blocks])
        faces, materials = self._faces(blocks)
        channels = _morphs.channels(item, max(len(b.attributes.targets) for b in blocks), self._warnings)
        morphs = _morphs.offsets(
            [(len(b.attributes.vertices), b.attributes.targets) for b in blocks], channels
        )
        fields = {
            "vertices": _scaled(vertices, self._unit),
            "corner_vertex": _corner_vertices(blocks),
            "faces": faces,
            "normals": _joined([_normals(block) for block in blocks]) if any(have) else None,
            "uvs": _optional(blocks, "uvs", 2, 0.0),
            "colors": _optional(blocks, "colors", 4, 1.0),
            "face_material": materials if self._surfaces else None,
            "morphs": None if morphs is None else _scaled(morphs, self._unit),
            "morph_names": channels.names,
            "morph_peaks": channels.peaks if channels.names else None,
        }
        return Surfaced(item, name, fields, self._influences(item, blocks), channels)

    def _count(self, item: Item, blocks: list[_Block]) -> None:
        """Count what the mesh is about to take: twice its arrays, for they are joined from parts."""
        total = 0
        for block in blocks:
            faces, count = sum(len(p.faces) for p in block.primitives), len(block.attributes.vertices)
            corners = 3 * faces if block.split else count
            targets, sets = len(block.attributes.targets), len(block.attributes.joints)
            total += 12 * count * (1 + targets) + corners * (8 + 12 + 8 + 16) + faces * 32 + count * sets * 64
        self._budget.take(2 * total, item.where)

    def _faces(self, blocks: list[_Block]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        faces, materials, start = [], [], 0
        for block in blocks:
            done = start
            for primitive in block.primitives:
                count = len(primitive.faces)
                if block.split:
                    faces.append(np.arange(done, done + 3 * count).reshape(-1, 3))
                    done += 3 * count
                else:
                    faces.append(primitive.faces + start if start else primitive.faces)
                number = self._material(primitive.item)
                if number is None:
                    self.lacks_material, number = True, len(self._surfaces)
                materials.append(np.full(count, number))
            start += len(block.corners)
        return _joined(faces), _joined(materials)

    def _influences(self, item: Item, blocks: list[_Block]) -> _skins.Influences | None:
        sets = max(len(block.attributes.joints) for block in blocks)
        if not sets:
            return None
        joints, weights = [], []
        for block in blocks:
            held = block.attributes
            # A primitive with fewer sets is filled up with influences of no weight.
            missing = (len(held.vertices), 4 * (sets - len(held.joints)))
            joints.append(_joined([*held.joints, np.zeros(missing, np.int64)], axis=1))
            weights.append(_joined([*held.weights, np.zeros(missing, np.float32)], axis=1))
        return _skins.merged(_joined(joints), _joined(weights), item.where, self._warnings)


def _scaled(points: NDArray[np.float32], unit: float) -> NDArray[np.float32]:
    return points if unit == 1.0 else points * np.float32(unit)


def _corner_vertices(blocks: list[_Block]) -> NDArray[np.int64]:
    starts = np.cumsum([0, *(len(block.attributes.vertices) for block in blocks)])
    return _joined([b.corners + start for b, start in zip(blocks, starts, strict=False)])


def _optional(blocks: list[_Block], name: str, width: int, missing: float) -> NDArray[Any] | None:
    """Return an attribute `[C, width]` of all corners, `missing` where a block has none."""
    found = []
    for block in blocks:
        held = getattr(block.attributes, name)
        if held is None:
            held = np.full((len(block.attributes.vertices), width), missing, np.float32)
        elif name == "uvs":
            held = block.mapping.applied(held)
        found.append(held[block.corners] if block.split else held)
    if all(getattr(block.attributes, name) is None for block in blocks):
        return None
    return _joined(found)


def _joined(parts: Sequence[NDArray[Any]], axis: int = 0) -> NDArray[Any]:
    """Return `parts` as one array; a single one with anything in it as it is, not copied."""
    filled = [part for part in parts if part.shape[axis]] or [parts[0]]
    return filled[0] if len(filled) == 1 else np.concatenate(filled, axis=axis)


def _normals(block: _Block) -> NDArray[np.float32]:
    """Return the normals of a block's corners: its own, or those of its flat faces (3.7.2.1)."""
    if block.attributes.normals is not None:
        return block.attributes.normals
    corners = block.attributes.vertices[block.corners].astype(np.float64).reshape(-1, 3, 3)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    unit = np.where(length > 0, across / np.where(length > 0, length, 1.0), (0.0, 1.0, 0.0))
    return np.repeat(unit.astype(np.float32), 3, axis=0)

"""Files before version 6: models at the top level, which hold their geometry, materials and links.

There are no connections and no properties: a model lists its `Children` by name, its `Link` records are the
clusters of its skin, and where it rests is what its channels begin with. All of it is brought into the
objects and connections that later versions have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from kinetoscope_fbx._document import Document, Object, bare, connect
from kinetoscope_fbx._node import Node

__all__ = ["build_legacy_document"]

_CUSTOM_RATE: Final = 14
_MATERIAL_FIELDS: Final[Mapping[str, str]] = {
    "Diffuse": "DiffuseColor",
    "Emissive": "EmissiveColor",
    "Shininess": "ShininessExponent",
    "Alpha": "Opacity",
}
_REST: Final[Mapping[str, str]] = {"T": "Lcl Translation", "R": "Lcl Rotation", "S": "Lcl Scaling"}

Properties = dict[str, tuple[Any, ...]]


def build_legacy_document(root: Node, version: int, *, ascii: bool) -> Document:  # noqa: A002 - the format's name
    """Return the objects of a file before version 6.

    Raises:
        FormatError: there is no model.
    """
    document = Document(root, version, ascii, {}, _settings(root))
    rests = _rests(root)
    nodes = [node for node in root.all("Model") if node.values and isinstance(node.values[0], str)]
    if not nodes:
        raise root.place.error("holds no objects", "a record 'Model'")
    for node in nodes:
        title = str(node.values[0])
        subtype = "Mesh" if node.find("Vertices") else node.text("Type", "Null")
        own = _channels(node)
        held = Object(title, "Model", bare(title), subtype, node, rests.get(title, {}) | own)
        document.objects.setdefault(title, held)
    for held in list(document.objects.values()):
        _connect_children(document, held)
        if held.subtype == "Mesh":
            _add_layers(held.node)
            _add_materials(document, held)
            _add_skin(document, held)
    return document


def _settings(root: Node) -> Properties:
    for node in root.all("Settings"):
        try:
            rate = float(node.text("FrameRate", "0"))
        except ValueError:
            continue
        if rate > 0:
            return {"TimeMode": (_CUSTOM_RATE,), "CustomFrameRate": (rate,)}
    return {}


def _rests(root: Node) -> dict[str, Properties]:
    """Return by model where the channels of the first take begin: files of 5.8 say it nowhere else."""
    found: dict[str, Properties] = {}
    for takes in root.all("Takes"):
        for take in takes.all("Take"):
            for node in take.all("Model"):
                if node.values:
                    found.setdefault(str(node.values[0]), _channels(node))
    return found


def _channels(node: Node) -> Properties:
    """Return the defaults of the channels `Transform` of a model."""
    found: Properties = {}
    for transform in node.all("Channel"):
        if not transform.values or transform.values[0] != "Transform":
            continue
        for part in transform.all("Channel"):
            name = _REST.get(str(part.values[0]) if part.values else "")
            axes = [axis.array("Default", np.float64) for axis in part.all("Channel")]
            given = [float(axis[0]) for axis in axes if axis is not None and len(axis)]
            if name and len(given) == 3:
                found[name] = tuple(given)
    return found


def _connect_children(document: Document, held: Object) -> None:
    for node in held.node.all("Children"):
        for name in node.values:
            connect(document, name, held.id)


def _add_layers(node: Node) -> None:
    """Write what a mesh says of its corners as the layers of later versions."""
    vertices, corners = (node.array(name) for name in ("Vertices", "PolygonVertexIndex"))
    counts = len(vertices) // 3 if vertices is not None else 0, len(corners) if corners is not None else 0
    normals = node.find("Normals")
    if normals is not None:
        mapping = _mapping(len(normals.numbers()) // 3, counts)
        _add_layer(node, "Normal", mapping, "Direct", {"Normals": normals})
    info = node.find("GeometryUVInfo")
    table, index = (info.find(name) if info else None for name in ("TextureUV", "TextureUVVerticeIndex"))
    if table is not None:
        count = len(table.numbers()) // 2 if index is None else len(index.numbers())
        held = {"UV": table} if index is None else {"UV": table, "UVIndex": index}
        _add_layer(node, "UV", _mapping(count, counts), "Direct" if index is None else "IndexToDirect", held)
    materials = node.find("Materials")
    if materials is not None:
        mapping = node.text("MaterialAssignation", "AllSame")
        _add_layer(node, "Material", mapping, "Direct", {"Materials": materials})


def _mapping(count: int, counts: tuple[int, int]) -> str:
    """Return what so many values belong to: each corner, or each vertex. Files do not say."""
    vertices, corners = counts
    return {corners: "ByPolygonVertex", vertices: "ByVertice"}.get(count, "")


def _add_layer(node: Node, kind: str, mapping: str, reference: str, held: Mapping[str, Node]) -> None:
    made = _record(f"LayerElement{kind}", node, 0)
    made.children += [
        _record("MappingInformationType", node, mapping),
        _record("ReferenceInformationType", node, reference),
    ]
    for name, values in held.items():
        child = _record(name, node)
        child.values = values.values
        made.children.append(child)
    node.children.append(made)


def _record(name: str, place: Node, *values: Any) -> Node:
    made = place.beside(name)
    made.values = list(values)
    return made


def _add_materials(document: Document, model: Object) -> None:
    for i, node in enumerate(model.node.all("Material")):
        title = str(node.values[0]) if node.values else "material"
        key = f"{model.id}\0material{i}"
        document.objects[key] = Object(key, "Material", bare(title), "", node, dict(_shown(node)))
        connect(document, key, model.id)


def _shown(node: Node) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, later in _MATERIAL_FIELDS.items():
        held = node.array(name, np.float64)
        if held is not None and len(held):
            yield later, tuple(held.tolist())


def _add_skin(document: Document, model: Object) -> None:
    links = [node for node in model.node.all("Link") if node.values]
    if not links:
        return
    key = f"{model.id}\0skin"
    document.objects[key] = Object(key, "Deformer", model.name, "Skin", model.node, {})
    connect(document, key, model.id)
    for i, node in enumerate(links):
        cluster = f"{key}{i}"
        document.objects[cluster] = Object(
            cluster, "Deformer", bare(str(node.values[0])), "Cluster", node, {}
        )
        connect(document, cluster, key)
        connect(document, node.values[0], cluster)

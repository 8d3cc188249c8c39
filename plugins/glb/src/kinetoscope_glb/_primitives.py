"""One primitive of a mesh: its attributes and its triangles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _draco
from kinetoscope_glb._accessors import Accessors, Floats, Whole
from kinetoscope_glb._budget import Budget, Warnings
from kinetoscope_glb._buffers import Buffers
from kinetoscope_glb._json import Item

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_SETS = 64
"""More sets of influences than this in one primitive are refused."""


@attrs.frozen
class Attributes:
    """What stands at the vertices of a primitive.

    `targets` holds the offsets `[V, 3]` of each morph target, None where a target moves nothing.
    """

    vertices: Floats
    normals: Floats | None
    uvs: Floats | None
    colors: Floats | None
    joints: Sequence[Whole]
    weights: Sequence[Floats]
    targets: Sequence[Floats | None]


@attrs.frozen
class Primitive:
    """An item of the file, its triangles `[F, 3]`, and what tells its attributes from others.

    `targets` are the accessors of its morph targets, None where a target moves nothing.
    """

    item: Item
    faces: Whole
    targets: tuple[int | None, ...]
    key: tuple[object, ...]
    packed: _draco.Unpacked | None


class Primitives:
    """Reads the primitives of a document."""

    def __init__(self, accessors: Accessors, buffers: Buffers, budget: Budget, warnings: Warnings) -> None:
        self._accessors = accessors
        self._buffers = buffers
        self._budget = budget
        self._warnings = warnings

    def read(self, item: Item) -> Primitive | None:
        """Return a primitive's triangles, or None if it has points or lines instead."""
        mode = item.whole("mode", 4, high=6)
        if mode < _TRIANGLES:
            what = "points" if mode == 0 else "lines"
            self._warnings.add("modes", f"{item.where} consists of {what}, which are left out")
            return None
        attributes = item.child("attributes")
        position = self._number(attributes, "POSITION")
        if position is None:
            self._warnings.add("no positions", f"{item.where} has no POSITION: it is left out")
            return None
        count = self._accessors.count(position)
        packed = self._packed(item, count)
        corners = packed.faces.ravel() if packed is not None else self._indices(item, count)
        count = count if packed is None else max((len(a) for a in packed.attributes.values()), default=0)
        faces = self._triangles(item, mode if packed is None else _TRIANGLES, corners)
        if faces.size and faces.max() >= count:
            item.refuse(f"names vertex {faces.max()} of {count}", "indices of its vertices")
        named = tuple(sorted((name, self._number(attributes, name)) for name in attributes.data))
        targets = tuple(self._number(target, "POSITION") for target in item.items("targets"))
        key = (named if packed is None else item.where, targets)
        return Primitive(item, faces, targets, key, packed)

    def _number(self, attributes: Item, name: str) -> int | None:
        return attributes.index(name, len(self._accessors), "accessors")

    def _indices(self, item: Item, count: int) -> Whole:
        number = item.index("indices", len(self._accessors), "accessors")
        if number is None:
            self._budget.take(8 * count, f"{item.where} of {count:,} vertices")
            return np.arange(count)
        return self._accessors.whole(number, ("SCALAR",), what="indices")[:, 0]

    def _triangles(self, item: Item, mode: int, corners: Whole) -> Whole:
        """Return `[F, 3]` (glTF 2.0, 3.7.2.1); every other triangle of a strip is turned round."""
        if mode == _TRIANGLES:
            if len(corners) % 3:
                self._warnings.add(
                    "corners",
                    f"{item.where} has {len(corners)} corners, no multiple of 3; the rest is left out",
                )
            return corners[: len(corners) // 3 * 3].reshape(-1, 3)
        if len(corners) < 3:
            return np.zeros((0, 3), np.int64)
        if mode == _FAN:
            first = np.broadcast_to(corners[0], len(corners) - 2)
            return np.stack([corners[1:-1], corners[2:], first], axis=1)
        faces = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
        faces[1::2, 1:] = faces[1::2, :0:-1]
        return faces

    def _packed(self, item: Item, count: int) -> _draco.Unpacked | None:
        extensions = item.child("extensions")
        if _draco.NAME not in extensions:
            return None
        extension = extensions.child(_draco.NAME)
        number = item.index("indices", len(self._accessors), "accessors")
        if number is not None and self._accessors.has_data(number) and not _draco.installed():
            self._warnings.add(
                "draco", f"{extension.where} is not decoded: the plain copy beside it is taken"
            )
            return None
        view = extension.index("bufferView", len(self._buffers), "buffer views")
        if view is None:
            extension.fail("bufferView", "the number of a buffer view")
        corners = count if number is None else self._accessors.count(number)
        data = self._buffers.view(view)[0].tobytes()
        self._budget.compressed = True
        return _draco.decode(extension, data, self._budget, vertices=count, faces=-(-corners // 3))

    def attributes(self, primitive: Primitive, uv_set: int) -> Attributes:
        """Return what stands at the vertices; `uv_set` is the set of texture coordinates wanted."""
        item = primitive.item
        attributes = item.child("attributes")
        reader = _Reader(self._accessors, attributes, self._packed_of(primitive))
        vertices = reader.floats("POSITION", ("VEC3",))
        assert vertices is not None  # `read` has seen it
        uvs = reader.floats(f"TEXCOORD_{uv_set}", ("VEC2",))
        if uvs is None and uv_set:
            uvs = reader.floats("TEXCOORD_0", ("VEC2",))
        sets = [n for n in range(_SETS) if f"JOINTS_{n}" in attributes and f"WEIGHTS_{n}" in attributes]
        found = Attributes(
            vertices,
            _unit(reader.floats("NORMAL", ("VEC3",)), item, self._warnings),
            uvs,
            _rgba(reader.floats("COLOR_0", ("VEC3", "VEC4"))),
            [reader.whole(f"JOINTS_{n}") for n in sets],
            [reader.weights(f"WEIGHTS_{n}") for n in sets],
            [self._target(number) for number in primitive.targets],
        )
        _same_length(found, item)
        return found

    def _packed_of(self, primitive: Primitive) -> Mapping[str, NDArray[Any]]:
        if primitive.packed is None:
            return {}
        ids = primitive.item.child("extensions").child(_draco.NAME).child("attributes")
        found = primitive.packed.attributes
        for name in ids.data:
            if ids.whole(name) not in found:
                ids.fail(name, f"one of the stream's attributes {sorted(found)}")
        return {name: found[ids.whole(name)] for name in ids.data}

    def _target(self, number: int | None) -> Floats | None:
        return None if number is None else self._accessors.floats(number, ("VEC3",), what="morph target")


class _Reader:
    """Takes attributes from accessors, or from a Draco stream in their place."""

    def __init__(self, accessors: Accessors, item: Item, packed: Mapping[str, NDArray[Any]]) -> None:
        self._accessors = accessors
        self._item = item
        self._packed = packed

    def floats(self, name: str, kinds: Sequence[str]) -> Floats | None:
        number = self._item.index(name, len(self._accessors), "accessors")
        if number is None:
            return None
        return self._accessors.floats(number, kinds, what=name, instead=self._packed.get(name))

    def weights(self, name: str) -> Floats:
        found = self.floats(name, ("VEC4",))
        assert found is not None  # the caller has seen it
        return found

    def whole(self, name: str) -> Whole:
        number = self._item.whole(name, high=len(self._accessors) - 1)
        return self._accessors.whole(number, ("VEC4",), what=name, instead=self._packed.get(name))


def _same_length(found: Attributes, item: Item) -> None:
    count = len(found.vertices)
    single = [found.normals, found.uvs, found.colors]
    for array in (*single, *found.joints, *found.weights, *found.targets):
        if array is not None and len(array) != count:
            item.refuse(f"has {count} positions and {len(array)} of another attribute", "as many of each")


def _unit(normals: Floats | None, item: Item, warnings: Warnings) -> Floats | None:
    if normals is None:
        return None
    length = np.sqrt(np.einsum("ij,ij->i", normals, normals, dtype=np.float64))
    if len(length) and not length.min():
        warnings.add("zero normals", f"{item.where} has normals of length 0: they point up here")
        normals[length == 0] = (0.0, 1.0, 0.0)
        length[length == 0] = 1.0
    unit: Floats = (normals / length[:, None]).astype(np.float32)
    return unit


def _rgba(colors: Floats | None) -> Floats | None:
    if colors is None or colors.shape[1] == 4:
        return colors
    return np.concatenate([colors, np.ones((len(colors), 1), np.float32)], axis=1)

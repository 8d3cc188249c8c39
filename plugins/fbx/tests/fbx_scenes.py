"""Small FBX scenes for tests, written as text of version 7.4 or as binary records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_fbx._ascii import parse_ascii
from kinetoscope_fbx._node import Node
from kinetoscope_fbx.contract import encode_binary

SECOND = 46_186_158_000
CONSTANT, LINEAR, CUBIC = 2, 4, 8
NEXT, AUTO, TCB, USER, BREAK = 0x100, 0x100, 0x200, 0x400, 0x800
CLAMP, TIME_INDEPENDENT, CLAMP_PROGRESSIVE = 0x1000, 0x2000, 0x4000
WEIGHTED_RIGHT, WEIGHTED_NEXT_LEFT = 0x1000000, 0x2000000

_ARRAYS = {
    "KeyTime": "i8", "KeyValueFloat": "f4", "KeyAttrFlags": "i4", "KeyAttrDataFloat": "f4",
    "KeyAttrRefCount": "i4", "Vertices": "f8", "PolygonVertexIndex": "i4", "Normals": "f8",
    "NormalsIndex": "i4", "UV": "f8", "UVIndex": "i4", "Colors": "f8", "ColorIndex": "i4",
    "Materials": "i4", "Indexes": "i4", "Weights": "f8", "Transform": "f8", "TransformLink": "f8",
    "FullWeights": "f8",
}  # fmt: skip


def numbers(values: Iterable[float]) -> str:
    listed = [repr(value.item() if isinstance(value, np.generic) else value) for value in values]
    return f"*{len(listed)} {{ a: {','.join(listed)} }}"


def bits(value: float) -> int:
    """Return the bits of a float32 as text files hold them."""
    return int(np.array(value, np.float32).view(np.int32))


@attrs.define
class Key:
    """A key: seconds, value, flags; the slopes that leave it and arrive at the next; their weights."""

    time: float
    value: float
    flags: int = LINEAR
    data: Sequence[float] = (0.0, 0.0)
    weights: tuple[float, float] = (1 / 3, 1 / 3)
    bias: float | None = None


class Scene:
    """Objects and connections, in the order in which they were added."""

    def __init__(self, **settings: float) -> None:
        self.settings = {"UnitScaleFactor": 1.0, "TimeMode": 3, **settings}
        self.objects: list[str] = []
        self.connections: list[str] = []
        self.count = 0

    def add(
        self, kind: str, title: str, subtype: str, body: str = "", *, to: int | None = None, prop: str = ""
    ) -> int:
        self.count += 1
        self.objects.append(f'{kind}: {self.count}, "{title}", "{subtype}" {{ {body} }}')
        if to is not None:
            self.connect(self.count, to, prop)
        return self.count

    def connect(self, source: int, to: int, prop: str = "") -> None:
        link = f'C: "OP",{source},{to}, "{prop}"' if prop else f'C: "OO",{source},{to}'
        self.connections.append(link)

    def node(self, name: str, parent: int = 0, subtype: str = "LimbNode", **properties: Any) -> int:
        """Add a node; properties by name with `_` for blanks: `Lcl_Translation=(1, 2, 3)`."""
        return self.add("Model", f"Model::{name}", subtype, block(properties), to=parent)

    def stack(self, name: str, start: float, stop: float) -> int:
        span = {"LocalStart": round(start * SECOND), "LocalStop": round(stop * SECOND)}
        return self.add("AnimationStack", f"AnimStack::{name}", "", block(span))

    def layer(self, stack: int, **properties: Any) -> int:
        return self.add("AnimationLayer", "AnimLayer::layer", "", block(properties), to=stack)

    def channel(self, layer: int, target: int, prop: str, **defaults: float) -> int:
        values = {f"d|{axis}": value for axis, value in defaults.items()}
        held = self.add("AnimationCurveNode", "AnimCurveNode::held", "", block(values), to=layer)
        self.connect(held, target, prop)
        return held

    def curve(self, channel: int, axis: str, keys: Sequence[Key], before: str = "", after: str = "") -> int:
        def data(key: Key) -> list[int]:
            packed = round(key.weights[0] * 1e4) | round(key.weights[1] * 1e4) << 16
            third = packed - (1 << 32) * (packed >= 1 << 31) if key.bias is None else bits(key.bias)
            return [bits(key.data[0]), bits(key.data[1]), third, 0]

        ends = "".join(
            f"{name}-Extrapolation: {{ Type: {end[0]} Repetition: {int(end[1:] or -1)} }} "
            for name, end in (("Pre", before), ("Post", after))
            if end
        )
        body = (
            f"KeyTime: {numbers([round(key.time * SECOND) for key in keys])} "
            f"KeyValueFloat: {numbers([float(key.value) for key in keys])} "
            f"KeyAttrFlags: {numbers([key.flags for key in keys])} "
            f"KeyAttrDataFloat: {numbers([bit for key in keys for bit in data(key)])} "
            f"KeyAttrRefCount: {numbers([1] * len(keys))} {ends}"
        )
        return self.add("AnimationCurve", "AnimCurve::", "", body, to=channel, prop=f"d|{axis}")

    def mesh(self, node: int, vertices: Any, polygons: Sequence[Sequence[int]], layers: str = "") -> int:
        ends = [i if k < len(p) - 1 else ~i for p in polygons for k, i in enumerate(p)]
        body = f"Vertices: {numbers(np.ravel(vertices))} PolygonVertexIndex: {numbers(ends)} {layers}"
        return self.add("Geometry", "Geometry::mesh", "Mesh", body, to=node)

    def skin(
        self,
        geometry: int,
        clusters: Sequence[tuple[int, Sequence[int], Sequence[float], Any]],
        body: str = "",
    ) -> int:
        """Weigh vertices: of each bone the vertices, their weights, and the matrix mesh to bone `[4, 4]`."""
        held = self.add("Deformer", "Deformer::skin", "Skin", body, to=geometry)
        for bone, vertices, weights, matrix in clusters:
            body = (
                f"Indexes: {numbers(vertices)} Weights: {numbers(map(float, weights))} "
                f"Transform: {numbers(np.asarray(matrix, float).T.ravel())} "
                f"TransformLink: {numbers(np.linalg.inv(np.asarray(matrix, float)).T.ravel())}"
            )
            cluster = self.add("Deformer", "SubDeformer::cluster", "Cluster", body, to=held)
            self.connect(bone, cluster)
        return held

    def text(self, version: int = 7400) -> bytes:
        settings = block(self.settings)
        lines = [
            f"; FBX {version // 1000}.{version // 100 % 10}.0 project file",
            f"FBXHeaderExtension: {{ FBXVersion: {version} }}",
            f"GlobalSettings: {{ {settings} }}",
            "Objects: {", *self.objects, "}", "Connections: {", *self.connections, "}",
        ]  # fmt: skip
        return "\n".join(lines).encode()

    def binary(self, version: int = 7400, *, big_endian: bool = False, deflate: bool = True) -> bytes:
        root, _ = parse_ascii(self.text(version), Path("built.fbx"))
        _type(root)
        return encode_binary(root, version, big_endian=big_endian, deflate=deflate)


def block(properties: dict[str, Any]) -> str:
    """Return a `Properties70` block."""
    lines = []
    for name, held in properties.items():
        values = held if isinstance(held, Sequence) and not isinstance(held, str) else (held,)
        listed = ",".join(repr(value) for value in values)
        lines.append(f'P: "{name.replace("_", " ") if "Lcl" in name else name}", "", "", "A",{listed}')
    return "Properties70: {\n" + "\n".join(lines) + "\n}"


def _type(node: Node) -> None:
    for child in node.children:
        if child.name in _ARRAYS:
            raw = child.numbers(np.int64 if child.name == "KeyTime" else np.float64)
            if child.name == "KeyAttrDataFloat":
                raw = raw.astype(np.int64).astype(np.int32).view(np.float32)
            child.values = [raw.astype(_ARRAYS[child.name])]
        if node.name.endswith("Extrapolation") and child.name == "Type":
            child.values = [np.uint8(ord(child.values[0]))]
        _type(child)

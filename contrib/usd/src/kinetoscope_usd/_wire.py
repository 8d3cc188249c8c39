"""How an asset travels from the reading process to this one: a JSON tree, and its arrays as plain bytes.

No pickle: the bytes come from a process that has just parsed a stranger's file. What they say is
built into value types again on this side, which check it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import attrs
import numpy as np

from kinetoscope_spec import Asset, Material, Mesh, Motion, Skeleton, Skin

__all__ = ["decode", "encode"]

_TYPES = {kind.__name__: kind for kind in (Asset, Skeleton, Motion, Mesh, Skin, Material)}
_DTYPES = {"float32", "float64", "int64", "uint8"}
_LENGTH = struct.Struct("<Q")


def encode(value: object, file: BinaryIO) -> None:
    """Write `value`, made of value types, mappings, sequences, numbers and texts, to `file`."""
    arrays: list[np.ndarray[Any, Any]] = []
    tree = json.dumps(_flat(value, arrays, {})).encode()
    file.write(_LENGTH.pack(len(tree)))
    file.write(tree)
    for array in arrays:
        file.write(np.ascontiguousarray(array).tobytes())


def _flat(value: object, arrays: list[np.ndarray[Any, Any]], seen: dict[int, int]) -> object:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": [value.dtype.name, list(value.shape)]}
    name = type(value).__name__
    if name in _TYPES:
        if isinstance(value, Skeleton):  # motions share the asset's: it travels once
            if id(value) in seen:
                return {"same": seen[id(value)]}
            seen[id(value)] = len(seen)
        fields = attrs.fields(type(value))  # type: ignore[arg-type]
        held = [[f.name, _flat(getattr(value, f.name), arrays, seen)] for f in fields if f.init]
        return {"value": [name, held]}
    if isinstance(value, Mapping):
        return {"mapping": [[key, _flat(item, arrays, seen)] for key, item in value.items()]}
    if isinstance(value, tuple | list):
        return {"items": [_flat(item, arrays, seen) for item in value]}
    return value


def decode(data: bytes) -> Any:
    """Return what was encoded.

    Raises:
        ValueError: the bytes are not what `encode` writes.
        ValidationError: a value type refuses what they say.
    """
    (length,) = _LENGTH.unpack_from(data)
    tree = json.loads(data[8 : 8 + length])
    return _Reader(data, 8 + length).build(tree)


class _Reader:
    def __init__(self, data: bytes, offset: int) -> None:
        self.data = data
        self.offset = offset
        self.skeletons: list[Skeleton] = []

    def build(self, tree: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        ((kind, held),) = tree.items()
        if kind == "array":
            return self.array(*held)
        if kind == "same":
            return self.skeletons[held]
        if kind == "items":
            return tuple(self.build(item) for item in held)
        if kind == "mapping":
            return {key: self.build(item) for key, item in held}
        name, fields = held
        built = _TYPES[name](**{field.lstrip("_"): self.build(item) for field, item in fields})
        if isinstance(built, Skeleton):
            self.skeletons.append(built)
        return built

    def array(self, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
        if dtype not in _DTYPES:
            raise ValueError(f"an array of {dtype}")
        count = int(np.prod(shape, dtype=np.int64))
        # A copy: otherwise one small array of an asset would keep the whole file's bytes alive.
        array = np.frombuffer(self.data, dtype, count, self.offset).reshape(shape).copy()
        self.offset += array.nbytes
        return array

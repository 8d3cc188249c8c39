"""Reads the constants of an ONNX file: as much of protobuf as that takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kinetoscope_spec import FormatError

__all__ = ["initializers"]

# Field numbers of onnx.proto: ModelProto.graph, GraphProto.initializer; TensorProto's own.
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_FLOAT = 1


def initializers(path: Path) -> dict[str, np.ndarray]:
    """Return the float32 constants of the ONNX file at `path` that are stored raw, by name.

    Raises:
        FormatError: it is no protobuf.
    """
    data = memoryview(path.read_bytes())
    try:
        graph = next(value for field, value in _fields(data) if field == _GRAPH)
        assert not isinstance(graph, int)
        tensors = (_tensor(value) for field, value in _fields(graph) if field == _INITIALIZER)
        return {name: array for name, array in tensors if array is not None}
    except (IndexError, StopIteration, ValueError, AssertionError) as error:
        raise FormatError("is no ONNX model", path=path) from error


def _tensor(data: memoryview | int) -> tuple[str, np.ndarray | None]:
    assert not isinstance(data, int)
    shape: list[int] = []
    name, kind, raw = "", 0, None
    for field, value in _fields(data):
        if field == _DIMS:
            shape += [value] if isinstance(value, int) else _packed(value)
        elif field == _TYPE and isinstance(value, int):
            kind = value
        elif field == _NAME and not isinstance(value, int):
            name = bytes(value).decode()
        elif field == _RAW and not isinstance(value, int):
            raw = value
    if kind != _FLOAT or raw is None:
        return name, None
    return name, np.frombuffer(raw, "<f4").reshape(shape)


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield number and value of each field: a whole number, or the bytes of anything longer."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == 2:
            length, at = _varint(data, at)
        else:
            length = {1: 8, 5: 4}[wire] if wire in (1, 5) else -1
        if length < 0 or at + length > len(data):
            raise ValueError("field runs over the end")
        yield key >> 3, data[at : at + length]
        at += length


def _packed(data: memoryview) -> list[int]:
    numbers, at = [], 0
    while at < len(data):
        number, at = _varint(data, at)
        numbers.append(number)
    return numbers


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7

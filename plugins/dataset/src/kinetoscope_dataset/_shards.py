"""Arrays as sharded Zarr v3: encoded and decoded here, since one call of zarr-python costs milliseconds.

An array `[T, …]` of float32 is cut along T into chunks of `CHUNK` frames, and these are packed into
shards of up to `SHARD` frames, an object each. The codecs are those of the Zarr v3 core and its
registered extensions: `sharding_indexed` of (`transpose`, `bytes`, `blosc`, `crc32c`), its index at
the end, little-endian and under a `crc32c`. The transposition puts the frames of one number next to
each other, which halves what LZ4 makes of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import google_crc32c
import numpy as np
from numcodecs import blosc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from kinetoscope_spec import FormatError

__all__ = ["CHUNK", "SHARD", "Layout", "array_document", "decode", "encode", "layout_of", "object_key"]

CHUNK: Final = 64
"""Frames in a chunk: what is read at once; a window of two seconds at 30 Hz touches one or two."""

SHARD: Final = 8192
"""Most frames in a shard, one object."""

LEVEL: Final = 5
LZ4_RATIO: Final = 255
"""No byte of LZ4 stands for more than this (its block format's specification)."""

FILLING: Final = 2**64 - 1
"""Offset and length in a shard's index of a chunk that is not there."""

Floats = NDArray[np.float32]


@attrs.frozen
class Layout:
    """How an array is cut: its shape, frames a chunk, frames a shard."""

    shape: tuple[int, ...]
    chunk: int
    shard: int

    @property
    def chunk_bytes(self) -> int:
        """Bytes of one chunk, decoded."""
        return 4 * self.chunk * int(np.prod(self.shape[1:]))

    @property
    def index_bytes(self) -> int:
        """Bytes of a shard's index and its checksum."""
        return 16 * (self.shard // self.chunk) + 4


def layout_for(shape: Sequence[int]) -> Layout:
    """Return the layout in which an array of this shape is written."""
    frames = -(-shape[0] // CHUNK) * CHUNK
    return Layout(tuple(shape), CHUNK, min(frames, SHARD))


def object_key(layout: Layout, shard: int) -> str:
    """Return the key of one of an array's shards, relative to it: `c.0.0.0`, `c.1.0.0`, …"""
    return f"c.{shard}" + ".0" * (len(layout.shape) - 1)


def _codecs(dimensions: int) -> list[dict[str, Any]]:
    order = [*range(1, dimensions), 0]
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    packing = {"cname": "lz4", "clevel": LEVEL, "shuffle": "shuffle", "typesize": 4, "blocksize": 0}
    return [
        {"name": "transpose", "configuration": {"order": order}},
        little,
        {"name": "blosc", "configuration": packing},
        {"name": "crc32c"},
    ]


def array_document(layout: Layout, attributes: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the `zarr.json` of an array in this layout; `names` are its dimensions'."""
    rest = list(layout.shape[1:])
    sharding = {
        "chunk_shape": [layout.chunk, *rest],
        "codecs": _codecs(len(layout.shape)),
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "index_location": "end",
    }
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(layout.shape),
        "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [layout.shard, *rest]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": 0.0,
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
        "dimension_names": list(names),
        "attributes": dict(attributes),
    }


def layout_of(document: Mapping[str, Any]) -> Layout | None:
    """Return the layout that a `zarr.json` states, or None where it is another than ours."""
    try:
        shape = tuple(document["shape"])
        shard = document["chunk_grid"]["configuration"]["chunk_shape"][0]
        chunk = document["codecs"][0]["configuration"]["chunk_shape"][0]
        fits = all(type(n) is int and n > 0 for n in (*shape, shard, chunk)) and shard % chunk == 0
        layout = Layout(shape, chunk, shard)
        if not fits:
            return None
        wanted = array_document(layout, {}, ())
    except (KeyError, IndexError, TypeError):
        return None
    compared = ("zarr_format", "data_type", "chunk_grid", "chunk_key_encoding", "codecs")
    return layout if all(document.get(name) == wanted[name] for name in compared) else None


def encode(parts: Sequence[Floats], layout: Layout) -> Iterator[tuple[str, bytes]]:
    """Yield (key, bytes) of each shard of an array whose `parts` stand side by side on its last axis."""
    for i, start in enumerate(range(0, layout.shape[0], layout.shard)):
        yield object_key(layout, i), _shard([part[start : start + layout.shard] for part in parts], layout)


def _shard(parts: Sequence[Floats], layout: Layout) -> bytes:
    packed: list[bytes] = []
    index = np.full((layout.shard // layout.chunk, 2), FILLING, "<u8")
    at = 0
    for i, start in enumerate(range(0, len(parts[0]), layout.chunk)):
        chunk = _chunk([part[start : start + layout.chunk] for part in parts], layout)
        index[i] = at, len(chunk)
        packed.append(chunk)
        at += len(chunk)
    return b"".join((*packed, _checked(index.tobytes())))


def _chunk(parts: Sequence[Floats], layout: Layout) -> bytes:
    """Pack some frames; the parts are put together in the order in which they are stored, copied once."""
    frames = len(parts[0])
    block = (np.empty if frames == layout.chunk else np.zeros)((*layout.shape[1:], layout.chunk), "<f4")
    at = 0
    for part in parts:
        width = part.shape[-1]
        block[..., at : at + width, :frames] = part.transpose(*range(1, part.ndim), 0)
        at += width
    return _checked(blosc.compress(block, b"lz4", LEVEL, blosc.SHUFFLE, 0, 4))


def _checked(data: bytes) -> bytes:
    return data + struct.pack("<I", google_crc32c.value(data))


Read = Callable[[str, int | None, int | None], bytes]
"""`read(key, start, stop)`: bytes of one of the array's objects."""


def decode(read: Read, layout: Layout, start: int, stop: int, path: object) -> Floats:
    """Return frames `start` to `stop` (not included) of an array.

    Nothing is taken on trust: memory is made for chunks that are there, not for those declared.

    Args:
        read: reads the array's objects.
        layout: how it is cut.
        start: the first frame, 0 or more.
        stop: the frame after the last one, at most T.
        path: what errors call the array.

    Raises:
        FormatError: a shard is damaged or a chunk of it missing.
    """
    blocks: list[Floats] = []
    for i in range(start // layout.shard, -(-stop // layout.shard)):
        first = max(start - i * layout.shard, 0)
        last = min(stop - i * layout.shard, layout.shard)
        chunks = range(first // layout.chunk, -(-last // layout.chunk))
        key = object_key(layout, i)
        shard = _Shard(read, key, layout, f"{path}/{key}", whole=len(chunks) > 2)
        blocks += [shard.chunk(j) for j in chunks]
    at = start - start // layout.chunk * layout.chunk
    joined = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=-1)
    return np.ascontiguousarray(np.moveaxis(joined[..., at : at + stop - start], -1, 0))


class _Shard:
    """One shard's bytes: read whole where several chunks are wanted, else the index and one by one."""

    def __init__(self, read: Read, key: str, layout: Layout, path: str, *, whole: bool) -> None:
        self._read, self._key, self._layout, self._path = read, key, layout, path
        try:
            self._data = read(key, None, None) if whole else None
            tail = read(key, -layout.index_bytes, None) if self._data is None else self._data
        except FileNotFoundError as error:
            raise FormatError("the shard is missing", path=path) from error
        tail = tail[-layout.index_bytes :]
        self._index = np.frombuffer(self._verified(tail, layout.index_bytes, "index"), "<u8").reshape(-1, 2)

    def _verified(self, data: bytes, size: int | None, what: str) -> bytes:
        if len(data) < 4 or (size is not None and len(data) != size):
            raise FormatError(f"the {what} is cut off", path=self._path)
        body, stated = data[:-4], struct.unpack("<I", data[-4:])[0]
        if google_crc32c.value(body) != stated:
            raise FormatError(f"the checksum of the {what} is wrong: the file is damaged", path=self._path)
        return body

    def chunk(self, j: int) -> Floats:
        """Return chunk `j`, `[…, frames]`."""
        at, size = (int(n) for n in self._index[j])
        if at == FILLING:
            raise FormatError(f"chunk {j} is missing", path=self._path)
        held = self._data
        data = self._read(self._key, at, at + size) if held is None else held[at : at + size]
        packed = self._verified(data, size, f"chunk {j}")
        wanted = self._layout.chunk_bytes
        # The blosc header: four bytes of versions and flags, then decoded, block and encoded size.
        stated = struct.unpack("<III", packed[4:16]) if len(packed) >= 16 else (0, 0, 0)
        if stated[0] != wanted or stated[2] != len(packed) or wanted > LZ4_RATIO * len(packed):
            raise FormatError(f"chunk {j} holds {stated[0]:,} bytes", path=self._path, expected=f"{wanted:,}")
        try:
            raw = blosc.decompress(packed)
        except RuntimeError as error:
            raise FormatError(f"chunk {j} can't be decompressed: {error}", path=self._path) from error
        return np.frombuffer(raw, "<f4").reshape(*self._layout.shape[1:], self._layout.chunk)

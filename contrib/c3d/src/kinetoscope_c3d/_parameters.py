"""The header and the parameter section of a C3D file.

After "The C3D File Format User Guide" (Motion Lab Systems, c3d.org). Numbers are in the byte order
and float format of the processor that the section names: Intel, DEC (VAX) or MIPS.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NoReturn

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_c3d.signature import BLOCK, parameter_start
from kinetoscope_spec import FormatError

__all__ = ["Document", "Numbers", "read_document"]

_INTEL, _DEC, _MIPS = 84, 85, 86


@attrs.frozen
class Numbers:
    """How a processor writes numbers."""

    processor: int

    def words(self, data: bytes) -> NDArray[np.int16]:
        """Return 16-bit integers."""
        order = ">i2" if self.processor == _MIPS else "<i2"
        return np.frombuffer(data, order, len(data) // 2).astype(np.int16)

    def floats(self, data: bytes) -> NDArray[np.float32]:
        """Return 32-bit floats; a DEC float is `0.1f * 2**(e - 128)` in two swapped words."""
        if self.processor != _DEC:
            order = ">f4" if self.processor == _MIPS else "<f4"
            return np.frombuffer(data, order, len(data) // 4).astype(np.float32)
        pairs = np.frombuffer(data, "<u2", len(data) // 4 * 2).astype(np.uint32).reshape(-1, 2)
        exponent = (pairs[:, 0] >> 7 & 0xFF).astype(np.int32)
        fraction = ((pairs[:, 0] & 0x7F) << 16 | pairs[:, 1]).astype(np.float64) + 2.0**23
        value = np.where(exponent == 0, 0.0, np.ldexp(fraction, exponent - 152))
        return np.where(pairs[:, 0] >> 15, -value, value).astype(np.float32)


@attrs.frozen
class Parameter:
    """One parameter: -1 texts, 1 bytes, 2 words, 4 floats; its dimensions, the fastest first."""

    kind: int
    dimensions: tuple[int, ...]
    data: bytes
    numbers: Numbers

    def values(self) -> list[float]:
        """Return the numbers, flat; none if it holds texts."""
        if self.kind == 1:
            return [float(byte) for byte in self.data]
        if self.kind == 2:
            return [float(word) for word in self.numbers.words(self.data)]
        return [float(x) for x in self.numbers.floats(self.data)] if self.kind == 4 else []

    def texts(self) -> list[str]:
        """Return the texts without the blanks that fill them up; none if it holds numbers."""
        if self.kind != -1 or not self.data:
            return []
        size = self.dimensions[0] if self.dimensions else 1
        if size == 0:
            return []
        return [_text(self.data[i : i + size]) for i in range(0, len(self.data), size)]


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\0", " ").strip()


@attrs.frozen
class Document:
    """What a file says about its frames: header words, and parameters by `GROUP:NAME`."""

    words: NDArray[np.uint16]
    header_floats: tuple[float, float]
    parameters: dict[str, Parameter]
    numbers: Numbers

    def number(self, name: str, default: float) -> float:
        """Return the first number of a parameter; `default` if it is not there or not finite."""
        values = self.parameters[name].values() if name in self.parameters else []
        return values[0] if values and math.isfinite(values[0]) else default

    def word(self, name: str, default: int) -> int:
        """Return the first number of a parameter as it is meant: words count to 65,535."""
        value = self.number(name, default)
        held = self.parameters.get(name)
        return int(value) & 0xFFFF if held is not None and held.kind == 2 else int(value)

    def long(self, name: str) -> int | None:
        """Return a number in two words, the low one first, None if it is not there."""
        held = self.parameters.get(name)
        if held is None or held.kind != 2 or len(held.data) < 4:
            return None
        low, high = (int(word) & 0xFFFF for word in held.numbers.words(held.data)[:2])
        return low + (high << 16)

    def texts(self, name: str) -> list[str]:
        """Return the texts of a parameter and of those that go on: LABELS, LABELS2, LABELS3, …"""
        found: list[str] = []
        number = 1
        while (key := name if number == 1 else f"{name}{number}") in self.parameters:
            found += self.parameters[key].texts()
            number += 1
        return found


def read_document(data: bytes, path: object) -> Document:
    """Return what `data` says before its frames.

    Raises:
        FormatError: naming the byte at which something else was expected.
    """
    start = parameter_start(data)
    if start is None:
        raise FormatError(
            f"the file begins with {data[:2]!r}", path=path, offset=0, expected="a block number and 0x50"
        )
    if start + 4 > len(data) or len(data) < BLOCK:
        raise FormatError("the parameter section is not there", path=path, offset=min(start, len(data)))
    processor = data[start + 3]
    if processor not in (_INTEL, _DEC, _MIPS):
        raise FormatError(
            f"processor {processor}",
            path=path,
            offset=start + 3,
            expected="84 (Intel), 85 (DEC) or 86 (MIPS)",
        )
    numbers = Numbers(processor)
    words = numbers.words(data[:BLOCK]).view(np.uint16)
    scale, rate = (float(numbers.floats(data[at : at + 4])[0]) for at in (12, 20))
    return Document(words, (scale, rate), _parameters(data, start + 4, numbers, path), numbers)


def _parameters(data: bytes, start: int, numbers: Numbers, path: object) -> dict[str, Parameter]:
    groups: dict[int, str] = {}
    held: list[tuple[int, str, Parameter]] = []
    for identity, name, body in _entries(data, start, numbers, path):
        if identity < 0:
            groups[-identity] = name
        else:
            held.append((identity, name, _parameter(data, body, numbers, path)))
    return {f"{groups.get(group, group)}:{name}": parameter for group, name, parameter in held}


def _entries(data: bytes, start: int, numbers: Numbers, path: object) -> Iterator[tuple[int, str, int]]:
    """Yield number, name and place of what follows, of every group (below zero) and parameter."""
    at = start
    while at + 2 <= len(data):
        # A length below zero means that the entry is locked.
        length, identity = (int(x) for x in np.frombuffer(data, np.int8, 2, at))
        if length == 0 or identity == 0:
            return
        place = at + 2 + abs(length)
        if place + 2 > len(data):
            _fail(path, at, "a parameter breaks off")
        offset = int(numbers.words(data[place : place + 2])[0])
        yield identity, _text(data[at + 2 : place]).upper(), place + 2
        if offset == 0:
            return
        if offset < 2:
            _fail(path, place, f"a parameter says that the next one lies {offset} bytes on", "2 or more")
        at = place + offset


def _parameter(data: bytes, at: int, numbers: Numbers, path: object) -> Parameter:
    if at + 2 > len(data):
        _fail(path, at, "a parameter breaks off")
    kind, count = int(np.frombuffer(data, np.int8, 1, at)[0]), data[at + 1]
    if kind not in (-1, 1, 2, 4) or count > 7:
        _fail(path, at, f"a parameter of kind {kind} in {count} dimensions", "-1, 1, 2 or 4, in 7 at most")
    dimensions = tuple(data[at + 2 : at + 2 + count])
    size = math.prod(dimensions) * abs(kind)
    begin = at + 2 + count
    if begin + size > len(data):
        _fail(path, at, f"a parameter of {size:,} bytes goes beyond the end of the file")
    return Parameter(kind, dimensions, data[begin : begin + size], numbers)


def _fail(path: object, at: int, message: str, expected: str | None = None) -> NoReturn:
    raise FormatError(message, path=path, offset=at, expected=expected)

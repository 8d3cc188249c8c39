"""The JSON of a glTF, parsed with care, and typed access to what is in it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from kinetoscope_spec import FormatError

MOST = 1e30
"""Numbers beyond this are refused: what they are multiplied with would leave float32's range."""


class _Refused(Exception):
    """Something in the JSON that glTF does not allow, found while parsing."""


def parse(data: bytes, path: Path, *, offset: int = 0) -> Item:
    """Return the top object of the JSON text `data`, which stands at `offset` in the file.

    Raises:
        FormatError: it is no JSON object in UTF-8, is nested too deep, or has a key twice.
    """
    try:
        text = data.decode("utf-8-sig")
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise FormatError(
            "the JSON is not UTF-8", path=path, offset=offset + error.start, expected="UTF-8 text"
        ) from None
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode("utf-8", "surrogatepass"))
        raise FormatError(f"the JSON breaks off: {error.msg}", path=path, offset=offset + at) from None
    except RecursionError:
        raise FormatError("the JSON is nested hundreds of levels deep", path=path, offset=offset) from None
    except (_Refused, ValueError) as error:  # ValueError: a whole number of thousands of digits
        raise FormatError(f"the JSON is refused: {str(error)[:200]}", path=path, offset=offset) from None
    if not isinstance(found, dict):
        raise FormatError("the JSON is no object", path=path, offset=offset, expected='{"asset": ...}')
    return Item(found, "", path)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(f"the key {key[:80]!r} stands twice in one object")
            seen.add(key)
    return found


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is no number in JSON")


_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother, _REPR.maxlist, _REPR.maxdict = 3, 80, 80, 6, 4


def quoted(value: Any) -> str:
    """Return a value of the JSON as a message shows it: short, however large or deep it is."""
    return _REPR.repr(value)[:100]


class Item:
    """One object of the JSON: `data`, and `where` it stands (`nodes[3].extras`), for messages.

    Every getter raises a `FormatError` that names file, place and what was expected.
    """

    __slots__ = ("_array", "_number", "data", "path")

    def __init__(self, data: dict[str, Any], where: str, path: Path, number: int | None = None) -> None:
        self.data = data
        self.path = path
        self._array = where
        self._number = number

    @property
    def where(self) -> str:
        """Where it stands; put together when asked for, which of most objects nobody does."""
        return self._array if self._number is None else f"{self._array}[{self._number}]"

    def fail(self, key: str, expected: str) -> NoReturn:
        """Say that the value of `key` is not what is expected."""
        found = self.data.get(key)
        shown = "missing" if key not in self.data else quoted(found)
        raise FormatError(f"{self.place(key)} is {shown}", path=self.path, expected=expected)

    def refuse(self, message: str, expected: str | None = None) -> NoReturn:
        """Say what is wrong with this object."""
        raise FormatError(f"{self.where or 'the JSON'} {message}", path=self.path, expected=expected)

    def place(self, key: str) -> str:
        """Return where the value of `key` stands."""
        return f"{self.where}.{key}" if self.where else key

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def child(self, key: str) -> Item:
        """Return the object under `key`; an empty one if there is none."""
        found = self.data.get(key, {})
        if not isinstance(found, dict):
            self.fail(key, "an object")
        return Item(found, self.place(key), self.path)

    def items(self, key: str) -> list[Item]:
        """Return the objects of the array under `key`; none if there is no array."""
        return list(self._items(key))

    def _items(self, key: str) -> Iterator[Item]:
        where = self.place(key)
        for i, found in enumerate(self.array(key)):
            if not isinstance(found, dict):
                raise FormatError(f"{where}[{i}] is {quoted(found)}", path=self.path, expected="an object")
            yield Item(found, where, self.path, i)

    def array(self, key: str) -> Sequence[Any]:
        """Return the array under `key`; an empty one if there is none."""
        found = self.data.get(key, [])
        if not isinstance(found, list):
            self.fail(key, "an array")
        return found

    def index(self, key: str, count: int, of: str) -> int | None:
        """Return the number under `key` of one of `count` things, or None if it is not there."""
        if key not in self.data:
            return None
        found = self.data[key]
        if type(found) is int and 0 <= found < count:
            return found
        return self.whole(key, low=0, high=count - 1, expected=f"one of {count} {of}, from 0")

    def indices(self, key: str, count: int, of: str) -> list[int]:
        """Return the numbers in the array under `key`, each of one of `count` things."""
        found = self.array(key)
        for i, number in enumerate(found):
            if type(number) is not int or not 0 <= number < count:
                raise FormatError(
                    f"{self.place(key)}[{i}] is {quoted(number)}",
                    path=self.path,
                    expected=f"one of {count} {of}, from 0",
                )
        return list(found)

    def whole(
        self,
        key: str,
        default: int | None = None,
        *,
        low: int = 0,
        high: int = 2**53,
        expected: str | None = None,
    ) -> int:
        """Return the whole number under `key`; without a default it must be there."""
        found = self.data.get(key, default)
        if type(found) is float and found.is_integer():
            found = int(found)
        if type(found) is not int or not low <= found <= high:
            self.fail(key, expected or f"a whole number from {low} to {high}")
        return found

    def number(self, key: str, default: float, *, low: float = -MOST, high: float = MOST) -> float:
        """Return the number under `key`."""
        found = self.data.get(key, default)
        if type(found) not in (int, float) or not low <= found <= high:
            self.fail(key, f"a number from {low:g} to {high:g}")
        return float(found)

    def numbers(self, key: str, length: int | None, *, low: float = -MOST, high: float = MOST) -> list[float]:
        """Return the numbers in the array under `key`, which must be there, `length` of them if given."""
        found = self.array(key)
        if length is not None and len(found) != length:
            self.fail(key, f"{length} numbers")
        for number in found:
            if type(number) not in (int, float) or not low <= number <= high:  # nor is NaN
                self.fail(key, f"numbers from {low:g} to {high:g}")
        return [float(number) for number in found]

    def text(self, key: str, default: str = "") -> str:
        """Return the text under `key`, with lone surrogates replaced, which no file can be named by."""
        found = self.data.get(key, default)
        if not isinstance(found, str):
            self.fail(key, "text")
        if found.isascii():
            return found
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def flag(self, key: str, default: bool = False) -> bool:
        """Return the truth value under `key`."""
        found = self.data.get(key, default)
        if not isinstance(found, bool):
            self.fail(key, "true or false")
        return found

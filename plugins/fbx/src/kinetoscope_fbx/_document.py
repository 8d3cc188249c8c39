"""The objects of an FBX file, what connects them, and the properties they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import isfinite
from typing import Any, Final

import attrs

from kinetoscope_fbx._node import LARGEST, Node, Properties
from kinetoscope_fbx._place import Place

__all__ = ["KTIME", "ROOT", "Document", "Object", "Template", "Vector", "build_document"]

KTIME: Final = 46_186_158_000
"""Ticks of FBX's clock a second."""

ROOT: Final = 0
"""The id of the scene's root in files since 7000."""

Vector = tuple[float, float, float]

_FIRST: Final[Mapping[str, int]] = {"Properties70": 4, "Properties60": 3}
"""How many words stand before the values of a property: its name, types, and flags."""

Id = int | str
"""Since 7000 objects have numbers; before, their names told them apart."""


class Object:
    """One object: `kind` is the record's name (`Model`, `Geometry`), `subtype` says which sort.

    Its properties, and those of its kind's template, are read when they are asked for.
    """

    __slots__ = ("_properties", "id", "kind", "name", "node", "subtype", "template")

    def __init__(
        self,
        id: Id,  # noqa: A002 - what the format calls it
        kind: str,
        name: str,
        subtype: str,
        node: Node,
        properties: Properties | None = None,
        template: Template | None = None,
    ) -> None:
        self.id = id
        self.kind = kind
        self.name = name
        self.subtype = subtype
        self.node = node
        self._properties = properties
        self.template = template

    @property
    def properties(self) -> Properties:
        """What the file says of this object."""
        held = self._properties
        if held is None:
            held = self._properties = properties_of(self.node)
        return held

    def _held(self, name: str) -> tuple[Any, ...]:
        held = self.properties.get(name)
        if not held and self.template is not None:
            held = self.template.get(name)
        return held or ()

    def vector(self, name: str, default: Vector) -> Vector:
        """Return the property `name` as three numbers."""
        return self._three(name, self._held(name), default)

    def of_kind(self, name: str, default: Vector) -> Vector:
        """Return the property `name` as three numbers, as all objects of the kind have it."""
        return self._three(name, self.template.get(name) if self.template else (), default)

    def _three(self, name: str, held: tuple[Any, ...], default: Vector) -> Vector:
        try:
            x, y, z = held[:3]
            fits = abs(x) <= LARGEST and abs(y) <= LARGEST and abs(z) <= LARGEST
        except (TypeError, ValueError):  # fewer, or no numbers
            return default
        if not fits:
            raise self.node.place.error(f"{name} of {self.name!r} is {held}", f"numbers up to {LARGEST:g}")
        return float(x), float(y), float(z)

    def number(self, name: str, default: float) -> float:
        """Return the property `name` as a number."""
        held = self._held(name) or (default,)
        if not isinstance(held[0], int | float):
            return default
        if not abs(held[0]) <= LARGEST:
            raise self.node.place.error(
                f"{name} of {self.name!r} is {held[0]}", f"a number up to {LARGEST:g}"
            )
        return float(held[0])


class Template:
    """The properties that all objects of a kind have unless they say otherwise: dozens, of which few are read."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[str, tuple[Any, ...]] = {}

    @cached_property
    def _block(self) -> tuple[Node, dict[str, int]]:
        for child in self._node.children:
            if child.name in _FIRST:
                return child, child.by_name()
        return self._node, {}

    def get(self, name: str) -> tuple[Any, ...]:
        """Return the values of a property, none if the file does not say."""
        if name not in self._known:
            block, rows = self._block
            held = block.row(rows[name], _FIRST[block.name]) if name in rows else None
            self._known[name] = held[1] if held is not None else ()
        return self._known[name]


@attrs.define(eq=False)
class Document:
    """All objects of a file, and how they are connected.

    `below[id]` lists `(object, property)` for what is connected to an object, in the file's order;
    `above[id]` what an object is connected to. The property is "" for plain connections.
    """

    root: Node
    version: int
    ascii: bool
    objects: dict[Id, Object]
    settings: Mapping[str, tuple[Any, ...]]
    below: dict[Id, list[tuple[Object, str]]] = attrs.field(factory=dict)
    above: dict[Id, list[tuple[Id, str]]] = attrs.field(factory=dict)

    def of_kind(self, kind: str, subtype: str | None = None) -> Iterator[Object]:
        """Yield the objects of a kind, in the file's order."""
        return (
            held
            for held in self.objects.values()
            if held.kind == kind and (subtype is None or held.subtype == subtype)
        )

    def children(self, held: Object, kind: str, subtype: str | None = None) -> Iterator[Object]:
        """Yield what is connected to an object, of one kind."""
        for child, _ in self.below.get(held.id, ()):
            if child.kind == kind and (subtype is None or child.subtype == subtype):
                yield child

    def setting(self, name: str, default: float) -> float:
        """Return a number of the global settings."""
        held = self.settings.get(name)
        fits = held and isinstance(held[0], int | float) and isfinite(held[0])
        return float(held[0]) if held and fits else default


def build_document(root: Node, version: int, *, ascii: bool) -> Document:  # noqa: A002 - the format's name
    """Return the objects of the records below `root`.

    Raises:
        FormatError: there are no objects, or two of one id.
    """
    held = root.find("Objects")
    if held is None:
        raise root.place.error("holds no objects", "a record 'Objects'")
    templates = _templates(root)
    objects: dict[Id, Object] = {}
    settings = _settings(root, held)
    for node in held.children:
        made = _object(node, version, templates)
        if made is not None and made.id not in objects:
            objects[made.id] = made
    document = Document(root, version, ascii, objects, settings)
    for node in root.all("Connections"):
        _connect(document, node)
    return document


def properties_of(node: Node) -> Properties:
    """Return the values of `Properties70` (`P: name, type, label, flags, values`) or `Properties60`."""
    for child in node.children:
        first = _FIRST.get(child.name)
        if first is not None:
            return child.properties(first)
    return {}


def _templates(root: Node) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for definitions in root.all("Definitions"):
        for kind in definitions.all("ObjectType"):
            template = kind.find("PropertyTemplate")
            if template is not None and kind.values:
                found[str(kind.values[0])] = Template(template)
    return found


def _settings(root: Node, objects: Node) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for above in (objects, root):
        for node in above.all("GlobalSettings"):
            found |= properties_of(node)
    return found


def _object(node: Node, version: int, templates: Mapping[str, Template]) -> Object | None:
    values = node.values
    if version >= 7000:
        if len(values) < 3 or not isinstance(values[0], int):
            return None
        key: Id = values[0]
        title, subtype = str(values[1]), str(values[2])
    else:
        if len(values) < 2:
            return None
        title, subtype = str(values[0]), str(values[1])
        key = title
    subtype = subtype.removeprefix("Fbx")
    return Object(key, node.name, bare(title), subtype, node, None, templates.get(node.name))


def bare(title: str) -> str:
    """Return the name in `Name\\x00\\x01Model` (binary) or `Model::Name` (ASCII)."""
    if "\x00\x01" in title:
        return title.split("\x00\x01", 1)[0]
    return title.split("::", 1)[1] if "::" in title else title


def _connect(document: Document, node: Node) -> None:
    for values in node.links():
        if len(values) < 3 or values[0] not in ("OO", "OP"):
            continue
        connect(
            document, values[1], values[2], str(values[3]) if values[0] == "OP" and len(values) > 3 else ""
        )


def connect(document: Document, source: Any, target: Any, name: str = "") -> None:
    """Connect the object `source` to `target`, or to its property `name`."""
    held = document.objects.get(source)
    if held is None or not isinstance(target, int | str):
        return
    document.below.setdefault(target, []).append((held, name))
    document.above.setdefault(held.id, []).append((target, name))


def nowhere(document: Document) -> Place:
    """Return the place for errors about the file as a whole."""
    return document.root.place

"""The skeleton file: root, bones, and how they hang together.

There is no standard; this follows the description of the format by its users ("Acclaim ASF/AMC",
University of Wisconsin; Lander 1998, "Working with Motion Capture File Formats") and the files of
the CMU database. A bone has a direction and length in the figure's own axes, and axes of its own
(`axis`) about which the angles of a motion turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import attrs

from kinetoscope_asf._text import lines, number
from kinetoscope_spec import FormatError

__all__ = ["Bone", "Figure", "read_figure"]

MOST_BONES = 16_384
_SECTIONS = {"version", "name", "units", "documentation", "root", "bonedata", "hierarchy", "skin"}
_CHANNELS = {"tx", "ty", "tz", "rx", "ry", "rz", "l"}


@attrs.define
class Bone:
    """A bone, or the root, as the file states it.

    Attributes:
        name: unique; `root` for the root.
        direction: x, y, z, of length 1 as a rule.
        length: in file units.
        axis: angles of its own axes, in file angles, `order` the axes they are about, first first.
        channels: what moves, in the order in which a motion lists it.
        position: the root's.
        parent: index of the bone above, -1 for the root.
    """

    name: str
    direction: Sequence[float] = (0.0, 0.0, 0.0)
    length: float = 0.0
    axis: Sequence[float] = (0.0, 0.0, 0.0)
    order: str = "xyz"
    channels: tuple[str, ...] = ()
    position: Sequence[float] = (0.0, 0.0, 0.0)
    parent: int = -1


@attrs.define
class Figure:
    """The bones, parents first; factor of lengths, whether angles are degrees, name, warnings."""

    bones: list[Bone]
    length: float = 1.0
    degrees: bool = True
    name: str = ""
    documentation: str = ""
    warnings: list[str] = attrs.field(factory=list)


def read_figure(text: str, path: object) -> Figure:
    """Return the figure in `text`.

    Raises:
        FormatError: naming the line and what was expected there.
    """
    return _Reader(text, path).read()


class _Reader:
    """Goes through the file line by line; `section` is where it stands."""

    def __init__(self, text: str, path: object) -> None:
        self.text = text
        self.path = path
        self.line = 0
        self.figure = Figure([Bone("root", channels=("tx", "ty", "tz", "rx", "ry", "rz"))])
        self.bones: dict[str, Bone] = {"root": self.figure.bones[0]}
        self.parents: dict[str, str] = {}
        self.open: Bone | None = None
        self.told: set[str] = set()

    def read(self) -> Figure:
        section = ""
        for line, words in lines(self.text):
            self.line = line
            if not words[0].startswith(":"):
                self.step(section, words)
                continue
            section = words[0][1:].lower()
            self.told.add(section)
            if section not in _SECTIONS:
                self.figure.warnings.append(f"the section {section[:40]!r} is not known and left out")
            if len(words) > 1:
                self.step(section, words[1:])
        for wanted in ("root", "bonedata", "hierarchy"):
            if wanted not in self.told:
                self.fail(f"the file has no section :{wanted}")
        self.figure.bones = self.ordered()
        return self.figure

    def step(self, section: str, words: list[str]) -> None:
        if section == "name":
            self.figure.name = " ".join(words)
        elif section == "documentation":
            self.figure.documentation = f"{self.figure.documentation} {' '.join(words)}".strip()
        elif section == "units":
            self.units(words)
        elif section == "root":
            self.root(words)
        elif section == "bonedata":
            self.bone(words)
        elif section == "hierarchy":
            self.hang(words)
        elif not section:
            self.fail(f"the file begins with {words[0][:40]!r}", "a section such as :version")

    def units(self, words: list[str]) -> None:
        key = words[0].lower()
        if key == "length":
            (self.figure.length,) = self.numbers(words[1:2], 1, "a length")
            if self.figure.length <= 0:
                self.fail(f"the unit of length is {words[1]}", "a factor above 0")
        elif key == "angle" and len(words) > 1:
            self.figure.degrees = not words[1].lower().startswith("rad")

    def root(self, words: list[str]) -> None:
        root, key = self.figure.bones[0], words[0].lower()
        if key == "order":
            root.channels = self.channels(words[1:])
        elif key == "axis" and len(words) > 1:
            root.order = self.order(words[1])
        elif key == "position":
            root.position = self.numbers(words[1:], 3, "a position")
        elif key == "orientation":
            root.axis = self.numbers(words[1:], 3, "an orientation")

    def bone(self, words: list[str]) -> None:
        key = words[0].lower()
        if key == "begin":
            if self.open is not None:
                self.fail("a bone begins inside another", "end")
            self.open = Bone("")
            return
        if self.open is None:
            self.fail(f"{words[0][:40]!r} outside of a bone", "begin")
        if key == "end":
            self.close(self.open)
            self.open = None
        elif key == "name" and len(words) > 1:
            self.open.name = " ".join(words[1:])
        elif key == "direction":
            self.open.direction = self.numbers(words[1:], 3, "a direction")
        elif key == "length":
            (self.open.length,) = self.numbers(words[1:], 1, "a length")
        elif key == "axis":
            self.open.axis = self.numbers(words[1:4], 3, "an axis")
            self.open.order = self.order(words[4]) if len(words) > 4 else "xyz"
        elif key == "dof":
            self.open.channels = self.channels(words[1:])

    def close(self, bone: Bone) -> None:
        if not bone.name:
            self.fail("a bone without a name")
        if bone.name in self.bones:
            self.fail(f"the bone {bone.name[:40]!r} stands here for the second time", "a name of its own")
        if len(self.bones) > MOST_BONES:
            self.fail(f"more than {MOST_BONES:,} bones")
        self.bones[bone.name] = bone

    def hang(self, words: list[str]) -> None:
        if words[0].lower() in ("begin", "end") and len(words) == 1:
            return
        for name in words:
            if name not in self.bones:
                self.fail(f"the bone {name[:40]!r} is not among the bone data", "a bone's name")
        for child in words[1:]:
            if child == "root" or child in self.parents:
                self.fail(f"the bone {child[:40]!r} hangs on two bones", "one bone above it")
            self.parents[child] = words[0]

    def ordered(self) -> list[Bone]:
        """Return the bones that hang on the root, parents first; nothing recurses."""
        children: dict[str, list[str]] = {}
        for child, parent in self.parents.items():
            children.setdefault(parent, []).append(child)
        found: list[Bone] = []
        waiting = [("root", -1)]
        while waiting:
            name, above = waiting.pop()
            bone = self.bones[name]
            bone.parent = above
            found.append(bone)
            waiting += [(child, len(found) - 1) for child in reversed(children.get(name, []))]
        if len(found) < len(self.bones):
            loose = len(self.bones) - len(found)
            self.figure.warnings.append(f"{loose} bones do not hang on the root and are left out")
        return found

    def numbers(self, words: Sequence[str], count: int, what: str) -> list[float]:
        if len(words) < count:
            self.fail(f"{len(words)} numbers for {what}", f"{count}")
        return [number(word, self.path, self.line, what) for word in words[:count]]

    def channels(self, words: Sequence[str]) -> tuple[str, ...]:
        held = tuple(word.lower() for word in words)
        for channel in held:
            if channel not in _CHANNELS or held.count(channel) > 1:
                self.fail(f"{channel[:40]!r} as a degree of freedom", "tx ty tz rx ry rz l, each once")
        return held

    def order(self, word: str) -> str:
        if sorted(word.lower()) != ["x", "y", "z"]:
            self.fail(f"{word[:40]!r} as an order of axes", "a permutation of XYZ")
        return word.lower()

    def fail(self, message: str, expected: str | None = None) -> NoReturn:
        raise FormatError(message, path=self.path, line=max(self.line, 1), expected=expected)

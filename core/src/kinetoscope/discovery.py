"""What is installed, from entry points alone: no plugin is imported, nor `importlib.metadata`.

`importlib.metadata.entry_points` spends 50 ms, most of it on its own imports. Reading the
`entry_points.txt` of every distribution directly takes 3 ms, and the cache of it 0.3 ms.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["COMMANDS", "PREFIX", "Entry", "Scan", "entries", "is_used", "normalised", "scan"]

PREFIX = "kinetoscope"
COMMANDS = "kinetoscope.command"
SPEC = "kinetoscope-spec"


class Entry(NamedTuple):
    """One entry point: a name in a group, and which distribution it came with.

    `problem` says why its plugin can't be used although nothing of it was imported: it targets
    another specification.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str
    problem: str | None = None

    @property
    def hook(self) -> str:
        """The hook that it fills: `importer`; `addhooks` for a plugin that brings hooks."""
        return "addhooks" if self.group == PREFIX else self.group[len(PREFIX) + 1 :]


class Scan(NamedTuple):
    """The entries found, in an order that does not depend on that of installation, and the files read."""

    entries: tuple[Entry, ...]
    files: tuple[str, ...]


def entries() -> tuple[Entry, ...]:
    """Return every entry point of Kinetoscope on `sys.path`, from the cache where it holds."""
    from kinetoscope._cache import cached_scan

    return cached_scan().entries


def normalised(distribution: str) -> str:
    """Return a distribution's name as PyPI compares it (PEP 503)."""
    return distribution.lower().replace("_", "-").replace(".", "-")


def is_used(entry: Entry, *, block: Iterable[str], allow: Iterable[str] | None) -> bool:
    """Whether `block` and `allow` let the entry through.

    Both hold entry names (`bvh`), entry names under one hook (`importer:bvh`) or distributions.
    """
    names = {entry.name, f"{entry.hook}:{entry.name}", normalised(entry.distribution)}
    if any(word in names or normalised(word) in names for word in block):
        return False
    return allow is None or any(word in names or normalised(word) in names for word in allow)


def scan(path: Sequence[str] | None = None) -> Scan:
    """Read the entry points of all distributions in the folders of `path` (`sys.path`).

    As for imports, the first folder that has a distribution wins. What can't be read is passed over.
    """
    seen: set[str] = set()
    found: list[Entry] = []
    files: list[str] = []
    for folder in sys.path if path is None else path:
        for metadata in _metadata_folders(folder or os.curdir):
            # A folder is `<name>-<version>.dist-info`: the name decides which of two distributions counts.
            name = normalised(os.path.basename(metadata).partition("-")[0])
            if name in seen:
                continue
            seen.add(name)
            points = os.path.join(metadata, "entry_points.txt")
            text = _read(points)
            if PREFIX in text:
                found.extend(_entries_of(metadata, text))
                files.append(points)
    found.sort()
    return Scan(tuple(found), tuple(files))


def _metadata_folders(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as listing:
            names = sorted(item.path for item in listing if item.name.endswith((".dist-info", ".egg-info")))
    except OSError:
        return
    yield from names


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _entries_of(metadata: str, text: str) -> list[Entry]:
    points = [point for point in _points(text) if point[0] == PREFIX or point[0].startswith(PREFIX + ".")]
    if not points:
        return []
    fields = _fields(_read(os.path.join(metadata, "METADATA")) or _read(os.path.join(metadata, "PKG-INFO")))
    stem = os.path.basename(metadata).rpartition(".")[0].split("-")
    distribution = fields.get("name", [stem[0].replace("_", "-")])[0]
    version = fields.get("version", [stem[1] if len(stem) > 1 else "unknown"])[0]
    problem = _spec_problem(fields.get("requires-dist", []))
    return [Entry(group, name, value, distribution, version, problem) for group, name, value in points]


def _points(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (group, name, value) from the text of an `entry_points.txt`."""
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield group, name.strip(), value.partition("[")[0].strip()


def _fields(text: str) -> dict[str, list[str]]:
    """Return the fields of a METADATA header that are asked for here, by lower-case name."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.strip():
            break
        name, _, value = line.partition(":")
        if name.lower() in ("name", "version", "requires-dist"):
            fields.setdefault(name.lower(), []).append(value.strip())
    return fields


def _spec_problem(requirements: Sequence[str]) -> str | None:
    """Return why these requirements rule out the specification that is here, or None."""
    ours = [text for text in requirements if normalised(text).startswith(SPEC)]
    if not ours:
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    for text in ours:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if normalised(requirement.name) != SPEC or not applies:
            continue
        if not requirement.specifier.contains(spec_version(), prereleases=True):
            return f"requires {SPEC}{requirement.specifier}, but version {spec_version()} is installed"
    return None


def spec_version() -> str:
    """Return the version of the installed specification, as far as it is known without metadata."""
    from kinetoscope_spec._version import SPEC_VERSION

    return f"{SPEC_VERSION}.0" if SPEC_VERSION.count(".") == 1 else SPEC_VERSION

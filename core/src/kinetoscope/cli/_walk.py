"""The files under paths: in a stable order, one folder's names in memory at a time, as git sees them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["walk"]

_IGNORE = ".gitignore"
_MAX_RULES = 1 << 20
"""Bytes of a `.gitignore` that are read."""

Rules = tuple[tuple[str, Any], ...]
"""Folders and the patterns that apply below them, the outermost first."""


def walk(paths: Iterable[Path], *, ignored: bool = False) -> Iterator[Path]:
    """Yield each path, and in place of a folder every file below it, sorted by name within a folder.

    What `.gitignore` files exclude (those of the folders above too, as far as the repository goes) and
    `.git` itself are left out unless `ignored`; a path that was named is never left out, and a folder
    that was named although it is excluded is gone through by its own rules alone. Links to folders are
    yielded and not entered, so that a loop ends. What can't be looked at or listed is yielded.
    """
    for path in paths:
        if os.path.isdir(path):  # False where Path.is_dir raises: a name too long, a folder closed to us
            rules = () if ignored else _above(path)
            if _excluded(str(path), rules, is_folder=True):
                rules = ()
            yield from _below(str(path), rules, ignored)
        else:
            yield path


def _below(folder: str, rules: Rules, ignored: bool) -> Iterator[Path]:
    # A stack of its own and not of calls: folders may be nested more deeply than Python's calls.
    stack = [_listed(folder, rules, ignored)]
    while stack:
        entry = next(stack[-1][0], None)
        rules = stack[-1][1]
        if entry is None:
            stack.pop()
            continue
        path, is_folder = entry
        if not is_folder:
            if not _excluded(path, rules, is_folder=False):
                yield Path(path)
        elif ignored or (os.path.basename(path) != ".git" and not _excluded(path, rules, is_folder=True)):
            stack.append(_listed(path, rules, ignored))


def _listed(folder: str, rules: Rules, ignored: bool) -> tuple[Iterator[tuple[str, bool]], Rules]:
    """Return what a folder holds by name, and whether it is to be entered; and the rules below it.

    A folder that can't be listed is given back as what is not to be entered. Names alone are held:
    all that a million entries of one folder know of themselves would take a quarter of a gigabyte.
    """
    names, folders = [], set()
    try:
        with os.scandir(folder) as found:
            for entry in found:
                names.append(entry.name)
                if _is_folder(entry):
                    folders.add(entry.name)
    except OSError:
        return iter([(folder, False)]), ()
    names.sort()
    if not ignored:
        rules += _own(folder)
    return ((os.path.join(folder, name), name in folders) for name in names), rules


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _above(path: Path) -> Rules:
    """Return the rules of the folders above `path`, from the root of its repository."""
    upward = list(path.absolute().parents)
    inward = enumerate([path.absolute(), *upward])
    root = next((i for i, folder in inward if os.path.exists(folder / ".git")), 0)
    return tuple(rule for folder in reversed(upward[:root]) for rule in _own(str(folder)))


def _own(folder: str) -> Rules:
    """Return the rules of a folder's own `.gitignore`."""
    path = Path(folder, _IGNORE)
    try:
        if not os.path.isfile(path):
            return ()
        with path.open("rb") as stream:
            lines = stream.read(_MAX_RULES).decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ()
    from pathspec import GitIgnoreSpec

    specs = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue  # git passes over a pattern that it can't read, too
        specs.append(line)
    return ((os.path.abspath(folder), GitIgnoreSpec.from_lines(specs)),) if specs else ()


def _excluded(path: str, rules: Rules, *, is_folder: bool) -> bool:
    """Tell whether git would ignore `path`: the innermost file that says anything decides."""
    for base, spec in reversed(rules):
        relative = os.path.relpath(os.path.abspath(path), base).replace(os.sep, "/")
        verdict: bool | None = spec.check_file(relative + "/" * is_folder).include
        if verdict is not None:
            return verdict
    return False

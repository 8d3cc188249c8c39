"""The scan of entry points, kept in one small file. It fails open: whatever is wrong, we scan again."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any

from kinetoscope.discovery import Entry, Scan, scan, spec_version
from kinetoscope.home import home_folder

__all__ = ["cached_scan"]

FORMAT = 1
KEPT = 8  # environments (interpreter and sys.path) remembered in the one file


def cached_scan() -> Scan:
    """Return the scan of `sys.path`, from the cache if nothing has changed since."""
    key = _key()
    file = os.path.join(home_folder(), "cache", "discovery.json")
    known = _load(file)
    for item in known:
        found = _scan_of(item, key)
        if found is not None:
            return found
    found = scan()
    item = {"key": key, "stamps": [_stamp(path) for path in found.files], **found._asdict()}
    _save(file, [item, *(old for old in known if not _same_environment(old, key))][:KEPT])
    return found


def _key() -> list[Any]:
    """Return what the scan depends on: format, interpreter, specification, and the folders' times."""
    folders = [[folder, _stamp(folder or os.curdir)] for folder in dict.fromkeys(sys.path)]
    where = os.getcwd() if "" in sys.path else ""
    return [[FORMAT, sys.executable, sys.version, spec_version(), where], folders]


def _same_environment(item: Any, key: list[Any]) -> bool:
    with suppress(TypeError, LookupError):
        old = item["key"]
        return bool(old[0] == key[0] and [f for f, _ in old[1]] == [f for f, _ in key[1]])
    return False


def _scan_of(item: Any, key: list[Any]) -> Scan | None:
    """Return the scan that a cached item holds if it is of this environment and still true."""
    try:
        if item["key"] != key or [_stamp(path) for path in item["files"]] != item["stamps"]:
            return None
        return Scan(tuple(_entry(fields) for fields in item["entries"]), tuple(item["files"]))
    except (TypeError, LookupError, ValueError):
        return None


def _entry(fields: Any) -> Entry:
    entry = Entry(*fields)
    if not all(isinstance(field, str) for field in entry[:5]) or not isinstance(entry.problem, str | None):
        raise ValueError("not an entry")
    return entry


def _stamp(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except (OSError, ValueError):
        return 0


def _load(file: str) -> list[Any]:
    try:
        with open(file, encoding="utf-8") as stream:
            held = json.load(stream)
    except (OSError, ValueError, RecursionError):
        return []
    return held if isinstance(held, list) else []


def _save(file: str, items: list[Any]) -> None:
    from kinetoscope_spec.files import write_text

    with suppress(OSError):
        write_text(file, json.dumps(items))

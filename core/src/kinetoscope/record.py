"""What became of each plugin when it was last loaded, so that a list need not load it again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from kinetoscope.home import home

__all__ = ["Outcome", "read_record", "renew_record"]

FORMAT = 1
KEPT = 2000


class Outcome(NamedTuple):
    """How one provider fared: why it is broken (empty if it is not), and what it requires."""

    broken: str
    requires: tuple[str, ...]


def key(hook: str, name: str, distribution: str, version: str) -> str:
    """Return the name of a record: another version or environment starts with a clean slate."""
    return f"{sys.prefix} {hook}:{name} {distribution}=={version}"


def read_record() -> dict[str, Outcome]:
    """Return all outcomes by `key`; nothing if the record is missing or not what it should be."""
    try:
        with open(home() / "record.json", encoding="utf-8") as stream:
            held = json.load(stream)
        if held["format"] != FORMAT:
            return {}
        return {name: _outcome(item) for name, item in held["outcomes"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def renew_record(outcomes: Mapping[str, Outcome], *, forget: Iterable[str] = ()) -> None:
    """Put `outcomes` into the record; a home that can't be written is passed over in silence."""
    old = read_record()
    gone = set(forget)
    new = {name: outcome for name, outcome in old.items() if name not in gone} | dict(outcomes)
    if new == old:
        return
    from kinetoscope_spec.files import write_text

    kept = dict(list(new.items())[-KEPT:])
    body = {"format": FORMAT, "outcomes": {name: outcome._asdict() for name, outcome in kept.items()}}
    with suppress(OSError):
        write_text(home() / "record.json", json.dumps(body, indent=1))


def _outcome(item: Any) -> Outcome:
    broken, requires = item["broken"], tuple(item["requires"])
    if not isinstance(broken, str) or not all(isinstance(text, str) for text in requires):
        raise ValueError("not an outcome")
    return Outcome(broken, requires)

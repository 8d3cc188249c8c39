"""What the installed magika wheel knows: its content types and its model's settings.

The wheel is found without being imported: that would cost a third of a second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import attrs

from kinetoscope_spec import ProviderUnavailable

__all__ = ["MODEL", "ContentType", "Settings", "content_types", "model_file", "settings"]

MODEL = "standard_v3_3"
"""The model whose features, settings and answers these modules were written against."""


@attrs.frozen
class ContentType:
    """One content type as Magika describes it."""

    label: str
    mime: str
    group: str
    is_text: bool
    extensions: Sequence[str] = ()


@attrs.frozen
class Settings:
    """The model's settings: sizes in bytes, labels in the order of its outputs, thresholds."""

    head: int
    tail: int
    block: int
    padding: int
    least: int
    labels: Sequence[str]
    medium: float
    thresholds: Mapping[str, float]
    overwrite: Mapping[str, str]


def _home() -> Path:
    found = find_spec("magika")
    if found is None or not found.submodule_search_locations:
        raise ProviderUnavailable("the package magika is not installed: pip install magika")
    return Path(found.submodule_search_locations[0])


def model_file(name: str) -> Path:
    """Return the path of a file of the model.

    Raises:
        ProviderUnavailable: the installed magika has another model.
    """
    path = _home() / "models" / MODEL / name
    if not path.is_file():
        raise ProviderUnavailable(
            f"the installed magika has no model {MODEL}: pip install 'magika>=1.0.3,<2'"
        )
    return path


@cache
def content_types() -> Mapping[str, ContentType]:
    """Return all content types that Magika describes, by label."""
    path = _home() / "config" / "content_types_kb.min.json"
    known = {}
    for label, entry in json.loads(path.read_text("utf-8")).items():
        default = "text/plain" if entry["is_text"] else "application/octet-stream"
        known[label] = ContentType(
            label,
            entry["mime_type"] or default,
            entry["group"] or "unknown",
            entry["is_text"],
            tuple(entry["extensions"]),
        )
    return known


@cache
def settings() -> Settings:
    """Return the model's settings."""
    data = json.loads(model_file("config.min.json").read_text("utf-8"))
    return Settings(
        data["beg_size"],
        data["end_size"],
        data["block_size"],
        data["padding_token"],
        data["min_file_size_for_dl"],
        tuple(data["target_labels_space"]),
        data["medium_confidence_threshold"],
        data["thresholds"],
        data["overwrite_map"],
    )

"""What a training set is made of, as `features.toml` says it."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["Entry", "Recipe", "read_recipe"]

MAX_BYTES = 1 << 20
"""A recipe is written by hand; what is larger is some other file."""


MAX_HZ = 1000.0
"""No motion is sampled quicker; at a slip of some zeros a clip would not fit into memory."""

MAX_OFFSET_S = 86_400.0
"""A window looks no farther: no clip lasts a day."""


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@attrs.frozen
class Entry:
    """Rows of one feature at some times of a window.

    Attributes:
        feature: name of a provider of the hook `feature`.
        offsets_s: seconds from the window's frame, below 0 in the past; each to the nearest frame.
        options: of the feature.
    """

    feature: str
    offsets_s: tuple[float, ...] = attrs.field(default=(0.0,), converter=_floats)
    options: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Recipe:
    """Inputs and outputs of windows, and how clips become windows.

    Attributes:
        inputs, outputs: what stands in a row of each.
        framerate: frames per second; clips are resampled to it.
        mirror: whether half of the windows, at random, are seen in the mirror.
        heading_jitter_deg: windows for training are seen from a root that faces up to so many degrees
            elsewhere, left or right, at random.
        warps: factors of speed; each clip is also there once at each of them.
        validation: part of the clips of each label that are kept for validation.
        seed: of the split.
    """

    inputs: tuple[Entry, ...]
    outputs: tuple[Entry, ...]
    framerate: float = 30.0
    mirror: bool = False
    heading_jitter_deg: float = 0.0
    warps: tuple[float, ...] = attrs.field(default=(), converter=_floats)
    validation: float = 0.1
    seed: int = 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All, inputs first."""
        return self.inputs + self.outputs

    def frames(self, entry: Entry) -> tuple[int, ...]:
        """Return the offsets of `entry` in frames."""
        return tuple(round(offset * self.framerate) for offset in entry.offsets_s)

    def reach(self, features: Sequence[Any]) -> tuple[int, int]:
        """Return the frames that a window needs before its own, and after it.

        Args:
            features: of each of the `entries`; one that looks at other times itself says so by `reach_s`,
                the first and the last, s. What lies beyond a clip it would have to make up.
        """
        before = after = 0
        for entry, feature in zip(self.entries, features, strict=True):
            ends = [second * self.framerate for second in getattr(feature, "reach_s", (0.0, 0.0))]
            for frame in self.frames(entry):
                before = max(before, -(frame + math.floor(ends[0] + 1e-9)))
                after = max(after, frame + math.ceil(ends[1] - 1e-9))
        return before, after

    def digest(self) -> str:
        """Return a hash of everything."""
        text = json.dumps(attrs.asdict(self), sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file.

        framerate = 30
        mirror = true

        [[inputs]]
        feature = "joint-positions"

        [[outputs]]
        feature = "joint-rotations"
        offsets_s = [0.1, 0.2, 0.3]
        options = { smoothing_s = 0.2 }

    Raises:
        ConfigError: it is no TOML, or a key or value is not what it should be; names it.
        OSError: it can't be read.
    """
    path = Path(path)
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(
            f"{path.stat().st_size:,} bytes, expected a recipe of at most {MAX_BYTES:,}", place=str(path)
        )
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(error), place=str(path)) from error
    return recipe_of(data, str(path))


def recipe_of(data: Mapping[str, Any], place: str = "recipe") -> Recipe:
    """Return the recipe that plain dicts and lists say; `place` begins messages.

    Raises:
        ConfigError: a key or value is not what it should be.
    """
    _known(data, Recipe, place)
    seed, mirror = data.get("seed", 0), data.get("mirror", False)
    if type(seed) is not int or seed < 0:
        raise ConfigError(f"{seed!r}, expected a whole number from 0", place=f"{place}: seed")
    if not isinstance(mirror, bool):
        raise ConfigError(f"{mirror!r}, expected true or false", place=f"{place}: mirror")
    # A factor makes the clip's length its inverse, and a second's frames are all in memory.
    warps = _numbers(data.get("warps", []), f"{place}: warps", least=0.1, below=10)
    return Recipe(
        inputs=_entries(data.get("inputs"), f"{place}: inputs"),
        outputs=_entries(data.get("outputs"), f"{place}: outputs"),
        framerate=_number(data, "framerate", 30.0, place, above=0, below=MAX_HZ),
        mirror=mirror,
        heading_jitter_deg=_number(data, "heading_jitter_deg", 0.0, place, least=0, below=180),
        warps=warps,
        validation=_number(data, "validation", 0.1, place, least=0, below=1),
        seed=seed,
    )


def _known(data: Mapping[str, Any], kind: type, place: str) -> None:
    names = [field.name for field in attrs.fields(kind)]
    for key in data:
        if key not in names:
            raise ConfigError(f"unknown key{nearest(key, names)}", place=f"{place}: {key}")


def _entries(given: Any, place: str) -> tuple[Entry, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise ConfigError(f"expected at least one [[{place.rsplit(' ', 1)[-1]}]]", place=place)
    return tuple(_entry(item, f"{place}[{i}]") for i, item in enumerate(given))


def _entry(item: Mapping[str, Any], place: str) -> Entry:
    _known(item, Entry, place)
    name, options = item.get("feature"), item.get("options", {})
    if not isinstance(name, str) or not name:
        raise ConfigError(f"feature is {name!r}, expected the name of one", place=place)
    if not isinstance(options, dict):
        raise ConfigError(f"options are {options!r:.60}, expected a table", place=place)
    offsets = _numbers(
        item.get("offsets_s", [0.0]), f"{place}.offsets_s", least=-MAX_OFFSET_S, below=MAX_OFFSET_S
    )
    if not offsets:
        raise ConfigError("expected at least one number of seconds", place=f"{place}.offsets_s")
    return Entry(name, offsets, options)


def _number(
    data: Mapping[str, Any],
    key: str,
    default: float,
    place: str,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    value = data.get(key, default)
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (good and -math.inf < value < math.inf and least <= value and above < value < below):
        limits = (("from", least), ("above", above), ("below", below))
        said = " ".join(f"{word} {limit:g}" for word, limit in limits if math.isfinite(limit))
        raise ConfigError(
            f"{value!r:.60} is no such number{f', expected one {said}' if said else ''}",
            place=f"{place}: {key}",
        )
    return float(value)


def _numbers(values: Any, place: str, **limits: float) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise ConfigError(f"{values!r:.60}, expected a list of numbers", place=place)
    return tuple(_number({str(i): value}, str(i), 0.0, place, **limits) for i, value in enumerate(values))

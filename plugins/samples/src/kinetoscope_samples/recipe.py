"""Recipe files: what a sample clip is to be, in TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from kinetoscope_samples import HEADER
from kinetoscope_spec import FormatError
from kinetoscope_spec.errors import nearest

__all__ = ["ACTIONS", "Recipe", "Segment", "parse", "to_toml"]

ACTIONS: Mapping[str, Mapping[str, float]] = {
    "walk": {"speed": 1.3, "turn": 0.0},
    "jog": {"speed": 2.6, "turn": 0.0},
    "turn": {"speed": 0.0, "turn": 60.0},
    "idle": {"speed": 0.0, "turn": 0.0},
}
"""What each action means unless the recipe says otherwise: m/s, and degrees/s to the left."""

_RANGES: Mapping[str, tuple[float, float]] = {
    "seconds": (0.5, 600.0),
    "speed": (0.0, 4.0),
    "turn": (-150.0, 150.0),
    "speed_variation": (0.0, 0.5),
    "turn_variation": (0.0, 60.0),
    "framerate": (5.0, 240.0),
    "height": (1.0, 2.3),
    "arm_swing": (0.0, 2.5),
    "bounce": (0.0, 2.0),
    "sway": (0.0, 2.5),
    "stride": (0.7, 1.3),
    "lean": (-20.0, 25.0),
}
"""Smallest and largest value of each number."""

_LARGEST_BYTES = 1 << 20


def _segments(given: Iterable[Segment]) -> tuple[Segment, ...]:
    return tuple(given)


@attrs.frozen
class Segment:
    """A part of the clip with a pace of its own: s, m/s, degrees/s to the left."""

    seconds: float
    speed: float
    turn: float = 0.0


@attrs.frozen
class Recipe:
    """What a sample clip is to be.

    Attributes:
        action: `walk`, `jog`, `turn` (on the spot) or `idle`.
        seed: of every random choice.
        seconds: length of the clip.
        speed: m/s.
        turn: degrees/s, to the left.
        speed_variation: share by which speed wanders.
        turn_variation: degrees/s by which turning wanders.
        framerate: frames per second.
        height: of the person, m.
        arm_swing, bounce, sway, stride: factors of what is usual.
        lean: degrees forward, beside what speed brings.
        segments: parts with a pace of their own; they fill the clip in their proportions.
    """

    action: str = "walk"
    seed: int = 0
    seconds: float = 12.0
    speed: float = 1.3
    turn: float = 0.0
    speed_variation: float = 0.08
    turn_variation: float = 0.0
    framerate: float = 30.0
    height: float = 1.75
    arm_swing: float = 1.0
    bounce: float = 1.0
    sway: float = 1.0
    stride: float = 1.0
    lean: float = 0.0
    segments: tuple[Segment, ...] = attrs.field(default=(), converter=_segments)


_STYLE = ("arm_swing", "bounce", "sway", "stride", "lean")
_KEYS = ("kind", *(f.name for f in attrs.fields(Recipe) if f.name not in _STYLE), "style")


def parse(text: str, *, path: str | Path | None = None) -> Recipe:
    """Read a recipe.

    Raises:
        FormatError: no TOML, an unknown key (the nearest known one is named), a wrong value.
    """
    if not text.removeprefix("\ufeff").startswith(HEADER):
        raise FormatError("does not begin as a recipe", path=path, line=1, expected=repr(HEADER))
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise FormatError(f"is no TOML: {error}", path=path, line=_line_of(error)) from error
    return _Reader(text, path).recipe(data)


def _line_of(error: Exception) -> int | None:
    found = re.search(r"at line (\d+)", str(error))
    return int(found.group(1)) if found else None


@attrs.frozen
class _Reader:
    """Takes values out of parsed TOML and says at which line a wrong one stands."""

    text: str
    path: str | Path | None

    def recipe(self, data: Mapping[str, Any]) -> Recipe:
        self._known("", data, _KEYS)
        if data.get("kind", "biped") != "biped":
            raise self._wrong("kind", f"is {data['kind']!r}", "'biped'")
        action = data.get("action", "walk")
        if not isinstance(action, str) or action not in ACTIONS:
            close = nearest(str(action), list(ACTIONS))
            raise self._wrong("action", f"is {action!r}{close}", "one of " + ", ".join(ACTIONS))
        values: dict[str, Any] = {"action": action, **ACTIONS[action]}
        seed = data.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise self._wrong("seed", f"is {seed!r}", "a whole number from 0")
        values["seed"] = seed
        style = self._table("style", data.get("style", {}), _STYLE)
        for key in _RANGES:
            source, place = (style, f"style.{key}") if key in _STYLE else (data, key)
            if key in source:
                values[key] = self._number(place, source[key], key)
        values["segments"] = self._segments(data.get("segments", []))
        return Recipe(**values)

    def _segments(self, given: Any) -> tuple[Segment, ...]:
        if not isinstance(given, list):
            raise self._wrong("segments", f"is {type(given).__name__}", "tables [[segments]]")
        segments = []
        for i, entry in enumerate(given):
            place = f"segments[{i}]"
            table = self._table(place, entry, ("seconds", "speed", "turn"))
            for key in ("seconds", "speed"):
                if key not in table:
                    raise self._wrong(place, f"has no {key}", "seconds and speed")
            segments.append(Segment(**{k: self._number(f"{place}.{k}", v, k) for k, v in table.items()}))
        return tuple(segments)

    def _table(self, place: str, given: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
        if not isinstance(given, dict):
            raise self._wrong(place, f"is {given!r}", "a table")
        self._known(place, given, known)
        return given

    def _known(self, place: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in given:
            if key not in known:
                where = f"{place}.{key}" if place else key
                raise self._wrong(where, f"is not a key of recipes{nearest(key, known)}", ", ".join(known))

    def _number(self, place: str, given: Any, key: str) -> float:
        low, high = _RANGES[key]
        if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
            raise self._wrong(place, f"is {given!r}", f"a number from {low:g} to {high:g}")
        return float(given)

    def _wrong(self, place: str, message: str, expected: str) -> FormatError:
        return FormatError(f"{place} {message}", path=self.path, line=self._line(place), expected=expected)

    def _line(self, place: str) -> int | None:
        """Return the line where the key stands; within segments, counted from the segment's header."""
        lines = self.text.splitlines()
        start = 0
        segment = re.match(r"segments\[(\d+)\]", place)
        if segment:
            headers = [i for i, line in enumerate(lines) if re.match(r"\s*\[\[\s*segments\s*\]\]", line)]
            if int(segment.group(1)) < len(headers):
                start = headers[int(segment.group(1))]
        key = place.rsplit(".", 1)[-1].split("[", maxsplit=1)[0]
        for i, line in enumerate(lines[start:], start + 1):
            if re.search(rf"""(^|[\s{{,\[."']){re.escape(key)}["']?\s*[=.\]]""", line.split("#")[0]):
                return i
        return None


def to_toml(recipe: Recipe) -> str:
    """Return the text of a recipe file; what an action brings by itself is written too."""
    lines = [HEADER, 'kind = "biped"', f'action = "{recipe.action}"', f"seed = {recipe.seed}"]
    plain = [key for key in _RANGES if key not in _STYLE]
    lines += [f"{key} = {getattr(recipe, key)!r}" for key in plain]
    lines += ["", "[style]", *(f"{key} = {getattr(recipe, key)!r}" for key in _STYLE)]
    for segment in recipe.segments:
        lines += ["", "[[segments]]"]
        lines += [f"{key} = {getattr(segment, key)!r}" for key in ("seconds", "speed", "turn")]
    return "\n".join(lines) + "\n"

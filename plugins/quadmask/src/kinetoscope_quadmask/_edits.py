"""Edits as the page sends them: JSON that nobody vouches for, checked, then done."""

from __future__ import annotations

from typing import Any

from kinetoscope_quadmask.editing import MOST_STROKE_POINTS, MaskEditor
from kinetoscope_spec import ValidationError

__all__ = ["edit"]


def edit(editor: MaskEditor, asked: Any) -> None:
    """Do what `asked` says: `{"op": "cell" | "brush" | "copy" | "clear", "frame": 3, ...}`.

    Raises:
        ValidationError: it says something that can't be done, or is no edit; nothing is changed.
    """
    if not isinstance(asked, dict):
        raise ValidationError("an edit is a JSON object")
    kind = asked.get("op")
    frame = _whole(asked, "frame")
    if kind == "cell":
        editor.toggle_cell(frame, (_whole(asked, "row"), _whole(asked, "col")), _layer(asked))
    elif kind == "brush":
        editor.brush(frame, _stroke(asked), _number(asked, "radius"), _layer(asked), put=_flag(asked, "put"))
    elif kind == "copy":
        through = _whole(asked, "through") if "through" in asked else None
        editor.copy_before(frame, _layers(asked), through=through)
    elif kind == "clear":
        editor.clear(frame, _layer(asked))
    else:
        raise ValidationError(f"op is {kind!r:.60}, expected cell, brush, copy or clear")


def _whole(asked: dict[str, Any], name: str) -> int:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValidationError(f"{name} is {value!r:.60}, expected a whole number")
    return value


def _number(asked: dict[str, Any], name: str) -> float:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationError(f"{name} is {value!r:.60}, expected a number")
    try:
        return float(value)
    except OverflowError:
        raise ValidationError(f"{name} is {value!r:.60}..., too large a number") from None


def _flag(asked: dict[str, Any], name: str) -> bool:
    value = asked.get(name)
    if not isinstance(value, bool):
        raise ValidationError(f"{name} is {value!r:.60}, expected true or false")
    return value


def _layer(asked: dict[str, Any]) -> Any:
    value = asked.get("layer")
    if value not in ("removed", "affected"):
        raise ValidationError(f"layer is {value!r:.60}, expected removed or affected")
    return value


def _layers(asked: dict[str, Any]) -> list[Any]:
    value = asked.get("layers")
    if not isinstance(value, list) or not 1 <= len(value) <= 2:
        raise ValidationError(f"layers is {value!r:.60}, expected one or two of removed and affected")
    return [_layer({"layer": name}) for name in value]


def _stroke(asked: dict[str, Any]) -> list[tuple[float, float]]:
    value = asked.get("stroke")
    if not isinstance(value, list) or len(value) > MOST_STROKE_POINTS:
        raise ValidationError(f"stroke is no list of {MOST_STROKE_POINTS} points at most")
    points = []
    for point in value:
        if not isinstance(point, list) or len(point) != 2:
            raise ValidationError(f"stroke holds {point!r:.60}, expected [x, y]")
        held = {"x": point[0], "y": point[1]}
        points.append((_number(held, "x"), _number(held, "y")))
    return points

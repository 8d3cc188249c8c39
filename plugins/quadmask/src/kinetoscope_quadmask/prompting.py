"""Prompts in files: our own JSON, and the records that VOID's point tool and its segmentation leave."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kinetoscope_quadmask.prompts import Box, Point, Prompts
from kinetoscope_spec import FormatError, ValidationError, Video

__all__ = ["prompts_json", "read_prompts"]

MOST_BYTES: Final = 4 << 20
MOST_POINTS: Final = 100_000


def read_prompts(path: str | Path, video: Video) -> list[Prompts]:
    """Read prompts for objects in `video` from JSON.

    Two kinds of files are read: `{"objects": [{"points": [{"x", "y", "frame", "positive"}], "boxes":
    [{"left", "top", "right", "bottom", "frame"}], "noun"}]}`, which `prompts_json` gives; and
    `segmentation_info.json` of VOID's samples and `*_points.json` of its point tool, whose
    `primary_points_by_frame` (`points_by_frame`) are brought from `frame_width` x `frame_height` to the
    video's size.

    Raises:
        FormatError: it can't be read, or is neither; names file and place.
    """
    path = Path(path)
    held = _json(path)
    try:
        if isinstance(held.get("objects"), list):
            return [_own(item) for item in held["objects"]]
        return [_recorded(held, video)]
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        said = str(error) if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
        raise FormatError(
            f"holds prompts that can't be read: {said}", path=path, expected="objects with points or boxes"
        ) from error


def prompts_json(objects: Sequence[Prompts]) -> dict[str, Any]:
    """Return points, boxes and nouns of objects as JSON; of masks it tells the frames alone."""
    return {"objects": [_told(held) for held in objects]}


def _json(path: Path) -> Mapping[str, Any]:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise FormatError(f"has {size:,} bytes", path=path, expected=f"{MOST_BYTES:,} at most")
    try:
        held = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON: {error}", path=path, expected="prompts") from error
    videos = held.get("videos") if isinstance(held, dict) else held
    if isinstance(videos, list) and len(videos) == 1:
        held = videos[0]  # the point tool's files hold a list of videos
    if not isinstance(held, dict):
        raise FormatError("holds no object", path=path, expected="prompts of one video")
    return held


def _own(item: Mapping[str, Any]) -> Prompts:
    points = [
        Point(float(p["x"]), float(p["y"]), int(p.get("frame", 0)), bool(p.get("positive", True)))
        for p in _few(item.get("points", []))
    ]
    boxes = [
        Box(float(b["left"]), float(b["top"]), float(b["right"]), float(b["bottom"]), int(b.get("frame", 0)))
        for b in _few(item.get("boxes", []))
    ]
    return Prompts(points, boxes, noun=str(item.get("noun", "")))


def _recorded(held: Mapping[str, Any], video: Video) -> Prompts:
    by_frame = held.get("primary_points_by_frame") or held.get("points_by_frame")
    if not isinstance(by_frame, dict):
        flat = held["primary_points"]
        by_frame = {str(held.get("first_appears_frame", 0)): flat}
    width = float(held.get("frame_width", video.width))
    height = float(held.get("frame_height", video.height))
    if not (width >= 1 and height >= 1):
        raise ValidationError(f"frame_width and frame_height are {width:g} and {height:g}")
    return Prompts(list(_scaled(by_frame, video.width / width, video.height / height)))


def _scaled(by_frame: Mapping[str, Any], across: float, down: float) -> Iterator[Point]:
    for frame, points in by_frame.items():
        for x, y in _few(points):
            yield Point(float(x) * across, float(y) * down, int(frame))


def _few(items: Any) -> list[Any]:
    held = list(items)
    if len(held) > MOST_POINTS:
        raise ValidationError(f"{len(held):,} points, expected {MOST_POINTS:,} at most")
    return held


def _told(held: Prompts) -> dict[str, Any]:
    told: dict[str, Any] = {
        "points": [{"x": p.x, "y": p.y, "frame": p.frame, "positive": p.positive} for p in held.points],
        "boxes": [
            {"left": b.left, "top": b.top, "right": b.right, "bottom": b.bottom, "frame": b.frame}
            for b in held.boxes
        ],
    }
    if held.masks:
        told["mask_frames"] = [hint.frame for hint in held.masks]
    return told | ({"noun": held.noun} if held.noun else {})

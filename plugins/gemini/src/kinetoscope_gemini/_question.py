"""What a vision model is asked about a video, and the schema that its answer is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kinetoscope_quadmask.hooks import Grid

__all__ = ["SCHEMA", "SYSTEM", "question"]

SYSTEM: Final = (
    "You are a visual effects supervisor who plans the removal of an object from a shot. You look closely at "
    "pictures, reason about light and physics, and answer with one JSON object and nothing else."
)

_ASKED: Final = """\
The object to be removed is marked in red in the picture called TARGET. The video has {count} frames, numbered \
from 0, at {rate:g} frames a second, {width} x {height} pixels. Places are told in a grid of {rows} rows and \
{cols} columns, numbered from 0, row 0 at the top and column 0 at the left; the pictures show its lines.

What the user wants: {instruction}

Imagine the same shot, filmed from the same camera, in which the object never was. Answer:

1. integral_belongings: what has to go with the object because it is held, worn or ridden by it. At most 3.
2. affected_objects: what else would look different. At most 5, the most visible first. Shadows, reflections and \
light of the object are of category visual_artifact: give grid_localizations, the cells they cover, in at least \
three frames. Things that the object carries, holds up, pushes, hits or sets going are physical: ask of each \
whether the object supports it (it would fall), acts on it (it would stay where it was), or only touches it. \
If it would be in other places than in the video, set will_move and give trajectory_path: 3 to 5 frames with the \
cell in which its middle would be, and object_size_grids, the rows and columns it covers with one to spare. If it \
moves in the video and would have stayed, set currently_moving and should_have_stayed and give \
original_position_grid. For every thing that is visible give box_2d ([top, left, bottom, right] in thousandths of \
the picture) in the frame box_frame. Leave out what does not change.
3. scene_description: one or two sentences that describe the shot without the object, as if it had never been \
there. Name only what is to be seen; do not speak of removal.
4. edit_instruction: what is to be done, in one sentence. confidence: 0 to 1."""


def question(grid: Grid, count: int, rate: float, size: tuple[int, int], instruction: str) -> str:
    """Return the text of the request."""
    return _ASKED.format(
        count=count,
        rate=rate,
        width=size[0],
        height=size[1],
        rows=grid.rows,
        cols=grid.cols,
        instruction=" ".join(instruction.split())[:1000] or "Remove the object and all traces of it.",
    )


def _object(required: tuple[str, ...], /, **properties: Any) -> dict[str, Any]:
    return {"type": "OBJECT", "properties": properties, "required": list(required)}


def _list(items: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "ARRAY", "items": items, "max_items": most}


_TEXT: Final[dict[str, Any]] = {"type": "STRING"}
_WHOLE: Final[dict[str, Any]] = {"type": "INTEGER"}
_FLAG: Final[dict[str, Any]] = {"type": "BOOLEAN"}
_CELL: Final = _object(("row", "col"), row=_WHOLE, col=_WHOLE)
_BOX: Final = {"box_2d": _list(_WHOLE, 4), "box_frame": _WHOLE}

SCHEMA: Final = _object(
    ("integral_belongings", "affected_objects", "scene_description", "confidence"),
    edit_instruction=_TEXT,
    integral_belongings=_list(_object(("noun", "why"), noun=_TEXT, why=_TEXT, **_BOX), 3),
    affected_objects=_list(
        _object(
            ("noun", "category", "why", "will_move", "first_appears_frame", "movement_description"),
            noun=_TEXT,
            category={"type": "STRING", "enum": ["physical", "visual_artifact"]},
            why=_TEXT,
            will_move=_FLAG,
            first_appears_frame=_WHOLE,
            movement_description=_TEXT,
            currently_moving=_FLAG,
            should_have_stayed=_FLAG,
            original_position_grid=_CELL,
            grid_localizations=_list(
                _object(("frame", "grid_regions"), frame=_WHOLE, grid_regions=_list(_CELL, 200)), 12
            ),
            object_size_grids=_object(("rows", "cols"), rows=_WHOLE, cols=_WHOLE),
            trajectory_path=_list(
                _object(("frame", "grid_row", "grid_col"), frame=_WHOLE, grid_row=_WHOLE, grid_col=_WHOLE), 12
            ),
            **_BOX,
        ),
        5,
    ),
    scene_description=_TEXT,
    confidence={"type": "NUMBER"},
)
"""VOID's schema (arXiv 2604.02296), and boxes, from which a segmenter can start."""

"""What a vision model answers, as JSON in VOID's schema: read with repairs, and written.

The schema is that of VOID's `vlm_analysis.json` (arXiv 2604.02296 and its published code), with three
additions: `box_2d` and `box_frame` (a box in thousandths, as Gemini gives them) or `box_px` (pixels), from
which a segmenter can start, and `grid_rows`, `grid_cols`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

from kinetoscope_quadmask._grid import Cell, Grid
from kinetoscope_quadmask._repair import Repair
from kinetoscope_quadmask.prompts import Box
from kinetoscope_quadmask.reasoning import CATEGORIES, Affected, Belonging, Cells, Reasoning, Step
from kinetoscope_spec import ValidationError, Video

__all__ = ["analysis_of", "read_analysis"]

MOST_CHARACTERS: Final = 1_000_000


@attrs.frozen
class _Limits:
    """As many of each are taken."""

    belongings: int = 3
    affected: int = 5
    keyframes: int = 200
    cells: int = 2000


_ANSWER: Final = _Limits()
_OWN: Final = _Limits(*[10**6] * 4)

_NOUN, _WHY, _MOVEMENT, _SCENE = 80, 200, 300, 1000
"""Characters of each text that are kept."""


def read_analysis(
    answer: str | Mapping[str, Any],
    video: Video,
    count: int,
    *,
    grid: Grid | None = None,
    own: bool = False,
) -> Reasoning:
    """Return what an answer says of a video of `count` frames; what it gets wrong is repaired or left out.

    Text may stand around the JSON object. Cells outside the grid and frames past the end are left out,
    steps of a path outside are brought to the border, too many entries are cut: each is told in `warnings`.
    `grid` is the one that the answer was asked for; without it, the one that it names, or the usual one.
    `own` is what `analysis_of` wrote: reasoners that are no language models may say more, and none is cut.

    Raises:
        ValidationError: there is no JSON object in it.
    """
    held = _object(answer) if isinstance(answer, str) else answer
    if grid is None:
        grid = _named_grid(held) or Grid.over(video.width, video.height)
    repair = Repair(grid, video.width, video.height, count)
    limits = _OWN if own else _ANSWER
    belongings = [
        Belonging(noun, repair.text(item, "why", _WHY), repair.box(item, noun))
        for item in repair.items(held, "integral_belongings", limits.belongings)
        if (noun := _noun(repair, item))
    ]
    affected = [
        _affected(repair, item, noun, limits)
        for item in repair.items(held, "affected_objects", limits.affected)
        if (noun := _noun(repair, item))
    ]
    return Reasoning(
        grid,
        repair.text(held, "scene_description", _SCENE),
        belongings,
        affected,
        None,
        repair.text(held, "edit_instruction", _SCENE),
        _confidence(repair, held.get("confidence")),
        dict.fromkeys([*_kept_warnings(held), *repair.warnings]),  # read again, it warns of the same again
    )


def analysis_of(reasoning: Reasoning) -> dict[str, Any]:
    """Return a reasoning as JSON in VOID's schema; masks are not part of it."""
    return {
        "edit_instruction": reasoning.instruction,
        "integral_belongings": [
            {"noun": held.noun, "why": held.why} | _boxed(held.box) for held in reasoning.belongings
        ],
        "affected_objects": [_told(held) for held in reasoning.affected],
        "scene_description": reasoning.scene,
        "confidence": reasoning.confidence,
        "grid_rows": reasoning.grid.rows,
        "grid_cols": reasoning.grid.cols,
        "warnings": list(reasoning.warnings),
    }


def _object(text: str) -> Mapping[str, Any]:
    first, last = text.find("{"), text.rfind("}")
    try:
        held = (
            json.loads(text[first : last + 1]) if 0 <= first < last and len(text) <= MOST_CHARACTERS else None
        )
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        begin = " ".join(text[:200].split())[:60]
        raise ValidationError(f"the answer holds no JSON object, it begins {begin!r}")
    return held


def _named_grid(held: Mapping[str, Any]) -> Grid | None:
    rows, cols = held.get("grid_rows"), held.get("grid_cols")
    fits = all(isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 100 for n in (rows, cols))
    return Grid(int(rows), int(cols)) if fits and rows and cols else None


def _noun(repair: Repair, item: Mapping[str, Any]) -> str:
    noun = repair.text(item, "noun", _NOUN).lower()
    if not noun:
        repair.warn("something has no noun and is left out")
    return noun


def _affected(repair: Repair, item: Mapping[str, Any], noun: str, limits: _Limits) -> Affected:
    moves = repair.flag(item, "will_move")
    path = _path(repair, item, noun, limits)
    if moves and not path:
        repair.warn(f"{noun}: will move, but where is not told")
    original = item.get("original_position_grid")
    first = item.get("first_appears_frame")
    return Affected(
        noun,
        _category(repair, item, noun),
        repair.text(item, "why", _WHY),
        moves,
        0 if first is None else repair.frame(first, f"{noun}: first seen") or 0,
        repair.text(item, "movement_description", _MOVEMENT),
        repair.flag(item, "currently_moving"),
        repair.flag(item, "should_have_stayed"),
        None if original is None else repair.cell(original, f"{noun}: original cell"),
        _localized(repair, item, noun, limits),
        repair.size(item.get("object_size_grids")),
        path,
        repair.box(item, noun),
    )


def _category(repair: Repair, item: Mapping[str, Any], noun: str) -> str:
    said = repair.text(item, "category", _NOUN).lower().replace(" ", "_")
    if said in CATEGORIES:
        return said
    meant = "visual_artifact" if "visual" in said or "arti" in said else "physical"
    repair.warn(f"{noun}: the category {said!r} is taken for {meant}")
    return meant


def _localized(repair: Repair, item: Mapping[str, Any], noun: str, limits: _Limits) -> list[Cells]:
    found: dict[int, list[Cell]] = {}
    for at in repair.items(item, "grid_localizations", limits.keyframes):
        frame = repair.frame(at.get("frame"), noun)
        if frame is None:
            continue
        regions = at.get("grid_regions")
        for region in (regions if isinstance(regions, list | tuple) else [])[: limits.cells]:
            cell = repair.cell(region, noun)
            if cell is not None:
                found.setdefault(frame, []).append(cell)
    return [Cells(frame, dict.fromkeys(found[frame])) for frame in sorted(found)]


def _path(repair: Repair, item: Mapping[str, Any], noun: str, limits: _Limits) -> list[Step]:
    found: dict[int, Step] = {}
    for at in repair.items(item, "trajectory_path", limits.keyframes):
        frame = repair.frame(at.get("frame"), f"{noun}: path")
        place = None if frame is None else repair.step(at, f"{noun}: path")
        if frame is not None and place is not None:
            found[frame] = Step(frame, *place)
    return [found[frame] for frame in sorted(found)]


def _confidence(repair: Repair, value: Any) -> float:
    number = 1.0 if value is None else repair.number(value)
    if number is not None and 1 < number <= 100:
        number /= 100  # per cent
    if number is None or not 0 <= number <= 1:
        repair.warn("the confidence is no number from 0 to 1")
        return 0.0
    return number


def _kept_warnings(held: Mapping[str, Any]) -> list[str]:
    kept = held.get("warnings")
    return [text for text in kept if isinstance(text, str)][:100] if isinstance(kept, list) else []


def _boxed(box: Box | None) -> dict[str, Any]:
    if box is None:
        return {}
    return {"box_px": [box.left, box.top, box.right, box.bottom], "box_frame": box.frame}


def _told(held: Affected) -> dict[str, Any]:
    told: dict[str, Any] = {
        "noun": held.noun,
        "category": held.category,
        "why": held.why,
        "will_move": held.will_move,
        "first_appears_frame": held.first_frame,
        "movement_description": held.movement,
        "currently_moving": held.moving,
        "should_have_stayed": held.should_have_stayed,
        "object_size_grids": {"rows": held.size[0], "cols": held.size[1]},
    }
    if held.original_cell is not None:
        told["original_position_grid"] = dict(zip(("row", "col"), held.original_cell, strict=True))
    if held.cells:
        told["grid_localizations"] = [
            {"frame": at.frame, "grid_regions": [{"row": row, "col": col} for row, col in at.cells]}
            for at in held.cells
        ]
    if held.path:
        told["trajectory_path"] = [
            {"frame": step.frame, "grid_row": step.row, "grid_col": step.col} for step in held.path
        ]
    return told | _boxed(held.box)

"""The stages that find what a reasoner named, and put all together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._folder import BELONGINGS, GREY, LOCATED, QUADMASK, inside, maybe, read_json, union
from kinetoscope_quadmask._grid import Array, Grid
from kinetoscope_quadmask.files import write_mask, write_quadmask
from kinetoscope_quadmask.prompts import Prompts
from kinetoscope_quadmask.reasoning import Affected, Belonging, Reasoning
from kinetoscope_quadmask.regions import affected_cells
from kinetoscope_quadmask.streams import mapped
from kinetoscope_spec import Mask, Progress, Quadmask, ValidationError, Video
from kinetoscope_spec.files import write_text

__all__ = ["Located", "combine", "locate", "read_located"]


@attrs.frozen(eq=False)
class Located:
    """Where what was named is in the video: belongings together, each affected thing or None."""

    belongings: Mask | None
    affected: tuple[Mask | None, ...]


# -- locate


def locate(
    media: Any, segmenter: Any, video: Video, reasoning: Reasoning, folder: Path, progress: Progress | None
) -> list[str]:
    """Find what the reasoner named: from its boxes, and by its nouns where the segmenter takes text."""
    for stale in (folder / BELONGINGS, *folder.glob("located_*.mp4")):
        stale.unlink(missing_ok=True)
    wanted: list[tuple[str, Prompts]] = []
    warnings: list[str] = []
    named: list[tuple[str, Belonging | Affected]] = [(BELONGINGS, held) for held in reasoning.belongings]
    named += [(f"located_{i}.mp4", held) for i, held in enumerate(reasoning.affected) if held.mask is None]
    for name, held in named:
        prompts = _prompts(held, segmenter, video)
        if prompts is not None:
            wanted.append((name, prompts))
        elif _is_needed(held):
            warnings.append(f"{held.noun}: not located, there is no box to start from")
    files = [LOCATED]
    if wanted:
        made = segmenter.segment(video, [prompts for _, prompts in wanted], progress=progress)
        for name in dict.fromkeys(name for name, _ in wanted):
            masks = [mask for (other, _), mask in zip(wanted, made.masks, strict=True) if other == name]
            write_mask(media, folder / name, mapped(union(masks, 128), Mask, inside))
            files.append(name)
    write_text(folder / LOCATED, json.dumps({"files": files[1:], "warnings": warnings}, indent=1) + "\n")
    return files


def read_located(
    media: Any, folder: Path, video: Video, reasoning: Reasoning
) -> tuple[Located, tuple[str, ...]]:
    """Return where things are, the reasoner's own masks first, and what was not located."""
    affected = tuple(
        held.mask or maybe(media, folder / f"located_{i}.mp4", video, "bright")
        for i, held in enumerate(reasoning.affected)
    )
    warnings = read_json(folder / LOCATED).get("warnings", [])
    return Located(maybe(media, folder / BELONGINGS, video, "bright"), affected), tuple(map(str, warnings))


def _prompts(held: Belonging | Affected, segmenter: Any, video: Video) -> Prompts | None:
    """Return prompts that the segmenter can start from, or None."""
    takes: frozenset[str] = frozenset() if segmenter is None else segmenter.takes
    made = Prompts(
        boxes=[held.box] if held.box is not None else [], noun=held.noun if "text" in takes else ""
    )
    try:
        made.check(video, takes)
    except ValidationError:
        return None
    return made


def _is_needed(held: Belonging | Affected) -> bool:
    """Return whether nothing else says where something is."""
    return isinstance(held, Belonging) or not (held.cells or held.path or held.original_cell)


# -- combine


def combine(
    media: Any,
    folder: Path,
    black: Mask,
    reasoning: Reasoning,
    located: Located,
    *,
    first_frame: bool,
    progress: Progress | None,
) -> list[str]:
    """Write the grey regions and the quadmask."""
    # What belongs to the object is near things as the object itself is, and goes with it.
    removed = black if located.belongings is None else _removed_too(black, located.belongings)
    cells = np.stack(list(affected_cells(reasoning, removed, located.affected)))
    grey = mapped(black, Quadmask, _Grey(cells, reasoning.grid))
    write_quadmask(media, folder / GREY, grey)
    whole = mapped(removed, Quadmask, _Combined(cells, reasoning.grid, first_frame))
    write_quadmask(media, folder / QUADMASK, whole, progress=progress)
    return [GREY, QUADMASK]


def _removed_too(black: Mask, belongings: Mask) -> Mask:
    return mapped(union([black, belongings], 1), Mask, inside)


@attrs.frozen(eq=False)
class _Grey:
    """A frame of affected cells alone."""

    cells: Array
    grid: Grid

    def __call__(self, index: int, frame: Array) -> Array:
        filled = self.grid.filled(self.cells[index], frame.shape[1], frame.shape[0])
        return values.combined(np.zeros_like(filled), filled)


@attrs.frozen(eq=False)
class _Combined:
    """A frame of the object and affected cells."""

    cells: Array
    grid: Grid
    first_frame: bool

    def __call__(self, index: int, frame: Array) -> Array:
        filled = self.grid.filled(self.cells[index], frame.shape[1], frame.shape[0])
        made = values.combined(frame > 0, filled)
        return values.first_frame(made) if index == 0 and self.first_frame else made

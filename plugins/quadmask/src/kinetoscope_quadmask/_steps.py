"""The work of each stage of the pipeline, and its files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._grid import Array, Grid
from kinetoscope_quadmask.analysis import analysis_of, read_analysis
from kinetoscope_quadmask.files import read_mask, write_mask, write_quadmask
from kinetoscope_quadmask.prompting import prompts_json
from kinetoscope_quadmask.prompts import Doubt, Prompts, Segmentation
from kinetoscope_quadmask.reasoning import Affected, Belonging, Reasoning
from kinetoscope_quadmask.regions import affected_cells
from kinetoscope_quadmask.streams import check_fit, count_frames, mapped
from kinetoscope_spec import FormatError, Mask, Progress, Quadmask, ValidationError, Video
from kinetoscope_spec.files import write_text

BLACK: Final = "black_mask.mp4"
INFO: Final = "segmentation_info.json"
ANALYSIS: Final = "vlm_analysis.json"
PROMPT: Final = "prompt.json"
REGIONS: Final = "regions.mp4"
BELONGINGS: Final = "belongings.mp4"
LOCATED: Final = "located.json"
GREY: Final = "grey_mask.mp4"
QUADMASK: Final = "quadmask_0.mp4"

MOST_JSON_BYTES: Final = 64 << 20


@attrs.frozen(eq=False)
class Located:
    """Where what was named is in the video: belongings together, each affected thing or None."""

    belongings: Mask | None
    affected: tuple[Mask | None, ...]


# -- segment


def segment(
    media: Any,
    segmenter: Any,
    video: Video,
    objects: Sequence[Prompts],
    mask: Mask | None,
    folder: Path,
    instruction: str,
    progress: Progress | None,
) -> list[str]:
    """Write where what is taken out is, and what was asked and answered."""
    if mask is not None:
        made: Segmentation | None = None
        black = mapped(mask, Quadmask, _covered)
    else:
        if segmenter is None:
            raise ValidationError("there are prompts but no segmenter to follow them")
        made = segmenter.segment(video, objects, progress=progress)
        for found_mask in made.masks:
            check_fit(found_mask, video, "segmenter's mask")
        black = _union(made.masks, 128)
    write_quadmask(media, folder / BLACK, black)
    found = read_black(media, folder, video)
    count = count_frames(found)
    if not any(frame.any() for frame in found.frames()):
        said = (
            "; ".join(doubt.reason for doubt in made.doubts)
            if made and made.doubts
            else "expected more prompts"
        )
        raise ValidationError(f"nothing is to be taken out: the mask is empty in all {count} frames; {said}")
    write_text(folder / INFO, json.dumps(_info(video, count, objects, instruction, made), indent=1) + "\n")
    return [BLACK, INFO]


def read_black(media: Any, folder: Path, video: Video) -> Mask:
    """Return what the first stage found, 255 inside."""
    return read_mask(media, folder / BLACK, like=video, kind="dark")


def read_doubts(path: Path) -> tuple[Doubt, ...]:
    """Return where the segmenter was not sure."""
    held = _json(path).get("doubts", [])
    try:
        return tuple(Doubt(int(d["index"]), int(d["frame"]), str(d["reason"])) for d in held)
    except (TypeError, KeyError, ValueError) as error:
        raise FormatError(
            "holds doubts that can't be read", path=path, expected="those of a segmenter"
        ) from error


def _info(
    video: Video, count: int, objects: Sequence[Prompts], instruction: str, made: Segmentation | None
) -> dict[str, Any]:
    """Return the record of a segmentation; the first keys are those of VOID's."""
    positive = [point for held in objects for point in held.points if point.positive]
    by_frame: dict[str, list[list[float]]] = {}
    for point in sorted(positive, key=lambda point: point.frame):
        by_frame.setdefault(str(point.frame), []).append([point.x, point.y])
    frames = sorted({frame for held in objects for frame in held.prompted_frames()})
    told: dict[str, Any] = {
        "total_frames": count,
        "frame_width": video.width,
        "frame_height": video.height,
        "fps": float(video.rate),
        "num_points": len(positive),
        "points_by_frame": by_frame,
        "instruction": instruction,
        "primary_points_by_frame": by_frame,
        "primary_frames": frames,
        "first_appears_frame": frames[0] if frames else 0,
        "objects": prompts_json(objects)["objects"],
    }
    if made is not None:
        told["confidence"] = np.round(made.confidence, 4).tolist()
        told["doubts"] = [attrs.asdict(doubt) for doubt in made.doubts]
    return told


# -- reason


def reason(
    reasoner: Any, video: Video, black: Mask, instruction: str, grid: Grid, progress: Progress | None
) -> Reasoning:
    """Return what the reasoner says; without one, that nothing changes."""
    if reasoner is None:
        return Reasoning(grid)
    made: Reasoning = reasoner.reason(video, black, instruction=instruction, grid=grid, progress=progress)
    made.check(video)
    return made


def write_reasoning(media: Any, folder: Path, made: Reasoning) -> list[str]:
    """Write what a reasoner said, and its masks."""
    for stale in (folder / PROMPT, folder / REGIONS, *folder.glob("reasoned_*.mp4")):
        stale.unlink(missing_ok=True)
    files = [ANALYSIS]
    masks = {f"reasoned_{i}.mp4": held.mask for i, held in enumerate(made.affected)} | {REGIONS: made.regions}
    for name, mask in masks.items():
        if mask is not None:
            write_quadmask(media, folder / name, mapped(mask, Quadmask, _covered))
            files.append(name)
    if made.scene:
        write_text(folder / PROMPT, json.dumps({"bg": made.scene}) + "\n")
        files.append(PROMPT)
    write_text(folder / ANALYSIS, json.dumps(analysis_of(made), indent=1) + "\n")
    return files


def read_reasoning(media: Any, folder: Path, video: Video) -> Reasoning:
    """Return what the folder holds of a reasoner."""
    count = count_frames(read_black(media, folder, video))
    made = read_analysis(_json(folder / ANALYSIS), video, count, own=True)
    affected: list[Affected] = [
        attrs.evolve(held, mask=_maybe(media, folder / f"reasoned_{i}.mp4", video))
        for i, held in enumerate(made.affected)
    ]
    return attrs.evolve(made, affected=affected, regions=_maybe(media, folder / REGIONS, video))


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
            write_mask(media, folder / name, mapped(_union(masks, 128), Mask, _inside))
            files.append(name)
    write_text(folder / LOCATED, json.dumps({"files": files[1:], "warnings": warnings}, indent=1) + "\n")
    return files


def read_located(
    media: Any, folder: Path, video: Video, reasoning: Reasoning
) -> tuple[Located, tuple[str, ...]]:
    """Return where things are, the reasoner's own masks first, and what was not located."""
    affected = tuple(
        held.mask or _maybe(media, folder / f"located_{i}.mp4", video, "bright")
        for i, held in enumerate(reasoning.affected)
    )
    warnings = _json(folder / LOCATED).get("warnings", [])
    return Located(_maybe(media, folder / BELONGINGS, video, "bright"), affected), tuple(map(str, warnings))


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
    return mapped(_union([black, belongings], 1), Mask, _inside)


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


# -- small things


@attrs.frozen(eq=False)
class _Together:
    """The spec's FrameSource of several masks as one: 0 where any is at `level` or above, else 255."""

    masks: Sequence[Mask]
    level: int

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        for frames in zip(*(mask.frames(start, stop) for mask in self.masks), strict=True):
            inside = np.any([frame >= self.level for frame in frames], axis=0)
            yield np.where(inside, np.uint8(values.REMOVE), np.uint8(values.KEEP))


def _union(masks: Sequence[Mask], level: int) -> Quadmask:
    first = masks[0]
    return Quadmask(
        first.width, first.height, first.rate, _Together(masks, level), first.frame_count, first.timestamps
    )


def _covered(_index: int, frame: Array) -> Array:
    return np.where(frame > 0, np.uint8(values.REMOVE), np.uint8(values.KEEP))


def _inside(_index: int, frame: Array) -> Array:
    return np.where(frame == values.REMOVE, np.uint8(255), np.uint8(0))


def _maybe(media: Any, path: Path, video: Video, kind: values.Kind = "dark") -> Mask | None:
    return read_mask(media, path, like=video, kind=kind) if path.is_file() else None


def _json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MOST_JSON_BYTES:
        raise FormatError("is too large", path=path, expected=f"{MOST_JSON_BYTES:,} bytes at most")
    try:
        held = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON: {error}", path=path, expected="an object") from error
    if not isinstance(held, dict):
        raise FormatError("holds no object", path=path, expected="an object")
    return held

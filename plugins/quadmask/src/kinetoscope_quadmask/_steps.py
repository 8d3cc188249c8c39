"""The stages that follow what is taken out, and ask what changes with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_quadmask._folder import (
    ANALYSIS,
    BLACK,
    INFO,
    PROMPT,
    REGIONS,
    covered,
    maybe,
    read_json,
    union,
)
from kinetoscope_quadmask._grid import Grid
from kinetoscope_quadmask.analysis import analysis_of, read_analysis
from kinetoscope_quadmask.files import read_mask, write_quadmask
from kinetoscope_quadmask.prompting import prompts_json
from kinetoscope_quadmask.prompts import Doubt, Prompts, Segmentation
from kinetoscope_quadmask.reasoning import Affected, Reasoning
from kinetoscope_quadmask.streams import check_fit, count_frames, mapped
from kinetoscope_spec import FormatError, Mask, Progress, Quadmask, ValidationError, Video
from kinetoscope_spec.files import write_text

__all__ = ["read_black", "read_doubts", "read_reasoning", "reason", "segment", "write_reasoning"]


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
        black = mapped(mask, Quadmask, covered)
    else:
        if segmenter is None:
            raise ValidationError("there are prompts but no segmenter to follow them")
        made = segmenter.segment(video, objects, progress=progress)
        for found_mask in made.masks:
            check_fit(found_mask, video, "segmenter's mask")
        black = union(made.masks, 128)
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
    held = read_json(path).get("doubts", [])
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
            write_quadmask(media, folder / name, mapped(mask, Quadmask, covered))
            files.append(name)
    if made.scene:
        write_text(folder / PROMPT, json.dumps({"bg": made.scene}) + "\n")
        files.append(PROMPT)
    write_text(folder / ANALYSIS, json.dumps(analysis_of(made), indent=1) + "\n")
    return files


def read_reasoning(media: Any, folder: Path, video: Video) -> Reasoning:
    """Return what the folder holds of a reasoner."""
    count = count_frames(read_black(media, folder, video))
    made = read_analysis(read_json(folder / ANALYSIS), video, count, own=True)
    affected: list[Affected] = [
        attrs.evolve(held, mask=maybe(media, folder / f"reasoned_{i}.mp4", video))
        for i, held in enumerate(made.affected)
    ]
    return attrs.evolve(made, affected=affected, regions=maybe(media, folder / REGIONS, video))

"""How well things are followed without weights on real films; figures of the issue stand beside ours."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import things
from test_segmenter import real, segmented

from kinetoscope_quadmask.hooks import Point, Prompts, read_prompts
from kinetoscope_spec import Video


@pytest.mark.parametrize("name", ["moving_ball, one click", "ducky-float, its clicks"])
def test_following(benchmark: Any, name: str) -> None:
    """The figure is the mean intersection over union with the film's own mask; skips without the films."""
    if name.startswith("moving_ball"):
        _, frames, inside = real("moving_ball", "quadmask_0.mp4")
        film = things.Film(frames, inside)
        prompts, wanted = Prompts([Point(*film.middle(0), 0)]), 0.9
    else:
        folder, frames, inside = real("ducky-float", "trimask_quadmask.mp4")
        film = things.Film(frames, inside)
        prompts = read_prompts(folder / "segmentation_info.json", Video.from_frames(frames, 12))[0]
        wanted = 0.8
    made, told = benchmark.pedantic(segmented, args=(frames, prompts), rounds=1, warmup_rounds=0)
    seen = inside.any(axis=(1, 2)) | made.any(axis=(1, 2))
    found = things.iou(made, film)[seen]
    benchmark.extra_info |= {
        "value": float(found.mean()),
        "unit": "IoU",
        "note": f"least {found.min():.2f}; {seen.sum()} frames of {frames.shape[2]} x {frames.shape[1]}; "
        f"{len(told.doubts)} doubts; wanted {wanted}",
    }
    assert found.mean() >= wanted

"""Real films whose background is known: a real thing is pasted over another real film."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scenes import Scene

from kinetoscope_av.provider import AvMedia

Array = Any

KINDS = ("real, still", "real, pan")
SIZE, FRAMES = (672, 384), 24


def pasted(kind: str, seed: int) -> Scene:
    """Return the press film behind the duck of the other, which goes across; `seed` says where and how large.

    The camera of a "pan" is a window that moves over the film by fractions of pixels. Skips without
    `KINETOSCOPE_DATA`.
    """
    folder = Path(os.environ.get("KINETOSCOPE_DATA", "")) / "video"
    if not os.environ.get("KINETOSCOPE_DATA") or not folder.is_dir():
        pytest.skip("KINETOSCOPE_DATA names no folder with videos")
    random = np.random.default_rng((KINDS.index(kind), seed))
    media = AvMedia()
    behind = media.open(folder / "ducky-float" / "input_video.mp4", audio=False).frames(0, FRAMES)
    front = media.open(folder / "moving_ball" / "input_video.mp4", audio=False).frames(0, FRAMES)
    matte = media.open(folder / "moving_ball" / "quadmask_0.mp4", audio=False).frames(0, FRAMES)
    width, height = SIZE
    film, covered, truth = [], [], []
    scale, level = random.uniform(0.35, 0.5), random.uniform(0.3, 0.6)
    for t, (wall, thing, kept) in zip(
        np.linspace(0, 1, FRAMES), zip(behind, front, matte, strict=True), strict=False
    ):
        window = np.array([[1.4, 0, 150.0 * t if kind == "real, pan" else 60.0], [0, 1.4, 40.0]])
        clean = cv2.warpAffine(wall, window, SIZE, flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP)
        inside = (kept[..., 0] <= 95).astype(
            np.float32
        )  # of a quadmask's four values 0 and 63 are the object
        rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
        cut = slice(max(rows[0] - 8, 0), rows[-1] + 9), slice(max(columns[0] - 8, 0), columns[-1] + 9)
        factor = scale * height / (rows[-1] - rows[0])
        move = np.array([[factor, 0, width * (0.8 * t - 0.05)], [0, factor, height * level]])
        alpha = cv2.warpAffine(inside[cut], move, SIZE)[..., None]
        shot = cv2.warpAffine(thing[cut], move, SIZE) * alpha + clean * (1 - alpha)
        film.append(np.rint(shot).astype(np.uint8))
        truth.append(clean)
        covered.append(cv2.dilate((alpha[..., 0] > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
    return Scene(np.stack(film), np.stack(covered), np.stack(truth))

"""Asks ufbx, in a process of its own, where the nodes of files stand, and compares."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Asset


def ask(jobs: list[Any]) -> Iterator[Any]:
    """Yield what ufbx says to each job, in a process of its own."""
    oracle = Path(__file__).with_name("ufbx_oracle.py")
    run = subprocess.run(
        [sys.executable, str(oracle)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    lines = run.stdout.splitlines()
    assert len(lines) == len(jobs)
    return map(json.loads, lines)


def moments(asset: Asset) -> list[tuple[int, list[int], list[float]]]:
    """Return of each motion its number, some frames, and their times on the file's clock."""
    if not asset.motions:
        return [(0, [-1], [0.0])]
    found = []
    for number, motion in enumerate(asset.motions):
        last = motion.frame_count - 1
        frames = sorted({0, last // 5, last // 3, last // 2, 3 * last // 4, last})
        found.append((number, frames, [motion.start_time + frame / motion.framerate for frame in frames]))
    return found


def worst(asset: Asset, number: int, frames: list[int], said: list[Any]) -> float:
    """Return the largest difference from what ufbx said: of positions by the scene's size, of axes by theirs."""
    axes, to_ours = asset.metadata["axes"], np.eye(4)
    for row in range(3):
        to_ours[row, :3] = 0
        to_ours[row, "XYZ".index(axes[2 * row + 1])] = (1 if axes[2 * row] == "+" else -1) * asset.metadata[
            "unit_m"
        ]
    at_rest = frames == [-1]
    ours: NDArray[Any] = (
        asset.skeleton.rest_matrices()[None] if at_rest else asset.motions[number].global_matrices()[frames]
    ).astype(np.float64)
    ours = np.linalg.inv(to_ours) @ ours @ to_ours
    names = [name for name in asset.skeleton.names if not name.endswith(" (shear)")]
    places = [asset.skeleton.names.index(name) for name in names]
    largest = 0.0
    for k, rows in enumerate(said):
        theirs = [(name, np.array(columns).T) for name, is_root, columns in rows if not is_root]
        table: dict[str, NDArray[Any]] = {}
        for name, matrix in theirs:
            given, count = name, 0
            while given in table:
                count += 1
                given = f"{name}_{count}"
            table[given] = matrix
        assert sorted(table) == sorted(names)
        want = np.stack([table[name] for name in names])
        got = ours[k][places][:, :3]
        size = max(np.abs(want[..., 3]).max(), 1.0)
        axis_size = np.maximum(np.abs(want[..., :3]).max(axis=(1, 2)), 1.0)
        largest = max(
            largest,
            np.abs(got[..., 3] - want[..., 3]).max() / size,
            (np.abs(got[..., :3] - want[..., :3]).max(axis=(1, 2)) / axis_size).max(),
        )
    return largest

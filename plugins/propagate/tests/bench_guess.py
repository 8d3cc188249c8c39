"""What is made up where no frame shows anything, beside what Telea 2004 makes of it, on grounds that are known.

    python bench_guess.py

prints the table of the README: a hole of 48 x 34 px that goes with the ground, twelve frames, before a camera
that stands still and before one that pans.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bench_propagate import propagate
from scenes import Scene, scores, telea
from test_guess import SIZE, THING, WAYS, ground, oval

FRAMES, SHOWN = 12, 160
PANS = {"still": 0, "pan": 2}
SEEDS = (11, 12)


def film(kind: str, pan: int, seed: int) -> Scene:
    """Return a film that never shows what is behind the thing."""
    behind, hole = ground(kind, seed), oval((92, 72), (24, 17))
    window = [slice(pan * t, pan * t + SHOWN) for t in range(FRAMES)]
    truth = np.stack([behind[:, held] for held in window])
    covered = np.stack([hole[:, held] for held in window])
    assert SHOWN + pan * FRAMES <= SIZE[1]
    return Scene(np.where(covered[..., None], np.uint8(THING), truth), covered, truth)


@cache
def measured(kind: str, camera: str) -> dict[str, dict[str, float]]:
    """Return of the guess and of Telea the mean scores over the seeds."""
    made: dict[str, list[dict[str, float]]] = {"propagate": [], "telea": []}
    for seed in SEEDS:
        given = film(kind, PANS[camera], seed)
        made["propagate"].append(scores(propagate(given), given))
        made["telea"].append(scores(telea(given), given))
    return {
        way: {name: float(np.mean([one[name] for one in held])) for name in held[0]}
        for way, held in made.items()
    }


@pytest.mark.parametrize("camera", PANS)
@pytest.mark.parametrize("kind", WAYS)
def test_guess(benchmark: Any, kind: str, camera: str) -> None:
    """The figure is PSNR in the hole, dB; the peer is Telea."""
    found = benchmark.pedantic(measured, args=(kind, camera), rounds=1, warmup_rounds=0)
    ours, peer = found["propagate"], found["telea"]
    benchmark.extra_info |= {
        "value": ours["psnr"],
        "unit": "dB",
        "peer": "telea",
        "peer_value": peer["psnr"],
        "ratio": ours["psnr"] / peer["psnr"],
        "note": "; ".join(f"{way}: {_said(held)}" for way, held in found.items()),
    }
    assert ours["psnr"] > peer["psnr"] - 0.5


def _said(one: dict[str, float]) -> str:
    return f"{one['psnr']:.1f} / {one['ssim']:.3f} / {one['flicker']:.2f}"


def main() -> None:
    """Print PSNR, SSIM and flicker in the hole, means over the seeds."""
    print("| ground | camera | propagate | Telea |")
    print("| --- | --- | --- | --- |")
    for kind in WAYS:
        for camera in PANS:
            found = measured(kind, camera)
            print(
                f"| {kind} | {camera} | {_said(found['propagate'])} | {_said(found['telea'])} |", flush=True
            )


if __name__ == "__main__":
    main()

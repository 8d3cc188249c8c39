"""What is found behind things, and how fast, beside what peers find on the same scenes.

    python bench_propagate.py [SEED …]

prints the table of the README for scenes of these seeds; as a benchmark it times one scene of each kind.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from scenes import KINDS, PEERS, Scene, scene, scores

from kinetoscope_propagate.inpainter import PropagateInpainter
from kinetoscope_spec import Mask, Video

SEED = 77


def propagate(given: Scene) -> Any:
    video = Video.from_frames(given.film, 25)
    mask = Mask.from_frames(given.covered.astype(np.uint8) * 255, 25)
    return np.stack(list(PropagateInpainter().inpaint(video, mask).frames()))


@pytest.mark.parametrize("kind", KINDS)
def test_inpainting(benchmark: Any, kind: str) -> None:
    given = scene(kind, SEED)
    made = benchmark.pedantic(propagate, args=(given,), rounds=2, warmup_rounds=0)
    found = scores(made, given)
    began = process_time()
    peer = PEERS["five nearest"](given)
    took = process_time() - began
    plate = scores(peer, given)
    benchmark.extra_info |= {
        "peer": "the median of the five nearest views",
        "peer_value": took,
        "note": f"{found['psnr']:.1f} dB, flicker {found['flicker']:.2f}; they "
        f"{plate['psnr']:.1f} dB, {plate['flicker']:.2f}",
    }


def main() -> None:
    """Print PSNR and flicker of all ways, means over the seeds."""
    seeds = [int(word) for word in sys.argv[1:]] or [SEED]
    ways = {**PEERS, "propagate": propagate}
    print("| scene |", " | ".join(ways), "|")
    print("| --- |", " | ".join("---" for _ in ways), "|")
    for kind in KINDS:
        cells = []
        for way in ways.values():
            found = [scores(way(given), given) for given in (scene(kind, seed) for seed in seeds)]
            mean = {name: np.mean([one[name] for one in found]) for name in found[0]}
            cells.append(f"{mean['psnr']:.1f} / {mean['flicker']:.2f}")
        print(f"| {kind} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()

"""How many frames a second go from one skeleton to another, on one core.

A body of 23 joints (as CMU's) moves one of 52 (as Mixamo's), a minute at 120 Hz, feet and all. The peer
is the same without planting feet, in the same run.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from kinetoscope_retarget._people import body
from kinetoscope_retarget.contract import _moving
from kinetoscope_retarget.retargeter import AnatomicRetargeter

pytestmark = pytest.mark.bench
FRAMES = 7200


def bench_retarget(benchmark: Any) -> None:
    source, roles = body("cmu_asf")
    motion = _moving("cmu_asf", source, roles, FRAMES, 0, 0.3, 5.0).motion
    target, _ = body("mixamo")
    retargeter = AnatomicRetargeter()
    match = retargeter.match(source, target)
    retargeter.retarget(motion, target, match=match)
    benchmark.pedantic(retargeter.retarget, (motion, target), {"match": match}, rounds=10)
    value = FRAMES / benchmark.stats.stats.min
    times = []
    for _ in range(10):
        start = time.perf_counter()
        retargeter.retarget(motion, target, match=match, contacts=False)
        times.append(time.perf_counter() - start)
    peer = FRAMES / min(times)
    benchmark.extra_info |= {
        "value": value,
        "unit": "frames/s",
        "peer": "the same without planting feet",
        "peer_value": peer,
        "ratio": value / peer,
        "note": f"{len(source)} joints to {len(target)}",
    }


def bench_match(benchmark: Any) -> None:
    """Match two skeletons that were not seen before (their bodies are found anew)."""
    from kinetoscope_retarget._body import body_of

    (source, _), (target, _) = body("unreal"), body("mixamo")

    def once() -> None:
        body_of.cache_clear()
        AnatomicRetargeter().match(source, target)

    benchmark.pedantic(once, rounds=10)
    benchmark.extra_info |= {
        "value": benchmark.stats.stats.min * 1e3,
        "unit": "ms",
        "note": "55 joints and 52",
    }

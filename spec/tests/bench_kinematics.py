"""Rates of forward kinematics of 22 joints on one core: `pytest bench_kinematics.py --benchmark-json …`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_spec import _fast, kinematics

pytestmark = pytest.mark.bench
BIPED = (-1, 0, 1, 2, 3, 4, 3, 6, 7, 8, 3, 10, 11, 12, 1, 14, 15, 16, 1, 18, 19, 20)
FRAMES = 4096


def pose(dtype: type) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    rotations = Rotation.random(FRAMES * 22, rng=rng).as_quat().reshape(FRAMES, 22, 4)
    return rng.normal(size=(FRAMES, 22, 3)).astype(dtype), rotations.astype(dtype)


def note(benchmark: Any, peer: str | None = "test_scipy") -> None:
    benchmark.extra_info |= {
        "value": FRAMES / benchmark.stats.stats.min,
        "unit": "frames/s",
        "peer_test": peer,
        "note": "22 joints, one core",
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled(benchmark: Any, dtype: type) -> None:
    pytest.importorskip("numba")
    positions, rotations = pose(dtype)
    benchmark(_fast.global_transforms, BIPED, positions, rotations)
    note(benchmark)


def test_plain_numpy(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fast, "wanted", lambda count: False)
    positions, rotations = pose(np.float32)
    benchmark(kinematics.global_transforms, BIPED, positions, rotations)
    note(benchmark)


def test_scipy(benchmark: Any) -> None:
    """The peer: one SciPy product and turn a joint, over all frames."""
    positions, rotations = pose(np.float64)
    local = [Rotation.from_quat(rotations[:, joint]) for joint in range(22)]

    def forward() -> None:
        turns = [local[0]]
        places = [positions[:, 0]]
        for joint in range(1, 22):
            above = turns[BIPED[joint]]
            places.append(places[BIPED[joint]] + above.apply(positions[:, joint]))
            turns.append(above * local[joint])

    benchmark(forward)
    note(benchmark, None)

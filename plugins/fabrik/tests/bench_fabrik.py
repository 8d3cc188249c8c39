"""How fast FABRIK solves, on one core, and how many reachable targets it misses.

Targets are spread evenly over the ball that a chain reaches; chains stand in random poses. The peer
of each figure is measured in the same run; what AI4AnimationPy's FABRIK did on a machine of the same
class stands in the note.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from kinetoscope_fabrik._plain import iterate
from kinetoscope_fabrik.solver import FabrikSolver

pytestmark = pytest.mark.bench
PEER = {
    4: "AI4AnimationPy: 580 solves/s, 4 % missed at 10 iterations",
    20: "AI4AnimationPy: 86 solves/s, 18 % missed at 10 iterations",
}


def reachable(bones: int, batch: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    directions = random.normal(size=(batch, bones, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    lengths = random.uniform(0.05, 0.3, size=(batch, bones))
    steps = np.cumsum(directions * lengths[..., None], axis=1)
    chains = np.concatenate([np.zeros((batch, 1, 3)), steps], axis=1)
    way = random.normal(size=(batch, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    distance = lengths.sum(axis=1) * random.uniform(size=batch) ** (1 / 3)
    inside = distance > 2 * lengths.max(axis=1) - lengths.sum(axis=1)
    return chains[inside], (way * distance[:, None])[inside], lengths[inside]


@pytest.mark.parametrize("bones", [4, 20])
def bench_solves(benchmark: Any, bones: int) -> None:
    chains, targets, _ = reachable(bones, 100_000 // bones)
    solver, plain = FabrikSolver(compiled=True), FabrikSolver(compiled=False)
    solver.solve(chains, targets)
    benchmark.pedantic(solver.solve, (chains, targets), rounds=30)
    value = len(chains) / benchmark.stats.stats.min
    start = time.perf_counter()
    plain.solve(chains, targets)
    peer = len(chains) / (time.perf_counter() - start)
    benchmark.extra_info |= {
        "value": value,
        "unit": "solves/s",
        "peer": "the same in NumPy",
        "peer_value": peer,
        "ratio": value / peer,
        "note": f"{PEER[bones]}; mean iterations {solver.solve(chains, targets).iterations.mean():.2f}",
    }


@pytest.mark.parametrize("bones", [4, 20])
@pytest.mark.parametrize("iterations", [10, 100])
def bench_misses(benchmark: Any, bones: int, iterations: int) -> None:
    chains, targets, lengths = reachable(bones, 20_000)
    solver = FabrikSolver()
    solution = benchmark.pedantic(solver.solve, (chains, targets), {"iterations": iterations}, rounds=1)
    passes, _ = iterate(chains, lengths, targets, 1e-3, iterations)
    missed = float(1 - solution.converged.mean())
    peer = float((np.linalg.norm(passes[:, -1] - targets, axis=1) > 1e-3).mean())
    benchmark.extra_info |= {
        "value": missed,
        "unit": "of reachable targets missed",
        "peer": "the published passes alone",
        "peer_value": peer,
        "ratio": missed / peer if peer else None,
        "note": PEER[bones],
    }

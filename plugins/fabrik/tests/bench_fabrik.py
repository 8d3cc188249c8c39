"""How fast FABRIK solves, on one core, and how many reachable targets it misses.

    pytest plugins/fabrik/tests/bench_fabrik.py -m bench --benchmark-json=fabrik.json

AI4AnimationPy's FABRIK on the same class of machine: 580 solves/s at 4 bones and 86 at 20, with 4 %
and 18 % of reachable targets missed at its 10 iterations. Targets here are spread evenly over the
ball that a chain reaches, chains stand in random poses.
"""

from __future__ import annotations

import numpy as np
import pytest

from kinetoscope_fabrik._plain import iterate
from kinetoscope_fabrik.solver import FabrikSolver

pytestmark = pytest.mark.bench
PEER_SOLVES_S = {4: 580, 20: 86}
PEER_MISSES = {4: 0.04, 20: 0.18}


def reachable(bones: int, batch: int, seed: int = 0):
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
def bench_solves(benchmark, bones) -> None:
    chains, targets, lengths = reachable(bones, 100_000 // bones)
    solver = FabrikSolver(compiled=True)
    solver.solve(chains, targets)
    benchmark.pedantic(solver.solve, (chains, targets), rounds=30)
    published, _ = iterate(chains, lengths, targets, 1e-3, 10)
    benchmark.extra_info |= {
        "bones": bones,
        "solves_per_s": len(chains) / benchmark.stats.stats.min,
        "peer_solves_per_s": PEER_SOLVES_S[bones],
        "missed_at_10": float(1 - solver.solve(chains, targets, iterations=10).converged.mean()),
        "missed_at_100": float(1 - solver.solve(chains, targets).converged.mean()),
        "missed_at_10_by_the_passes_alone": float(
            (np.linalg.norm(published[:, -1] - targets, axis=1) > 1e-3).mean()
        ),
        "peer_missed_at_10": PEER_MISSES[bones],
        "mean_iterations": float(solver.solve(chains, targets).iterations.mean()),
    }


def bench_without_numba(benchmark) -> None:
    chains, targets, _ = reachable(4, 25_000)
    solver = FabrikSolver(compiled=False)
    benchmark.pedantic(solver.solve, (chains, targets), rounds=3)
    benchmark.extra_info["solves_per_s"] = len(chains) / benchmark.stats.stats.min

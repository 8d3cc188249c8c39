"""Measure the solvers for their page: `python docs/solver_plot.py` draws the plot and prints the table.

Chains of random segment lengths stand in random poses; targets are spread evenly over the ball that each
reaches, what is too near for it left out. Everything comes from one seed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fabrik._plain import iterate
from kinetoscope_fabrik.ccd import CcdSolver
from kinetoscope_fabrik.jacobian import JacobianSolver
from kinetoscope_fabrik.solver import FabrikSolver

PAGE_IMAGE = Path(__file__).parent / "pages" / "images" / "solver-iterations.svg"
BONES, BATCH, MOST = (2, 3, 4, 6, 8, 12, 16, 20, 30, 40), 1000, 100
COLOURS = {"published passes alone": "#999", "fabrik": "#0072b2", "ccd": "#d55e00", "jacobian": "#009e73"}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 60, 20, 210, 50

Array = NDArray[np.float64]


def problems(bones: int) -> tuple[Array, Array, Array]:
    """Return chains `[B, N, 3]`, reachable targets `[B, 3]` and segment lengths `[B, N - 1]`, m."""
    random = np.random.default_rng(bones)
    directions = random.normal(size=(BATCH, bones, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    lengths = random.uniform(0.05, 0.3, size=(BATCH, bones))
    steps = np.cumsum(directions * lengths[..., None], axis=1)
    chains = np.concatenate([np.zeros((BATCH, 1, 3)), steps], axis=1)
    way = random.normal(size=(BATCH, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    distance = lengths.sum(axis=1) * random.uniform(size=BATCH) ** (1 / 3)
    inside = distance > 2 * lengths.max(axis=1) - lengths.sum(axis=1)
    return chains[inside], (way * distance[:, None])[inside], lengths[inside]


def measured(name: str, bones: int, most: int) -> tuple[Array, float]:
    """Return the iterations that each chain took (`most` where it missed), and the share that missed."""
    chains, targets, lengths = problems(bones)
    if name == "published passes alone":
        joints, count = iterate(chains, lengths, targets, 1e-3, most)
        missed = np.linalg.norm(joints[:, -1] - targets, axis=1) > 1e-3
        return count.astype(float), float(missed.mean())
    solver = {"fabrik": FabrikSolver, "ccd": CcdSolver, "jacobian": JacobianSolver}[name]()
    solution = solver.solve(chains, targets, iterations=most)
    return solution.iterations.astype(float), float(1 - solution.converged.mean())


def drawn(curves: dict[str, list[tuple[float, float]]]) -> str:
    """Return the plot of (mean, 95th percentile) over chain length as SVG; iterations on a log scale."""

    def x(bones: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * bones / BONES[-1]

    def y(count: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - np.log10(max(count, 1.0)) / 2)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for count in (1, 2, 5, 10, 20, 50, 100):
        parts.append(f'<path d="M{LEFT} {y(count):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(count) + 4:.1f}" text-anchor="end">{count}</text>')
    parts += [
        f'<text x="{x(n):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{n}</text>'
        for n in range(0, 41, 10)
    ]
    parts.append(f'<text x="{x(20):.1f}" y="{HEIGHT - 10}" text-anchor="middle">bones in the chain</text>')
    parts.append(
        f'<text transform="translate(16 {y(10):.1f}) rotate(-90)" text-anchor="middle">iterations to 1 mm</text>'
    )
    for row, (name, curve) in enumerate(curves.items()):
        for which, dash in ((0, ""), (1, ' stroke-dasharray="5 4"')):
            line = " ".join(
                f"{x(bones):.1f},{y(point[which]):.1f}" for bones, point in zip(BONES, curve, strict=True)
            )
            parts.append(
                f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"{dash}/>'
            )
        parts.append(
            f'<text x="{WIDTH - RIGHT + 15}" y="{TOP + 20 + 22 * row}" fill="{COLOURS[name]}">{name}</text>'
        )
    parts.append(f'<text x="{WIDTH - RIGHT + 15}" y="{TOP + 130}" fill="#555">solid: mean of 1,000</text>')
    parts.append(
        f'<text x="{WIDTH - RIGHT + 15}" y="{TOP + 150}" fill="#555">dashed: 95 % need no more</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Measure, draw, and print the misses at 10 and 100 iterations."""
    curves = {}
    for name in COLOURS:
        counts = [measured(name, bones, MOST)[0] for bones in BONES]
        curves[name] = [(float(count.mean()), float(np.percentile(count, 95))) for count in counts]
    PAGE_IMAGE.write_text(drawn(curves), encoding="utf-8")
    for name in COLOURS:
        shares = [f"{100 * measured(name, bones, most)[1]:.1f} %" for bones in (4, 20) for most in (10, 100)]
        print(f"| {name} | " + " | ".join(shares) + " |")  # noqa: T201


if __name__ == "__main__":
    main()

"""How a camera that only turns has turned, from where corners are seen.

For cameras in one place, places in two pictures differ by a rotation of the rays through them (Hartley
1994, "Self-calibration from multiple views with a rotating camera"; Szeliski and Shum 1997). At a given
field of view the rotation between two frames is the one that fits their rays best (Kabsch 1976), those that
fit badly weighed down; the field of view is the one at which all of them fit best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import lsqr
from scipy.spatial.transform import Rotation

from kinetoscope_composite._follow import Seen

__all__ = ["Pair", "averaged", "best_view", "fitted", "pairs_of", "rays"]

Array = NDArray[Any]

GAPS = (1, 3, 8, 20, 50)
"""Frames between those that are compared: near ones are surest, far ones keep errors from adding up."""

FEWEST = 12
"""Corners that two frames must have in common."""

NARROWEST, WIDEST = np.radians(8.0), np.radians(110.0)
"""Fields of view that are looked for."""

WELL_PX = 1.0
"""A corner off by so much counts half: those off by more move by themselves, or were lost."""


@attrs.frozen(eq=False)
class Pair:
    """Two frames, and where the corners that they share are in each: pixels from the centre `[N, 2]`, y up."""

    first: int
    second: int
    here: Array
    there: Array


def pairs_of(seen: Sequence[Seen], size: tuple[int, int]) -> list[Pair]:
    """Return pairs of frames with enough corners in common."""
    centre = np.array(size) / 2
    found = []
    for gap in GAPS:
        for first in range(0, len(seen) - gap, max(1, gap // 3)):
            a, b = seen[first], seen[first + gap]
            _, here, there = np.intersect1d(a.ids, b.ids, assume_unique=True, return_indices=True)
            if len(here) >= FEWEST:
                flip = np.array([1.0, -1.0])
                places = ((held.points[rows] - centre) * flip for held, rows in ((a, here), (b, there)))
                found.append(Pair(first, first + gap, *places))
    return found


def rays(places: Array, focal: float) -> Array:
    """Return unit rays `[N, 3]` in the camera's axes (x right, y up, -z ahead) of `places` from the centre."""
    whole = np.concatenate([places, np.full((len(places), 1), -focal)], axis=1)
    return np.asarray(whole / np.linalg.norm(whole, axis=1, keepdims=True))


def fitted(pair: Pair, focal: float) -> tuple[Array, Array]:
    """Return the rotation `[3, 3]` from the first camera's axes to the second's, and residuals `[N]`, px."""
    here, there = rays(pair.here, focal), rays(pair.there, focal)
    weights = np.ones(len(here))
    turn, off = np.eye(3), np.zeros(len(here))
    for _ in range(8):
        u, _, vt = np.linalg.svd((there * weights[:, None]).T @ here)
        turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        off = focal * np.linalg.norm(there - here @ turn.T, axis=1)
        weights = 1.0 / (1.0 + (off / WELL_PX) ** 2) ** 2  # Geman and McClure's
    return turn, off


def _cost(pairs: Sequence[Pair], focal: float) -> float:
    """Return how badly all pairs fit at a focal length, px: far-off corners count as a little over one."""
    total = [np.mean(off**2 / (off**2 + WELL_PX**2)) for off in (fitted(pair, focal)[1] for pair in pairs)]
    return float(np.mean(total))


def best_view(pairs: Sequence[Pair], height: int) -> tuple[float, bool]:
    """Return the vertical field of view at which the pairs fit best, rad, and whether it is told by them.

    It is not where a fifth more or less would fit as well: the camera turned too little, or rolled.
    """
    chosen = _widest_turns(pairs)
    if not chosen:
        return np.radians(40.0), False

    def cost(log_view: float) -> float:
        return _cost(chosen, height / 2 / np.tan(np.exp(log_view) / 2))

    grid = np.linspace(np.log(NARROWEST), np.log(WIDEST), 18)
    costs = [cost(at) for at in grid]
    best = int(np.argmin(costs))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(cost, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    beside = min(cost(found.x - 0.18), cost(found.x + 0.18))
    return float(np.exp(found.x)), bool(beside > 1.02 * found.fun + 1e-5)


def _widest_turns(pairs: Sequence[Pair], count: int = 24) -> list[Pair]:
    """Return the pairs whose corners have gone farthest: they tell the field of view."""
    gone = [float(np.median(np.linalg.norm(pair.there - pair.here, axis=1))) for pair in pairs]
    order = np.argsort(gone)[::-1][:count]
    return [pairs[i] for i in order if gone[i] > 2.0]


def averaged(pairs: Sequence[Pair], turns: Sequence[Array], frames: int) -> Array:
    """Return rotations `[T, 3, 3]` from the first camera's axes that agree best with the pairs' `turns`.

    Chained from neighbour to neighbour, then corrected together (rotation averaging, Hartley et al. 2013).
    A frame that nothing ties to the one before stands as that did.
    """
    step = {
        pair.second: turn for pair, turn in zip(pairs, turns, strict=True) if pair.second == pair.first + 1
    }
    chain = [np.eye(3)]
    for frame in range(1, frames):
        chain.append(step.get(frame, np.eye(3)) @ chain[-1])
    held = np.stack(chain)
    first, second = (np.array([getattr(pair, end) for pair in pairs], int) for end in ("first", "second"))
    measured = np.stack(turns)
    rows = np.arange(len(pairs))
    for _ in range(5):
        # measured = exp(r) second first^T; small turns u of each frame change r by u_second - measured u_first.
        left = measured @ held[first] @ held[second].transpose(0, 2, 1)
        residual = Rotation.from_matrix(left).as_rotvec()
        entries, at = [], []
        for axis in range(3):
            entries.append(np.ones(len(pairs)))
            at.append((3 * rows + axis, 3 * second + axis))
            for other in range(3):
                entries.append(-measured[:, axis, other])
                at.append((3 * rows + axis, 3 * first + other))
        places = tuple(np.concatenate([held_at[i] for held_at in at]) for i in range(2))
        matrix = coo_matrix((np.concatenate(entries), places), shape=(3 * len(pairs), 3 * frames)).tocsc()
        small = np.zeros(3 * frames)
        small[3:] = lsqr(matrix[:, 3:], residual.ravel(), atol=1e-10, btol=1e-10)[0]
        held = Rotation.from_rotvec(small.reshape(-1, 3)).as_matrix() @ held
        if np.abs(small).max(initial=0.0) < 1e-9:
            break
    return held

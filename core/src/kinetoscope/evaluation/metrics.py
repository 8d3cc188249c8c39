"""Measures of predicted motion: arrays in, numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.errors import ValidationError

__all__ = ["continuous", "diversity", "frechet", "interval", "npss", "position_errors", "rotation_errors"]

Array = NDArray[np.float64]


def position_errors(found: Any, truth: Any) -> Array:
    """Return the distance of global positions `[..., J, 3]` m, averaged over joints: `[...]` m."""
    distance: Array = np.linalg.norm(np.asarray(found, np.float64) - truth, axis=-1).mean(axis=-1)
    return distance


def rotation_errors(found: Any, truth: Any) -> Array:
    """Return the L2 distance of global quaternions `[..., J, 4]`, averaged over joints: `[...]`.

    Of the two quaternions that are one rotation the nearer counts; the largest distance is the root of 2.
    As the L2Q of Harvey et al. 2020, "Robust Motion In-Betweening", section 5.
    """
    p, q = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    nearer = p * np.where((p * q).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    distance: Array = np.linalg.norm(nearer - q, axis=-1).mean(axis=-1)
    return distance


def continuous(quaternions: Any) -> Array:
    """Return quaternions `[..., T, J, 4]` without changes of sign along time; the first has W >= 0."""
    q = np.asarray(quaternions, np.float64)
    first = np.where(q[..., :1, :, 3:] < 0, -1.0, 1.0)
    turns = np.where((q[..., 1:, :, :] * q[..., :-1, :, :]).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    signs = np.cumprod(np.concatenate([first, turns], axis=-3), axis=-3)
    turned: Array = q * signs
    return turned


def npss(found: Any, truth: Any) -> tuple[Array, Array]:
    """Return cost and power `[W]` each of windows `[W, T, D]`: the sum of the former over that of the latter.

    That ratio is the normalised power spectrum similarity: 0 is the same, less is better. Each dimension's
    power spectrum over a window is a distribution; how far one is from the other is the earth mover's
    distance; dimensions count by the truth's power. Gopalakrishnan et al. 2019, "A neural temporal model
    for human motion prediction", equations 1 to 6.
    """
    true, other = (np.abs(np.fft.fft(np.asarray(a, np.float64), axis=1)) ** 2 for a in (truth, found))
    power: Array = true.sum(axis=1)
    shares = [np.cumsum(a / np.maximum(a.sum(axis=1, keepdims=True), 1e-12), axis=1) for a in (true, other)]
    cost: Array = np.abs(shares[0] - shares[1]).sum(axis=1) * power
    return cost.sum(axis=1), power.sum(axis=1)


def diversity(samples: Any) -> float:
    """Return the average pairwise distance of `samples [S, T, J, 3]` m, a joint and frame: m.

    Yuan and Kitani 2020, "DLow", section 5, take the norm over all joints and frames instead.

    Raises:
        ValidationError: fewer than two samples.
    """
    given = np.asarray(samples, np.float64)
    if len(given) < 2:
        raise ValidationError(f"diversity of {len(given)} samples, expected at least 2")
    apart = [
        np.linalg.norm(given[i + 1 :] - one, axis=-1).mean(axis=(1, 2)) for i, one in enumerate(given[:-1])
    ]
    return float(np.concatenate(apart).mean())


def frechet(a: Any, b: Any) -> float:
    """Return the Fréchet distance of two sets of feature rows `[N, D]` and `[M, D]`, taken as Gaussian.

    |m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)), in the features' units squared. Heusel et al. 2017, "GANs
    trained by a two time-scale update rule", section 4; Dowson and Landau 1982.

    Raises:
        ValidationError: widths differ, or a set has fewer than two rows.
    """
    one, other = (np.asarray(rows, np.float64) for rows in (a, b))
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1] or min(len(one), len(other)) < 2:
        raise ValidationError(
            f"rows of shape {list(one.shape)} and {list(other.shape)}, expected [N, D] and [M, D], N and M from 2"
        )
    means = one.mean(axis=0) - other.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (one, other)]
    # A B has the eigenvalues of the symmetric A^(1/2) B A^(1/2): no root of a matrix that may not have one.
    values, vectors = np.linalg.eigh(covariances[0])
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariances[1] @ root), 0.0)).sum()
    distance = means @ means + sum(np.trace(covariance) for covariance in covariances) - 2.0 * shared
    return float(max(distance, 0.0))


def interval(
    values: Any, groups: Any, *, weights: Any = 1.0, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the sum of `values` over the sum of `weights`.

    Whole groups are drawn with replacement (windows of one clip resemble each other): Efron and
    Tibshirani 1993, "An introduction to the bootstrap", chapters 8 and 13 (percentiles). Of several
    trainings these are drawn as well, each draw's groups from each of its trainings: Owen 2007, "The
    pigeonhole bootstrap", Annals of Applied Statistics 1(2).

    Args:
        values: `[W]`, or `[M, W]` of M trainings.
        groups: `[W]`, the clip of each.
        weights: as `values`, or 1 for the interval of the mean.
        draws: how often.
        seed: of the draws.
    """
    given = np.atleast_2d(np.asarray(values, np.float64))
    numbers, inverse = np.unique(np.asarray(groups), return_inverse=True)
    rows = (given, np.broadcast_to(weights, given.shape))
    sums, counts = (np.stack([np.bincount(inverse, row, len(numbers)) for row in part]) for part in rows)
    random = np.random.default_rng(seed)
    clips, trainings = (_times_drawn(random, draws, count) for count in (len(numbers), len(given)))
    total, weight = (
        np.einsum("dm,mg,dg->d", trainings, part, clips, optimize=True) for part in (sums, counts)
    )
    low, high = np.percentile(total / np.maximum(weight, 1e-12), [2.5, 97.5])
    return float(low), float(high)


def _times_drawn(random: np.random.Generator, draws: int, count: int) -> Array:
    """Return `[draws, count]`, how often each of `count` is among as many drawn with replacement."""
    drawn = random.integers(count, size=(draws, count))
    times = np.zeros((draws, count))
    np.add.at(times, (np.arange(draws)[:, None], drawn), 1.0)
    return times

"""Measures of motion beside their truth and beside oracles that go about it otherwise."""

from __future__ import annotations

import cmath
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kinetoscope.evaluation import metrics
from kinetoscope_spec import ValidationError, rotation

seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(seeds, st.floats(-10, 10), st.floats(-10, 10))
def test_what_is_moved_is_off_by_as_much(seed: int, x: float, z: float) -> None:
    truth = drawn(seed).normal(size=(3, 4, 5, 3))
    assert np.allclose(metrics.position_errors(truth + np.array([x, 0, z]), truth), np.hypot(x, z))


@given(seeds, st.floats(0, np.pi))
def test_what_is_turned_is_off_by_the_chord(seed: int, angle: float) -> None:
    random = drawn(seed)
    truth = rotation.normalize(random.normal(size=(3, 4, 5, 4)))
    turned = rotation.multiply(truth, rotation.from_yaw(np.full((3, 4, 5), angle)))
    signs = random.choice([-1.0, 1.0], size=(3, 4, 5, 1))
    # Two unit quaternions half the angle apart, of which the sign says nothing.
    assert np.allclose(metrics.rotation_errors(turned * signs, truth), 2 * np.sin(angle / 4), atol=1e-6)


@given(seeds)
def test_signs_of_quaternions_do_not_jump(seed: int) -> None:
    random = drawn(seed)
    steps = rotation.from_rotation_vector(random.normal(size=(2, 20, 3, 3)) * 0.3)
    smooth = np.empty_like(steps)
    smooth[:, 0] = steps[:, 0]
    for i in range(1, 20):
        smooth[:, i] = rotation.multiply(smooth[:, i - 1], steps[:, i])
    flipped = smooth * random.choice([-1.0, 1.0], size=(2, 20, 3, 1))
    assume(
        (np.abs((smooth[:, 1:] * smooth[:, :-1]).sum(-1)) > 1e-3).all()
        and (np.abs(smooth[:, 0, :, 3]) > 1e-3).all()
    )
    assert np.allclose(metrics.continuous(flipped), metrics.continuous(smooth))
    assert ((metrics.continuous(flipped)[:, 1:] * metrics.continuous(flipped)[:, :-1]).sum(-1) > 0).all()


def npss_by_hand(found: Any, truth: Any) -> float:
    """Equations 1 to 6 in plain loops, the transform by its definition."""
    windows, frames, width = truth.shape
    total = moved = 0.0
    for w in range(windows):
        for d in range(width):
            spectra = []
            for series in (truth[w, :, d], found[w, :, d]):
                terms = [
                    sum(series[t] * cmath.exp(-2j * cmath.pi * f * t / frames) for t in range(frames))
                    for f in range(frames)
                ]
                spectra.append([abs(term) ** 2 for term in terms])
            sums = [sum(spectrum) for spectrum in spectra]
            distance = a = b = 0.0
            for f in range(frames):
                a, b = a + spectra[0][f] / sums[0], b + spectra[1][f] / sums[1]
                distance += abs(a - b)
            moved, total = moved + distance * sums[0], total + sums[0]
    return moved / total


@given(seeds)
def test_npss_is_what_loops_make_of_its_equations(seed: int) -> None:
    truth, found = drawn(seed).normal(size=(2, 2, 7, 3))
    cost, power = metrics.npss(found, truth)
    assert cost.sum() / power.sum() == pytest.approx(npss_by_hand(found, truth), rel=1e-9)


@given(st.integers(1, 7), st.integers(1, 7))
def test_npss_of_two_waves_is_how_far_their_lines_are_apart(one: int, other: int) -> None:
    turns = 2 * np.pi * np.arange(16) / 16
    truth, found = (np.cos(turns * f)[None, :, None] for f in (one, other))
    cost, power = metrics.npss(found, truth)
    # Half the power lies at f, half at 16 - f, and each half moves as far.
    assert cost[0] / power[0] == pytest.approx(abs(one - other), abs=1e-9)


@given(seeds, st.integers(2, 6))
def test_diversity_is_the_mean_over_pairs(seed: int, count: int) -> None:
    samples = drawn(seed).normal(size=(count, 3, 4, 3))
    distances = [
        np.mean([np.linalg.norm(p - q) for p, q in zip(a.reshape(-1, 3), b.reshape(-1, 3), strict=True)])
        for i, a in enumerate(samples)
        for b in samples[:i]
    ]
    assert metrics.diversity(samples) == pytest.approx(np.mean(distances))
    assert metrics.diversity(np.repeat(samples[:1], 3, axis=0)) == 0


@given(seeds, st.integers(1, 6))
def test_frechet_is_what_the_root_of_the_product_gives(seed: int, width: int) -> None:
    sqrtm = pytest.importorskip("scipy.linalg", reason="the oracle is SciPy's matrix root").sqrtm
    random = drawn(seed)
    a = random.normal(size=(40, width)) @ random.normal(size=(width, width))
    b = random.normal(size=(30, width)) @ random.normal(size=(width, width)) + random.normal(size=width)
    one, other = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (a, b))
    apart = ((a.mean(0) - b.mean(0)) ** 2).sum()
    truth = apart + np.trace(one + other - 2 * np.real(sqrtm(one @ other)))
    assert metrics.frechet(a, b) == pytest.approx(truth, rel=1e-4, abs=1e-6)
    assert metrics.frechet(b, a) == pytest.approx(metrics.frechet(a, b), rel=1e-6, abs=1e-9)


@given(seeds, st.floats(0, 5), st.floats(0.2, 5))
def test_frechet_of_moved_and_scaled_rows_is_known(seed: int, moved: float, scale: float) -> None:
    rows = drawn(seed).normal(size=(50, 3))
    centred = rows - rows.mean(axis=0)
    truth = moved**2 + (scale - 1) ** 2 * np.trace(np.cov(rows, rowvar=False))
    assert metrics.frechet(centred, scale * centred + [moved, 0, 0]) == pytest.approx(truth, abs=1e-8)


def test_rows_that_do_not_fit_are_refused() -> None:
    for a, b in (((5, 3), (5, 2)), ((1, 3), (5, 3)), ((5,), (5,))):
        with pytest.raises(ValidationError, match="expected"):
            metrics.frechet(np.zeros(a), np.zeros(b))
    with pytest.raises(ValidationError, match="2"):
        metrics.diversity(np.zeros((1, 2, 3, 3)))


def test_an_interval_holds_the_mean_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        random = drawn(seed)
        clips = np.repeat(np.arange(40), 3)
        values = random.normal(size=40)[clips] + 0.1 * random.normal(size=120)
        low, high = metrics.interval(values, clips, draws=300, seed=seed)
        held += low <= 0 <= high
    assert 178 <= held <= 199  # 95 % of 200 is 190, give or take three deviations, and percentiles are narrow


def test_trainings_that_agree_tell_no_more_than_one() -> None:
    values, clips = drawn(0).normal(size=60), np.repeat(np.arange(20), 3)
    one, three = (metrics.interval(given, clips) for given in (values, np.tile(values, (3, 1))))
    assert three == pytest.approx(one)


def test_an_interval_over_trainings_holds_the_mean_where_trainings_differ() -> None:
    """Ten clips and six trainings with an effect each: clips alone are too sure of themselves."""
    held = {"both": 0, "clips": 0}
    for seed in range(100):
        random = drawn(seed)
        clips = np.repeat(np.arange(10), 2)
        values = random.normal(size=(6, 1)) + 0.3 * random.normal(size=10)[clips]
        for name, used in (("both", values), ("clips", values.mean(axis=0))):
            low, high = metrics.interval(used, clips, draws=200, seed=seed)
            held[name] += low <= 0 <= high
    assert held["both"] >= 80  # six trainings are few: percentiles of so few are narrow
    assert held["clips"] < 60


def test_weights_make_the_interval_one_of_a_ratio() -> None:
    random = drawn(0)
    weights = random.uniform(1, 5, 60)
    low, high = metrics.interval(3.0 * weights, np.arange(60), weights=weights)
    assert low == pytest.approx(3.0)
    assert high == pytest.approx(3.0)

"""Noise that moves: white whatever the flow, and the same noise where the picture is the same."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_void._noise import Field, degraded, optical_flow, pooled, sampled_frames, warped_noise

SEEDS = st.integers(0, 2**32 - 1)


def _field(seed: int, channels: int, height: int, width: int) -> Field:
    return Field(channels, (height, width), np.random.default_rng(seed))


@given(SEEDS, st.integers(-5, 5), st.integers(-5, 5))
def test_a_translation_translates_the_noise(seed: int, right: int, down: int) -> None:
    field = _field(seed, 2, 12, 14)
    before = field.noise.copy()
    field.move(np.tile(np.array([right, down], np.float32), (12, 14, 1)))
    for y, x in itertools.product(range(12), range(14)):
        if 0 <= y - down < 12 and 0 <= x - right < 14:
            assert field.noise[:, y, x].tolist() == before[:, y - down, x - right].tolist()
    fresh = np.isin(field.noise, before, invert=True)
    assert fresh.sum() == 2 * (12 * 14 - (12 - abs(down)) * (14 - abs(right)))


@pytest.mark.parametrize("kind", ["zoom in", "zoom out", "turn", "random", "still"])
def test_noise_stays_white_through_any_flow(kind: str) -> None:
    height = width = 96
    y, x = np.mgrid[:height, :width] - 47.5
    flows = {
        "zoom in": np.stack([x, y], -1) * 0.15,
        "zoom out": np.stack([x, y], -1) * -0.15,
        "turn": np.stack([-y, x], -1) * 0.1,
        "random": np.random.default_rng(5).normal(0, 2, (height, width, 2)),
        "still": np.zeros((height, width, 2)),
    }
    field = _field(3, 24, height, width)
    for _ in range(6):
        field.move(flows[kind].astype(np.float32))
    noise = field.noise
    # 221,184 numbers: the mean deviates by 0.002, the variance by 0.003, a correlation by 0.002.
    assert abs(noise.mean()) < 0.01
    assert noise.var() == pytest.approx(1, abs=0.015)
    assert abs((noise[:, :, 1:] * noise[:, :, :-1]).mean()) < 0.012
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 0.012
    assert abs((noise[1:] * noise[:-1]).mean()) < 0.012
    assert np.isfinite(field.weight).all()
    assert field.weight.min() > 0


def test_a_pixel_that_is_split_keeps_its_value_as_the_scaled_sum() -> None:
    # Two pixels ask for the first; it stays where it is: three copies of one value.
    field = _field(8, 4000, 1, 3)
    before = field.noise.copy()
    flow = np.zeros((1, 3, 2), np.float32)
    flow[0, 1, 0], flow[0, 2, 0] = 1, 2  # the second goes to the third's place, the third leaves
    field.move(flow)
    np.testing.assert_allclose(
        field.noise[:, 0, 0] + field.noise[:, 0, 1], before[:, 0, 0] * np.sqrt(2), atol=1e-5
    )
    assert abs((field.noise[:, 0, 0] * field.noise[:, 0, 1]).mean()) < 0.06
    np.testing.assert_allclose(field.noise[:, 0, 2], before[:, 0, 1], atol=1e-6)


def _slow(noise: np.ndarray, weight: np.ndarray, flow: np.ndarray) -> dict[tuple[int, int], float]:
    """Return what scattered pixels must hold where no pixel was asked for twice, one at a time."""
    height, width = weight.shape
    came: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for y, x in itertools.product(range(height), range(width)):
        to = y + round(float(flow[y, x, 1])), x + round(float(flow[y, x, 0]))
        if 0 <= to[0] < height and 0 <= to[1] < width:
            came.setdefault(to, []).append((y, x))
    asked: dict[tuple[int, int], int] = {}
    for sources in came.values():
        for source in sources:
            asked[source] = asked.get(source, 0) + 1
    for y, x in itertools.product(range(height), range(width)):
        if (y, x) not in came:
            source = y - round(float(flow[y, x, 1])), x - round(float(flow[y, x, 0]))
            asked[source] = asked.get(source, 0) + 1
    expected = {}
    for to, sources in came.items():
        if all(asked[source] == 1 for source in sources):
            total = sum(weight[source] * noise[source] for source in sources)
            expected[to] = total / np.sqrt(sum(weight[source] ** 2 for source in sources))
    return expected


@given(SEEDS)
def test_pixels_that_fall_together_are_added_to_variance_1(seed: int) -> None:
    rng = np.random.default_rng(seed)
    field = _field(seed, 1, 7, 9)
    field.weight = rng.uniform(0.2, 2, (7, 9)).astype(np.float32)
    flow = rng.integers(-2, 3, (7, 9, 2)).astype(np.float32)
    expected = _slow(field.noise[0].copy(), field.weight.copy(), flow)
    field.move(flow)
    for place, value in expected.items():
        assert field.noise[0][place] == pytest.approx(value, abs=1e-5)


@given(SEEDS, st.sampled_from([(4, 6, 2), (3, 5, 4), (2, 2, 8)]))
def test_pooling_keeps_the_variance(seed: int, shape: tuple[int, int, int]) -> None:
    rows, columns, side = shape
    noise = np.random.default_rng(seed).standard_normal((2, rows * side, columns * side), dtype=np.float32)
    found = pooled(noise, (rows, columns))
    for c, y, x in itertools.product(range(2), range(rows), range(columns)):
        block = noise[c, y * side : (y + 1) * side, x * side : (x + 1) * side]
        assert found[c, y, x] == pytest.approx(float(block.mean()) * side, abs=1e-4)


def test_moved_and_pooled_noise_has_variance_1_and_follows_the_film() -> None:
    rng = np.random.default_rng(4)
    wide = cv2.GaussianBlur(rng.integers(0, 255, (96, 160, 3)).astype(np.float32), (0, 0), 2)
    wide = ((wide - wide.mean()) * 8 + 128).clip(0, 255).astype(np.uint8)
    film = [wide[:, 8 * n : 8 * n + 96] for n in range(5)]  # the picture goes left by one latent a frame
    noise = np.stack(list(warped_noise(film, channels=16, shape=(12, 12), detail=4, seed=1)))
    assert noise.shape == (5, 16, 12, 12)
    assert noise.var() == pytest.approx(1, abs=0.05)
    here, there = noise[0][:, 2:-2, 5:-2], noise[1][:, 2:-2, 4:-3]
    assert (here * there).mean() > 0.8
    assert abs((here * noise[1][:, 2:-2, 5:-2]).mean()) < 0.2


def test_flow_says_where_a_picture_went() -> None:
    rng = np.random.default_rng(2)
    wide = cv2.GaussianBlur(rng.integers(0, 255, (64, 80, 3)).astype(np.float32), (0, 0), 1.5)
    wide = ((wide - wide.mean()) * 6 + 128).clip(0, 255).astype(np.uint8)
    flow = optical_flow(wide[:, 3:67], wide[:, :64])
    assert np.median(flow, axis=(0, 1)) == pytest.approx([3, 0], abs=0.1)


def test_degradation_mixes_noise_in_and_keeps_the_variance() -> None:
    noise = np.random.default_rng(0).standard_normal((200, 500)).astype(np.float32)
    assert degraded(noise, 0, np.random.default_rng(1)) is noise
    for share in (0.1, 0.3, 0.5, 1.0):
        mixed = degraded(noise, share, np.random.default_rng(1))
        assert mixed.var() == pytest.approx(1, abs=0.02)
        assert (mixed * noise).mean() == pytest.approx((1 - share) / np.hypot(1 - share, share), abs=0.02)


def test_latents_take_the_noise_of_frames_from_the_first_to_the_last() -> None:
    assert sampled_frames(85, 22).tolist() == [int(84 * n / 21) for n in range(22)]
    assert sampled_frames(5, 2).tolist() == [0, 4]

"""The arithmetic around the networks, against slow arithmetic written from the description."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_void._clip import back_and_forth, padded_length, quantised
from kinetoscope_void._codec import encoding_spans
from kinetoscope_void._levels import binary, three_levels
from kinetoscope_void._windows import blended, ramp, spans

SEEDS = st.integers(0, 2**32 - 1)


# -- length


@given(st.integers(1, 600))
def test_clips_run_at_4k_plus_1_with_k_odd_and_85_at_least(frames: int) -> None:
    found = padded_length(frames, 85)
    wanted = next(4 * k + 1 for k in range(21, 400, 2) if 4 * k + 1 >= frames)
    assert found == wanted
    assert ((found - 1) // 4 + 1) % 2 == 0


@pytest.mark.parametrize(("frames", "length"), [(1, 85), (84, 85), (85, 85), (86, 93), (93, 93), (197, 197)])
def test_lengths_by_hand(frames: int, length: int) -> None:
    assert padded_length(frames, 85) == length


@given(st.integers(1, 40), st.integers(1, 120))
def test_padding_plays_the_clip_backwards_and_forwards(frames: int, length: int) -> None:
    clip = list(range(frames))
    while len(clip) < length:
        clip += clip[::-1]
    assert back_and_forth(frames, length).tolist() == clip[:length]


# -- levels


def test_every_grey_goes_to_its_value_and_its_levels() -> None:
    for grey in range(256):
        value = 0 if grey <= 31 else 63 if grey <= 95 else 127 if grey <= 191 else 255
        assert quantised(np.array([[grey]], np.float32)).tolist() == [[value]]
        share = (255 - value) / 255
        first = 1.0 if share > 0.75 else 0.0 if share < 0.25 else 127 / 255
        assert three_levels(np.array([value], np.uint8)).tolist() == [pytest.approx(first)]
        assert binary(np.array([value], np.uint8)).tolist() == [1.0 if share > 0.5 else 0.0]


def test_the_overlap_is_removed_and_the_affected_is_nearly_half() -> None:
    values = np.array([0, 63, 127, 255], np.uint8)
    assert three_levels(values).tolist() == [1, 1, pytest.approx(127 / 255), 0]
    assert binary(values).tolist() == [1, 1, 1, 0]


# -- windows


def test_windows_and_ramps_of_a_long_clip_by_hand() -> None:
    assert spans(22, 22, 4) == [(0, 22)]
    assert spans(50, 22, 4) == [(0, 22), (18, 40), (36, 50)]
    assert ramp((0, 22), 22, 4).tolist() == [1] * 22
    rise = [pytest.approx(n / 5) for n in (1, 2, 3, 4)]
    assert ramp((18, 40), 50, 4).tolist() == [*rise, *[1] * 14, *rise[::-1]]
    assert ramp((0, 22), 50, 4).tolist() == [*[1] * 18, *rise[::-1]]
    assert ramp((36, 50), 50, 4).tolist() == [*rise, *[1] * 10]


@given(st.integers(1, 80), st.integers(2, 12), st.integers(0, 3))
def test_windows_are_even_and_cover_a_clip_with_their_overlap(
    half: int, half_window: int, half_lap: int
) -> None:
    latents, window = 2 * half, 2 * half_window
    overlap = 2 * min(half_lap, half_window // 2)
    found = spans(latents, window, overlap)
    assert found[0][0] == 0
    assert found[-1][1] == latents
    assert all((stop - start) % 2 == 0 and 0 < stop - start <= window for start, stop in found)
    assert all(before[1] - after[0] == overlap for before, after in itertools.pairwise(found))


@given(SEEDS, st.integers(1, 30), st.sampled_from([(4, 2), (6, 2), (8, 4), (22, 4)]))
def test_the_canvas_is_the_weighted_mean_of_its_windows(seed: int, half: int, shape: tuple[int, int]) -> None:
    window, overlap = shape
    latents = 2 * half
    rng = np.random.default_rng(seed)
    where = [(0, min(window, latents))]
    while where[-1][1] < latents:
        where.append((where[-1][1] - overlap, min(where[-1][1] - overlap + window, latents)))
    made = [rng.normal(size=(1, stop - start, 3, 2, 2)).astype(np.float32) for start, stop in where]
    total, weights = np.zeros((latents, 3, 2, 2)), np.zeros(latents)
    for (start, stop), part in zip(where, made, strict=True):
        for t in range(start, stop):
            weight = 1.0
            if start > 0 and t - start < overlap:
                weight *= (t - start + 1) / (overlap + 1)
            if stop < latents and stop - t <= overlap:
                weight *= (stop - t) / (overlap + 1)
            total[t] += weight * part[0, t - start]
            weights[t] += weight
    canvas = blended([torch.from_numpy(part) for part in made], where, overlap)
    np.testing.assert_allclose(canvas[0], total / weights[:, None, None, None], atol=1e-5)
    assert spans(latents, window, overlap) == where


def test_windows_of_one_thing_blend_to_it() -> None:
    whole = torch.randn(1, 50, 2, 3, 3, generator=torch.Generator().manual_seed(1))
    where = spans(50, 22, 4)
    parts = [whole[:, start:stop] for start, stop in where]
    torch.testing.assert_close(blended(parts, where, 4), whole)


# -- encoding in parts


@pytest.mark.parametrize(
    ("frames", "expected"), [(5, [(0, 5)]), (13, [(0, 13)]), (21, [(0, 13), (13, 21)]), (1, [(0, 1)])]
)
def test_the_first_part_takes_what_does_not_fit(frames: int, expected: list[tuple[int, int]]) -> None:
    assert encoding_spans(frames) == expected

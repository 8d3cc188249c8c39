"""The four values: laws of their arithmetic, and agreement with loops written from the description."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_quadmask import values
from kinetoscope_quadmask._area import area_resized
from kinetoscope_quadmask.hooks import Grid
from kinetoscope_spec import ValidationError

FOUR = np.array([0, 63, 127, 255], np.uint8)


@st.composite
def frames(draw: st.DrawFn) -> np.ndarray:
    high, wide = draw(st.integers(1, 40)), draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return FOUR[rng.choice(4, (high, wide), p=rng.dirichlet([0.3] * 4))]


def test_the_table_of_the_description() -> None:
    remove, affects = np.array([[True, False, True, False]]), np.array([[False, True, True, False]])
    assert values.combined(remove, affects).tolist() == [[0, 127, 63, 255]]


@given(frames())
def test_layers_and_values_are_one_to_one(frame: np.ndarray) -> None:
    again = values.combined(values.removed(frame), values.affected(frame))
    assert again.dtype == np.uint8
    np.testing.assert_array_equal(again, frame)


@given(frames(), st.integers(0, 2**32 - 1))
def test_what_a_codec_changes_is_told_apart(frame: np.ndarray, seed: int) -> None:
    """Up to 31 levels: the thresholds lie in the middle between the values, and 63 is 32 above 31."""
    noise = np.random.default_rng(seed).integers(-31, 32, frame.shape)
    drifted = np.clip(frame + noise, 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(values.quantised(drifted), frame)
    np.testing.assert_array_equal(values.quantised(drifted.astype(float)), frame)


@pytest.mark.parametrize(
    ("kind", "levels", "wanted"),
    [
        ("quadmask", [31, 32, 95, 96, 191, 192, 255], [0, 63, 63, 127, 127, 255, 255]),
        ("trimask", [0, 63, 64, 127, 192, 193, 255], [0, 0, 127, 127, 127, 255, 255]),
        ("dark", [0, 127, 128, 255], [0, 0, 255, 255]),
        ("bright", [0, 127, 128, 255], [255, 255, 0, 0]),
    ],
)
def test_thresholds(kind: values.Kind, levels: list[int], wanted: list[int]) -> None:
    tiled = np.repeat(np.array([levels], np.uint8), 90, axis=0)  # small ones go another way than large ones
    for picture in (np.array([levels]), tiled):
        assert values.quantised(picture, kind)[0].tolist() == wanted


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected quadmask, trimask, dark or bright"):
        values.quantised(np.zeros((2, 2)), "alpha")  # type: ignore[arg-type]


@given(frames(), st.integers(1, 50), st.integers(1, 50))
def test_resizing_is_torchs_area(frame: np.ndarray, width: int, height: int) -> None:
    held = torch.from_numpy(frame.astype(np.float64))[None, None]
    wanted = torch.nn.functional.interpolate(held, (height, width), mode="area")[0, 0].numpy()
    np.testing.assert_allclose(area_resized(frame, width, height), wanted, atol=1e-9)


@given(frames(), st.integers(1, 50), st.integers(1, 50))
def test_decoding_comes_after_the_resize(frame: np.ndarray, width: int, height: int) -> None:
    """The other order would give values that are none."""
    found = values.decoded(np.repeat(frame[..., None], 3, axis=-1), width, height)
    assert set(np.unique(found)) <= set(FOUR.tolist())
    assert found.shape == (height, width)
    if frame.shape == (height, width):
        np.testing.assert_array_equal(found, frame)
    np.testing.assert_array_equal(found, values.decoded(frame, width, height))


def test_a_picture_with_colours_is_taken_by_its_mean() -> None:
    assert values.decoded(np.array([[[120, 127, 134]]], np.uint8), 1, 1).tolist() == [[127]]


@given(frames())
def test_the_first_frame_names_the_object_alone(frame: np.ndarray) -> None:
    ruled = values.first_frame(frame)
    assert set(np.unique(ruled)) <= {0, 255}
    np.testing.assert_array_equal(values.removed(ruled), values.removed(frame))


@given(frames(), st.integers(1, 9), st.integers(1, 9))
def test_gridding_is_what_loops_over_cells_give(frame: np.ndarray, rows: int, cols: int) -> None:
    high, wide = frame.shape
    wanted = frame.copy()
    for row in range(rows):
        top, bottom = row * high // rows, (row + 1) * high // rows
        for col in range(cols):
            left, right = col * wide // cols, (col + 1) * wide // cols
            cell = wanted[top:bottom, left:right]
            if ((cell == 127) | (cell == 63)).any():
                cell[cell == 255] = 127
                cell[cell == 0] = 63
    found = values.gridded(frame, Grid(rows, cols))
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(values.gridded(found, Grid(rows, cols)), found)


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((1920, 1080), (8, 14)),
        ((672, 384), (8, 14)),
        ((1080, 1920), (14, 8)),
        ((640, 480), (8, 11)),
        ((50, 50), (8, 8)),
    ],
)
def test_grids(size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert Grid.over(*size) == Grid(*grid)


@given(frames(), st.integers(1, 12), st.integers(1, 12), st.data())
def test_a_pixel_lies_in_the_cell_that_is_full_around_it(
    frame: np.ndarray, rows: int, cols: int, data: st.DataObject
) -> None:
    high, wide = frame.shape
    x, y = data.draw(st.integers(0, wide - 1)), data.draw(st.integers(0, high - 1))
    grid = Grid(rows, cols)
    assert grid.filled(grid.of([grid.cell(x, y, wide, high)]), wide, high)[y, x]


def test_cells_off_the_grid_are_refused() -> None:
    for wrong in ((8, 0), (0, 14), (-1, 0)):
        with pytest.raises(ValidationError, match="lies outside the grid of 8 rows and 14 columns"):
            Grid(8, 14).of([wrong])
    with pytest.raises(ValidationError, match="expected at least 1"):
        Grid(0, 3)

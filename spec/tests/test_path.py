"""Paths on the ground, however long, crossed or bent."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import Path, ValidationError

places = st.floats(-50, 50).map(lambda x: round(x, 2))
points = st.lists(st.tuples(places, places), min_size=2, max_size=8).filter(
    lambda found: all(np.hypot(a[0] - b[0], a[1] - b[1]) > 0.1 for a, b in pairwise(found))
)


@given(points)
def test_a_path_goes_through_its_points(given_points: list[tuple[float, float]]) -> None:
    path = Path(given_points)
    for point in given_points:
        assert np.linalg.norm(path.at(path.nearest(np.asarray(point))) - point) < 1e-6


@given(points, st.floats(0, 1))
def test_a_point_on_the_path_is_nearest_to_itself_on_its_own_branch(
    found: list[tuple[float, float]], share: float
) -> None:
    path = Path(found)
    distance = share * path.length
    window = min(0.5, path.length)
    assert path.nearest(path.at(distance), near=distance, window=window) == pytest.approx(
        distance, abs=window
    )
    again = path.at(path.nearest(path.at(distance), near=distance, window=window))
    assert np.linalg.norm(again - path.at(distance)) < 1e-6


@pytest.mark.parametrize("length", [4.0, 140.0, 900.0])
def test_one_gets_to_the_end_of_a_long_path_by_small_steps(length: float) -> None:
    path = Path([[0, 0], [0, length]])
    distance = 0.0
    for z in np.arange(0, length, 0.2):
        distance = max(distance, path.nearest(np.array([0.1, z]), near=distance, window=1.0))
        assert distance == pytest.approx(z, abs=1e-6)


@given(points, st.lists(st.floats(-5, 200), min_size=1, max_size=20))
def test_distances_along_are_metres(found: list[tuple[float, float]], at: list[float]) -> None:
    path = Path(found)
    s = np.sort(np.asarray(at))
    gaps = np.linalg.norm(np.diff(path.at(s), axis=0), axis=1)
    assert (gaps <= np.diff(s) + 1e-6).all()


@given(points, st.floats(-1, 500))
def test_directions_have_length_one(found: list[tuple[float, float]], distance: float) -> None:
    assert np.linalg.norm(Path(found).direction(distance)) == pytest.approx(1, abs=1e-6)


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 2"):
        Path([[0, 0]])
    with pytest.raises(ValidationError, match="same point"):
        Path([[0, 0], [1, 1], [1, 1]])
    with pytest.raises(ValidationError, match="not finite"):
        Path([[0, 0], [np.nan, 1]])


def test_the_window_is_kept_to_within_a_span() -> None:
    path = Path([[0, 0], [0, 100]])
    assert path.nearest(np.array([0.0, 50.0]), near=10.0, window=1.0) == pytest.approx(11.0, abs=1e-6)
    assert path.nearest(np.array([0.0, 0.0]), near=10.0, window=1.0) == pytest.approx(9.0, abs=1e-6)


@given(length=st.floats(0.1, 200), reach=st.floats(0.5, 10))
def test_a_figure_eight_is_a_lemniscate_of_the_length_asked(length, reach):
    path = Path.figure_eight(length, reach_m=reach)
    assert length <= path.length <= length + 1.5 * reach
    x, z = path.at(np.linspace(0, path.length, 50)).T
    # Its implicit equation, in the plane: (x^2 + z^2)^2 = a^2 (x^2 - z^2).
    assert np.allclose((x**2 + z**2) ** 2, reach**2 * (x**2 - z**2), atol=1e-2 * reach**4)
    assert np.allclose(path.at(0.0), 0, atol=1e-9)


@pytest.mark.parametrize(("length", "reach"), [(0, 4), (-1, 4), (np.inf, 4), (np.nan, 4), (10, 0), (1e9, 4)])
def test_a_figure_eight_that_is_none_is_refused(length, reach):
    with pytest.raises(ValidationError, match="figure eight"):
        Path.figure_eight(length, reach_m=reach)

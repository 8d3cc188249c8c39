"""From channel values to transforms: against SciPy, and both roads to the same bits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_bvh import _turns
from kinetoscope_bvh._channels import Layout, transforms

NAMES = [f"{axis}{kind}" for kind in ("position", "rotation", "scale") for axis in "XYZ"]
angle = st.floats(-1e30, 1e30) | st.floats(-800, 800) | st.integers(-3600, 3600).map(float) | st.just(-0.0)


@given(
    st.lists(st.lists(st.sampled_from(NAMES), max_size=9), min_size=1, max_size=5),
    st.lists(angle, min_size=45, max_size=45),
)
@settings(deadline=None, max_examples=200)
def test_compiled_and_plain_give_the_same_bits(channels: list[list[str]], values: list[float]) -> None:
    pytest.importorskip("numba")
    columns = np.cumsum([0, *map(len, channels)])
    layout = Layout(channels, columns[:-1].tolist())
    rest = np.ones((len(channels), 3))
    table = np.array([values, values[::-1]])
    plain, compiled = (transforms(table, layout, rest, 0.01, compiled=road) for road in (False, True))
    assert plain.positions.tobytes() == compiled.positions.tobytes()
    assert plain.rotations.tobytes() == compiled.rotations.tobytes()
    assert (plain.scales is None) == (compiled.scales is None)
    if plain.scales is not None and compiled.scales is not None:
        assert plain.scales.tobytes() == compiled.scales.tobytes()
    np.testing.assert_allclose(np.linalg.norm(plain.rotations, axis=-1), 1, atol=1e-6)


def test_sines_and_cosines_to_the_last_digits() -> None:
    degrees = np.concatenate(
        [np.linspace(-1500, 1500, 20001), np.arange(-720, 721, 45.0), [1e-12, -0.0, 719.9999999]]
    )
    sine, cosine = _turns.half_sine_cosine(degrees)
    exact = np.deg2rad(np.fmod(degrees, 720).astype(np.longdouble) / 2)
    np.testing.assert_allclose(sine, np.sin(exact).astype(float), atol=4e-16)
    np.testing.assert_allclose(cosine, np.cos(exact).astype(float), atol=4e-16)


@pytest.mark.parametrize("axes", [*product(range(3), repeat=3), (0,), (2, 1), (0, 1, 2, 0)])
def test_products_of_turns(axes: tuple[int, ...]) -> None:
    degrees = np.random.default_rng(0).uniform(-360, 360, size=(50, len(axes)))
    wanted = Rotation.identity(50)
    for axis, angles in zip(axes, degrees.T, strict=True):
        wanted = wanted * Rotation.from_rotvec(np.deg2rad(angles)[:, None] * np.eye(3)[axis])
    found = Rotation.from_quat(_turns.product(axes, degrees))
    assert (found * wanted.inv()).magnitude().max() < 1e-14

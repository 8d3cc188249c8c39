"""Grain, tint, shadows and shutters."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from kinetoscope_composite.grain import measured
from kinetoscope_composite.layer import Layer
from kinetoscope_composite.over import composite, plate_tint
from kinetoscope_spec import Frame, ValidationError, Video


def noisy(random, sigma, size, alike, frames=6):
    """Return pictures of slopes and soft shapes with noise of a known strength, coarseness and likeness."""
    shape = (144, 240)
    base = np.linspace(60, 190, shape[1]) + 12 * gaussian_filter(random.normal(size=shape), 8) / 0.035
    made = []
    for _ in range(frames):
        noise = random.normal(size=(*shape, 3))
        noise = alike * noise[..., :1] + np.sqrt(1 - alike**2) * noise
        noise = gaussian_filter(noise, (size, size, 0)) if size else noise
        noise *= sigma / noise.std(axis=(0, 1))
        made.append(np.rint(base[..., None] + noise).clip(0, 255).astype(np.uint8))
    return made


@settings(max_examples=15, deadline=None)
@given(st.floats(1.0, 8.0), st.sampled_from([0.0, 0.5, 0.8, 1.2]), st.integers(0, 2**32 - 1))
def test_grain_is_measured_and_made_again(sigma, size, seed) -> None:
    grain = measured(noisy(np.random.default_rng(seed), sigma, size, 0.0))
    assert np.sqrt(np.diag(grain.covariance)) == pytest.approx(sigma, rel=0.2)
    assert grain.size_px == pytest.approx(size, abs=0.35)
    made = grain.noise((240, 144), seed=1, frame=2)
    assert made.std(axis=(0, 1)) == pytest.approx(np.sqrt(np.diag(grain.covariance)), rel=0.06)
    np.testing.assert_array_equal(made, grain.noise((240, 144), seed=1, frame=2))
    assert not np.array_equal(made, grain.noise((240, 144), seed=1, frame=3))


def test_colours_of_grain_are_as_alike_as_the_plates() -> None:
    for alike in (0.0, 0.8):
        grain = measured(noisy(np.random.default_rng(0), 4.0, 0.5, alike))
        made = grain.noise((240, 144), 0, 0).reshape(-1, 3)
        assert np.corrcoef(made.T)[0, 1] == pytest.approx(1 - (1 - alike**2) if alike else 0.0, abs=0.2)


def test_a_plate_without_grain_gives_none() -> None:
    flat = np.full((64, 64, 3), 120, np.uint8)
    assert not measured([flat]).covariance.any()
    assert not measured([flat[:4, :4]]).covariance.any()
    assert not measured([np.full((64, 64, 3), 255, np.uint8)]).covariance.any()


def test_grain_lies_on_the_layer_alone() -> None:
    frames = np.stack(noisy(np.random.default_rng(0), 5.0, 0.0, 0.0))
    plate = Video.from_frames(frames, 25)
    alpha = np.zeros(frames.shape[1:3])
    alpha[40:100, 60:180] = 1
    layer = Layer(0.2 * np.repeat(alpha[..., None], 3, axis=2), alpha)
    made = np.stack(list(composite(plate, [layer] * len(frames), tint=0.0).frames()))
    np.testing.assert_array_equal(made[:, alpha == 0], frames[:, alpha == 0])
    assert made[:, alpha == 1].astype(float).std(axis=(0, 1)) == pytest.approx(5.0, rel=0.1)


def test_layers_take_on_the_light_of_the_plate() -> None:
    random = np.random.default_rng(0)
    surfaces = random.uniform(20, 200, size=(60, 80, 1))
    warm = np.rint(surfaces * [1.0, 0.85, 0.6]).astype(np.uint8)
    gains = plate_tint([warm])
    assert gains[0] > 1 > gains[2]
    assert gains.mean() == pytest.approx(1.0)
    np.testing.assert_allclose(plate_tint([np.repeat(surfaces, 3, axis=2).astype(np.uint8)]), 1.0, atol=1e-6)
    red = np.zeros((60, 80, 3), np.uint8)
    red[..., 0] = 200
    assert plate_tint([red]).max() < 1.8, "a red wall is no red light"


def rendered(alpha, level=200, **buffers):
    color = np.full((*alpha.shape, 4), level, np.uint8)
    color[..., 3] = np.rint(255 * alpha)
    return Frame(color, buffers)


def test_a_shadow_is_what_the_ground_has_less_of_light() -> None:
    alpha = np.zeros((4, 5))
    alpha[1, 1] = 1
    bare = np.full((4, 5, 3), 0.5, np.float32)
    lit = bare.copy()
    lit[2, 2] = 0.125
    lit[1, 1] = 9.0
    ids = np.zeros((4, 5), np.uint16)
    ids[1, 1] = 7
    layer = Layer.of(rendered(alpha), ground=rendered(alpha, hdr=lit, id=ids), bare=rendered(alpha, hdr=bare))
    expected = np.ones((4, 5))
    expected[2, 2] = 0.25
    np.testing.assert_allclose(layer.shade, np.repeat(expected[..., None], 3, axis=2), rtol=1e-6)
    for missing in ({"hdr": lit}, {"id": ids}):
        with pytest.raises(ValidationError, match="has no buffer"):
            Layer.of(rendered(alpha), ground=rendered(alpha, **missing), bare=rendered(alpha, hdr=bare))
    with pytest.raises(ValidationError, match="the ground without it"):
        Layer.of(rendered(alpha), ground=rendered(alpha, hdr=lit, id=ids))


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_a_shutter_adds_up_light(count, seed) -> None:
    """What is seen of half as much for twice as long is the same; the order does not matter."""
    random = np.random.default_rng(seed)
    layers = [
        Layer(
            random.random((3, 4, 3)),
            random.random((3, 4)),
            random.random((3, 4)) if random.random() < 0.5 else None,
        )
        for _ in range(count)
    ]
    blurred, turned = Layer.mean(layers), Layer.mean(layers[::-1] * 2)
    np.testing.assert_allclose(blurred.light, np.mean([layer.light for layer in layers], axis=0))
    np.testing.assert_allclose(blurred.light, turned.light)
    np.testing.assert_allclose(blurred.alpha, turned.alpha)
    if blurred.shade is not None:
        np.testing.assert_allclose(blurred.shade, turned.shade)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValidationError, match=r"light is \[2, 2, 3\] and alpha \[3, 3\]"):
        Layer(np.zeros((2, 2, 3)), np.zeros((3, 3)))
    with pytest.raises(ValidationError, match="no layers"):
        Layer.mean([])
    with pytest.raises(ValidationError, match="expected one"):
        Layer.mean([Layer(np.zeros((n, n, 3)), np.zeros((n, n))) for n in (2, 3)])
    with pytest.raises(ValidationError, match="tint is 2"):
        composite(Video.from_frames(np.zeros((1, 2, 2, 3), np.uint8), 25), [], tint=2)


@pytest.mark.parametrize("kind", [list, tuple, deque])
def test_layers_are_read_from_the_middle_of_whatever_holds_them(kind) -> None:
    plate = Video.from_frames(np.zeros((4, 2, 2, 3), np.uint8), 25)
    layers = kind(Layer(np.full((2, 2, 3), light), np.ones((2, 2))) for light in (0.1, 0.2, 0.4, 0.8))
    over = composite(plate, layers, tint=0, grain=False)
    whole = np.stack(list(over.frames()))
    assert len(np.unique(whole)) == 4
    np.testing.assert_array_equal(list(over.frames(2, 4)), whole[2:])
    few = composite(plate, kind([layers[0]]), tint=0, grain=False)
    with pytest.raises(ValidationError, match="there are 1 layers"):
        list(few.frames(3, 4))

"""Morph channels: what their weights bring in, at rest and over time."""

from __future__ import annotations

import pickle
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import Asset, Frame, Mesh, Motion, Skeleton, ValidationError, kinematics
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.motion import rest_motion

SKELETON = Skeleton(("root",), [-1], [[0.0, 1.0, 0.0]])
WEIGHTS = st.floats(-3, 3)


def mesh(names: tuple[str, ...] = ("smile",), **kwargs: Any) -> Mesh:
    """One triangle; the n-th shape moves each vertex by n + 1 m along another axis."""
    offsets = np.zeros((len(names), 3, 3))
    for i in range(len(names)):
        offsets[i, :, i % 3] = i + 1
    return Mesh.from_triangles(
        "m", np.eye(3), np.array([[0, 1, 2]]), morphs=offsets, morph_names=names, **kwargs
    )


@given(WEIGHTS)
def test_a_channel_of_one_shape_adds_its_weight_times_the_shape(weight: float) -> None:
    found = kinematics.morphed_vertices(mesh(), {"smile": weight})
    np.testing.assert_allclose(found - np.eye(3), np.full((3, 3), [weight, 0, 0]), atol=1e-12)


@given(
    WEIGHTS,
    st.lists(st.floats(-1, 1).filter(lambda peak: abs(peak) > 1e-3), min_size=1, max_size=4, unique=True),
)
def test_in_betweens_are_joined_by_straight_lines(weight: float, peaks: list[float]) -> None:
    shapes = mesh(("blink",) * len(peaks), morph_peaks=peaks)
    knots = np.array(sorted([*peaks, 0.0]))
    beside = knots[1:] - 1e-4 * np.diff(knots)
    for at in (float(np.clip(weight, knots[0], knots[-1])), *knots, *beside):
        found = kinematics.morph_factors(shapes, {"blink": at})
        for peak, factor in zip(peaks, found, strict=True):
            tent = np.interp(at, knots, knots == peak)  # 1 at its own peak, 0 at all the others
            assert factor == pytest.approx(tent, abs=1e-9)


def test_beyond_the_last_peak_the_line_goes_on() -> None:
    shapes = mesh(("blink", "blink"), morph_peaks=(0.5, 1.0))
    np.testing.assert_allclose(kinematics.morph_factors(shapes, {"blink": 1.5}), (-1, 2))
    np.testing.assert_allclose(kinematics.morph_factors(shapes, {"blink": -0.5}), (-1, 0))


def test_channels_rest_at_their_own_weight_unless_a_motion_moves_them() -> None:
    face = mesh(("smile", "blink"), morph_weights={"blink": 0.25})
    motion = attrs.evolve(
        rest_motion(SKELETON, 3), morph_weights={"smile": [0.0, 0.5, 1.0], "nobody's": [1.0, 1.0, 1.0]}
    )
    asset = Asset("a", SKELETON, (motion,), (face,))
    for frame, smile in enumerate((0.0, 0.5, 1.0)):
        found = kinematics.skinned_vertices(asset, frame=frame) - np.eye(3)
        np.testing.assert_allclose(found, np.full((3, 3), [smile, 0.5, 0]))
    np.testing.assert_allclose(
        kinematics.skinned_vertices(asset, motion=None) - np.eye(3), np.full((3, 3), [0, 0.5, 0])
    )
    opened = attrs.evolve(rest_motion(SKELETON), morph_weights={"blink": [0.0]})
    np.testing.assert_array_equal(kinematics.skinned_vertices(asset, motion=opened), np.eye(3))


def test_a_skin_carries_what_the_morphs_made() -> None:
    skinned = strategies.characters(carried=("skinned",), meshes_at_least=1, scales=(1.0,))

    @given(skinned, st.floats(-1, 2))
    def law(character: Any, weight: float) -> None:
        held = character.meshes[0]
        names = dict.fromkeys(held.morph_names)
        motion = attrs.evolve(
            rest_motion(character.skeleton), morph_weights={name: [weight] for name in names}
        )
        found = kinematics.skinned_vertices(
            Asset("a", character.skeleton, (motion,), (held,), character.materials)
        )
        baked = attrs.evolve(
            held,
            vertices=kinematics.morphed_vertices(held, dict.fromkeys(names, weight)),
            morphs=None, morph_names=(), morph_peaks=None, morph_weights={},
        )  # fmt: skip
        expected = kinematics.skinned_vertices(
            Asset("a", character.skeleton, (motion,), (baked,), character.materials)
        )
        np.testing.assert_allclose(found, expected, atol=1e-9)

    law()


@given(st.data())
def test_curves_are_cut_as_the_frames_are(data: st.DataObject) -> None:
    motion = data.draw(strategies.motions(st.just(SKELETON), morphs=("smile", "blink")))
    start = data.draw(st.integers(0, motion.frame_count - 1))
    stop = data.draw(st.integers(start + 1, motion.frame_count))
    cut = motion.slice(start, stop)
    assert cut.morph_weights.keys() == motion.morph_weights.keys()
    for name, curve in motion.morph_weights.items():
        np.testing.assert_array_equal(cut.morph_weights[name], curve[start:stop])


def test_curves_are_cut_and_resampled_with_the_motion() -> None:
    motion = attrs.evolve(rest_motion(SKELETON, 5, 10.0), morph_weights={"smile": np.linspace(0, 1, 5)})
    np.testing.assert_allclose(motion.slice(1, 4).morph_weights["smile"], (0.25, 0.5, 0.75))
    np.testing.assert_allclose(motion.resample(20.0).morph_weights["smile"], np.linspace(0, 1, 9), atol=1e-6)


def test_curves_are_read_only_also_out_of_a_pickle() -> None:
    motion = attrs.evolve(rest_motion(SKELETON, 2), morph_weights={"smile": [0.0, 1.0]})
    for held in (motion, pickle.loads(pickle.dumps(motion))):
        assert held == motion
        with pytest.raises(ValueError, match="read-only"):
            held.morph_weights["smile"][0] = 2.0
        with pytest.raises(TypeError, match="frozen"):
            held.morph_weights["blink"] = np.zeros(2)


def test_a_frame_is_as_read_only_before_a_pickle_as_after() -> None:
    depth = np.ones((2, 2), np.float32)
    frame = Frame(np.zeros((2, 2, 4), np.uint8), {"depth": depth})
    for held in (frame, pickle.loads(pickle.dumps(frame))):
        with pytest.raises(ValueError, match="read-only"):
            held.buffers["depth"][0] = 2.0
    depth[0] = 3.0  # whoever made the array keeps it


def test_what_cannot_exist() -> None:
    for build, words in (
        (lambda: mesh(morph_peaks=(0.0,)), ("morph_peaks[0]", "'smile'")),
        (lambda: mesh(("a", "a")), ("morph_peaks[1]", "'a'")),
        (lambda: mesh(morph_peaks=(1.0, 2.0)), ("morph_peaks", "[2]")),
        (lambda: mesh(morph_weights={"frown": 1.0}), ("morph_weights['frown']", "smile")),
        (lambda: mesh(morph_weights={"smile": np.nan}), ("morph_weights['smile']",)),
        (
            lambda: attrs.evolve(rest_motion(SKELETON, 2), morph_weights={"a": [1.0]}),
            ("morph_weights['a']", "T=2"),
        ),
        (lambda: attrs.evolve(rest_motion(SKELETON), morph_weights={"a": [np.inf]}), ("'a'", "finite")),
    ):
        with pytest.raises(ValidationError) as caught:
            build()
        assert all(word in str(caught.value) for word in words), caught.value


def test_motions_that_morph_are_equal_when_their_curves_are() -> None:
    def moved(weight: float) -> Motion:
        return attrs.evolve(rest_motion(SKELETON), morph_weights={"a": [weight]})

    assert moved(0.5) == moved(0.5) != moved(0.25)

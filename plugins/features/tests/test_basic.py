"""The plain features against formulas, and their laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_features import feature, formulas
from kinetoscope_features.basic import (
    JointPositions,
    JointRotations,
    JointVelocities,
    RootTrajectory,
)
from kinetoscope_features.mirror import Mirror
from kinetoscope_features.root import smoothed
from kinetoscope_features.standing import FootContacts
from kinetoscope_spec import Motion, Skeleton
from kinetoscope_spec.errors import ValidationError

FEATURES = [RootTrajectory(), JointPositions(), JointRotations(), JointVelocities(), FootContacts()]


def test_a_circular_walk_has_its_speed_and_turn_rate(walkers):
    clip = walkers.walk(speed=1.3, turn_rate=0.6, frames=180, swing=0.0)
    rows = RootTrajectory(smoothing_s=0.0).compute(clip)
    schema = RootTrajectory().schema(clip.skeleton)
    inner = rows[1:-1]
    # Central differences of a circle: the chord over two frames, shorter by sin(a)/a.
    chord = np.sin(0.6 / 30) / (0.6 / 30)
    assert inner[:, schema.where("root_velocity", component="z")] == pytest.approx(1.3 * chord, abs=1e-9)
    assert inner[:, schema.where("root_velocity", component="x")] == pytest.approx(0.0, abs=1e-9)
    assert inner[:, schema.where("root_turn_rate")] == pytest.approx(0.6, abs=1e-9)


def test_smoothing_keeps_a_straight_walk_exactly_and_a_circle_nearly(walkers):
    straight = RootTrajectory().compute(walkers.walk(speed=1.1, swing=0.0))
    assert straight[:, :3] == pytest.approx(np.tile([0.0, 1.1, 0.0], (len(straight), 1)), abs=1e-9)
    circle = RootTrajectory().compute(walkers.walk(speed=1.1, turn_rate=0.5, swing=0.0, frames=150))[40:-40]
    # A Gaussian window of 0.2 s shrinks a circle by exp(-(0.5 * 0.2)^2 / 2) = 0.5 %.
    assert circle[:, 1] == pytest.approx(1.1 * np.exp(-0.005), abs=2e-3)
    assert circle[:, 2] == pytest.approx(0.5, abs=1e-6)


def test_travel_in_the_root_or_in_the_hips_is_the_same(walkers):
    options = {"speed": 1.0, "turn_rate": 0.4}
    by_root, by_hips = (walkers.walk(by_root=flag, **options) for flag in (True, False))
    for each in FEATURES:
        np.testing.assert_allclose(each.compute(by_root), each.compute(by_hips), atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(yaw=st.floats(-7, 7), x=st.floats(-50, 50), z=st.floats(-50, 50))
def test_moving_or_turning_a_clip_changes_nothing(walkers, yaw, x, z):
    clip = walkers.walk(turn_rate=0.7)
    elsewhere = walkers.moved(clip, yaw, (x, z))
    for each in FEATURES:
        np.testing.assert_allclose(each.compute(elsewhere), each.compute(clip), atol=1e-7)


@pytest.mark.parametrize("each", FEATURES, ids=lambda each: type(each).__name__)
def test_rows_have_the_schema_s_length_and_frames_pick_rows(walkers, each):
    clip = walkers.walk(turn_rate=0.3)
    rows = each.compute(clip)
    assert rows.shape == (clip.frame_count, len(each.schema(clip.skeleton)))
    np.testing.assert_array_equal(each.compute(clip, [3, 0, -1]), rows[[3, 0, -1]])
    with pytest.raises(ValidationError, match="frame 120"):
        each.compute(clip, [120])


def test_rotations_are_the_first_two_columns_in_root_space(walkers):
    clip = walkers.walk(turn_rate=0.9, swing=0.4)
    each = JointRotations(smoothing_s=0.0)
    where = each.schema(clip.skeleton).where("joint_rotation_6d", joint="LeftUpLeg")
    # Yaw of the hips is the root's own, so what is left is the leg's swing about x.
    t = np.arange(clip.frame_count) / 30
    truth = Rotation.from_rotvec(np.outer(0.4 * np.sin(2 * np.pi * t), [1, 0, 0])).as_matrix()
    six = np.concatenate([truth[:, :, 0], truth[:, :, 1]], axis=1)
    # The arms swing against each other and turn the shoulders by nothing: facing is exact.
    np.testing.assert_allclose(each.compute(clip)[:, where], six, atol=1e-6)


def test_velocities_are_independent_of_the_framerate(walkers):
    slow, quick = (walkers.walk(framerate=rate, frames=int(4 * rate), swing=0.0) for rate in (30.0, 120.0))
    each = JointVelocities(framerate=30.0)
    a, b = each.compute(slow), each.compute(quick)
    np.testing.assert_allclose(a[:100], b[:100], atol=1e-6)


def test_contacts_tell_a_standing_foot_from_a_moving_one(walkers):
    still = walkers.walk(speed=0.0, swing=0.0)
    assert FootContacts().compute(still).all()
    gliding = walkers.walk(speed=1.0, swing=0.0)
    assert not FootContacts().compute(gliding).any()


def test_a_missing_joint_is_named():
    skeleton = Skeleton(["Hips", "Head"], [-1, 0], np.zeros((2, 3)))
    clip = Motion(skeleton, np.zeros((3, 2, 3)), np.tile([0, 0, 0, 1.0], (3, 2, 1)), 30)
    with pytest.raises(ValidationError, match="left_upper_leg"):
        JointPositions().compute(clip)


def test_every_provider_loads():
    from importlib import import_module

    for provider in feature():
        module, name = provider.load.split(":")
        assert callable(getattr(import_module(module), name)().compute)


def test_arrays_of_another_framerate_are_refused(walkers):
    clip = walkers.walk()
    arrays = (clip.skeleton, clip.positions, clip.rotations, clip.framerate)
    np.testing.assert_allclose(JointPositions(framerate=30.0).rows(*arrays), JointPositions().compute(clip))
    with pytest.raises(ValidationError, match="expected 60"):
        JointPositions(framerate=60.0).rows(*arrays)


def test_mirrored_rows_are_those_of_the_measured_mirror(walkers):
    clip = walkers.walk(turn_rate=0.4)
    other = Mirror.of([clip])(clip)
    for each in FEATURES:
        mirrored = each.mirrored(each.compute(clip), clip.skeleton)
        np.testing.assert_allclose(mirrored, each.compute(other), atol=1e-9)


def test_smoothing_is_a_gaussian_window_on_values_that_go_on_as_their_ends_do():
    values = np.random.default_rng(0).normal(size=(50, 2))
    kernel = np.exp(-0.5 * (np.arange(-18, 19) / 6.0) ** 2)
    # The trend is that of the last 0.6 s, 18 frames, drawn as straight strokes from frame to frame. The fit
    # to many points of them is what it converges to, to 1e-8.
    fine = (np.arange(18000) + 0.5) / 1000
    lines = [
        np.polynomial.Polynomial.fit(fine, np.interp(fine, np.arange(19), part), 1)
        for part in (values[:19, 1], values[-19:, 1])
    ]
    padded = np.concatenate([lines[0](np.arange(-18, 0)), values[:, 1], lines[1](np.arange(19, 37))])
    expected = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    np.testing.assert_allclose(
        smoothed(values, 30.0, 0.2)[:, 1], expected, atol=1e-7
    )  # the sum over `fine` is an integral to 1e-8


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20))
def test_unwrapped_angles_are_those_of_numpy(steps):
    angles = np.angle(np.exp(1j * np.cumsum(steps)))
    np.testing.assert_allclose(formulas.unwrapped(angles), np.unwrap(angles), atol=1e-12)

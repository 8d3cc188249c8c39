"""Cameras that go along: what they look at, from where, and that all of it is in frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope.shot import film, settings
from kinetoscope.toml import WrongValue
from kinetoscope_spec import Motion, Skeleton
from kinetoscope_spec.viewpoint import subjects

RATE = 30.0
SIZE = (640, 360)


def walker(turn_rad_s: float, speed_m_s: float = 2.0, seconds: float = 3.0) -> Motion:
    """A body with a hand on either side that walks along a circle, upright, facing where it goes."""
    skeleton = Skeleton(
        ("hips", "left_hand", "right_hand", "head"),
        [-1, 0, 0, 0],
        [(0, 1, 0), (0.7, 0.2, 0), (-0.7, 0.2, 0), (0, 0.7, 0)],
    )
    frames = int(seconds * RATE)
    yaw = 0.5 + turn_rad_s * np.arange(frames) / RATE
    positions = np.tile(skeleton.rest_positions, (frames, 1, 1)).astype(float)
    steps = speed_m_s / RATE * np.stack([np.sin(yaw), np.zeros(frames), np.cos(yaw)], axis=1)
    positions[:, 0] = np.array([0, 1, 0]) + np.cumsum(steps, axis=0)
    rotations = np.zeros((frames, 4, 4))
    rotations[..., 3] = 1
    rotations[:, 0] = np.stack([0 * yaw, np.sin(yaw / 2), 0 * yaw, np.cos(yaw / 2)], axis=1)
    return Motion(skeleton, positions, rotations, framerate=RATE)


def yaws(cameras):
    ahead = np.array([view.target - view.position for view in cameras])
    return np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2]))


def test_a_subject_is_where_the_joints_are_and_faces_as_they_do():
    motion = walker(1.5)
    places = motion.global_transforms()[0]
    for frame, subject in enumerate(subjects(motion)):
        assert (subject.low < places[frame].min(axis=0)).all()
        assert (subject.high > places[frame].max(axis=0)).all()
        assert subject.facing == pytest.approx(0.5 + 1.5 * frame / RATE, abs=1e-5)
    bare = Motion(
        Skeleton(("a",), [-1], [(0, 0, 0)]),
        np.zeros((2, 1, 3)),
        np.tile([0.0, 0, 0, 1], (2, 1, 1)),
        framerate=RATE,
    )
    assert [subject.facing for subject in subjects(bare)] == [0.0, 0.0]


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=3), st.integers(1, 3))
def test_a_root_that_stays_behind_is_no_part_of_who_is_shown(place, count):
    """Nodes above the pelvis, wherever they are: the camera shows the same as without them."""
    bare = walker(0.5, seconds=0.5)
    skeleton, frames = bare.skeleton, bare.frame_count
    above = Skeleton(
        (*(f"above{i}" for i in range(count)), *skeleton.names),
        [*range(-1, count - 1), *(parent + count for parent in skeleton.parents)],
        [place, *[(0, 0, 0)] * (count - 1), *skeleton.rest_positions],
    )
    positions = np.concatenate([np.zeros((frames, count, 3)), bare.positions], axis=1)
    positions[:, 0] = place
    positions[:, count] -= place
    turns = np.concatenate([np.tile([0.0, 0, 0, 1], (frames, count, 1)), bare.rotations], axis=1)
    moved = Motion(above, positions, turns, framerate=RATE)
    for one, other in zip(subjects(bare), subjects(moved), strict=True):
        np.testing.assert_allclose(other.corners, one.corners, atol=1e-4)
        assert other.facing == pytest.approx(one.facing, abs=1e-5)


def test_lying_down_turns_nobody_around():
    """Who lies on a side faces nowhere that could be told; before and after it is as it was."""
    motion = walker(0.0)
    rotations = np.array(motion.rotations, np.float64)
    roll = np.concatenate(
        [np.zeros(20), 1.7 * np.sin(np.linspace(0, np.pi, 40)), np.zeros(len(rotations) - 60)]
    )
    turn, tip = rotations[:, 0], np.stack([0 * roll, 0 * roll, np.sin(roll / 2), np.cos(roll / 2)], axis=1)
    rotations[:, 0] = Rotation.concatenate([Rotation.from_quat(turn) * Rotation.from_quat(tip)]).as_quat()
    rolled = Motion(motion.skeleton, motion.positions, rotations, framerate=RATE)
    facing = np.array([subject.facing for subject in subjects(rolled)])
    np.testing.assert_allclose(facing, 0.5, atol=1e-4)


def test_a_hand_that_waves_shakes_no_camera():
    motion = walker(0.0)
    positions = np.array(motion.positions, np.float64)
    positions[:, 1, 1] += 0.9 + 0.4 * np.sign(
        np.sin(np.arange(len(positions)) * 1.3)
    )  # up and down in a frame
    waving = Motion(motion.skeleton, positions, motion.rotations, framerate=RATE)
    cameras = film.cameras(settings.Camera(kind="third-person", distance=1.0), waving, None)
    shaken = np.diff([view.position for view in cameras], n=2, axis=0)
    assert np.abs(shaken).max() < 0.05


@pytest.mark.parametrize("kind", ["orbit", "third-person"])
@pytest.mark.parametrize("aspect", [16 / 9, 9 / 16])
def test_all_joints_are_in_frame(kind, aspect):
    motion = walker(1.5, speed_m_s=5.0)
    given = settings.Camera(kind=kind, distance=1.0)  # too near for all of it
    cameras = film.cameras(given, motion, None, aspect=aspect)
    size = (360 * aspect, 360)
    for view, places in zip(cameras, motion.global_transforms()[0], strict=True):
        seen = view.project(places, size)
        assert (seen[:, 2] > 0).all()
        assert (seen[:, :2] > 0).all()
        assert (seen[:, :2] < size).all()


def test_third_person_stays_behind_whoever_turns():
    motion = walker(0.8)
    cameras = film.cameras(settings.Camera(kind="third-person", smoothing=0.05), motion, None)
    np.testing.assert_allclose(yaws(cameras), 0.5 + 0.8 * np.arange(len(cameras)) / RATE, atol=0.02)
    beside = film.cameras(settings.Camera(kind="third-person", angle=90), motion, None)
    assert yaws(beside)[0] == pytest.approx(0.5 + np.pi / 2, abs=1e-6)


def test_an_orbit_goes_around_as_fast_as_it_is_told():
    cameras = film.cameras(settings.Camera(kind="orbit", turn=60.0, smoothing=0.05), walker(0.0), None)
    turned = np.degrees(yaws(cameras))
    assert turned[-1] - turned[-31] == pytest.approx(60.0, abs=0.5)
    still = film.cameras(settings.Camera(kind="orbit", turn=0.0), walker(0.0), None)
    assert np.ptp(yaws(still)) < 1e-6


def test_a_film_at_another_rate_shows_the_same_way():
    motion = walker(1.0)
    for kind in ("orbit", "third-person"):
        slow = film.cameras(settings.Camera(kind=kind), motion, None)
        fast = film.cameras(settings.Camera(kind=kind), motion.resample(2 * RATE), None)
        for one, other in zip(slow, fast[::2], strict=False):
            np.testing.assert_allclose(one.position, other.position, atol=0.02)


def test_a_plate_has_a_camera_of_its_own():
    performer = settings.Performer(("a.bvh",), ((0, 0), (1, 0)))
    plate = settings.Plate("plate.mp4")
    for kind in ("follow", "orbit", "third-person"):
        with pytest.raises(WrongValue, match="a plate has a camera of its own"):
            settings.Shot(performer, plate, camera=settings.Camera(kind=kind))

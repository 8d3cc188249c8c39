"""Cameras that turn, seen in a world whose every ray is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_composite.protocol import CameraSolve
from kinetoscope_composite.solving import solve
from kinetoscope_spec import Cancelled, Mask, ValidationError, Video

T = np.linspace(0, 1, 25)
MOVES = {
    "a pan": (45, [22 * T, 2 * np.sin(5 * T), 0 * T]),
    "a tilt": (40, [0 * T, 20 * T, 0 * T]),
    "a hand": (60, [4 * np.sin(4 * T), 3 * np.cos(6 * T) - 3, 2 * np.sin(5 * T)]),
}


def off_deg(solved: CameraSolve, rotations: np.ndarray) -> float:
    expected = rotations @ rotations[0].T
    return float(
        np.degrees(Rotation.from_matrix(solved.rotations @ expected.transpose(0, 2, 1)).magnitude().max())
    )


@pytest.mark.parametrize("move", MOVES)
def test_turns_and_field_of_view_are_those_of_the_world(sphere, move) -> None:
    degrees, path = MOVES[move]
    rotations = sphere.turns(np.stack(path, axis=1))
    solved = solve(sphere.filmed(rotations, np.radians(degrees)))
    assert solved.measured
    assert np.degrees(solved.field_of_view) == pytest.approx(degrees, rel=0.03)
    assert off_deg(solved, rotations) < 0.5
    known = solve(sphere.filmed(rotations, np.radians(degrees)), field_of_view=np.radians(degrees))
    assert off_deg(known, rotations) < 0.06
    assert known.error_px < 0.15
    assert not known.parallax


def test_a_long_pan_comes_back_to_where_it_began(sphere) -> None:
    """What adds up from frame to frame is taken back by frames that see the same again."""
    t = np.linspace(0, 2 * np.pi, 60)
    rotations = sphere.turns(np.stack([12 * np.sin(t), 3 * np.sin(2 * t), 0 * t], axis=1))
    solved = solve(sphere.filmed(rotations, np.radians(45), noise=4.0), field_of_view=np.radians(45))
    assert off_deg(solved, rotations) < 0.12


def test_what_moves_by_itself_does_not_turn_the_camera(sphere) -> None:
    """A disc that drifts over a quarter of the picture: told by a mask, and found out without one."""
    rotations = sphere.turns(np.stack([10 * T, 0 * T, 0 * T], axis=1))
    frames = np.stack(list(sphere.filmed(rotations, np.radians(45)).frames()))
    masks = np.zeros(frames.shape[:3], np.uint8)
    speckles = np.random.default_rng(2).integers(0, 255, (60, 60), np.uint8)
    for i, mask in enumerate(masks):
        x, y = 60 + 4 * i, 40 + i
        mask[y : y + 60, x : x + 60] = 255
        frames[i, y : y + 60, x : x + 60] = speckles[..., None]
    plate = Video.from_frames(frames, 25)
    view = np.radians(45)
    assert off_deg(solve(plate, mask=Mask.from_frames(masks, 25), field_of_view=view), rotations) < 0.06
    assert off_deg(solve(plate, field_of_view=view), rotations) < 0.15


def test_a_camera_that_travels_is_told() -> None:
    """Two walls, one at a third of the distance, seen by a camera that goes sideways."""
    random = np.random.default_rng(3)
    far, near = (cv2.GaussianBlur(random.normal(size=(180, 900)), (0, 0), 1.5) for _ in range(2))
    far, near = (128 + 40 * wall / wall.std() for wall in (far, near))
    frames = []
    for i in range(12):
        frame = far[:, 100 + 3 * i : 420 + 3 * i].copy()
        frame[90:] = near[90:, 100 + 9 * i : 420 + 9 * i]
        frames.append(np.repeat(frame.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2))
    assert solve(Video.from_frames(np.stack(frames), 25)).parallax


@settings(max_examples=6, deadline=None)
@given(st.floats(0.2, 3.0), st.integers(0, 2**32 - 1))
def test_a_still_camera_is_still_under_any_noise(noise, seed) -> None:
    random = np.random.default_rng(seed)
    picture = cv2.GaussianBlur(random.normal(size=(120, 160)), (0, 0), 1.5)
    picture = 128 + 40 * picture / picture.std()
    frames = picture + random.normal(scale=noise, size=(6, 120, 160))
    frames = np.repeat(np.rint(frames).clip(0, 255).astype(np.uint8)[..., None], 3, axis=3)
    solved = solve(Video.from_frames(frames, 25))
    assert solved.still
    assert (solved.rotations == np.eye(3)).all()


def test_the_camera_of_a_frame_looks_where_it_should(sphere) -> None:
    rotations = sphere.turns(np.array([[0.0, 0, 0], [30, 0, 0], [0, 20, 0]]))
    solved = CameraSolve(rotations, np.radians(45), True, False, 0.0, False)
    ahead = [(solved.camera(i).target - solved.camera(i).position).round(9) for i in range(3)]
    np.testing.assert_allclose(ahead[0], [0, 0, 1])
    # To the right of one who looks along +Z with Y up lies -X.
    np.testing.assert_allclose(ahead[1], [-np.sin(np.radians(30)), 0, np.cos(np.radians(30))], atol=1e-9)
    np.testing.assert_allclose(ahead[2], [0, np.sin(np.radians(20)), np.cos(np.radians(20))], atol=1e-9)
    down = solved.camera(0, height_m=2.0, pitch=np.radians(10))
    assert down.position[1] == 2.0
    np.testing.assert_allclose(
        down.target - down.position, [0, -np.sin(np.radians(10)), np.cos(np.radians(10))]
    )
    lean = solved.camera(0, roll=np.radians(10)).up
    np.testing.assert_allclose(lean, [-np.sin(np.radians(10)), np.cos(np.radians(10)), 0], atol=1e-9)
    with pytest.raises(ValidationError, match="frame 3 of a solve of 3"):
        solved.camera(3)


def test_world_points_stay_on_what_they_lie_on(sphere) -> None:
    """Projected by the solved cameras, a direction of the world lands where the picture shows it."""
    rotations = sphere.turns(np.stack(MOVES["a pan"][1], axis=1))
    solved = solve(sphere.filmed(rotations, np.radians(45)), field_of_view=np.radians(45))
    camera = solved.camera(0, height_m=0.0)
    world_axes = np.stack([np.cross(camera.target, camera.up), camera.up, -camera.target])
    for i in (0, 12, 24):
        ray = rotations[i].T @ np.array([0.1, 0.05, -1.0])  # at the same place of each picture
        ray = rotations[0] @ ray  # in the first camera's axes
        point = 10 * world_axes.T @ ray
        x, y, _ = solved.camera(i, height_m=0.0).project(point, sphere.size)
        focal = sphere.size[1] / 2 / np.tan(np.radians(45) / 2)
        assert (x, y) == (
            pytest.approx(sphere.size[0] / 2 + 0.1 * focal, abs=0.4),
            pytest.approx(sphere.size[1] / 2 - 0.05 * focal, abs=0.4),
        )


def test_bad_plates_are_named(sphere) -> None:
    plate = sphere.filmed(sphere.turns(np.zeros((3, 3))), np.radians(45))
    with pytest.raises(ValidationError, match="the mask is 10 x 10 pixels, the plate 320 x 180"):
        solve(plate, mask=Mask.from_frames(np.zeros((3, 10, 10), np.uint8), 25))
    with pytest.raises(ValidationError, match="the plate goes on after 2 frames"):
        solve(plate, mask=Mask.from_frames(np.zeros((2, 180, 320), np.uint8), 25))
    with pytest.raises(ValidationError, match="frame 1 of the plate shares fewer than 12 corners"):
        solve(Video.from_frames(np.full((3, 90, 90, 3), 90, np.uint8), 25))
    with pytest.raises(ValidationError, match="no frame"):
        solve(Video.from_frames(np.zeros((0, 90, 90, 3), np.uint8), 25))
    with pytest.raises(ValidationError, match="field_of_view is 4"):
        solve(plate, field_of_view=4.0)
    with pytest.raises(Cancelled):
        solve(plate, progress=lambda *_: False)

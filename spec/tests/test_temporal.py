"""What follows what, and where in a pixel each frame looks."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Actor, Camera, Character, Scene, Skeleton
from kinetoscope_spec.temporal import PERIOD, SETTLED, Take, offset

CAMERA = Camera((0.0, 1.0, 4.0), (0.0, 1.0, 0.0))
BODY = Character("body", Skeleton(("root",), [-1], [(0.0, 0.0, 0.0)]))


def pose(x: float) -> np.ndarray:
    matrix = np.eye(4)[None].copy()
    matrix[0, 0, 3] = x
    return matrix


def scene(x: float, before: float | None, *more: Actor) -> Scene:
    return Scene(actors=(Actor(BODY, pose(x), previous_pose=None if before is None else pose(before)), *more))


def numbers(*frames: tuple[Scene, Camera]) -> list[int]:
    takes: list[Take] = []
    for shown, camera in frames:
        takes.append(Take.after(takes[-1] if takes else None, shown, camera))
    return [take.number for take in takes]


def test_places_within_a_pixel_fill_it_evenly_from_its_centre_on():
    places = np.array([offset(n) for n in range(PERIOD)])
    assert offset(0) == (0.0, 0.0) == offset(PERIOD)
    assert (np.abs(places) <= 0.5).all()
    assert len(set(np.floor(places[:, 0] * 8))) == PERIOD  # one in each eighth
    assert np.diff(np.sort([*places[:, 1], places[:, 1].min() + 1])).max() < 0.25
    assert np.abs(places.mean(axis=0)).max() < 0.07


def test_frames_follow_by_the_poses_that_were_drawn():
    walk = [(scene(0.1 * i, 0.1 * (i - 1)), CAMERA) for i in range(4)]
    assert numbers(*walk) == [0, 1, 2, 3]
    assert numbers(walk[0], walk[2], walk[3]) == [0, 0, 1]  # one left out
    assert numbers(walk[0], (scene(0.1, 1e-7), CAMERA)) == [0, 1]  # rounding is no cut
    assert numbers(walk[0], (scene(0.1, None), CAMERA)) == [0, 0]
    assert numbers((Scene(), CAMERA), (Scene(), CAMERA)) == [0, 0]  # nobody says that it goes on


def test_who_enters_cuts_nothing_and_who_jumps_does():
    other = Actor(BODY, pose(2.0), id=2)
    first, entered = scene(0.0, 0.0), scene(0.1, 0.0, other)
    assert numbers((first, CAMERA), (entered, CAMERA)) == [0, 1]
    jumped = scene(0.2, 0.1, attrs.evolve(other, pose=pose(3.0), previous_pose=pose(2.9)))
    assert numbers((first, CAMERA), (entered, CAMERA), (jumped, CAMERA)) == [0, 1, 0]


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"position": (0.3, 1.0, 4.0)}, 1),
        ({"position": (1.5, 1.0, 4.0), "target": (1.5, 1.0, 0.0)}, 0),
        ({"target": (1.5, 1.0, 0.0)}, 0),
        ({"up": (1.0, 1.0, 0.0)}, 0),
        ({"field_of_view": np.radians(47.0)}, 1),
        ({"field_of_view": np.radians(60.0)}, 0),
    ],
)
def test_a_camera_that_goes_too_far_is_a_cut(changes, number):
    still = scene(0.0, 0.0)
    assert numbers((still, CAMERA), (still, attrs.evolve(CAMERA, **changes))) == [0, number]


def test_a_film_that_begins_early_looks_where_the_whole_does():
    assert SETTLED > 0
    assert SETTLED % PERIOD == 0

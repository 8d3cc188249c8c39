"""Which ghosts a frame has, how they fade, in what order they are laid over the picture."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Camera, Character, Scene, Skeleton, ValidationError
from kinetoscope_spec.ghosts import Ghost, Ghosts, ghosts_in

POINT = Character("point", Skeleton(("root",), [-1], np.zeros((1, 3))))


def walk(frames: int) -> np.ndarray:
    """Return poses `[T, 1, 4, 4]` of a point that goes a metre a frame along x."""
    poses = np.tile(np.eye(4), (frames, 1, 1, 1))
    poses[:, 0, 0, 3] = np.arange(frames)
    return poses


def places(ghosts) -> list[float]:
    return [float(ghost.pose[0, 0, 3]) for ghost in ghosts]


def test_ghosts_stand_at_their_times_and_fade_evenly() -> None:
    wanted = Ghosts(4, ahead=2, spacing_s=0.1, opacity=0.8)
    found = wanted.of(POINT, walk(100), 30.0, 50)
    assert places(found) == [38, 41, 44, 47, 56, 53]
    np.testing.assert_allclose([ghost.opacity for ghost in found], [0.2, 0.4, 0.6, 0.8, 0.4, 0.8])
    assert [ghost.color is None for ghost in found] == [True] * 4 + [False] * 2
    assert wanted.steps(30.0) == (-12, -9, -6, -3, 6, 3)


def test_beyond_the_ends_of_a_clip_there_are_none() -> None:
    wanted = Ghosts(3, ahead=3, spacing_s=1.0)
    assert places(wanted.of(POINT, walk(3), 1.0, 1)) == [0, 2]
    assert places(wanted.of(POINT, walk(1), 1.0, 0)) == []
    assert Ghosts(0).of(POINT, walk(9), 1.0, 4) == ()
    assert Ghosts(2, spacing_s=0.001).of(POINT, walk(9), 1.0, 4) == ()  # now itself is no ghost


def test_the_farthest_is_laid_first() -> None:
    camera = Camera((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    poses = walk(8)
    given = [Ghost(POINT, poses[i]) for i in (3, 7, 1, 5)]
    assert places(ghosts_in(Scene(annotations={"ghosts": given}), camera)) == [7, 5, 3, 1]
    other = attrs.evolve(camera, position=(9.0, 0.0, 0.0))
    assert places(ghosts_in(Scene(annotations={"ghosts": tuple(given)}), other)) == [1, 3, 5, 7]
    assert ghosts_in(Scene(), camera) == ()


@pytest.mark.parametrize("given", [7, "ghosts", [1], [Ghost(POINT, np.eye(4)[None]), None]])
def test_what_is_no_ghost_is_refused(given) -> None:
    with pytest.raises(ValidationError, match=r"annotations\['ghosts'\]"):
        ghosts_in(Scene(annotations={"ghosts": given}), Camera((0, 0, 0), (1, 0, 0)))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"opacity": 1.5}, "Ghost.opacity"),
        ({"opacity": float("nan")}, "Ghost.opacity"),
        ({"color": (1, 0)}, r"Ghost.color"),
        ({"color": (2, 0, 0)}, "Ghost.color"),
        ({"pose": np.eye(4)}, "Ghost.pose"),
    ],
)
def test_ghosts_check_what_they_are_made_of(wrong, named) -> None:
    with pytest.raises(ValidationError, match=named):
        Ghost(**{"character": POINT, "pose": np.eye(4)[None], **wrong})


@pytest.mark.parametrize("wrong", [{"count": -1}, {"ahead": -1}, {"spacing_s": 0.0}])
def test_wrong_numbers_of_ghosts_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Ghosts(**wrong)

"""What is drawn beside a motion, against a figure whose joints are counted by hand."""

import numpy as np
import pytest

from kinetoscope_spec import ConfigError, Motion, Skeleton, anatomy
from kinetoscope_spec.annotations import ribbons
from kinetoscope_spec.marking import head, marked, way
from kinetoscope_spec.scene import Scene

NAMES = ("World", "Reference", "Hips", "Spine", "Head", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase")
PARENTS = [-1, 0, 1, 2, 3, 2, 5, 6, 7]
RATE, FRAMES = 10.0, 6


@pytest.fixture(scope="module")
def walk():
    """Return a motion that stands for three frames and then goes 2 m/s along x, and its joints' places."""
    offsets = np.array(
        [
            [0, 0, 0],
            [0, 0, 0],
            [0, 1, 0],
            [0, 0.3, 0],
            [0, 0.4, 0],
            [0.1, 0, 0],
            [0, -0.5, 0],
            [0, -0.45, 0],
            [0, -0.03, 0.1],
        ]
    )
    skeleton = Skeleton(NAMES, PARENTS, offsets)
    assert anatomy.roles(skeleton)["hips"] == 2
    places = np.stack([sum((offsets[k] for k in chain(joint)), np.zeros(3)) for joint in range(9)])
    moved = np.repeat(places[None], FRAMES, axis=0)
    moved[:, 2:, 0] += np.array([0, 0, 0, 0.2, 0.4, 0.6])[:, None]  # what is above stays where it is
    rest = Motion(skeleton, np.tile(offsets, (FRAMES, 1, 1)), np.tile([0, 0, 0, 1.0], (FRAMES, 9, 1)), RATE)
    return rest, moved


def chain(joint):
    while joint >= 0:
        yield joint
        joint = PARENTS[joint]


def test_bones_lead_from_joint_to_joint_and_none_to_what_is_above_the_pelvis(walk):
    bones = marked("bones", *walk, 4)
    pairs = {(2, 3), (3, 4), (2, 5), (5, 6), (6, 7), (7, 8)}
    expected = {(*walk[1][4, a], *walk[1][4, b]) for a, b in pairs}
    assert {tuple(bone.ravel()) for bone in bones} == expected


def test_a_way_is_that_of_the_pelvis(walk):
    np.testing.assert_allclose(marked("trajectory", *walk, 0)[:, 0], [0, 0, 0, 0.2, 0.4, 0.6])
    np.testing.assert_allclose(way(*walk, 3, 5), [[0.2, 0], [0.4, 0]])
    assert len(way(*walk, -3, 2)) == 2


def test_a_foot_touches_while_it_stands_low(walk):
    np.testing.assert_array_equal(marked("contacts", *walk, 1), walk[1][1, [8, 7]])  # toes and ankle
    assert not len(marked("contacts", *walk, 4))
    raised = walk[1].copy()
    raised[1, :, 1] += 0.2
    assert not len(marked("contacts", walk[0], raised, 1))


def test_velocities_are_those_of_the_frames_around(walk):
    np.testing.assert_allclose(marked("velocities", *walk, 4)[2, 1], [2, 0, 0])
    np.testing.assert_allclose(marked("velocities", *walk, 3)[2:, 1], [[2, 0, 0]] * 7)
    np.testing.assert_allclose(marked("velocities", *walk, 5)[2, 1], [2, 0, 0])  # of two frames at the end
    np.testing.assert_allclose(marked("velocities", *walk, 2)[2, 1], [1, 0, 0])


def test_a_name_stands_over_the_head(walk):
    np.testing.assert_allclose(head(*walk, 5), [0.6, 1.7 + 0.36 * 0.7, 0])


@pytest.mark.parametrize("kind", ["bones", "trajectory", "contacts", "velocities"])
def test_all_can_be_drawn(walk, kind):
    assert list(
        ribbons(
            Scene(annotations={kind: marked(kind, *walk, 1 if kind == "contacts" else 3)}),
            np.array([1.0, 1.0, 4.0]),
            1e-3,
        )
    )


def test_an_unknown_kind_is_said(walk):
    with pytest.raises(ConfigError, match="'shadow' is no mark"):
        marked("shadow", *walk, 0)

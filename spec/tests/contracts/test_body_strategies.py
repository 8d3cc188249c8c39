"""Bodies have the roles that features ask for, and are their own mirror image; walks mirror as they should."""

from __future__ import annotations

import numpy as np
from hypothesis import find, given, settings
from hypothesis import strategies as st

from kinetoscope_spec import anatomy
from kinetoscope_spec.contracts._oracle import quaternion_angle
from kinetoscope_spec.contracts.strategies._bodies import bodies, mirrored_walks, still_body, walks
from kinetoscope_spec.contracts.strategies._learning import schemas, training_sets

ASKED = ["hips", *(f"{side}_{limb}" for side in ("left", "right")
                   for limb in ("upper_leg", "lower_leg", "foot", "upper_arm", "lower_arm", "hand"))]  # fmt: skip


def partners(skeleton):
    order = np.arange(len(skeleton))
    for left, right in anatomy.sided_pairs(skeleton):
        order[left], order[right] = right, left
    return order


@settings(max_examples=60, deadline=None)
@given(bodies())
def test_bodies_have_roles_and_are_symmetric(skeleton):
    assert set(ASKED) <= set(anatomy.roles(skeleton))
    positions, _ = skeleton.rest_transforms()
    np.testing.assert_allclose(positions, positions[partners(skeleton)] * [-1, 1, 1], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(mirrored_walks())
def test_a_mirrored_walk_is_the_walk_in_the_mirror(pair):
    there, back = pair
    positions = there.global_transforms()[0][:, partners(there.skeleton)]
    np.testing.assert_allclose(back.global_transforms()[0], positions * [-1, 1, 1], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(walks(frames=st.just(24)))
def test_walks_are_smooth_and_upright(motion):
    positions, _ = motion.global_transforms()
    assert quaternion_angle(motion.rotations[1:], motion.rotations[:-1]).max() < 0.25
    roles = anatomy.roles(motion.skeleton)
    feet = positions[:, [roles["left_foot"], roles["right_foot"]], 1]
    assert (positions[:, roles["hips"], 1] > feet.max(axis=1)).all()


def test_walks_shrink_to_one_frame_of_a_body_at_rest():
    motion = find(walks(), lambda _: True)
    assert motion.frame_count == 1
    assert len(still_body()) <= len(motion.skeleton) <= 25
    assert find(walks(), lambda motion: motion.frame_count > 2).frame_count == 3


def test_plain_walks_move_one_skeleton():
    assert find(walks(plain=True), lambda _: True).skeleton == still_body()


@settings(max_examples=60, deadline=None)
@given(training_sets())
def test_training_sets_differ_row_from_row_and_vary(dataset):
    assert len(np.unique(dataset.inputs, axis=0)) == len(dataset)
    assert (dataset.outputs.std(axis=0) > 0).all()
    assert dataset.inputs.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(schemas())
def test_schemas_survive_json(schema):
    assert type(schema).from_json(schema.to_json()) == schema

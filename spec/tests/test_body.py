"""The body around bare bones: valid for any skeleton, right where it can be measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from kinetoscope_spec import Motion, Skeleton, ValidationError
from kinetoscope_spec.body import capsule_character

# A person of 1.75 m in a T-pose, facing +Z: name, parent, offset in metres.
PERSON = (
    ("joint_Root", -1, (0, 0, 0)),
    ("Hips", 0, (0, 0.95, 0)),
    ("Spine", 1, (0, 0.15, 0)),
    ("Chest", 2, (0, 0.15, 0)),
    ("Neck", 3, (0, 0.22, 0)),
    ("Head", 4, (0, 0.08, 0.01)),
    ("Shoulder_L", 3, (0.05, 0.17, 0)),
    ("UpperArm_L", 6, (0.12, 0, 0)),
    ("LowerArm_L", 7, (0.27, 0, 0)),
    ("Hand_L", 8, (0.25, 0, 0)),
    ("Shoulder_R", 3, (-0.05, 0.17, 0)),
    ("UpperArm_R", 10, (-0.12, 0, 0)),
    ("LowerArm_R", 11, (-0.27, 0, 0)),
    ("Hand_R", 12, (-0.25, 0, 0)),
    ("UpperLeg_L", 1, (0.09, -0.03, 0)),
    ("LowerLeg_L", 14, (0, -0.42, 0)),
    ("Foot_L", 15, (0, -0.42, 0)),
    ("Toes_L", 16, (0, -0.05, 0.13)),
    ("UpperLeg_R", 1, (-0.09, -0.03, 0)),
    ("LowerLeg_R", 18, (0, -0.42, 0)),
    ("Foot_R", 19, (0, -0.42, 0)),
    ("Toes_R", 20, (0, -0.05, 0.13)),
)


def person(scale=1.0, offset=(0, 0, 0)):
    names, parents, offsets = zip(*PERSON, strict=True)
    positions = np.array(offsets, float) * scale
    positions[0] += offset
    return Skeleton(names, parents, positions)


def chain(count, step=(0.0, 0.1, 0.0)):
    return Skeleton([f"n{i}" for i in range(count)], range(-1, count - 1), [(0, 0, 0)] + [step] * (count - 1))


def posed(character, pose):
    """Linear-blend skinning, spelled out for this test: every mesh's vertices in the world."""
    found = []
    for mesh in character.meshes:
        carry = [pose[b] @ mesh.skin.inverse_bind[i] for i, b in enumerate(mesh.skin.bones)]
        out = np.zeros_like(np.asarray(mesh.vertices, float))
        for slot in range(mesh.skin.joints.shape[1]):
            for bone in np.unique(mesh.skin.joints[:, slot]):
                rows = mesh.skin.joints[:, slot] == bone
                moved = mesh.vertices[rows] @ carry[bone][:3, :3].T + carry[bone][:3, 3]
                out[rows] += mesh.skin.weights[rows, slot, None] * moved
        found.append(out)
    return found


def check(character):
    assert character.meshes
    for mesh in character.meshes:
        assert len(mesh.faces)
        assert np.isfinite(mesh.vertices).all()
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(mesh.skin.weights.sum(axis=1), 1, atol=1e-6)
        assert set(np.unique(mesh.face_material)) <= {0, 1, 2}
        assert mesh.skin.joints.shape[1] <= 8


def agreement(mesh):
    """Mean cosine between the faces' own normals, by area, and the ones given at their corners."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    given = mesh.normals[mesh.faces].mean(axis=1)
    given /= np.maximum(np.linalg.norm(given, axis=1, keepdims=True), 1e-12)
    return (face * given).sum() / np.linalg.norm(face, axis=1).sum()


def test_a_person_has_the_size_of_one():
    body = capsule_character(person())
    check(body)
    vertices = np.concatenate(posed(body, person().rest_matrices()))
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    assert 1.68 < high[1] < 1.86
    assert -0.02 < low[1] < 0.03, "the soles stand on the ground"
    assert high[0] == pytest.approx(-low[0], abs=0.02)
    assert 0.44 + 0.25 < high[0] < 0.95, "hands reach out beyond the wrists"
    assert high[2] > 0.17, "the toes point forward"


def test_a_person_is_closed_around_its_bones():
    """Rays along z through the bones' middles meet skin in front of and behind them."""
    skeleton = person()
    body = capsule_character(skeleton)
    vertices, rest = np.concatenate(posed(body, skeleton.rest_matrices())), skeleton.rest_matrices()[:, :3, 3]
    for name, parent in (
        ("LowerLeg_L", "UpperLeg_L"),
        ("Hand_R", "LowerArm_R"),
        ("Neck", "Chest"),
        ("Foot_R", "LowerLeg_R"),
    ):
        middle = 0.5 * (rest[skeleton.index(name)] + rest[skeleton.index(parent)])
        near = vertices[np.linalg.norm(vertices[:, :2] - middle[:2], axis=1) < 0.02]
        assert near[:, 2].min() < middle[2] - 0.02
        assert near[:, 2].max() > middle[2] + 0.02


@pytest.mark.parametrize(
    "skeleton", [person(), person(100.0), person(0.01), chain(5)], ids=["metres", "large", "small", "chain"]
)
def test_normals_point_out_of_the_faces(skeleton):
    body = capsule_character(skeleton)
    check(body)
    for mesh in body.meshes:
        assert agreement(mesh) > 0.97


def test_a_capsules_normals_are_those_of_its_surface():
    mesh = capsule_character(chain(2, (0.0, 1.0, 0.0)), sides=96).meshes[0]
    for name, height, axis in (("below", -1.0, -1.0), ("above", 1.0, 1.0)):
        del name
        top = mesh.vertices[:, 1] * axis > height * axis * (0 if axis < 0 else 1)
        centre = np.array([0.0, 0.0 if axis < 0 else 1.0, 0.0])
        radial = mesh.vertices[top] - centre
        radius = np.linalg.norm(radial, axis=1, keepdims=True)
        assert radius.std() < 1e-6
        np.testing.assert_allclose(radial / radius, mesh.normals[top], atol=1e-6)


def test_helpers_get_no_flesh():
    """Nothing hangs between a root on the floor and the hips."""
    skeleton = person()
    vertices = np.concatenate(posed(capsule_character(skeleton), skeleton.rest_matrices()))
    between_the_shins = (np.abs(vertices[:, 0]) < 0.02) & (vertices[:, 1] < 0.6)
    assert not between_the_shins.any()
    helper = Skeleton(("Armature", "a", "b"), (-1, 0, 1), [(0, 0, 0), (0, 1, 0), (0, 0.5, 0)])
    lowest = capsule_character(helper).meshes[0].vertices[:, 1].min()
    assert lowest > 0.8


def test_a_bent_knee_keeps_its_thickness():
    skeleton = person()
    body = capsule_character(skeleton)
    knee, thigh = skeleton.index("LowerLeg_L"), skeleton.index("UpperLeg_L")
    rotations = np.array(skeleton.rest_rotations)
    rotations[knee] = (np.sin(np.radians(40)), 0, 0, np.cos(np.radians(40)))
    bent = Motion(skeleton, skeleton.rest_positions[None], rotations[None], 30.0).global_matrices()[0]
    joint = bent[knee, :3, 3]
    shell = posed(body, bent)[0]
    away = shell - joint
    x = np.abs(away[:, 0])
    near = (np.linalg.norm(away[:, 1:], axis=1) < 0.03) & (x < 0.15)
    assert near.any()
    assert 0.035 < np.median(x[near]) < 0.08, "no wrung cloth, no balloon"
    weights = body.meshes[0].skin
    at_knee = (
        np.linalg.norm(
            posed(body, skeleton.rest_matrices())[0] - skeleton.rest_matrices()[knee, :3, 3], axis=1
        )
        < 0.09
    )
    share = np.where(weights.joints[at_knee] == thigh, weights.weights[at_knee], 0).sum(axis=1)
    assert share.min() < 0.35
    assert share.max() > 0.65
    assert ((share > 0.2) & (share < 0.8)).any()


@pytest.mark.parametrize("toe_height", [0.02, 0.03, 0.045])
def test_soles_stand_on_the_ground_of_the_clip(toe_height):
    skeleton = person(offset=(0, toe_height - 0.03, 0))
    motion = Motion(skeleton, skeleton.rest_positions[None], skeleton.rest_rotations[None], 30.0)
    shell = posed(capsule_character(skeleton, motion=motion), motion.global_matrices()[0])[0]
    assert shell[:, 1].min() == pytest.approx(0, abs=0.006)


def test_left_and_right_are_alike():
    body = capsule_character(person())
    vertices = np.concatenate(posed(body, person().rest_matrices()))
    mirrored = vertices * (-1, 1, 1)
    apart, _ = cKDTree(vertices).query(mirrored)
    assert apart.mean() < 0.006
    assert apart.max() < 0.02, "nothing stands out on one side alone"


def twisted(skeleton, turns):
    """The same person from a file whose joints are turned in their own way and whose rest is all zero."""
    rest = skeleton.rest_matrices()[:, :3, 3]
    offsets = np.array(
        [
            turns[p].inv().apply(rest[j] - rest[p]) if p >= 0 else rest[j]
            for j, p in enumerate(skeleton.parents)
        ]
    )
    local = [
        (turns[p].inv() * turns[j] if p >= 0 else turns[j]).as_quat() for j, p in enumerate(skeleton.parents)
    ]
    other = Skeleton(skeleton.names, skeleton.parents, offsets)
    return Motion(other, offsets[None], np.array(local)[None], 30.0)


def test_a_motion_tells_what_the_rest_pose_does_not():
    """However a file turns its joints, with a clip the body comes out the same."""
    skeleton = person()
    turns = Rotation.random(len(skeleton), rng=np.random.default_rng(5))
    motion = twisted(skeleton, turns)
    plain = posed(capsule_character(skeleton, sides=18), skeleton.rest_matrices())
    turned = posed(capsule_character(motion.skeleton, motion=motion, sides=18), motion.global_matrices()[0])
    for a, b in zip(plain, turned, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_rest_pose_that_says_nothing_gives_flesh_that_keeps_to_its_bones():
    """All bones along +X and no clip: whatever pose comes, no vertex strays from the bones."""
    skeleton = person()
    rest = skeleton.rest_matrices()[:, :3, 3]
    turns = []
    for joint in range(len(skeleton)):
        children = skeleton.children(joint)
        ahead = rest[children[0]] - rest[joint] if children else np.array([0.0, 1.0, 0.0])
        turns.append(Rotation.align_vectors([ahead], [(1.0, 0, 0)])[0])
    motion = twisted(skeleton, Rotation.concatenate(turns))
    body = capsule_character(motion.skeleton)
    check(body)
    vertices = np.concatenate(posed(body, motion.global_matrices()[0]))
    nearest = np.full(len(vertices), np.inf)
    for joint, parent in enumerate(skeleton.parents):
        if parent > 0:
            bone = rest[joint] - rest[parent]
            share = np.clip((vertices - rest[parent]) @ bone / (bone @ bone), 0, 1)
            nearest = np.minimum(
                nearest, np.linalg.norm(vertices - rest[parent] - share[:, None] * bone, axis=1)
            )
    assert nearest.max() < 0.22
    assert vertices[:, 1].max() > rest[skeleton.index("Head"), 1] + 0.12, "there is a head"


def test_scaled_nodes_do_not_scale_the_flesh():
    skeleton = person()
    scales = np.ones((len(skeleton), 3))
    scales[0] = 100.0
    positions = np.array(skeleton.rest_positions) / 100
    scaled = Skeleton(skeleton.names, skeleton.parents, positions, rest_scales=scales)
    a = posed(capsule_character(skeleton, sides=18), skeleton.rest_matrices())
    b = posed(capsule_character(scaled, sides=18), scaled.rest_matrices())
    np.testing.assert_allclose(a[0], b[0], atol=1e-6)


def test_the_same_skeleton_gives_the_same_body():
    assert capsule_character(person(), sides=18) == capsule_character(person(), sides=18)


@pytest.mark.parametrize("count", [1, 2, 300])
def test_any_number_of_joints(count):
    body = capsule_character(chain(count))
    check(body)
    assert len(body.meshes[0].vertices) < 400 * max(count, 2)


def test_bones_without_length():
    check(capsule_character(chain(4, (0.0, 0.0, 0.0))))
    names, parents, offsets = zip(*PERSON, strict=True)
    flat = np.array(offsets, float)
    flat[[5, 9, 17]] = 0
    check(capsule_character(Skeleton(names, parents, flat)))
    check(capsule_character(Skeleton(names, parents, np.zeros((len(names), 3)))))


def test_fingers_and_tails_are_added():
    skeleton = person()
    names = (*skeleton.names, "Tail1", "Tail2")
    parents = (*skeleton.parents, 1, len(PERSON))
    positions = [*skeleton.rest_positions, (0, 0, -0.2), (0, 0, -0.3)]
    tailed = Skeleton(names, parents, positions)
    vertices = np.concatenate(posed(capsule_character(tailed), tailed.rest_matrices()))
    assert vertices[:, 2].min() < -0.49


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_skeleton_at_all(data):
    count = data.draw(st.integers(1, 40))
    names = data.draw(
        st.lists(
            st.one_of(
                st.text("abcLR_. ", min_size=1, max_size=5), st.sampled_from([n for n, _, _ in PERSON])
            ),
            min_size=count,
            max_size=count,
            unique=True,
        )
    )
    parents = [-1] + [data.draw(st.integers(-1, j - 1)) for j in range(1, count)]
    seed = data.draw(st.integers(0, 2**32 - 1))
    size = data.draw(st.sampled_from([0.0, 1e-3, 0.3, 100.0]))
    rng = np.random.default_rng(seed)
    rotations = rng.normal(size=(count, 4))
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    skeleton = Skeleton(names, parents, rng.normal(size=(count, 3)) * size, rotations)
    body = capsule_character(skeleton, sides=12)
    check(body)
    again = posed(body, skeleton.rest_matrices())
    assert all(np.isfinite(part).all() for part in again)


def test_wrong_arguments_are_said():
    with pytest.raises(ValidationError, match="sides is 3"):
        capsule_character(chain(3), sides=3)
    with pytest.raises(ValidationError, match="materials"):
        capsule_character(chain(3), materials=())
    other = chain(2)
    still = Motion(other, other.rest_positions[None], other.rest_rotations[None], 30.0)
    with pytest.raises(ValidationError, match="motion moves 2 joints"):
        capsule_character(chain(3), motion=still)

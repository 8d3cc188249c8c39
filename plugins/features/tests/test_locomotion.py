"""Locomotion: what goes in comes out again, mirrored and bent clips are what they should be."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_features.bend import bent
from kinetoscope_features.body import Body
from kinetoscope_features.locomotion import Locomotion, style_of
from kinetoscope_features.mirror import Mirror
from kinetoscope_features.steering import eased
from kinetoscope_features.track import track_of
from kinetoscope_spec import Control, Motion, Skeleton, kinematics, rotation
from kinetoscope_spec.errors import Cancelled, ValidationError

PLAIN = Locomotion(mirror=False, bends=0, style_dropout=0.0)


def straight_on(state, feature, speed=1.2):
    times = np.arange(1, 11) / 10
    here, facing = feature.root(state)
    return Control(times, here + speed * times[:, None] * facing, np.tile(facing, (10, 1)))


@pytest.mark.parametrize("turn_rate", [0.0, 0.5])
@pytest.mark.parametrize("by_root", [False, True])
@pytest.mark.parametrize("stride", [3, 5, 10])
def test_true_rows_play_the_clip_again(walkers, turn_rate, by_root, stride):
    clip = walkers.walk(turn_rate=turn_rate, by_root=by_root, frames=200)
    feature = PLAIN.configured(stride=stride, settle_s=0.0)
    rows = feature.training_set([clip]).outputs
    state = feature.start(clip.slice(0, 100))
    for i in range(6):
        # Row r of a clip is of frame r + 1; the seed's last frame is 99.
        state = feature.advance(state, rows[[98 + i * stride]])
    played = feature.motion(state)
    assert played.frame_count == feature.frame_count(state) == 6 * stride
    truth = clip.slice(100, 100 + 6 * stride)
    offset = (played.global_transforms()[0] - truth.global_transforms()[0])[:, 1:]
    # Where it turns, the seed's end is smoothed without knowing what follows: the whole clip lies a
    # little aside, all of it by the same vector.
    assert np.ptp(offset, axis=(0, 1)).max() < 1e-3
    assert np.abs(offset).max() < (1e-3 if turn_rate == 0 else 0.03)
    np.testing.assert_allclose(
        np.linalg.norm(played.positions[:, 2:], axis=-1),
        np.broadcast_to(np.linalg.norm(walkers.skeleton.rest_positions[2:], axis=-1), (6 * stride, 13)),
        atol=1e-9,
    )


def test_the_travel_stays_where_the_seed_carries_it(walkers):
    for by_root, still in ((True, 1), (False, 0)):
        clip = walkers.walk(by_root=by_root)
        rows = PLAIN.training_set([clip]).outputs
        state = PLAIN.advance(PLAIN.start(clip.slice(0, 60)), rows[[58]])
        local = PLAIN.motion(state).positions
        assert np.ptp(local[:, still], axis=0).max() < 1e-9
        assert np.ptp(local[:, 1 - still], axis=0).max() > 0.1


def test_inputs_are_those_of_the_training_set(walkers):
    clip = walkers.walk(speed=1.2)
    dataset = PLAIN.training_set([clip, clip])
    feature = PLAIN.restored(dataset.metadata)
    state = feature.start(clip.slice(0, 80))
    row = feature.inputs(state, straight_on(state, feature))
    assert row.shape == (1, len(dataset.input_schema)) == (1, len(feature.schema(clip.skeleton)))
    np.testing.assert_allclose(row[0], dataset.inputs[78], atol=2e-3)
    np.testing.assert_allclose(feature.compute(clip, [79])[0], dataset.inputs[78], atol=1e-6)


def test_where_a_clip_stands_changes_no_row(walkers):
    clip = walkers.walk(turn_rate=0.4)
    here, there = (PLAIN.training_set([c]) for c in (clip, walkers.moved(clip, 2.0, (30.0, -9.0))))
    np.testing.assert_allclose(here.inputs, there.inputs, atol=1e-5)
    np.testing.assert_allclose(here.outputs, there.outputs, atol=1e-5)


def test_mirrored_twice_is_what_it_was(walkers):
    clip = walkers.walk(turn_rate=0.4)
    mirror = Mirror.of([clip])
    once, twice = mirror(clip), mirror(mirror(clip))
    np.testing.assert_allclose(twice.positions, clip.positions, atol=1e-12)
    positions, back = (m.global_transforms()[0] for m in (clip, twice))
    np.testing.assert_allclose(back, positions, atol=1e-9)
    flipped = positions[:, list(mirror.partner)] * [-1, 1, 1]
    np.testing.assert_allclose(once.global_transforms()[0], flipped, atol=1e-9)


def test_bending_turns_the_walk_and_leaves_the_standing_foot(walkers):
    clip = walkers.walk(speed=0.0, swing=0.0, frames=90)
    body = Body.of(clip.skeleton)
    turned = bent(clip, body, np.full(90, 0.8))
    track = track_of(body, turned)
    assert np.diff(track.yaw)[20:-20] * 30 == pytest.approx(0.8, abs=1e-6)
    walking = bent(walkers.walk(), body, np.zeros(120))
    np.testing.assert_allclose(walking.positions, walkers.walk().positions, atol=1e-12)
    # Both feet stand: the pivot lies between them and does not move.
    feet = turned.global_transforms()[0][:, list(body.feet)]
    np.testing.assert_allclose(feet.mean(axis=1)[5:-5] - feet.mean(axis=1)[5], 0.0, atol=5e-3)
    assert kinematics.velocities(feet, 30.0)[20].max() > 0.02


def test_copies_multiply_rows_and_belong_to_their_clip(walkers):
    clips = [walkers.walk(name="walk_a_01"), walkers.walk(speed=0.8, name="walk_a_02")]
    plain = PLAIN.training_set(clips)
    many = Locomotion(bends=2).training_set(clips)
    assert len(many) == 4 * len(plain)
    assert set(many.clips) == {0, 1}
    np.testing.assert_array_equal(many.inputs, Locomotion(bends=2).training_set(clips).inputs)
    assert many.metadata["speeds_m_s"] == {"a": pytest.approx(1.0, abs=1e-6)}
    assert np.isfinite(many.inputs).all()
    assert json.loads(json.dumps(dict(many.metadata)))["clips"] == ["walk_a_01", "walk_a_02"]


def test_styles_are_what_numbered_clips_share(walkers):
    assert [style_of(n) for n in ("dataset-1_walk_not-confident_002", "jog_02", "turn", "007", "x_y")] == [
        "not-confident", "jog", None, None, None,
    ]  # fmt: skip
    clips = [walkers.walk(name=f"walk_{style}_0{i}") for style in ("old", "new") for i in (1, 2)]
    dataset = PLAIN.training_set(clips)
    feature = PLAIN.restored(dataset.metadata)
    assert feature.styles == ("new", "old")
    state = feature.start(clips[0])
    columns = dataset.input_schema.where("style")
    control = straight_on(state, feature)
    assert list(feature.inputs(state, control)[0, columns]) == [0, 1]
    asked = Control(control.times, control.positions, control.directions, "new")
    assert list(feature.inputs(state, asked)[0, columns]) == [1, 0]
    unknown = Control(control.times, control.positions, control.directions, "odl")
    with pytest.raises(ValidationError, match="did you mean 'old'"):
        feature.inputs(state, unknown)


def test_an_unknown_style_is_answered_with_what_is_known(walkers):
    clips = [walkers.walk(name=f"walk_{style}_0{i}") for style in ("old", "new") for i in (1, 2)]
    body = Body.of(clips[0].skeleton)

    def answer(feature, style="zigzag"):
        with pytest.raises(ValidationError) as caught:
            feature.windows(body).style_row(style)
        return str(caught.value)

    sharing, alone = (PLAIN.restored(PLAIN.training_set(c).metadata) for c in (clips, clips[::2]))
    assert answer(sharing) == "unknown style 'zigzag'; known are 'new', 'old'"
    assert answer(sharing, "odl") == "unknown style 'odl'; did you mean 'old'?"
    none = "unknown style 'zigzag': this model knows no style: no two clips share one"
    assert answer(alone) == none
    assert answer(alone.configured(stride=2)) == none
    assert "not restored" in answer(PLAIN)
    assert alone == PLAIN
    assert PLAIN.restored(PLAIN.training_set(clips[::2]).metadata).training_set(clips[::2]).metadata == (
        PLAIN.training_set(clips[::2]).metadata
    )


def test_a_wish_in_line_with_the_motion_stays_as_it_is(walkers):
    clip = walkers.walk(speed=1.2, turn_rate=0.5, frames=120)
    track = track_of(Body.of(clip.skeleton), clip)
    at = np.array([0.2, 0.6, 1.0])
    now, ahead = track.slice(0, 60), 59 + np.array([6, 18, 30])
    facings = np.stack([np.sin(track.yaw[ahead]), np.cos(track.yaw[ahead])], axis=1)
    path, directions = eased(now, 30.0, at, track.ground[ahead], facings)
    np.testing.assert_allclose(path, track.ground[ahead], atol=0.02)
    np.testing.assert_allclose(directions, facings, atol=0.03)
    aside, _ = eased(now, 30.0, at, track.ground[ahead] + [0.5, 0.0], facings)
    shift = np.linalg.norm(aside - path, axis=1)
    assert shift[0] < 0.2
    assert shift[-1] == pytest.approx(0.5, abs=1e-6)


def test_errors_name_what_is_wrong(walkers):
    clip = walkers.walk()
    with pytest.raises(ValidationError, match="did you mean 'stride'"):
        PLAIN.configured(strid=3)
    with pytest.raises(ValidationError, match="horizon is 0"):
        PLAIN.configured(horizon=0)
    with pytest.raises(ValidationError, match="no motion"):
        PLAIN.training_set([])
    with pytest.raises(ValidationError, match="no clip has the 12 frames"):
        PLAIN.training_set([clip.slice(0, 5)])
    with pytest.raises(ValidationError, match="'locomotion'"):
        PLAIN.restored({"feature": "other"})
    state = PLAIN.start(clip)
    with pytest.raises(ValidationError, match="nothing has been played"):
        PLAIN.motion(state)
    with pytest.raises(ValidationError, match="expected \\[1, "):
        PLAIN.advance(state, np.zeros((1, 3)))
    rows = np.array(PLAIN.training_set([clip]).outputs[:1])
    rows[0, 7] = np.nan
    with pytest.raises(ValidationError, match=r"outputs\[0, 7\]"):
        PLAIN.advance(state, rows)
    with pytest.raises(Cancelled):
        PLAIN.training_set([clip], progress=lambda *_: False)


def test_a_clip_that_scales_is_refused(walkers):
    clip = walkers.walk()
    scaled = Motion(
        clip.skeleton, clip.positions, clip.rotations, 30.0, scales=np.full((120, 15, 3), 1.1), name="big"
    )
    with pytest.raises(ValidationError, match="'big' scales"):
        PLAIN.training_set([scaled])


def negated(motion, joints):
    """The same movement of a rig whose `joints` have all axes negated but x: turned half about x."""
    half = np.array([1.0, 0.0, 0.0, 0.0])
    positions, rotations = motion.global_transforms()
    turned = np.array(rotations)
    turned[:, joints] = rotation.multiply(
        rotations[:, joints], np.broadcast_to(half, rotations[:, joints].shape)
    )
    parents = motion.skeleton.parents
    rest_p, rest_q = motion.skeleton.rest_transforms()
    rest_q = np.array(rest_q)
    rest_q[joints] = rotation.multiply(rest_q[joints], np.broadcast_to(half, rest_q[joints].shape))
    skeleton = Skeleton(motion.skeleton.names, parents, *kinematics.local_transforms(parents, rest_p, rest_q))
    return Motion(skeleton, *kinematics.local_transforms(parents, positions, turned), motion.framerate)


@pytest.mark.parametrize("joints", [[7, 8, 9, 10, 13, 14], [8, 9, 10], [2, 13, 14]])
def test_rigs_whose_sides_have_other_axes_are_mirrored_as_well(walkers, joints):
    plain = walkers.walk(turn_rate=0.4)
    other = negated(plain, joints)
    mirror = Mirror.of([other])
    wanted = Mirror.of([plain])(plain).global_transforms()[0]
    np.testing.assert_allclose(mirror(other).global_transforms()[0], wanted, atol=1e-9)
    twice = mirror(mirror(other))
    np.testing.assert_allclose(twice.global_transforms()[0], other.global_transforms()[0], atol=1e-9)


def lifted(row, clip, by_m):
    """Return `row` with the hips so much higher."""
    higher = np.array(row)
    higher[:, PLAIN.output_schema(clip.skeleton).where("hips_position", component="y")] += by_m
    return higher


def test_a_new_prediction_fades_in_over_the_old_one(walkers):
    clip = walkers.walk()
    row = PLAIN.training_set([clip]).outputs[[58]]
    feature = PLAIN.configured(settle_s=0.0)
    start = feature.start(clip.slice(0, 60))
    state = feature.advance(feature.advance(start, row), lifted(row, clip, 0.6))
    height = feature.motion(state).global_transforms()[0][:, 1, 1]
    # Five frames as first predicted, then a sixth of the difference more with every frame.
    np.testing.assert_allclose(height[:5], 1.0, atol=1e-6)
    np.testing.assert_allclose(height[5:], 1.0 + 0.6 * np.arange(1, 6) / 6, atol=1e-6)


def test_what_a_prediction_jumps_by_is_kept_and_fades(walkers):
    clip = walkers.walk()
    row = PLAIN.training_set([clip]).outputs[[58]]
    feature = PLAIN.configured(settle_s=0.5, stride=10)
    state = feature.advance(feature.start(clip.slice(0, 60)), lifted(row, clip, 0.6))
    height = feature.motion(state).global_transforms()[0][:, 1, 1]
    # The hips of this walk stay at 1 m: the prediction is 0.6 m off, and is believed by and by.
    expected = 1.6 - 0.6 * np.exp(-np.arange(1, 11) / 15)
    np.testing.assert_allclose(height, expected, atol=1e-6)


def test_joints_that_are_held_otherwise_come_over_by_and_by(walkers):
    """Rotations by SciPy: the seed's arms are twisted by 40 degrees against what is predicted."""
    clip = walkers.walk(gait="gentle", frames=200)
    arm = clip.skeleton.names.index("LeftArm")
    twist = rotation.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.radians(40.0))
    rotations = np.array(clip.rotations)
    rotations[:, arm] = rotation.multiply(rotations[:, arm], twist)
    other = attrs.evolve(clip, rotations=rotations)
    row = PLAIN.training_set([clip]).outputs[[98]]
    feature = PLAIN.configured(settle_s=1.0, stride=10)
    played = feature.motion(feature.advance(feature.start(other.slice(0, 100)), row))
    truth = clip.slice(100, 110).global_transforms()[1][:, arm]
    turned = Rotation.from_quat(played.global_transforms()[1][:, arm]) * Rotation.from_quat(truth).inv()
    # Half a degree: the jump is read off two frames of each, and the arm swings.
    np.testing.assert_allclose(
        np.degrees(turned.magnitude()), 40.0 * np.exp(-np.arange(1, 11) / 30), atol=0.5
    )


def test_true_rows_hardly_jump(walkers):
    clip = walkers.walk(gait="gentle", frames=200)
    rows = PLAIN.training_set([clip]).outputs
    state = PLAIN.start(clip.slice(0, 100))
    for i in range(6):
        state = PLAIN.advance(state, rows[[98 + 5 * i]])
    offset = PLAIN.motion(state).global_transforms()[0] - clip.slice(100, 130).global_transforms()[0]
    assert np.ptp(offset[:, 1:], axis=(0, 1)).max() < 0.01


@pytest.mark.parametrize("shortest", [15, 60])
def test_a_crowd_goes_as_each_goes_alone(walkers, shortest):
    """Some know less than a row asks for, and one starts when the others are under way."""
    random = np.random.default_rng(0)
    clips = [walkers.walk(turn_rate=rate, frames=90) for rate in (-0.5, 0.0, 0.4)]
    rows = PLAIN.training_set(clips[:1]).outputs
    crowd = [PLAIN.start(clip.slice(0, shortest + 15 * i)) for i, clip in enumerate(clips)]
    crowd[2] = PLAIN.advance(crowd[2], rows[[40]])
    alone = list(crowd)
    for _ in range(4):
        controls = [
            straight_on(state, PLAIN, speed) for state, speed in zip(crowd, (0.5, 1.0, 2.0), strict=True)
        ]
        asked = PLAIN.crowd_inputs(crowd, controls)
        each = [PLAIN.inputs(*one) for one in zip(alone, controls, strict=True)]
        np.testing.assert_allclose(asked, np.concatenate(each), atol=1e-6)
        answers = rows[random.integers(len(rows), size=3)]
        crowd = PLAIN.crowd_advance(crowd, answers)
        alone = [PLAIN.advance(state, answers[i : i + 1]) for i, state in enumerate(alone)]
    for together, single in zip(crowd, alone, strict=True):
        a, b = (PLAIN.motion(state).global_transforms() for state in (together, single))
        np.testing.assert_allclose(a[0], b[0], atol=1e-9)
        np.testing.assert_allclose(np.abs((a[1] * b[1]).sum(-1)), 1.0, atol=1e-9)
        np.testing.assert_allclose(PLAIN.contacts(together), PLAIN.contacts(single), atol=1e-12)


def test_bones_of_a_crowd_keep_the_lengths_of_each(walkers):
    clip = walkers.walk(frames=60)
    tall = attrs.evolve(clip, positions=clip.positions * 1.25)
    rows = PLAIN.training_set([clip]).outputs
    states = PLAIN.crowd_advance([PLAIN.start(clip), PLAIN.start(tall)], rows[[20, 20]])
    parents = list(Body.of(clip.skeleton).parents[1:])
    joints = (state.history.joints[-5:] for state in states)
    small, large = (np.linalg.norm(played[:, 1:] - played[:, parents], axis=-1) for played in joints)
    np.testing.assert_allclose(large, 1.25 * small, rtol=1e-6, atol=1e-9)


def test_a_crowd_tells_whose_row_is_wrong(walkers):
    states = [PLAIN.start(walkers.walk(frames=60))] * 2
    rows = PLAIN.training_set([walkers.walk(frames=60)]).outputs[:2].copy()
    with pytest.raises(ValidationError, match=r"outputs have shape \[1, \d+\], expected \[2, \d+\]"):
        PLAIN.crowd_advance(states, rows[:1])
    rows[1, 7] = np.nan
    with pytest.raises(ValidationError, match=r"outputs\[1, 7\] is not finite"):
        PLAIN.crowd_advance(states, rows)

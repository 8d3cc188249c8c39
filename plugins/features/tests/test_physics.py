"""Features against physics: pendulums, bouncing balls and walks whose truth is a formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_features.ahead import Terrain, TerrainHeight, TrajectoryWindow
from kinetoscope_features.basic import JointAngularVelocities, JointPositions
from kinetoscope_features.labels import Labels, label_of, read_table
from kinetoscope_features.mirror import Mirror
from kinetoscope_features.periodic import PeriodicPhase, oscillation
from kinetoscope_features.posture import GuidancePose, TrackingTargets
from kinetoscope_features.standing import FootContacts, FootPhase, held, step_phase
from kinetoscope_spec import FormatError, kinematics
from kinetoscope_spec.errors import ValidationError

EVERY = [JointAngularVelocities(), FootContacts(), FootPhase(), PeriodicPhase(), TrajectoryWindow(),
         TerrainHeight(), GuidancePose(), GuidancePose(of="directions"), TrackingTargets()]  # fmt: skip


def named(each):
    return type(each).__name__


@pytest.mark.parametrize("each", EVERY, ids=named)
def test_mirrored_rows_are_those_of_the_mirrored_clip(walkers, each):
    clip = walkers.walk(turn_rate=0.4)
    other = Mirror.of([clip])(clip)
    mirrored = each.mirrored(each.compute(clip), clip.skeleton)
    np.testing.assert_allclose(mirrored, each.compute(other), atol=1e-8)


@pytest.mark.parametrize("each", EVERY, ids=named)
def test_the_framerate_changes_no_row_inside_the_clip(walkers, each):
    stepping = isinstance(each, FootContacts)
    gait = {"gait": "stepping", "speed": 0.0} if stepping else {"gait": "gentle", "turn_rate": 0.3}
    slow, quick = (walkers.walk(framerate=rate, frames=int(6 * rate), **gait) for rate in (30.0, 120.0))
    a, b = each.compute(slow)[45:-45], each.compute(quick)[180:-180]
    if isinstance(each, FootPhase):
        # Runs last from the middle between two frames; half a slow frame is what each of their ends may err.
        runs = np.diff(np.flatnonzero(np.diff(FootContacts().compute(quick)[:, 0]))) / 4
        angle = np.arctan2(a[:, ::2], a[:, 1::2]) - np.arctan2(b[::4, ::2], b[::4, 1::2])
        assert np.abs((angle + np.pi) % (2 * np.pi) - np.pi).max() < 1.5 * np.pi / runs.min()
    elif stepping:
        # Of a slow frame's second it is true somewhere within one slow frame.
        near = np.stack([b[4 + d : len(b) - 4 + d : 4] for d in range(-4, 5)])
        assert ((a[1:-1] >= near.min(axis=0)) & (a[1:-1] <= near.max(axis=0))).all()
        assert 0.2 < a.mean() < 0.8
    else:
        # Differences over 1/15 s take (2 pi / 30)^2 / 6 = 0.7 % off the rate of what swings at 1 Hz.
        np.testing.assert_allclose(a, b[::4], atol=0.01 * max(1.0, np.abs(a).max()))


def test_a_pendulum_has_the_angular_velocity_of_its_formula(walkers):
    # The left leg swings by 0.5 sin(2 pi t) about x; the body itself turns by 0.6 rad/s.
    clip = walkers.walk(turn_rate=0.6, framerate=120.0, frames=480)
    each = JointAngularVelocities(smoothing_s=0.0)
    schema = each.schema(clip.skeleton)
    rows = each.compute(clip)[1:-1]
    t = np.arange(1, 479) / 120
    where = schema.where("joint_angular_velocity", joint="LeftUpLeg")
    np.testing.assert_allclose(rows[:, where[0]], 0.5 * 2 * np.pi * np.cos(2 * np.pi * t), atol=5e-3)
    np.testing.assert_allclose(rows[:, where[1]], 0.6, atol=1e-3)
    np.testing.assert_allclose(
        rows[:, schema.where("joint_angular_velocity", joint="Hips")][:, 1], 0.6, atol=1e-6
    )


def test_a_bouncing_ball_is_in_contact_where_it_bounces():
    # Under gravity, thrown up with 2 m/s: in the air for 2 v / g; it rests for 0.3 s between bounces.
    framerate, gravity, speed, rest = 240.0, 9.81, 2.0, 0.3
    t = np.arange(0, 4, 1 / framerate)
    period = 2 * speed / gravity + rest
    air = np.maximum(t % period - rest, 0.0)
    height = speed * air - gravity / 2 * air**2
    ball = np.stack([np.zeros_like(t), height, np.zeros_like(t)], axis=1)[:, None]
    sure = kinematics.contacts(ball, framerate, height_m=0.03, speed_m_s=0.4)
    possible = kinematics.contacts(ball, framerate, height_m=0.045, speed_m_s=0.6)
    touching = held(sure, possible)[:, 0]
    # One frame at either end of a rest has a central difference that already sees the flight.
    truth = t % period < rest
    assert (touching != truth).sum() <= 2 * len(t) / framerate / period + 2
    phase, known = step_phase(touching[:, None], ball)
    assert known.all()
    resting = phase[:, 0][truth & touching]
    assert resting.min() > 0
    assert resting.max() < np.pi
    middle = truth & (np.abs(t % period - rest / 2) < 1e-3 + 1 / framerate)
    np.testing.assert_allclose(phase[middle, 0], np.pi / 2, atol=0.12)


@pytest.mark.parametrize("action", ["walk", "jog", "turn"])
def test_contacts_are_those_that_steps_were_planned_with(action):
    biped = pytest.importorskip("kinetoscope_samples.biped", reason="kinetoscope-samples makes the steps")
    made = biped.generate_with_feet(action=action, seconds=8.0, seed=3)
    touching = FootContacts().compute(made.motion).astype(bool)
    # Toes come to rest and leave gradually: a change is told up to two frames of 1/30 s early or late.
    truth = made.planted
    near = np.stack([truth[2 + d : len(truth) - 2 + d] for d in range(-2, 3)])
    inner = touching[2:-2]
    assert (inner <= near.max(axis=0)).all()
    assert (inner >= near.min(axis=0)).all()
    assert (touching == truth).mean() > 0.95


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_hysteresis_is_what_a_loop_says(levels):
    sure, possible = (np.array(levels)[:, None] >= level for level in (2, 1))
    wanted = np.array(levels) >= 2
    for _ in levels:  # spread into what is possible until nothing changes
        for i in range(len(levels)):
            near = wanted[max(i - 1, 0) : i + 2].any()
            wanted[i] = wanted[i] or (levels[i] >= 1 and near)
    np.testing.assert_array_equal(held(sure, possible)[:, 0], wanted)


@given(st.lists(st.integers(2, 9), min_size=2, max_size=8), st.booleans())
def test_phase_grows_by_a_run_s_share_in_every_frame(lengths, standing):
    runs = [np.full(n, standing ^ bool(i % 2)) for i, n in enumerate(lengths)]
    contacts = np.concatenate(runs)[:, None]
    phase, known = step_phase(contacts, np.zeros(1))
    assert known.all()
    start = lengths[0]
    for i, n in enumerate(lengths[1:-1], start=1):
        expected = np.pi * ((np.arange(n) + 0.5) / n + (0 if runs[i][0] else 1))
        np.testing.assert_allclose(phase[start : start + n, 0], expected, atol=1e-12)
        start += n
    assert ((phase >= 0) == (phase <= 2 * np.pi)).all()


def test_a_foot_that_never_moves_has_no_phase(walkers):
    assert not FootPhase().compute(walkers.walk(speed=0.0, swing=0.0)).any()
    assert not step_phase(np.ones((1, 2), bool), np.zeros(1))[1].any()


@pytest.mark.parametrize("frequency", [0.7, 1.0, 1.6])
def test_a_sinusoid_is_found_again(frequency):
    t = np.arange(300) / 30
    signal = np.stack([0.3 + 0.2 * np.sin(2 * np.pi * frequency * t + 0.4), np.full(300, 0.7)], axis=1)
    sine, cosine, found = (values[60:-60] for values in oscillation(signal, 30.0, 2.0))
    np.testing.assert_allclose(found[:, 0], frequency, atol=0.12)  # a window of 2 s tells 0.5 Hz apart
    np.testing.assert_allclose(np.hypot(sine, cosine)[:, 0], 0.2, rtol=0.1)
    off = np.angle(np.exp(1j * (np.arctan2(sine, cosine)[:, 0] - (2 * np.pi * frequency * t + 0.4)[60:-60])))
    np.testing.assert_allclose(off, 0.0, atol=0.15)
    assert np.abs(np.stack([sine, cosine, found])[..., 1]).max() < 1e-6


def test_swinging_legs_have_the_stride_s_frequency_and_opposite_phases(walkers):
    clip = walkers.walk(frames=240)
    each = PeriodicPhase()
    schema = each.schema(clip.skeleton)
    rows = each.compute(clip)[60:-60]
    np.testing.assert_allclose(rows[:, schema.where("frequency", joint="RightToeBase")], 1.0, atol=0.1)
    left = rows[:, schema.where("periodic_phase", joint="LeftHand")]
    assert np.abs(left).max() < 1e-3  # hands lie on the axis about which the arms turn
    feet = [rows[:, schema.where("periodic_phase", joint=f"{side}ToeBase")] for side in ("Left", "Right")]
    cosine = (feet[0] * feet[1]).sum(axis=1) / np.prod([np.linalg.norm(f, axis=1) for f in feet], axis=0)
    assert cosine.max() < -0.8


def test_trajectories_of_a_circle_lie_on_it(walkers):
    speed, rate = 1.3, 0.6
    clip = walkers.walk(speed=speed, turn_rate=rate, frames=240, swing=0.0)
    each = TrajectoryWindow(offsets_s=(-1.0, -0.31, 0.5), smoothing_s=0.0)
    schema = each.schema(clip.skeleton)
    rows = each.compute(clip)[40:-40]
    for i, at in enumerate(each.offsets_s):
        truth = [(1 - np.cos(rate * at)) * speed / rate, np.sin(rate * at) * speed / rate]
        facing = [np.sin(rate * at), np.cos(rate * at)]
        np.testing.assert_allclose(rows[:, 4 * i : 4 * i + 4], [[*truth, *facing]] * len(rows), atol=1e-4)
    assert [schema.columns[i].offset for i in (0, 4, 8)] == [-1.0, -0.31, 0.5]
    straight = walkers.walk(speed=speed, swing=0.0)
    ends = TrajectoryWindow(offsets_s=(1.0,)).compute(straight)
    np.testing.assert_allclose(ends, [[0.0, speed, 0.0, 1.0]] * 120, atol=1e-9)  # beyond its end, too


def test_terrain_is_seen_along_the_way(walkers, tmp_path):
    z, x = np.mgrid[0:30, 0:9] * 0.5
    heights = 0.2 * (z - 2) + 0.1 * (x - 2)  # a plane, which bilinear interpolation keeps
    np.savez(tmp_path / "hill.npz", heights=heights, origin=[-2.0, -2.0], spacing_m=0.5)
    terrain = Terrain.read(tmp_path / "hill.npz")
    each = TerrainHeight(terrain=tmp_path / "hill.npz", offsets_s=(0.0, 1.0), smoothing_s=0.0)
    rows = each.compute(walkers.walk(speed=1.5, swing=0.0, frames=60))
    slope = np.array([0.025, 0.0, -0.025])  # the left is at +X
    np.testing.assert_allclose(rows, [[*slope, *(slope + 0.3)]] * 60, atol=1e-9)
    assert terrain.at(np.array([[100.0, 100.0], [-100.0, -100.0]])) == pytest.approx(
        [heights[-1, -1], heights[0, 0]]
    )
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(FormatError, match=r"bad\.npz"):
        Terrain.read(tmp_path / "bad.npz")
    with pytest.raises(ValidationError, match="heights has shape"):
        Terrain(np.zeros(3))


def test_guidance_is_the_mean_pose_and_tracking_the_pose_itself(walkers):
    clip = walkers.walk(turn_rate=0.3, frames=240)
    pose = JointPositions().compute(clip)
    guidance = GuidancePose(window_s=0.5).compute(clip)
    # A sway of 1 Hz is damped by exp(-(2 pi 0.5)^2 / 2) = 0.7 %: what is left is the mean over a cycle.
    np.testing.assert_allclose(guidance[60:-60], [pose[60:180].mean(axis=0)] * 120, atol=0.02)
    still = walkers.walk(speed=0.0, swing=0.0)
    directions = GuidancePose(of="directions").compute(still).reshape(120, -1, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=-1), 1.0, atol=1e-9)
    each = TrackingTargets()
    schema, rows = each.schema(clip.skeleton), each.compute(clip)
    for name in ("LeftHand", "RightHand"):
        ours = JointPositions().schema(clip.skeleton).where("joint_position", joint=name)
        np.testing.assert_allclose(
            rows[:, schema.where("tracking_position", joint=name)], pose[:, ours], atol=1e-12
        )
    assert len(schema) == 36


def test_labels_come_from_names_and_tables(walkers, tmp_path):
    assert label_of("dataset-1_walk_not-confident_002") == "not-confident"
    assert label_of("turn") is None
    assert label_of("walk_proud12") == label_of("proud_12-x0.9") == label_of("proud12-mirrored") == "proud"
    clip = walkers.walk(name="walk_old_01")
    each = Labels().known(["walk_old_01", "walk_new_01", "nothing"])
    assert each.labels == ("new", "old")
    np.testing.assert_array_equal(each.compute(clip), [[0, 1, 0]] * 120)
    np.testing.assert_array_equal(each.compute(walkers.walk(name="idle"), [0, 5]), [[0, 0, 1]] * 2)
    table = tmp_path / "labels.csv"
    table.write_text("clip,label,start_s,end_s\nwalk_old_01,walk,,\nwalk_old_01,wave,1,2\n")
    rows = Labels(labels=("walk", "wave"), table=str(table)).compute(clip)
    np.testing.assert_array_equal(rows[:, 0], 1)
    np.testing.assert_array_equal(np.flatnonzero(rows[:, 1]), np.arange(30, 60))
    with pytest.raises(ValidationError, match="did you mean 'odd'"):
        Labels(labels=("odd",)).compute(clip)
    for text, problem in (("a,b\n1,2\n", "clip,label"), ("clip,label,start_s,end_s\nx,y,3,2\n", ":2: from 3"),
                          ("clip,label,start_s\nx,y,soon\n", ":2: could not")):  # fmt: skip
        table.write_text(text)
        with pytest.raises(FormatError, match=problem):
            read_table(table)


def test_thresholds_are_checked():
    with pytest.raises(ValidationError, match="release_speed_m_s"):
        FootContacts(speed_m_s=0.7)
    with pytest.raises(ValidationError, match="expected 'positions' or"):
        GuidancePose(of="names")


@pytest.mark.parametrize(
    ("each", "options"),
    [
        (JointPositions(), {"smoothing_s": -0.1}),
        (JointPositions(), {"smoothing_s": "0.1"}),
        (JointPositions(), {"smoothing_s": float("nan")}),
        (JointPositions(), {"smoothing_s": 1e9}),
        (JointPositions(), {"framerate": 0}),
        (JointPositions(), {"framerate": "30"}),
        (JointPositions(), {"framerate": True}),
        (Labels(), {"framerate": -1.0}),
        (FootContacts(), {"ground_m": "low"}),
        (GuidancePose(), {"window_s": -1.0}),
        (PeriodicPhase(), {"window_s": float("inf")}),
        (TerrainHeight(), {"aside_m": float("nan")}),
        (TerrainHeight(), {"terrain": 3}),
    ],
)
def test_an_option_out_of_range_is_told_when_it_is_set(each, options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        each.configured(**options)


@pytest.mark.parametrize("far", [1e3, 1e9, 1e308])
def test_trajectories_beyond_what_a_clip_tells_stay_there_and_cost_nothing(walkers, far):
    clip = walkers.walk(frames=30, turn_rate=0.3)
    near = TrajectoryWindow(offsets_s=(-2.0, 2.0)).compute(clip)  # as far as it goes on, twice over
    np.testing.assert_array_equal(TrajectoryWindow(offsets_s=(-far, far)).compute(clip), near)


@pytest.mark.parametrize("frames", [[0.5], [True] * 120, ["1"]])
def test_frames_that_are_no_whole_numbers_are_refused(walkers, frames):
    with pytest.raises(ValidationError, match="expected whole numbers"):
        JointPositions().compute(walkers.walk(), frames)


@pytest.mark.parametrize("each", [FootContacts(), FootPhase()], ids=named)
def test_pytorch_refuses_a_gradient_of_what_is_so_or_not(walkers, each):
    torch = pytest.importorskip("torch")
    clip = walkers.walk(frames=20)
    leaf = torch.tensor(np.array(clip.rotations, np.float64), requires_grad=True)
    rows = each.rows(clip.skeleton, torch.from_numpy(np.array(clip.positions)), leaf, 30.0)
    with pytest.raises(RuntimeError, match="does not require grad"):
        rows.sum().backward()


def test_a_loss_on_foot_velocity_is_differentiated_back_to_rotations(walkers):
    torch = pytest.importorskip("torch")
    from kinetoscope_features.basic import JointVelocities

    clip = walkers.walk(frames=20)
    each = JointVelocities()
    where = each.schema(clip.skeleton).where("joint_velocity", joint="LeftToeBase").tolist()
    leaf = torch.tensor(np.array(clip.rotations, np.float64), requires_grad=True)

    def loss(rotations):
        rows = each.rows(clip.skeleton, torch.from_numpy(np.array(clip.positions)), rotations, 30.0)
        return (rows[:, where] ** 2).sum()

    (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    rng = np.random.default_rng(0)
    step = 1e-6 * torch.from_numpy(rng.normal(size=leaf.shape))
    numeric = loss(leaf.detach() + step) - loss(leaf.detach() - step)
    assert float(numeric) == pytest.approx(2 * float((gradient * step).sum()), rel=1e-4)

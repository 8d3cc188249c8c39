"""Cameras: the same at any frame rate, no cuts, no flips, and who moves stays in frame."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from kinetoscope_spec import ValidationError
from kinetoscope_spec.viewpoint import MODES, Subject, Viewpoint, in_frame, spring

RATE = 30
SIZE = (1600, 900)
ASPECT = 16 / 9


def walk(seed: int = 0, frames: int = 120) -> list[Subject]:
    """A body that walks, runs, turns on the spot, jumps and stretches, at 30 frames a second."""
    rng = np.random.default_rng(seed)
    turn = np.cumsum(rng.normal(0, 0.12, frames)) + np.where(np.arange(frames) > 60, 2.5, 0)
    speed = np.abs(3 + np.cumsum(rng.normal(0, 0.3, frames)))
    way = np.stack([np.sin(turn), np.zeros(frames), np.cos(turn)], axis=1)
    at = np.cumsum(way * speed[:, None] / RATE, axis=0)
    at[:, 1] += 0.9 + 0.6 * np.maximum(0, np.sin(np.arange(frames) / 9))
    size = rng.uniform(0.3, 0.6, (frames, 3)) + np.array([0, 0.5, 0])
    facing = np.mod(turn + np.pi, 2 * np.pi) - np.pi  # as angles are measured: they wrap
    return [Subject(p - s, p + s, f) for p, s, f in zip(at, size, facing, strict=True)]


def flown(start: Viewpoint, subjects: list[Subject], parts: int = 1, **options: object) -> list[Viewpoint]:
    """Go through `subjects` with so many steps for each, between which the subject goes straight on."""
    seen = [start]
    for before, after in pairwise(subjects):
        point, turn = seen[-1], after.facing - before.facing
        turn -= 2 * np.pi * np.round(turn / (2 * np.pi))
        for i in range(parts):
            ends = [
                Subject(
                    *(a + k * (b - a) for a, b in ((before.low, after.low), (before.high, after.high))), f
                )
                for k in (i / parts, (i + 1) / parts)
                for f in (before.facing + k * turn,)
            ]
            point = point.advanced(1 / RATE / parts, ends[1], ends[0], **options)
        seen.append(point)
    return seen


@pytest.mark.parametrize("mode", ["orbit", "follow", "third-person", "fly"])
def test_more_frames_lead_the_same_way(mode):
    subjects = walk()
    start = Viewpoint.begin(mode, subjects[0], pitch=0.3).turned(0.8, 0.2).zoomed(1.4)
    whole, halves, many = (flown(start, subjects, parts)[1:] for parts in (1, 2, 7))
    for one, other in ((whole, halves), (whole, many)):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a.target, b.target, atol=1e-9)
            np.testing.assert_allclose(a.arm, b.arm, atol=1e-9)
            np.testing.assert_allclose(a.held, b.held, atol=1e-9)


def test_what_turns_with_the_subject_comes_near_to_it_at_any_rate():
    """From where it stands a camera turns by an angle that is no straight line: finer steps converge."""
    subjects = walk()
    start = Viewpoint.begin("fixed", subjects[0])
    fine = flown(start, subjects, 16)
    off = [
        max(np.abs(a.arm - b.arm).max() for a, b in zip(flown(start, subjects, n), fine, strict=True))
        for n in (1, 2, 4)
    ]
    assert off[1] < 0.6 * off[0]
    assert off[2] < 0.6 * off[1]


def test_the_spring_is_the_solution_of_its_equation():
    """Against an integrator that knows nothing of the closed form; half of the way in a halflife."""
    x, v, goal, rate, halflife = 0.3, -2.0, 1.1, 0.7, 0.25
    w = 1.6783469900166605 / halflife

    def equation(t, y):
        return [y[1], -2 * w * (y[1] - rate) - w * w * (y[0] - goal - rate * t)]

    found = solve_ivp(equation, (0, 0.6), [x, v], rtol=1e-11, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(
        spring(np.array(x), np.array(v), np.array(goal), np.array(rate), halflife, 0.6), found, atol=1e-8
    )
    half, _ = spring(np.zeros(1), np.zeros(1), np.ones(1), np.zeros(1), 0.4, 0.4)
    np.testing.assert_allclose(half, 0.5, atol=1e-12)


@pytest.mark.parametrize("mode", ["follow", "third-person"])
@pytest.mark.parametrize("seed", range(4))
def test_who_moves_stays_in_frame(mode, seed):
    subjects = walk(seed)
    start = Viewpoint.begin(mode, subjects[0], distance=1.2, halflife=0.5)  # near and slow: it would be lost
    lost = 0
    for point, subject in zip(flown(start, subjects), subjects, strict=True):
        pixels = point.camera(subject, ASPECT).project(subject.corners, SIZE)
        assert (pixels[:, 2] > 0).all()
        assert (pixels[:, :2] >= -1e-6).all()
        assert (pixels[:, :2] <= np.array(SIZE) + 1e-6).all()
        free = point.margin * 2 * 0.5 * np.array(SIZE)
        assert (pixels[:, :2] >= free - 1e-6).all()
        bare = point.camera(None).project(subject.corners, SIZE)
        lost += bool((bare[:, 2] <= 0).any() or (bare[:, :2] < 0).any() or (bare[:, :2] > SIZE).any())
    assert lost > 10  # there was something to do


@given(st.integers(0, 10**6), st.floats(-3, 3), st.floats(-1.5, 1.5))
@settings(max_examples=60, deadline=None)
def test_a_camera_moves_no_more_than_it_must(seed, yaw, pitch):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 1, (12, 3))
    axes = (
        Viewpoint.begin("orbit", Subject.around(points), yaw=yaw, pitch=pitch).camera().view_matrix()[:3, :3]
    )
    tangents = (0.5, 0.3)
    position = rng.normal(0, 6, 3)
    moved = in_frame(position, axes, points, tangents)
    seen = (points - moved) @ axes.T
    assert (np.abs(seen[:, :2]) <= np.array(tangents) * -seen[:, 2:] + 1e-9).all()
    np.testing.assert_allclose(in_frame(moved, axes, points, tangents), moved, atol=1e-9)
    # A little further is a little further: nothing jumps.
    near = in_frame(position + 1e-6 * rng.normal(0, 1, 3), axes, points, tangents)
    assert np.abs(near - moved).max() < 1e-4


def test_changing_modes_makes_no_cut():
    """Through all modes, back and forth, in the middle of the way: what is seen goes on from where it was."""
    subjects = walk(3)
    point = Viewpoint.begin("follow", subjects[0])
    modes = [a for pair in zip(MODES, reversed(MODES), strict=True) for a in pair]
    for i, (before, after) in enumerate(pairwise(subjects)):
        point = point.advanced(1 / RATE, after, before)
        if i % 7 == 6:
            there = point.camera(after, ASPECT)
            point = point.switched(modes[i // 7 % len(modes)], after, ASPECT)
            here = point.camera(after, ASPECT)
            np.testing.assert_allclose(here.position, there.position, atol=1e-9)
            np.testing.assert_allclose(here.view_matrix(), there.view_matrix(), atol=1e-9)
            soon = point.advanced(1e-6, after, after).camera(after, ASPECT)
            assert np.abs(soon.position - here.position).max() < 1e-3
    assert point.mode in MODES


def test_in_the_end_a_mode_is_kept():
    subject = Subject((-0.3, 0, -0.3), (0.3, 1.8, 0.3), facing=1.0)
    point = Viewpoint.begin("orbit", subject, yaw=-2.0).switched("third-person", subject)
    for _ in range(90):
        point = point.advanced(1 / RATE, subject)
    ahead = point.camera(subject).target - point.camera(subject).position
    assert np.arctan2(ahead[0], ahead[2]) == pytest.approx(1.0, abs=1e-3)  # behind it, looking as it looks
    fixed = point.switched("fixed", subject)
    stood = fixed.camera(subject).position
    for step in range(90):
        aside = np.array([0.05 * step, 0, 0])
        far = Subject(subject.low + aside, subject.high + aside)
        fixed = fixed.advanced(1 / RATE, far)
        if step > 60:
            np.testing.assert_allclose(fixed.camera(far).position, stood, atol=1e-9)
            assert abs(fixed.camera(far).project(far.centre, SIZE)[0] - 800) < 200


def test_no_flip_at_the_poles():
    """Over the top and round and round: the axes never jump, and stay a right-handed frame."""
    subject = Subject((-1, 0, -1), (1, 2, 1))
    point = Viewpoint.begin("orbit", subject)
    last = None
    for i in range(400):
        point = point.turned(0.05, 0.03 if (i // 100) % 2 == 0 else -0.03).advanced(1 / RATE, subject)
        axes = point.camera().view_matrix()[:3, :3]
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
        if last is not None:
            assert np.abs(axes - last).max() < 0.2
        last = axes
        assert abs(point.arm[1]) < np.pi / 2
    # Right above a camera that stands, the subject passes from one side to the other.
    stands = attrs.evolve(Viewpoint.begin("fixed", subject, pitch=1.2), pivot=np.array([0.0, -4.0, 0.0]))
    for x in np.linspace(-3, 3, 200):
        here = Subject((x - 0.1, 0, -0.1), (x + 0.1, 1, 0.1))
        stands = stands.advanced(1 / RATE, here)
        assert np.isfinite(stands.camera(here).view_matrix()).all()


def test_who_flies_turns_on_the_spot_and_goes_where_it_looks():
    subject = Subject((-1, 0, -1), (1, 2, 1))
    point = Viewpoint.begin("fly", subject, distance=5.0)
    stood = point.camera().position
    turned = point.turned(0.9, 0.2)
    for _ in range(60):
        turned = turned.advanced(1 / RATE, subject)
    np.testing.assert_allclose(turned.camera().position, stood, atol=2e-3)
    for _ in range(60):
        turned = turned.advanced(1 / RATE, subject, move=(0, 0, 2.0))
    gone = turned.camera().position - stood
    ahead = turned.camera().target - turned.camera().position
    assert gone @ ahead / np.linalg.norm(ahead) == pytest.approx(np.linalg.norm(gone), rel=1e-3)
    assert np.linalg.norm(gone) == pytest.approx(4.0, abs=0.1)


def test_hands_zoom_and_pan():
    subject = Subject((-1, 0, -1), (1, 2, 1))
    point = Viewpoint.begin("orbit", subject).zoomed(0.5).panned(0.25, 0.0)
    for _ in range(90):
        point = point.advanced(1 / RATE, subject)
    begun = Viewpoint.begin("orbit", subject)
    assert np.exp(point.arm[2]) == pytest.approx(0.5 * begun.distance, rel=1e-3)
    # A quarter of the height to the right: what was in the middle is now left of it, at half the distance.
    assert point.camera().project(subject.centre, SIZE)[0] == pytest.approx(800 - 0.5 * 900, abs=2)


def test_what_is_wrong_is_said():
    with pytest.raises(
        ValidationError, match=r"camera mode is 'orbits', expected one of .*did you mean 'orbit'"
    ):
        Viewpoint.begin("orbits", Subject((0, 0, 0), (1, 1, 1)))
    with pytest.raises(ValidationError, match=r"Subject.low is .* above high"):
        Subject((0, 2, 0), (1, 1, 1))
    with pytest.raises(ValidationError, match=r"Subject.high is .*three finite numbers"):
        Subject((0, 0, 0), (1, np.nan, 1))

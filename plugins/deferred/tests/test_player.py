"""What a window does, tried without one: events and seconds in, scenes and cameras out."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from kinetoscope_deferred.window import Player, clip_of, clips
from kinetoscope_deferred.window.hud import overlay, words
from kinetoscope_deferred.window.player import BAR_PX
from kinetoscope_spec import Asset, ConfigError, Mesh, Motion, Skeleton, ValidationError
from kinetoscope_spec.viewpoint import MODES

RATE, FRAMES, SIZE = 30.0, 61, (640, 360)


def clip(name="walk", *, speed=3.0, aside=0.0, delay=0.0, frames=FRAMES):
    """An upright body whose hips go along +Z; its toes slide with it."""
    skeleton = Skeleton(
        ("Hips", "LeftToe", "RightToe", "Head"),
        [-1, 0, 0, 0],
        [(0, 1, 0), (0.2, -1, 0), (-0.2, -1, 0), (0, 0.7, 0)],
    )
    positions = np.tile(skeleton.rest_positions, (frames, 1, 1)).astype(float)
    positions[:, 0, 2] = speed * np.arange(frames) / RATE
    motion = Motion(skeleton, positions, np.tile([0.0, 0, 0, 1], (frames, 4, 1)), framerate=RATE)
    points = 0.1 * np.array([(-1, -1, -1), (1, -1, -1), (0, -1, 1), (0, 1, 0)])
    faces = [(0, 1, 2), (0, 3, 1), (1, 3, 2), (2, 3, 0)]
    meshes = [Mesh.from_triangles(joint, points, faces, node=i) for i, joint in enumerate(skeleton.names)]
    return clip_of(Asset(name, skeleton, (motion,), meshes), name, aside=aside, delay=delay)


@pytest.fixture(scope="module")
def two():
    return clip("one.bvh"), clip("two.bvh", aside=2.0, delay=0.5, speed=0.0)


def ahead(camera):
    return (camera.target - camera.position) / np.linalg.norm(camera.target - camera.position)


def test_poses_and_places_are_the_motion_s_whatever_its_length(monkeypatch):
    """Worked out a frame, and a stretch of frames, at a time; all that is drawn stands beside with its clip."""
    monkeypatch.setattr(clips, "_STRETCH", 7)
    held, beside = clip(speed=1.0, frames=20), clip(speed=1.0, frames=20, aside=3.0)
    matrices = held.motion.global_matrices()
    np.testing.assert_array_equal(held.places, matrices[..., :3, 3])
    for frame in range(20):
        np.testing.assert_array_equal(held.pose(frame), matrices[frame])
        shift = beside.pose(frame)[:, :3, 3] - matrices[frame, :, :3, 3]
        np.testing.assert_allclose(shift, np.tile([3.0, 0, 0], (4, 1)), atol=1e-12)
    for kind, place in (("bones", ...), ("trajectory", ...), ("velocities", (slice(None), 0))):
        here, there = (one.drawn(kind, 0.3) for one in (held, beside))
        moved = np.zeros(here.shape)
        moved[place][..., 0] = 3.0
        np.testing.assert_allclose(there - here, moved, atol=1e-12)


def test_a_long_clip_is_held_in_few_bytes():
    """Those of places, which ways need; matrices of all frames were more than five times as many."""
    motion = clip(frames=16000).motion
    asset = Asset("long", motion.skeleton, (motion,))
    character = clip_of(Asset("short", motion.skeleton, (motion.slice(0, 2),)), "short").character
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held = clips.Clip("long", motion, character, 0.0, 0.0, clips._places(asset.motions[0]), [])
    grown, peak = (size - before for size in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    assert held.places.nbytes <= grown < 1.1 * held.places.nbytes
    assert peak < 16000 * 4 * 128  # all matrices at once


def test_time_goes_on_loops_stops_and_is_sought(two):
    player = Player(two[:1], SIZE)
    player.advance(0.5)
    assert player.time == pytest.approx(0.5)
    player.key("up")
    player.advance(0.5)
    assert player.time == pytest.approx(1.5)  # twice as fast
    player.advance(0.5)
    assert player.time == pytest.approx(0.5)  # two seconds long, and around
    player.key("l")
    player.advance(5.0)
    assert (player.time, player.playing) == (2.0, False)
    player.key("home")
    assert player.time == 0.0
    player.key("right")
    player.key("right")
    assert player.clips[0].frame(player.time) == 2
    player.key("left")
    assert player.clips[0].frame(player.time) == 1
    player.key("end")
    player.key("right")
    assert player.time == 2.0
    player.key("space")
    assert player.playing


def test_clips_begin_when_they_are_told_and_stand_beside_each_other(two):
    player = Player(two, SIZE)
    assert player.end == pytest.approx(2.5)
    player.seek(1.0)
    (pane,) = player.panes()
    first, second = pane.scene.actors
    np.testing.assert_allclose(first.pose[0, :3, 3], [0, 1, 3], atol=1e-6)
    np.testing.assert_allclose(second.pose[0, :3, 3], [2, 1, 0], atol=1e-6)
    assert (first.id, second.id) == (1, 2)
    assert two[1].frame(0.2) == 0
    assert two[1].frame(1.0) == 15
    assert two[0].frame(2.4) == FRAMES - 1


def test_a_split_screen_has_a_camera_for_each(two):
    player = Player(two, SIZE)
    player.key("x")
    left, right = player.panes()
    assert [pane.area for pane in (left, right)] == [(0, 0, 320, 360), (320, 0, 320, 360)]
    assert [len(pane.scene.actors) for pane in (left, right)] == [1, 1]
    player.press("left", 500, 100)
    player.drag(560, 100, 60, 0)
    player.release("left", 560, 100)
    player.playing = False
    player.advance(1.0)
    turned = [ahead(pane.camera) for pane in player.panes()]
    assert np.abs(turned[0] - ahead(left.camera)).max() < 1e-6
    assert np.abs(turned[1] - ahead(right.camera)).max() > 0.2


@pytest.mark.parametrize("mode", ["follow", "third-person"])
def test_who_moves_stays_in_frame_through_loops_and_scrubs(two, mode):
    player = Player(two[:1], SIZE, mode=mode)
    player.scroll(20, 300)  # far too near
    rng = np.random.default_rng(0)
    for step in range(200):
        player.advance(float(rng.uniform(0.001, 0.08)))
        if step % 40 == 39:
            player.press("left", 10 + 3 * step, SIZE[1] - 5)
            player.release("left", 10 + 3 * step, SIZE[1] - 5)
        subject = player.clips[0].subject(player.time)
        (pane,) = player.panes()
        seen = pane.camera.project(subject.corners, SIZE)
        assert (seen[:, 2] > 0).all()
        assert (seen[:, :2] >= 0).all()
        assert (seen[:, :2] <= SIZE).all()


def test_a_loop_s_end_cuts_with_who_is_seen(two):
    """Where the motion jumps back the camera does: what is in the picture stays where it is in it."""
    player = Player(two[:1], SIZE)
    player.seek(1.99)
    player.advance(0.005)
    before = player.panes()[0].camera.project(player.clips[0].subject(player.time).centre, SIZE)
    player.advance(0.02)
    assert player.time < 0.1
    after = player.panes()[0].camera.project(player.clips[0].subject(player.time).centre, SIZE)
    np.testing.assert_allclose(after, before, atol=1.0)
    player.seek(1.5)  # and so it does where the time is moved by hand
    there = player.panes()[0].camera.project(player.clips[0].subject(player.time).centre, SIZE)
    np.testing.assert_allclose(there, after, atol=1.0)


def test_frames_of_any_length_show_the_same_way(two):
    """One second in steps of a sixtieth or of a quarter of a frame: the camera is in the same place."""
    ends = []
    for steps in (60, 240):
        player = Player(two[:1], SIZE)
        player.press("left", 300, 100)
        player.drag(400, 120, 100, 20)
        player.release("left", 400, 120)
        for _ in range(steps):
            player.advance(1 / steps)
        ends.append(player.panes()[0].camera)
    np.testing.assert_allclose(ends[0].position, ends[1].position, atol=1e-6)
    np.testing.assert_allclose(ahead(ends[0]), ahead(ends[1]), atol=1e-6)


def test_the_bar_scrubs_and_is_no_turn(two):
    player = Player(two[:1], SIZE)
    player.press("left", 0, SIZE[1] - 3)
    player.drag((SIZE[0] - 1) / 2, 100, 320, -200)  # once begun on the bar, anywhere
    assert player.time == pytest.approx(1.0)
    yaw = player.views[0].yaw
    player.advance(0.5)
    assert player.time == pytest.approx(1.0)  # who holds the bar holds the time
    assert not player.release("left", 320, 100)
    assert player.views[0].yaw == yaw
    player.advance(0.25)
    assert player.time == pytest.approx(1.25)


def test_what_is_written_and_hands_are_measured_in_points(two):
    """On a display twice as fine the bar has twice the pixels, a way of the hand turns as far, a click may shake."""
    plain, fine = (
        Player(two[:1], (SIZE[0] * scale, SIZE[1] * scale), scale=float(scale)) for scale in (1, 2)
    )
    for player in (plain, fine):
        player.press("left", 100 * player.scale, 100 * player.scale)
        player.drag(160 * player.scale, 130 * player.scale, 60 * player.scale, 30 * player.scale)
        assert not player.release("left", 160 * player.scale, 130 * player.scale)
        player.playing = False
    assert (fine.views[0].yaw, fine.views[0].pitch) == (plain.views[0].yaw, plain.views[0].pitch)
    assert overlay(fine).shape[:2] == tuple(2 * side for side in overlay(plain).shape[:2])
    fine.press("left", 100, 100)
    fine.drag(105, 100, 5, 0)
    assert fine.release("left", 105, 100)
    fine.press("left", (2 * SIZE[0] - 1) / 2, 2 * SIZE[1] - 50)  # on the bar
    assert fine.time == pytest.approx(1.0)


def test_a_click_is_no_drag(two):
    player = Player(two, SIZE)
    player.press("left", 100, 100)
    player.drag(101, 100, 1, 0)
    assert player.release("left", 101, 100)
    player.press("left", 100, 100)
    player.drag(140, 100, 40, 0)
    assert not player.release("left", 140, 100)
    player.press("right", 100, 100)
    assert not player.release("right", 100, 100)


def test_what_is_clicked_is_named_and_gone_to_without_a_cut(two):
    player = Player(two, SIZE)
    player.playing = False
    before = player.panes()[0].camera
    player.pick((2, [2.0, 1.75, 0.0]))
    assert player.picked == "two.bvh: Head"
    assert player.focus == 1
    np.testing.assert_allclose(player.panes()[0].camera.position, before.position, atol=1e-6)
    for _ in range(120):
        player.advance(1 / 60)
    centre = player.clips[1].subject(player.time).centre
    np.testing.assert_allclose(player.panes()[0].camera.project(centre, SIZE)[:2], (320, 180), atol=2)
    player.pick((2, [1.8, 0.02, 0.0]))
    assert player.picked == "two.bvh: RightToe"
    player.pick(None)
    assert player.picked == ""


def test_keys_change_modes_passes_and_what_is_drawn(two):
    player = Player(two, SIZE)
    seen = [player.views[0].mode]
    for _ in MODES:
        player.key("m")
        seen.append(player.views[0].mode)
    assert set(seen) == set(MODES)
    player.key("1")
    assert player.passes[0] not in player.on
    player.key("1")
    assert player.passes[0] in player.on
    for key in "btcvori":
        player.key(key)
    player.seek(1.0)
    drawn = player.panes()[0].scene.annotations
    assert set(drawn) == {"bones", "trajectory", "contacts", "velocities", "ghosts", "axes", "text"}
    actors = player.panes()[0].scene.actors
    assert {id(ghost.character) for ghost in drawn["ghosts"]} == {id(actor.character) for actor in actors}
    for ghost in drawn["ghosts"]:  # the clips' own places and times
        places = [player.clips[i].actor(1.0 + t / 4, 1).pose for i in (0, 1) for t in (-4, -3, -2, -1, 1, 2)]
        assert any(np.array_equal(ghost.pose, place) for place in places)
    assert len(drawn["contacts"]) == 1  # the toes of the first slide at 3 m/s, and touch nothing
    np.testing.assert_allclose(drawn["velocities"][0][0], [[0, 1, 3], [0, 0, 3]], atol=1e-5)
    for i, (axes, text) in enumerate(zip(drawn["axes"], drawn["text"], strict=True)):
        pose = actors[i].pose
        np.testing.assert_array_equal(axes, pose)
        assert text["strings"] == [player.clips[i].name]
        assert text["points"][0][0] == pytest.approx(pose[0, 0, 3])
        assert text["points"][0][1] > pose[:, 1, 3].max()
    assert drawn["trajectory"][0].shape == (FRAMES, 2)
    player.key("g")
    player.key("n")
    assert player.panes()[0].scene.ground is None
    assert player.panes()[0].scene.actors == ()
    assert "ghosts" not in player.panes()[0].scene.annotations
    player.key("escape")
    assert player.closed


def test_who_flies_goes_by_keys_that_mean_something_else_otherwise(two):
    player = Player(two, SIZE, mode="fly")
    player.playing = False
    stood = player.panes()[0].camera
    player.key("w")
    for _ in range(60):
        player.advance(1 / 60)
    player.key("w", pressed=False)
    gone = player.panes()[0].camera.position - stood.position
    assert gone @ ahead(stood) == pytest.approx(2.5, abs=0.5)
    assert player.annotations == set()


def test_the_bar_is_as_long_as_the_time_that_is_gone(two):
    player = Player(two[:1], SIZE)
    player.seek(0.5)
    bar = overlay(player)
    assert bar.shape == (BAR_PX, SIZE[0], 4)
    orange = bar[1, :, 0].astype(int) > bar[1, :, 2].astype(int) + 80
    assert orange.sum() == pytest.approx(SIZE[0] / 4, abs=2)
    assert "frame 15" in words(player, "")[0]
    assert words(player, "ssao off")[1] == "ssao off"
    player.key("h")
    assert overlay(player).shape[0] > 150


def test_what_can_not_be_shown_is_said(two):
    with pytest.raises(ConfigError, match="needs something to show"):
        Player((), SIZE)
    with pytest.raises(ValidationError, match="thing has 1 motions, counted from 0: there is no 3"):
        clip_of(Asset("thing", two[0].motion.skeleton, (two[0].motion,)), "thing", motion=3)
    still = clip_of(Asset("rest", two[0].motion.skeleton), "rest")
    player = Player((still,), SIZE)
    player.advance(1.0)
    assert (player.time, player.end) == (0.0, 0.0)
    assert overlay(player).any()

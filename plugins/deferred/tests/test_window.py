"""The window drawn into a framebuffer, and a real one where there is a display or Xvfb."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import attrs
import numpy as np
import pytest
from PIL import Image

from kinetoscope_deferred import command_play
from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_deferred.window import Player, clip_of
from kinetoscope_deferred.window.player import BAR_PX
from kinetoscope_deferred.window.stage import Stage
from kinetoscope_spec import Asset, Mesh, Motion, Skeleton

SIZE = (192, 108)


def ball(kit, name, *, aside=0.0, speed=0.0):
    points, faces = kit.sphere(0.5, 16)
    skeleton = Skeleton(("root", "ball"), [-1, 0], [(0, 0, 0), (0, 0.5, 0)])
    positions = np.tile(skeleton.rest_positions, (31, 1, 1)).astype(float)
    positions[:, 0, 0] = speed * np.arange(31) / 30
    motion = Motion(skeleton, positions, np.tile([0.0, 0, 0, 1], (31, 2, 1)), framerate=30.0)
    return clip_of(
        Asset(name, skeleton, (motion,), [Mesh.from_triangles("ball", points, faces, node=1)]),
        name,
        aside=aside,
    )


@pytest.fixture(scope="module")
def opened(sessions):
    """A session of its own and a framebuffer to show pictures in; skipped where there is no driver."""
    sessions()
    with DeferredRenderer().open(SIZE, "draft", buffers=("id",)) as session:
        with session.device.context as context:
            target = context.simple_framebuffer(SIZE, 4)
        yield session, target


def read(target):
    with target.ctx:
        rows = np.frombuffer(target.read(components=3, alignment=1), np.uint8)
    return rows.reshape(target.height, target.width, 3)[::-1]


def player_of(*clips, session, **options):
    player = Player(clips, SIZE, on=set(session.quality.passes), **options)
    player.playing = False
    return player


@pytest.mark.gl
def test_the_window_shows_what_a_film_shows(opened, kit):
    """Pixel for pixel, but for the bar at the bottom: there is one code path."""
    session, target = opened
    player = player_of(ball(kit, "a"), session=session)
    Stage(session, player).draw(target)
    (pane,) = player.panes()
    with DeferredRenderer().open(SIZE, "draft") as film:
        expected = film.render(pane.scene, pane.camera).color
    shown = read(target)
    np.testing.assert_array_equal(shown[:-BAR_PX], expected[:-BAR_PX, :, :3])
    assert (shown[-BAR_PX:] != expected[-BAR_PX:, :, :3]).any(axis=-1).mean() > 0.5
    with session.device.context as context:
        assert context.error == "GL_NO_ERROR"


@pytest.mark.gl
def test_halves_of_a_split_screen_are_films_of_half_the_size(opened, kit):
    session, target = opened
    player = player_of(ball(kit, "a"), ball(kit, "b", aside=3.0), session=session, split=True)
    Stage(session, player).draw(target)
    shown, size = read(target), (SIZE[0] // 2, SIZE[1])
    with DeferredRenderer().open(size, "draft") as film:
        for i, pane in enumerate(player.panes()):
            half = shown[:-BAR_PX, i * size[0] : (i + 1) * size[0]]
            np.testing.assert_array_equal(half, film.render(pane.scene, pane.camera).color[:-BAR_PX, :, :3])


@pytest.mark.gl
def test_a_window_of_another_size_is_drawn_whole(opened, kit):
    session, _ = opened
    player = player_of(ball(kit, "a"), session=session)
    stage = Stage(session, player)
    uploads = None
    for size in ((64, 80), (150, 61), SIZE):
        player.resize(*size)
        with session.device.context:
            target = session.device.context.simple_framebuffer(size, 4)
        stage.draw(target)
        (pane,) = player.panes()
        with DeferredRenderer().open(size, "draft") as film:
            expected = film.render(pane.scene, pane.camera).color[..., :3]
        np.testing.assert_array_equal(read(target)[:-BAR_PX], expected[:-BAR_PX])
        with session.device.context as context:
            assert context.error == "GL_NO_ERROR"
        assert uploads in (None, session.uploads)
        uploads = session.uploads
    player.resize(0, 0)  # as a window that is made small says
    assert player.size == (1, 1)


@pytest.mark.gl
def test_a_pass_is_switched_while_it_runs(opened, kit):
    session, target = opened
    player = player_of(ball(kit, "a"), session=session)
    stage = Stage(session, player)
    before = session.quality
    stage.draw(target)
    plain = read(target)
    player.key(str(player.passes.index("ground") + 1))
    stage.draw(target)
    assert stage.told == "ground off"
    assert (read(target)[-BAR_PX - 10] != plain[-BAR_PX - 10]).any()
    player.key(str(player.passes.index("ground") + 1))
    stage.draw(target)
    np.testing.assert_array_equal(read(target)[:-BAR_PX], plain[:-BAR_PX])
    assert session.quality == before


@pytest.mark.gl
def test_what_is_under_the_pointer_is_what_a_ray_meets(opened, kit):
    session, _ = opened
    clips = ball(kit, "a.glb"), ball(kit, "b.glb", aside=1.5)
    player = player_of(*clips, session=session)
    (pane,) = player.panes()
    centres = [np.array([0, 0.5, 0]), np.array([1.5, 0.5, 0])]
    directions = kit.rays(pane.camera, SIZE)
    for x, y in [(96, 54), (60, 50), (130, 54), (5, 5), (150, 60), (96, 90)]:
        direction = directions[y, x] / np.linalg.norm(directions[y, x])
        hits = {}
        for number, centre in enumerate(centres, 1):
            away = centre - pane.camera.position
            closest = away @ direction
            miss = np.sqrt(max(away @ away - closest**2, 0))
            if abs(miss - 0.5) < 0.03:
                break  # a ball of flat faces ends somewhere near there
            if miss < 0.5:
                hits[number] = closest - np.sqrt(0.25 - miss**2)
        else:
            found = session.pick(pane.scene, pane.camera, x, y)
            nearest = min(hits, key=hits.__getitem__, default=None)
            assert (found[0] if found else None) == nearest
            if found:
                expected = pane.camera.position + hits[nearest] * direction
                np.testing.assert_allclose(found[1], expected, atol=0.01)
    Stage(session, player).pick(96, 54)
    assert player.picked == "a.glb: ball"
    assert session.pick(pane.scene, pane.camera, -1, 4) is None
    assert session.pick(pane.scene, pane.camera, 4, 1000) is None


@pytest.mark.gl
def test_screenshots_overwrite_nothing(opened, kit, tmp_path, monkeypatch):
    session, target = opened
    monkeypatch.chdir(tmp_path)
    stage = Stage(session, player_of(ball(kit, "walk.bvh"), session=session))
    for number in (1, 2):
        stage.player.key("p")
        stage.draw(target)
        assert stage.told.endswith(f"walk-{number:03d}.png")
    first, second = (np.asarray(Image.open(tmp_path / f"walk-{n:03d}.png")) for n in (1, 2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[:-BAR_PX], read(target)[:-BAR_PX])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk-001.png", "walk-002.png"]


@pytest.mark.gl
def test_where_nothing_can_be_written_the_window_stays_and_says_so(opened, kit, tmp_path, monkeypatch):
    session, target = opened
    stage = Stage(session, player_of(ball(kit, "walk.bvh"), session=session))

    def refused(folder=None):
        raise PermissionError(13, "Permission denied", "walk-001.png")

    monkeypatch.setattr(stage, "save", refused)
    stage.player.key("p")
    stage.draw(target)
    assert stage.told == "not saved: [Errno 13] Permission denied: 'walk-001.png'"


@pytest.mark.gl
def test_pictures_follow_each_other_at_any_rate(sessions, kit, monkeypatch):
    """With `taa` a window that pauses, or is faster than its clip, mixes its pictures all the same."""
    sessions()
    with DeferredRenderer().open(SIZE, "draft", passes={"taa": True}) as session:
        with session.device.context as context:
            target = context.simple_framebuffer(SIZE, 4)
        player = player_of(ball(kit, "a", speed=1.0), session=session)
        stage, counts = Stage(session, player), []
        show = session.show
        monkeypatch.setattr(
            session, "show", lambda *given, film: counts.append(show(*given, film=film)["taa.frames_before"])
        )
        for seconds, playing in [(1 / 60, True)] * 5 + [(1 / 24, True)] * 5 + [(1 / 60, False)] * 4:
            player.playing = playing
            player.advance(seconds)
            stage.draw(target)
        assert counts == list(range(14))


@pytest.mark.gl
def test_parts_of_a_split_window_look_back_each_to_its_own_pictures(sessions, kit):
    """Pixel for pixel what two sessions of half the size draw, which know nothing of each other."""
    sessions()
    half, taa = (SIZE[0] // 2, SIZE[1]), {"taa": True}
    renderer = DeferredRenderer()
    with (
        renderer.open(SIZE, "draft", passes=taa) as session,
        renderer.open(half, "draft", passes=taa) as one,
        renderer.open(half, "draft", passes=taa) as other,
    ):
        with session.device.context as context:
            target = context.simple_framebuffer(SIZE, 4)
        player = player_of(
            ball(kit, "a", speed=1.0), ball(kit, "b", aside=3.0, speed=-2.0), session=session, split=True
        )
        stage, past = Stage(session, player), [{}, {}]
        player.playing = True
        for number in range(4):
            player.advance(1 / 24)
            stage.draw(target)
            for i, (pane, film) in enumerate(zip(player.panes(), (one, other), strict=True)):
                (actor,) = pane.scene.actors
                before = past[i].get("pose", actor.pose)
                past[i]["pose"] = actor.pose
                scene = attrs.evolve(pane.scene, actors=(attrs.evolve(actor, previous_pose=before),))
                frame = film.render(scene, pane.camera)
                assert frame.work["taa.frames_before"] == number
                shown = read(target)[:-BAR_PX, i * half[0] : (i + 1) * half[0]]
                np.testing.assert_array_equal(shown, frame.color[:-BAR_PX, :, :3])


def test_without_a_display_that_is_said_and_what_does_without(tmp_path):
    if not sys.platform.startswith("linux"):
        pytest.skip("elsewhere there is a display")
    done = _play(tmp_path, {"DISPLAY": None, "WAYLAND_DISPLAY": None})
    assert done.returncode == 1
    assert "no window can be opened (neither DISPLAY nor WAYLAND_DISPLAY is set)" in done.stderr
    assert "kinetoscope view" in done.stderr
    assert "kinetoscope render" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "big"], "'big' is not a size"),
        (["--size", "10x10"], "'10x10' is not a size"),
        (["--delay", "1", "--delay", "2"], "--delay is given 2 times for 1 files"),
        (["--pass", "outlin"], "did you mean 'outline'"),
        (["--pass=-outlin"], "has the name 'outlin'; did you mean 'outline'"),
        (["--motion", "7"], "there is no 7"),
    ],
)
def test_what_is_typed_wrongly_is_said(tmp_path, words, said):
    from click.testing import CliRunner

    from kinetoscope.cli import main

    done = CliRunner().invoke(main, ["play", str(_clip(tmp_path)), *words])
    assert done.exit_code in (1, 2)
    assert said in done.output


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    from click.testing import CliRunner

    monkeypatch.setattr(command_play, "find_spec", lambda name: None)
    done = CliRunner().invoke(command_play.command, [str(_clip(tmp_path))])
    assert done.exit_code == 1
    assert "pip install 'kinetoscope-deferred[window]'" in done.output


@pytest.mark.gl
def test_a_real_window_takes_events_and_closes(tmp_path):
    """GLFW's own, on a virtual screen: keys, a drag, a click, the wheel, another size, a screenshot, escape."""
    script = tmp_path / "drive.py"
    script.write_text(_DRIVE, encoding="utf-8")
    with _screen() as display:
        done = subprocess.run(
            [sys.executable, str(script), str(_clip(tmp_path))],
            env={**os.environ, "DISPLAY": display},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == [
        "outlined",
        "paused",
        "turned",
        "nearer",
        "picked",
        "resized",
        "asleep",
        "finer",
        "saved",
        "closed",
        "destroyed",
    ]
    assert np.asarray(Image.open(tmp_path / "clip-001.png")).shape == (200, 300, 3)


_DRIVE = """
import sys, glfw
from kinetoscope import Host
from kinetoscope_deferred.window import Player, clip_of
from kinetoscope_deferred.passes.outline import outline
from kinetoscope_deferred.window.shell import Shell
with Host() as host:
    player = Player([clip_of(host.open(sys.argv[1]), "clip.bvh")], (320, 180))
with Shell(player, preset="draft", passes={"bloom": True, "shadow": False}, added=[outline()]) as shell:
    window = shell._window
    shell.run(frames=2)
    on = shell.stage.session.quality.passes
    assert player.on == on
    print("outlined" if {"outline", "bloom"} <= on and "shadow" not in on else sorted(on))
    shell._key(window, glfw.KEY_SPACE, 0, glfw.PRESS, 0)
    print("playing" if player.playing else "paused")
    yaw, far = player.views[0].yaw, player.views[0].distance
    shell._move(window, 100.0, 60.0)
    shell._button(window, glfw.MOUSE_BUTTON_LEFT, glfw.PRESS, 0)
    shell._move(window, 160.0, 60.0)
    shell._button(window, glfw.MOUSE_BUTTON_LEFT, glfw.RELEASE, 0)
    print("turned" if player.views[0].yaw != yaw else "still")
    player.scroll(1, 100)
    print("nearer" if player.views[0].distance < far else "as far")
    for y in range(40, 140, 5):
        shell._move(window, 160.0, float(y))
        shell._button(window, glfw.MOUSE_BUTTON_LEFT, glfw.PRESS, 0)
        shell._button(window, glfw.MOUSE_BUTTON_LEFT, glfw.RELEASE, 0)
        if player.picked:
            break
    print("picked" if player.picked.startswith("clip.bvh: ") else "missed")
    glfw.set_window_size(window, 300, 200)
    for _ in range(20):
        shell.run(frames=1)
        if player.size == (300, 200):
            break
    print("resized" if player.size == (300, 200) else player.size)
    draw, attribute, drawn = shell.stage.draw, glfw.get_window_attrib, []
    shell.stage.draw = lambda target: drawn.append(target)
    glfw.get_window_attrib = lambda held, name: 1 if name == glfw.ICONIFIED else attribute(held, name)
    shell._resize(0, 0)  # as a window that is made small says
    shell.run(frames=2)
    glfw.get_window_attrib = attribute
    print("asleep" if not drawn and player.size == (300, 200) else (drawn, player.size))
    shell.stage.draw = draw
    shell._rescale(2.0, 2.0)
    shell.run(frames=1)
    shell._button(window, glfw.MOUSE_BUTTON_LEFT, glfw.PRESS, 0)
    print("finer" if (player.scale, player.bar) == (2.0, 56) else (player.scale, player.bar))
    shell._button(window, glfw.MOUSE_BUTTON_LEFT, glfw.RELEASE, 0)
    player.key("p")
    shell.run(frames=1)
    print("saved" if "clip-001.png" in shell.stage.told else shell.stage.told)
    assert shell.stage.session.device.context.error == "GL_NO_ERROR"
    shell._key(window, glfw.KEY_ESCAPE, 0, glfw.PRESS, 0)
    shell.run()
print("closed")
import kinetoscope_deferred.window.shell as held
opened, destroyed = [], []
create, destroy = glfw.create_window, glfw.destroy_window
glfw.create_window = lambda *given: opened.append(create(*given)) or opened[-1]
glfw.destroy_window = lambda window: destroyed.append(window) or destroy(window)
def interrupted(*given, **options):
    raise KeyboardInterrupt
held.DeferredSession = interrupted
try:
    Shell(player)
except KeyboardInterrupt:
    print("destroyed" if destroyed == opened and len(opened) == 1 else (opened, destroyed))
"""


class _screen:
    """A display: the one there is, or Xvfb's own while this is open."""

    def __enter__(self):
        if "DISPLAY" in os.environ:
            self.running = None
            return os.environ["DISPLAY"]
        if shutil.which("Xvfb") is None:
            pytest.skip("neither a display nor Xvfb")
        reading, writing = os.pipe()
        self.running = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
            pass_fds=(writing,),
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            pytest.skip("Xvfb does not start")
        return f":{number}"

    def __exit__(self, *exc):
        if self.running is not None:
            self.running.terminate()
            self.running.wait(timeout=30)


def _clip(folder):
    clip = folder / "clip.bvh"
    clip.write_text(
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT b\n{\nOFFSET 0 50 0\n"
        "CHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 50 0\n}\n}\n}\nMOTION\nFrames: 3\n"
        "Frame Time: 0.1\n0 50 0 0 0 0\n10 50 0 0 0 0\n20 50 0 0 0 0\n"
    )
    return clip


def _play(folder, variables):
    kept = {key: value for key, value in os.environ.items() if key not in variables}
    return subprocess.run(
        [sys.executable, "-m", "kinetoscope", "play", str(_clip(folder))],
        env=kept | {key: value for key, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

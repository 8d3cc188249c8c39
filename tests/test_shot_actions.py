"""Actions on a shot's timeline, from the shot file to the motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope import Host
from kinetoscope.shot.packing import load_motion
from kinetoscope.shot.run import Film, shoot
from kinetoscope_samples.recipes import write_mocap
from kinetoscope_spec import ConfigError, Motion

SHOT = """\
[performer]
mocap = ["mocap"]
path = [[0, 0], [0, 12]]
speed = {speed}
model = "motion-matching"
seconds = 7
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    write_mocap(tmp_path / "mocap", names=("walk-slow", "walk-straight", "walk-brisk"))
    write_mocap(tmp_path / "moves", names=("turn-left",))
    return tmp_path


def performed(folder: Path, actions: str, speed: float = 1.2) -> tuple[Film, Motion]:
    file = folder / "shot.toml"
    file.write_text(SHOT.format(speed=speed) + actions)
    with Host() as host:
        film = shoot(host, file, until="generate")
    newest = max((folder / "home/cache/shots/generate").glob("*/motion.npz"), key=lambda p: p.stat().st_mtime)
    return film, load_motion(newest)


def test_a_clip_is_played_where_the_performer_is(folder: Path) -> None:
    film, motion = performed(folder, '[[performer.action]]\nat = 2\nclip = "moves/turn-left.sample.toml"\n')
    with Host() as host:
        clip = host.open(folder / "moves" / "turn-left.sample.toml").motions[0]
    # But for the joint that carries the body, poses are the clip's own once they are gone over into.
    first = round(2 * motion.framerate)
    below = [i for i, parent in enumerate(clip.skeleton.parents) if parent >= 0]
    hips = clip.skeleton.index("Hips")
    below = [i for i in below if i != hips]
    there = slice(first + 30, first + 120)
    turned = (
        Rotation.from_quat(motion.rotations[there, below].reshape(-1, 4)).inv()
        * Rotation.from_quat(clip.rotations[30:120, below].reshape(-1, 4))
    ).magnitude()
    assert np.median(turned) < 1e-3
    assert np.quantile(turned, 0.99) < 0.3
    # Nothing jumps, neither into the clip nor out of it, and it is played where the walk has led.
    places = motion.global_transforms()[0]
    steps = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    assert steps[first - 5 : first + 15].max() < 0.3
    assert np.linalg.norm(places[first + 60, hips, [0, 2]] - places[first, hips, [0, 2]]) < 0.8
    assert places[first, hips, 2] > 1.5
    assert [stage["name"] for stage in film.stages][-1] == "generate"


def test_a_speed_is_asked_for_and_what_comes_of_it_is_said(folder: Path) -> None:
    brisk, motion = performed(folder, "[[performer.action]]\nat = 0\nspeed = 1.6\n", speed=0.85)
    ground = motion.global_transforms()[0][:, motion.skeleton.index("Hips")][:, [0, 2]]
    assert np.linalg.norm(np.diff(ground, axis=0), axis=1).mean() * motion.framerate > 1.4
    assert not any("was to go" in text for text in brisk.warnings)
    # Nobody runs in these clips.
    told, _ = performed(folder, "[[performer.action]]\nat = 1\nspeed = 6.0\n")
    assert any("was to go at" in text and "went at 1." in text for text in told.warnings)


def test_what_comes_after_the_end_is_said(folder: Path) -> None:
    film, _ = performed(folder, "[[performer.action]]\nat = 30\nspeed = 0.5\n")
    assert any("come after the performance" in text for text in film.warnings)


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ('clip = "gone.bvh"', r"shot\.toml:9: performer\.action\.0\.clip"),
        ('clip = "shot.toml"', "shot"),
        ("spede = 1", r"shot\.toml:9: performer\.action\.0\.spede: .*did you mean 'speed'"),
        ("speed = 1\n[[performer.action]]\nat = 1\nspeed = 0", r"shot\.toml:7: .*increasing"),
        ("", r"shot\.toml:8: .*stands alone"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(folder: Path, action: str, says: str) -> None:
    with pytest.raises(Exception, match=says) as caught:
        performed(folder, f"[[performer.action]]\nat = 2\n{action}\n")
    assert isinstance(caught.value, ConfigError) or "shot.toml" in action
    assert not (folder / "home/cache/shots/train").exists()

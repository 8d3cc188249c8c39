"""Shot files: what is accepted, and how everything else is refused."""

from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.shot.marks import Marks, ghosts_of, marks_of
from kinetoscope.shot.settings import Shot, ShotFile, read_shot, shot_file
from kinetoscope.shot.surroundings import environment_file
from kinetoscope_spec import ConfigError, Motion, Skeleton
from kinetoscope_spec.ghosts import Ghosts

GOOD = """
name = "test"
[performer]
mocap = ["*.bvh"]
path = [[0, 0], [0, 4.5]]
seed = 3
training = { steps = 10 }
[camera]
angle = 90
[output]
size = [320, 180]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "shot.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_says_what_it_says(tmp_path: Path) -> None:
    shot = read_shot(write(tmp_path, GOOD)).shot
    assert shot.performer.path == ((0.0, 0.0), (0.0, 4.5))
    assert shot.performer.training.budget() == {"steps": 10}
    assert shot.camera.angle == 90.0
    assert shot.output.size == (320, 180)
    assert pickle.loads(pickle.dumps(shot)) == shot


def test_what_render_can_a_shot_can(tmp_path: Path) -> None:
    more = (
        'skinning = "dual-quaternion"\nghosts = 2\nghosts_ahead = 1\nghost_spacing = 0.5\nspan = 2\nbare = true\n'
        'show = ["bones", "past", "bones"]\nbackground = "environment"\n'
        '[light]\nenvironment = "a.hdr"\nrotation = -90\n'
    )
    shot = read_shot(write(tmp_path, GOOD + more)).shot
    assert ghosts_of(shot.output) == Ghosts(2, ahead=1, spacing_s=0.5)
    assert marks_of(shot.output, "x") == Marks(("bones", "past"), names=("x",), width=320, span_s=2.0)
    assert (shot.light.environment, shot.light.rotation) == ("a.hdr", -90.0)
    plain = read_shot(write(tmp_path, GOOD)).shot
    assert ghosts_of(plain.output) is marks_of(plain.output, "x") is None
    with pytest.raises(ConfigError, match=r"shot\.toml:\d+: light\.environment: .*a\.hdr is no file"):
        environment_file(read_shot(write(tmp_path, GOOD + more)))


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("seed = 3", "sead = 3", 6, "did you mean 'seed'"),
        ("[camera]", "[camra]", 8, "did you mean 'camera'"),
        ("steps = 10", "stps = 10", 7, "did you mean 'steps'"),
        ("seed = 3", 'seed = "3"', 6, "expected a whole number"),
        ("seed = 3", "seed = true", 6, "expected a whole number"),
        ("seed = 3", "seed = -1", 6, "expected a number from 0"),
        ("angle = 90", "angle = [1]", 9, "expected a number"),
        ("angle = 90", "field_of_view = 300", 9, "from 1 to 170"),
        ("angle = 90", "angle = nan", 9, "expected a finite number"),
        ("path = [[0, 0], [0, 4.5]]", "path = [[0, 0], [0, inf]]", 5, "finite"),
        ("path = [[0, 0], [0, 4.5]]", "path = [[0, 0], [0, 1e7]]", 5, "beyond 1000 m"),
        ("seed = 3", "speed = 1e-9", 6, "m/s from 0.05"),
        ("angle = 90", 'kind = "round"', 9, "'orbit'"),
        ("angle = 90", 'kind = "fixed"', 9, "needs position and target"),
        ("size = [320, 180]", "size = [320]", 11, "size"),
        ("size = [320, 180]", "size = [320, 1000000]", 11, "16 to 8192"),
        ("path = [[0, 0], [0, 4.5]]", "path = [[0, 0]]", 5, "at least 2"),
        ('mocap = ["*.bvh"]', "", 3, "'mocap'"),
        ("[camera]", "[camera", 8, "not TOML"),
        ("angle = 90", "[light]\nrotation = 20", 10, "turns an environment, but there is none"),
        ("angle = 90", '[light]\nenvironment = "a.hdr"\nrotation = 900', 11, "degrees from -360 to 360"),
        ("size = [320, 180]", 'background = "sky"', 11, "'stage' or 'environment'"),
        ("size = [320, 180]", 'background = "environment"', 10, "[light] has no environment"),
        ("size = [320, 180]", 'skinning = "cubic"', 11, "'linear' or 'dual-quaternion'"),
        ("size = [320, 180]", "ghosts = 101", 11, "poses from 0 to 100"),
        ("size = [320, 180]", "ghost_spacing = 0", 11, "seconds from 0.001"),
        ("size = [320, 180]", 'show = ["bones", "nose"]', 11, "has 'nose', expected 'bones', "),
        ("size = [320, 180]", "span = 0.0", 11, "seconds above 0"),
        ("size = [320, 180]", 'ghosts = 2\n[plate]\nvideo = "a.mp4"', 10, "has ghosts, which films without"),
        ("size = [320, 180]", 'bare = true\n[plate]\nvideo = "a.mp4"', 10, "has bare, which films without"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        read_shot(write(tmp_path, GOOD.replace(old, new)))
    assert says in str(caught.value)
    assert f"shot.toml:{line}" in str(caught.value)


def test_a_pattern_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shot\.toml:4.*'\*\.bvh' matches no file"):
        read_shot(write(tmp_path, GOOD)).clips()


def test_files_folders_and_patterns_are_found_once_each(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("b.bvh", "a.bvh"):
        (tmp_path / "clips" / name).touch()
    text = GOOD.replace('["*.bvh"]', '["clips", "clips/*.bvh", "clips/a.bvh"]')
    listing = read_shot(write(tmp_path, text)).clips()
    assert [path.name for path in listing.files] == ["a.bvh", "b.bvh"]
    assert [path.name for path in listing.named] == ["a.bvh"]


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "br[1]"
    folder.mkdir()
    (folder / "a.bvh").touch()
    assert [path.name for path in read_shot(write(folder, GOOD)).clips().files] == ["a.bvh"]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"{" * 1_000_000, b"a = " + b"[" * 900_000, b"\0" * 100]
)
def test_what_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shot.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"shot\.toml"):
        read_shot(path)


def test_what_is_not_a_small_file_is_refused_unread(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse.toml"
    with sparse.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(ConfigError, match="10,737,418,240 bytes"):
        read_shot(sparse)
    with pytest.raises(ConfigError, match="is not a file"):
        read_shot(tmp_path)
    with pytest.raises(ConfigError, match="No such file"):
        read_shot(tmp_path / "missing.toml")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo.toml")
        with pytest.raises(ConfigError, match="is not a file"):
            read_shot(tmp_path / "fifo.toml")


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_shot_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("shot") / "shot.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        read_shot(path)


@given(st.integers(0, len(GOOD.strip()) - 1))
def test_truncation_ends_in_a_shot_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    path = tmp_path_factory.mktemp("shot") / "shot.toml"
    path.write_text(GOOD.strip()[:length], encoding="utf-8")
    with contextlib.suppress(ConfigError):
        assert read_shot(path).shot.performer.mocap


def confined(
    tmp_path: Path, mocap: str = "*.bvh", plate: str = "plate.mp4", out: str = "shot.mp4"
) -> ShotFile:
    folder = tmp_path / "job"
    (folder / "more").mkdir(parents=True)
    for name in ("walk.bvh", "plate.mp4", "more/jog.bvh"):
        (folder / name).touch()
    (tmp_path / "secret.bvh").touch()
    (folder / "link.bvh").symlink_to(tmp_path / "secret.bvh")
    (folder / "away").symlink_to(tmp_path)
    text = f'[performer]\nmocap = ["{mocap}"]\npath = [[0, 0], [0, 1]]\n[plate]\nvideo = "{plate}"\n'
    file = folder / "shot.toml"
    file.write_text(text + f'[output]\nfile = "{out}"\n', encoding="utf-8")
    return shot_file(file, [folder])


@pytest.mark.parametrize("name", ["walk.bvh", "more", "more/*.bvh", "m*/jog.bvh", "./walk.bvh", "**/j*.bvh"])
def test_a_confined_shot_names_what_lies_in_its_folder(tmp_path: Path, name: str) -> None:
    found = confined(tmp_path, mocap=name)
    assert found.clips().files
    assert found.path("plate.mp4", "plate", "video").is_file()
    assert found.film == found.folder / "shot.mp4"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.bvh",
        "*.bvh",
        "link.bvh",
        "away/secret.bvh",
        "away",
        "more/../../*.bvh",
        "/etc/hostname",
        "/etc/*",
    ],
)
def test_a_confined_shot_names_nothing_else(tmp_path: Path, name: str) -> None:
    """Neither by name, nor by pattern, nor along a link; and what is there is not told."""
    with pytest.raises(ConfigError, match=r"shot\.toml:2: performer\.mocap.*leads out of") as error:
        confined(tmp_path, mocap=name).clips()
    assert str(tmp_path / "secret") not in str(error.value)
    found = shot_file(tmp_path / "job" / "shot.toml", [tmp_path / "job"])
    if "*" not in name:
        with pytest.raises(ConfigError, match="leads out of"):
            found.path(name, "plate", "video")


@pytest.mark.parametrize("out", ["../shot.mp4", "/tmp/shot.mp4", "away/shot.mp4"])
def test_a_confined_film_goes_nowhere_else(tmp_path: Path, out: str) -> None:
    with pytest.raises(ConfigError, match=r"output\.file.*leads out of"):
        _ = confined(tmp_path, out=out).film


def test_a_trusted_shot_names_what_it_likes(tmp_path: Path) -> None:
    confined(tmp_path, mocap="../secret.bvh", out="../shot.mp4")
    free = read_shot(tmp_path / "job" / "shot.toml")
    assert free.clips().files == (tmp_path.resolve() / "secret.bvh",)
    assert free.film == free.folder / "../shot.mp4"


def test_a_shot_may_be_given_as_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.bvh").touch()
    tables = {"performer": {"mocap": ["walk.bvh"], "path": [[0, 0], [0, 1]]}}
    found = shot_file(tables)
    assert found.clips().files == (tmp_path.resolve() / "walk.bvh",)
    assert isinstance(found.shot, Shot)
    assert shot_file(found.shot).clips() == found.clips()
    with pytest.raises(ConfigError, match=r"performer\.mocpa"):
        shot_file({"performer": {"mocpa": []}})


@pytest.mark.parametrize(("span", "frames"), [(None, 12), (1e308, 12), (1.0, 4), (1e-9, 2)])
def test_ways_are_as_long_as_the_span_says_and_no_longer_than_the_motion(
    span: float | None, frames: int
) -> None:
    """Frames of the way so far, now included; at 3 Hz."""
    skeleton = Skeleton(("root",), [-1], [(0, 0, 0)])
    places = np.stack([np.arange(12.0), np.zeros(12), np.zeros(12)], axis=-1)[:, None]
    motion = Motion(skeleton, places, np.tile([0.0, 0, 0, 1], (12, 1, 1)), framerate=3)
    marks = Marks(("past",), span_s=span)
    (line,) = marks.of([motion], [motion.global_matrices()], 11)["trajectory"]
    assert np.ptp(line["points"][:, 0]) == frames - 1

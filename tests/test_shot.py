"""The first shot, end to end: what is written agrees with itself, computed again from the files.

Nothing here uses the code that made the figures: motions are read with bvhio, rotations are
SciPy's, the path is a Catmull-Rom spline in Hermite form.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import bvhio
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope import Host, ShotEvent
from kinetoscope.shot.run import Film, shoot
from kinetoscope_spec import Cancelled, ConfigError, FormatError

pytestmark = [pytest.mark.slow, pytest.mark.gl]

NAMES = {
    "hips": ("Hips",),
    "left": ("Toes_L", "LeftToeBase", "LeftToes"),
    "right": ("Toes_R", "RightToeBase", "RightToes"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    before = os.environ.get("KINETOSCOPE_HOME")
    os.environ["KINETOSCOPE_HOME"] = str(folder)
    yield folder
    os.environ.pop("KINETOSCOPE_HOME")
    if before is not None:
        os.environ["KINETOSCOPE_HOME"] = before


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """The sample shot, smaller: fewer steps, a small picture."""
    from kinetoscope_samples.shot import write_sample

    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, steps=120, size=(192, 108), quality="draft", path=((0, 0), (0.4, 2.0), (1.5, 3.5)))
    return folder / "shot.toml"


@pytest.fixture(scope="module")
def first(sample: Path) -> Film:
    with Host() as host:
        return shoot(host, sample)


def tracks(path: Path) -> dict[str, np.ndarray]:
    """Global positions [T, 3] of hips and toes, by bvhio."""
    root = bvhio.readAsHierarchy(str(path))
    joints = {joint.Name: joint for joint, _, _ in root.layout()}
    found = {key: next(joints[name] for name in names if name in joints) for key, names in NAMES.items()}
    frames = len(root.Keyframes)
    out: dict[str, list[Any]] = {key: [] for key in found}
    for frame in range(frames):
        root.loadPose(frame)
        for key, joint in found.items():
            out[key].append(tuple(joint.PositionWorld))
    return {key: np.asarray(value) for key, value in out.items()}


def locals_(path: Path) -> dict[str, Rotation]:
    """Local rotations of every joint, by bvhio."""
    container = bvhio.readAsBvh(str(path))
    return {
        joint.Name: Rotation.from_quat(
            [(q.x, q.y, q.z, q.w) for q in (key.Rotation for key in joint.Keyframes)]
        )
        for joint, _, _ in container.Root.layout()
    }


def hermite(points: np.ndarray) -> np.ndarray:
    """The centripetal Catmull-Rom spline through `points`, densely."""
    p = np.concatenate([[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]])
    t = np.concatenate([[0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(p, axis=0), axis=1)))])
    pieces = []
    for i in range(1, len(p) - 2):
        h = t[i + 1] - t[i]
        m = [
            h
            * (
                (p[k] - p[k - 1]) / (t[k] - t[k - 1])
                - (p[k + 1] - p[k - 1]) / (t[k + 1] - t[k - 1])
                + (p[k + 1] - p[k]) / (t[k + 1] - t[k])
            )
            for k in (i, i + 1)
        ]
        u = np.linspace(0, 1, 400)[:, None]
        pieces.append(
            (2 * u**3 - 3 * u**2 + 1) * p[i]
            + (u**3 - 2 * u**2 + u) * m[0]
            + (-2 * u**3 + 3 * u**2) * p[i + 1]
            + (u**3 - u**2) * m[1]
        )
    return np.concatenate(pieces)


def central(values: np.ndarray, rate: float) -> np.ndarray:
    return np.gradient(values, 1 / rate, axis=0)


def recomputed(film: Film, report: dict[str, Any]) -> dict[str, Any]:
    """Every figure of the report, from the two BVH files and the constants that it states."""
    constants, rate = report["figures"]["constants"], 30.0
    shown, made = tracks(film.motion), tracks(film.unplanted)
    contacts, skate = {}, {"before": [], "after": []}
    for side in ("left", "right"):
        toes = made[side]
        low = toes[:, 1] - constants["toe_rest_height_m"] < constants["contact_height_m"]
        slow = np.linalg.norm(central(toes, rate), axis=1) < constants["contact_speed_m_s"]
        contacts[side] = low & slow
        both = contacts[side][1:] & contacts[side][:-1]
        for key, source in (("before", made), ("after", shown)):
            step = np.hypot(*np.diff(source[side][:, [0, 2]], axis=0).T) * rate * 100
            skate[key] += list(step[both])
    ground = shown["hips"][:, [0, 2]]
    curve = hermite(np.asarray(report["shot"]["performer"]["path"], float))
    errors = np.sqrt(((ground[:, None] - curve[None]) ** 2).sum(-1)).min(axis=1)
    smooth = np.stack([np.convolve(axis, np.ones(31) / 31, "valid") for axis in ground.T], axis=1)
    speed = np.linalg.norm(central(ground, rate), axis=1)
    moving = speed > constants["moving_m_s"]
    onsets = sum((c[1:] & ~c[:-1] & moving[1:]).sum() for c in contacts.values())
    return {
        "frames": len(ground),
        "path_length_m": np.linalg.norm(np.diff(curve, axis=0), axis=1).sum(),
        "sway_m": np.linalg.norm(ground[15:-15] - smooth, axis=1).mean(),
        "contact_share": {side: c.mean() for side, c in contacts.items()},
        "foot_skate_cm_s": {key: float(np.mean(values)) for key, values in skate.items()},
        "path_error_m": {"mean": errors.mean(), "max": errors.max()},
        "pelvis_speed": speed[moving].mean(),
        "steps_per_s": onsets / (moving.sum() / rate),
    }


def outside(film: Film, clips: list[Path]) -> tuple[float, float]:
    """The largest angle in degrees by which a joint leaves the range of the clips, and how often."""
    trained = [locals_(clip) for clip in clips]
    shown, worst, count = locals_(film.motion), 0.0, 0
    for name, rotations in shown.items():
        if name in ("joint_Root", "Root", *NAMES["hips"]):
            continue
        seen = Rotation.concatenate([clip[name] for clip in trained])
        middle = seen.mean().inv()
        box, vectors = (middle * seen).as_rotvec(), (middle * rotations).as_rotvec()
        excess = np.maximum(box.min(axis=0) - vectors, vectors - box.max(axis=0)).max(axis=1)
        worst = max(worst, float(np.degrees(excess.max())))
        count += int((excess > 1e-3).sum())
    return worst, count / (len(shown) * len(excess))


def assert_report_is_true(film: Film) -> dict[str, Any]:
    report = json.loads(film.report.read_text())
    again, told = recomputed(film, report), report["figures"]
    assert again["frames"] == told["frames"]
    for key in ("contact_share", "foot_skate_cm_s"):
        assert again[key] == pytest.approx(told[key], rel=0.02, abs=0.02)
    assert again["path_error_m"] == pytest.approx(told["path_error_m"], rel=0.05, abs=2e-3)
    assert again["pelvis_speed"] == pytest.approx(told["pelvis_speed_m_s"]["value"], rel=0.01)
    assert again["path_length_m"] == pytest.approx(told["path_length_m"], rel=1e-3)
    assert again["sway_m"] == pytest.approx(told["sway_m"]["value"], rel=0.02)
    assert again["steps_per_s"] == pytest.approx(told["steps_per_s"]["value"], rel=0.02)
    return report


def test_every_figure_can_be_computed_again(first: Film) -> None:
    report = assert_report_is_true(first)
    assert [stage["name"] for stage in report["stages"]] == [
        "import",
        "features",
        "train",
        "generate",
        "plant",
        "render",
        "encode",
        "sign",
        "write motion",
    ]
    assert all(stage["provider"] and stage["why"] for stage in report["stages"])
    assert len(report["losses"]) > 1
    assert all(len(source["sha256"]) == 64 for source in report["inputs"])


def test_feet_stand_still(first: Film) -> None:
    assert first.figures["foot_skate_cm_s"]["after"] < 1.0
    assert first.figures["foot_skate_cm_s"]["before"] > first.figures["foot_skate_cm_s"]["after"]


def test_the_film_plays(first: Film) -> None:
    with av.open(str(first.film)) as container:
        (stream,) = container.streams
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == first.figures["frames"]
    assert frames[0].shape == (108, 192, 3)
    changes = [np.abs(a.astype(int) - b).mean() for a, b in zip(frames[1:], frames[:-1], strict=True)]
    assert min(frame.std() for frame in frames) > 5
    assert np.median(changes) > 0.2


def test_the_second_time_the_model_is_reused_and_the_motion_is_the_same(
    first: Film, sample: Path, tmp_path: Path
) -> None:
    with Host() as host:
        again = shoot(host, sample, out=tmp_path / "again.mp4")
    stages = {stage["name"]: stage for stage in again.stages}
    assert stages["train"]["cached"]
    assert again.motion.read_bytes() == first.motion.read_bytes()


def test_surroundings_light_and_stand_behind_a_shot(sample: Path, first: Film, tmp_path: Path) -> None:
    """What a picture of them holds decides the film, not what it is called; what can't be one is said at once."""
    from PIL import Image

    def shot(sky: str) -> str:
        more = (
            f'show = ["bones"]\nbackground = "environment"\n[light]\nenvironment = "{sky}"\nrotation = 90\n'
        )
        path = sample.with_name("sky.toml")
        path.write_text(sample.read_text() + more)  # the last table is [output]
        return str(path)

    def film(name: str, color: tuple[int, int, int]) -> tuple[np.ndarray, bool]:
        Image.new("RGB", (32, 16), color).save(sample.with_name(name))
        with Host() as host:
            made = host.shoot(shot(name), out=tmp_path / "film.mp4")
        assert any("no light brighter than white" in said for said in made.warnings)
        with av.open(str(made.film)) as container:
            frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
        return frame[:8].reshape(-1, 3).mean(axis=0), cached(made)

    def cached(made: Film) -> bool:
        return next(stage["cached"] for stage in made.stages if stage["name"] == "encode")

    red, fresh = film("a.png", (200, 30, 30))
    assert red[0] > 2 * red[2]
    assert not fresh
    assert film("b.png", (200, 30, 30))[1]
    blue, fresh = film("a.png", (30, 30, 200))
    assert blue[2] > 2 * blue[0]
    assert not fresh
    Image.new("RGB", (32, 32)).save(sample.with_name("a.png"))
    with Host() as host:
        with pytest.raises(FormatError, match=r"a\.png: is 32 x 32 pixels"):
            host.shoot(shot("a.png"), out=tmp_path / "film.mp4")
        assert any("a.png: is 32 x 32" in said for said in host.check_shot(shot("a.png")))
        assert any(
            "sky.toml:" in said and "b.hdr is no file" in said for said in host.check_shot(shot("b.hdr"))
        )


def test_another_clip_means_another_training(sample: Path, first: Film, tmp_path: Path) -> None:
    from kinetoscope.shot.learn import Recipe

    recipe = {"clips": "a", "model": "m 1", "feature": "f 1", "options": {}, "seed": 0, "budget": None}
    keys = {Recipe(**recipe).key()}
    for change in (
        {"clips": "b"},
        {"model": "m 2"},
        {"options": {"x": 1}},
        {"seed": 1},
        {"budget": {"steps": 1.0}},
    ):
        keys.add(Recipe(**(recipe | change)).key())
    assert len(keys) == 6


@pytest.mark.parametrize("stage", ["plant", "write motion"])
def test_a_run_is_cancelled_before_any_stage(sample: Path, first: Film, tmp_path: Path, stage: str) -> None:
    with Host() as host, pytest.raises(Cancelled, match=stage):
        host.shoot(sample, out=tmp_path / "out" / "film.mp4", progress=lambda event: event.stage != stage)
    assert list(tmp_path.rglob("*")) == []


def test_events_tell_stages_in_their_order_and_how_far_all_is(
    sample: Path, first: Film, tmp_path: Path
) -> None:
    events: list[ShotEvent] = []
    with Host() as host:
        film = host.shoot(sample, out=tmp_path / "film.mp4", first="generate", progress=events.append)
    told = list(dict.fromkeys(event.stage for event in events))
    assert told == [stage["name"] for stage in film.stages]
    whole = [event.whole for event in events]
    assert whole == sorted(whole)
    assert 0.9 < whole[-1] <= 1
    drawn = [event.fraction for event in events if event.message == "rendering"]
    assert drawn == sorted(drawn)
    assert {event.stage for event in events if event.message == "generating"} == {"generate"}


def test_settings_in_python_and_the_command_give_the_film_of_the_file(
    sample: Path, first: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample.parent)
    tables = tomllib.loads(sample.read_text()) | {"output": {"file": str(tmp_path / "held.mp4")}}
    tables["output"] |= {"size": [192, 108], "quality": "draft"}
    with Host() as host:
        # Shot here once more: where stages were told to begin anew, the film was signed anew as well.
        filed = host.shoot(sample, out=tmp_path / "filed.mp4")
        film = host.shoot(tables)
    command = [sys.executable, "-m", "kinetoscope", "shoot", "shot.toml", "--out", str(tmp_path / "told.mp4")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert film.film.read_bytes() == filed.film.read_bytes() == (tmp_path / "told.mp4").read_bytes()
    assert film.motion.read_bytes() == first.motion.read_bytes()


@pytest.mark.parametrize("stage", ["reading", "step", "generating", "rendering"])
def test_cancelling_leaves_nothing_behind(sample: Path, first: Film, tmp_path: Path, stage: str) -> None:
    text = sample.read_text().replace("steps = 120", "steps = 121" if stage == "step" else "steps = 120")
    other = sample.with_name(f"cancel-{stage}.toml")
    other.write_text(text)

    def progress(event: ShotEvent) -> bool:
        return not (event.message.startswith(stage) and (event.fraction or 0) > 0)

    out = tmp_path / "out" / "film.mp4"
    again_from = {"generating": "generate", "rendering": "render"}.get(stage)  # else it is kept, and skipped
    with Host() as host, pytest.raises(Cancelled):
        host.shoot(other, out=out, first=again_from, progress=progress)
    assert list(tmp_path.rglob("*")) == []


def test_what_is_no_clip_is_left_out_of_a_folder_and_refused_by_name(
    sample: Path, first: Film, tmp_path: Path
) -> None:
    wrong = sample.parent / "mocap" / "really.bvh"
    wrong.write_bytes(b"MZ" + bytes(range(256)) * 20)
    named = sample.with_name("named.toml")
    named.write_text(sample.read_text().replace('mocap = ["mocap"]', 'mocap = ["mocap", "mocap/really.bvh"]'))
    try:
        with Host() as host:
            film = shoot(host, sample, out=tmp_path / "film.mp4")
            assert any("really.bvh" in text for text in json.loads(film.report.read_text())["warnings"])
            with pytest.raises(Exception, match=r"really\.bvh") as caught:
                shoot(host, named)
        assert type(caught.value).__name__ in ("FormatError", "ProviderNotFound")
    finally:
        wrong.unlink()


def test_a_film_is_never_written_over_what_it_is_made_from(sample: Path, first: Film, tmp_path: Path) -> None:
    clip = tmp_path / "walk.bvh"
    clip.write_bytes(first.motion.read_bytes())
    shot = tmp_path / "walk.toml"
    shot.write_text(
        sample.read_text()
        .replace('mocap = ["mocap"]', 'mocap = ["walk.bvh"]')
        .replace("shot.mp4", "walk.mp4")
    )
    with Host() as host, pytest.raises(ConfigError, match=r"walk\.bvh would be written over"):
        shoot(host, shot)
    assert clip.read_bytes() == first.motion.read_bytes()


@pytest.mark.parametrize("damage", ["model.safetensors", "checkpoint.json", "record only"])
def test_a_damaged_cache_is_trained_anew(sample: Path, home: Path, tmp_path: Path, damage: str) -> None:
    quick = sample.with_name("quick.toml")
    quick.write_text(sample.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"'))
    with Host() as host:
        (train,) = (stage for stage in shoot(host, quick, until="train").stages if stage["name"] == "train")
    folder = Path(train["details"]["checkpoint"])
    before = (folder / "model.safetensors").read_bytes()
    if damage == "record only":
        (folder / "model.safetensors").unlink()
    else:
        (folder / damage).write_bytes(b"{")
    for cached in (False, True):
        with Host() as host:
            again = shoot(host, quick, until="train")
        assert {stage["name"]: stage for stage in again.stages}["train"]["cached"] is cached
        assert (folder / "model.safetensors").read_bytes() == before


def test_what_can_be_known_before_the_training_is_said_before_it(
    sample: Path, first: Film, tmp_path: Path
) -> None:
    told = []
    for old, new, says in (
        ("shot.mp4", "shot.docx", "docx"),
        ("[performer]", '[performer]\nstart = "nobody"', "nobody"),
        ("[performer]", '[performer]\ncharacter = "nobody.glb"', r"nobody\.glb"),
        ("[output]", '[output]\nrenderer = "defered"', "deferred"),
    ):
        other = sample.with_name("early.toml")
        other.write_text(sample.read_text().replace(old, new, 1).replace("steps = 120", "steps = 99999"))
        with Host() as host, pytest.raises(Exception, match=says):
            shoot(host, other, progress=lambda event: told.append(event.message))
    assert not any(message.startswith("step") for message in told)


def test_an_unknown_provider_is_answered_with_the_near_ones(sample: Path, first: Film) -> None:
    other = sample.with_name("provider.toml")
    other.write_text(sample.read_text().replace("[performer]", '[performer]\nmodel = "codebok-matching"', 1))
    with Host() as host, pytest.raises(Exception, match="codebook-matching"):
        shoot(host, other)


def test_a_path_of_one_point_twice_is_a_config_error(sample: Path) -> None:
    other = sample.with_name("path.toml")
    lines = [
        "path = [[0, 0], [0, 0]]" if line.startswith("path =") else line
        for line in sample.read_text().splitlines()
    ]
    other.write_text("\n".join(lines))
    with Host() as host, pytest.raises(ConfigError, match=r"path\.toml:\d+.*same point"):
        shoot(host, other)


@pytest.mark.realdata
@pytest.mark.timeout(1500)
def test_walking_clips_make_a_walking_person(home: Path, tmp_path: Path) -> None:
    data = os.environ.get("KINETOSCOPE_DATA")
    if not data:
        pytest.skip("KINETOSCOPE_DATA is unset: there is no real mocap here")
    folder = Path(data).resolve() / "bvh" / "bandai-namco-1"
    shot = tmp_path / "shot.toml"
    shot.write_text(
        f"""
[performer]
mocap = ["{folder}/dataset-1_walk_*.bvh"]
path = [[0, 0], [0.5, 3], [3, 5], [6, 5], [8, 8]]
seed = 1
style = "normal"
training = {{ steps = 1500 }}
[output]
size = [320, 180]
quality = "draft"
"""
    )
    with Host() as host:
        film = shoot(host, shot)
    report = assert_report_is_true(film)
    figures = report["figures"]
    assert len(report["inputs"]) == 30
    assert figures["foot_skate_cm_s"]["after"] < 1.0
    assert min(figures["contact_share"].values()) >= 0.3
    assert figures["path_error_m"]["mean"] < 0.25
    for key in ("pelvis_speed_m_s", "steps_per_s"):
        low, high = figures[key]["training"]
        assert low <= figures[key]["value"] <= high
    # What clamping and planting leave, measured by another way of reading the files.
    worst, share = outside(film, sorted(folder.glob("dataset-1_walk_*.bvh")))
    assert worst == pytest.approx(figures["joint_angles"]["max_excess_deg"], abs=0.05)
    assert share == pytest.approx(figures["joint_angles"]["outside_share"], abs=1e-3)
    assert worst < 0.25

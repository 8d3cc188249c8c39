"""A shot with a plate and a voice, end to end, on a plate of which everything is known.

The film is read with PyAV. What it must show where the performer is not, is the plate without its ball,
which the sample casts along rays; where the performer's feet must be, is the camera's projection written
anew here.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import bvhio
import c2pa
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.shot.run import Film, shoot
from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec import ConfigError, Video

pytestmark = [pytest.mark.slow, pytest.mark.gl]

SCENE = PlateScene(size=(240, 136), frames=30, noise=0.0)
PLAY = """async () => {
  const video = document.querySelector("video");
  await video.play();
  while (!video.ended && !video.error) await new Promise((go) => setTimeout(go, 50));
  const wrong = video.error && video.error.message;
  const size = [video.videoWidth, video.videoHeight];
  return [video.ended, size, video.currentTime, wrong, video.webkitAudioDecodedByteCount];
}"""
"""Plays a page's film; returns what is known at its end."""
PATH = ((1.2, 6.0), (0.4, 5.6), (-0.6, 5.2))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KINETOSCOPE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    folder = tmp_path_factory.mktemp("plate")
    with Host() as host:
        media = host.provider("media")
        write_sample(folder, steps=100, quality="draft", path=PATH, media=media, plate=SCENE, voice=True)
    return folder / "shot.toml"


@pytest.fixture(scope="module")
def first(sample: Path) -> Film:
    with Host() as host:
        return shoot(host, sample)


def frames_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def truth() -> tuple[np.ndarray, np.ndarray]:
    """The plate without its ball, and where the ball and its shadow are, without a rim."""
    return np.stack(list(SCENE.video(ball=False).frames())), np.stack(list(SCENE.mask().frames())) > 0


def pixels(points: np.ndarray, frame: int) -> np.ndarray:
    """Project points [N, 3] of the ground's world: the camera looks along +Z, down by the pitch, and pans."""
    width, height = SCENE.size
    focal = height / 2 / np.tan(SCENE.field_of_view / 2)
    yaw, pitch = SCENE.yaw(frame), SCENE.pitch
    forward = np.array([-np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.array([-np.cos(yaw), 0.0, -np.sin(yaw)])
    down = np.cross(forward, right)
    seen = points - np.array([0.0, SCENE.height_m, 0.0])
    depth = seen @ forward
    return np.stack(
        [width / 2 + focal * (seen @ right) / depth, height / 2 + focal * (seen @ down) / depth], -1
    )


def stages(film: Film) -> dict[str, dict[str, Any]]:
    return {stage["name"]: stage for stage in film.stages}


def test_all_stages_are_there_and_say_who_and_why(first: Film) -> None:
    names = [stage["name"] for stage in first.stages]
    assert names[:4] == ["plate", "mask", "inpaint", "camera"]
    assert [n for n in names if n in ("speak", "align", "render", "composite", "encode")] == [
        "speak", "align", "render", "composite", "encode",
    ]  # fmt: skip
    assert all(stage["why"] for stage in first.stages if stage["provider"])


def test_the_ball_is_gone_and_all_else_is_the_plate(first: Film) -> None:
    shown, plate = frames_of(first.film).astype(float), frames_of(first.film.with_name("plate.mp4"))
    clean, ball = truth()
    assert shown.shape == clean.shape
    performer = np.abs(shown - clean).max(axis=-1) > 60
    share = performer.mean(axis=(1, 2))
    assert 0.003 < np.median(share) < 0.2
    rest = ~performer
    for where, least in ((rest & ball, 24.0), (rest & ~ball, 26.0)):
        error = (shown - clean)[where]
        assert 10 * np.log10(255**2 / np.mean(error**2)) > least
    # The ball was red, and nothing there is red any longer.
    red = plate[..., 0].astype(float) - plate[..., 1]
    assert (red[ball] > 60).mean() > 0.3
    assert ((shown[..., 0] - shown[..., 1])[ball] > 60).mean() < 0.01


def test_the_feet_are_where_the_ground_is(first: Film) -> None:
    """Under each toe that BVH says is on the ground, the film differs from the plate without performer."""
    shown, (clean, _) = frames_of(first.film).astype(float), truth()
    root = bvhio.readAsHierarchy(str(first.motion))
    toes = [joint for joint, _, _ in root.layout() if re.search(r"toe", joint.Name, re.IGNORECASE)]
    assert toes
    hits = []
    for frame in range(0, SCENE.frames, 3):
        root.loadPose(min(round(frame / SCENE.rate * 30), len(root.Keyframes) - 1))
        places = np.array([tuple(toe.PositionWorld) for toe in toes], float)
        assert places[:, 1].min() < 0.12
        for x, y in pixels(places, frame):
            patch = (slice(max(int(y) - 3, 0), int(y) + 4), slice(max(int(x) - 3, 0), int(x) + 4))
            hits.append(np.abs(shown[frame] - clean[frame])[patch].max() > 30)
    assert np.mean(hits) > 0.9


def test_the_performer_throws_a_shadow(first: Film) -> None:
    """Away from the sun, where the trunk's shadow falls, the ground is darker; towards the sun it is not."""
    shown, (clean, _) = frames_of(first.film).astype(float), truth()
    ratio = ((shown + 1) / (clean + 1)).mean(axis=-1)
    root = bvhio.readAsHierarchy(str(first.motion))
    hips = next(joint for joint, _, _ in root.layout() if joint.Name == "Hips")
    away = -np.array([np.sin(SCENE.azimuth), 0.0, np.cos(SCENE.azimuth)]) / np.tan(SCENE.elevation)
    dark = {1: [], -1: []}
    for frame in range(SCENE.frames):
        root.loadPose(min(round(frame / SCENE.rate * 30), len(root.Keyframes) - 1))
        ground = np.array(tuple(hips.PositionWorld)) * (1, 0, 1)
        for side, found in dark.items():
            heights = np.array([0.8, 0.95, 1.1])[:, None]  # of the trunk, m: beyond the feet on the ground
            for x, y in pixels(ground + side * heights * away, frame).round().astype(int):
                found.append(ratio[frame, y - 2 : y + 3, x - 2 : x + 3].min() < 0.85)
    assert np.mean(dark[1]) > 0.8
    assert np.mean(dark[-1]) < 0.1


@pytest.mark.parametrize(
    ("old", "new", "until", "again"),
    [
        ("path = [[1.2", "path = [[1.3", "plant", {"generate", "plant"}),
        ("speed = 1.2", "speed = 1.1", "plant", {"generate", "plant"}),
        ("seed = 7", "seed = 9", "generate", {"train", "generate"}),
        ("height = 1.6", "height = 1.7", "camera", {"camera"}),
        ("at = 0.3", "at = 0.4", "encode", {"lipsync", "encode"}),
        ("azimuth = 135", "azimuth = 90", "encode", {"encode"}),
        ('file = "shot.mp4"', 'file = "else.mp4"', "encode", set()),
    ],
)  # fmt: skip
def test_a_change_is_done_again_and_nothing_else(
    first: Film, sample: Path, old: str, new: str, until: str, again: set[str]
) -> None:
    text = sample.read_text()
    assert old in text
    other = sample.with_name("changed.toml")
    other.write_text(text.replace(old, new, 1))
    with Host() as host:
        done = stages(shoot(host, other, until=until))
    kept = ("inpaint", "camera", "train", "generate", "plant", "speak", "align", "lipsync", "encode")
    assert {name for name in kept if name in done and not done[name]["cached"]} == again


def test_the_voice_is_heard_and_marked(first: Film) -> None:
    with av.open(str(first.film)) as container:
        sound = np.concatenate([f.to_ndarray().reshape(-1) for f in container.decode(audio=0)])
        told = json.loads(container.metadata["comment"])["provenance"]
        rate = container.streams.audio[0].rate
    assert told["watermark"] == "perth"
    assert np.abs(sound[: int(0.2 * rate)]).max() < 0.01  # it begins at 0.3 s
    assert np.sqrt(np.mean(sound[int(0.4 * rate) :] ** 2)) > 0.01


def test_the_film_plays_in_chromium_to_its_end_with_its_sound(first: Film) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    options = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium, args=options)
        tab = browser.new_page()
        if not tab.evaluate(
            "document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.64001f\"')"
        ):
            pytest.skip("this Chromium has no H.264")
        tab.goto(first.film.as_uri())
        ended, size, seconds, wrong, sound = tab.evaluate(PLAY)
        browser.close()
    assert wrong is None
    assert ended
    assert tuple(size) == SCENE.size
    assert abs(seconds - SCENE.frames / SCENE.rate) < 0.1
    assert sound > 1000


def test_nothing_is_done_twice(first: Film, sample: Path, tmp_path: Path) -> None:
    with Host() as host:
        again = shoot(host, sample, out=tmp_path / "again.mp4")
    kept = {name for name, stage in stages(again).items() if stage["cached"]}
    assert {"inpaint", "camera", "train", "generate", "plant", "speak", "encode", "sign"} <= kept
    assert again.film.read_bytes() == first.film.read_bytes()


def test_other_words_mean_another_voice_and_film_alone(first: Film, sample: Path, tmp_path: Path) -> None:
    other = sample.with_name("words.toml")
    other.write_text(re.sub(r'text = ".*"', 'text = "Hello."', sample.read_text()))
    with Host() as host:
        film = shoot(host, other, out=tmp_path / "words.mp4")
    cached = {name: stage["cached"] for name, stage in stages(film).items()}
    assert all(cached[name] for name in ("inpaint", "camera", "train", "generate", "plant"))
    assert not cached["speak"]
    assert not cached["encode"]


def test_what_is_pointed_at_goes_with_its_shadow_from_the_first_frame_on(
    first: Film, sample: Path, tmp_path: Path
) -> None:
    plate, (clean, mask) = frames_of(first.film.with_name("plate.mp4")).astype(int), truth()
    red = plate[0, ..., 0] - plate[0, ..., 1] > 60
    (y, x), shadow = np.argwhere(red).mean(axis=0), mask[0] & ~red
    away = np.argwhere(shadow & (clean[0].mean(axis=-1) - plate[0].mean(axis=-1) > 25)).mean(axis=0)
    pointed = sample.with_name("pointed.toml")
    places = f'points = [[{x:.0f}, {y:.0f}]]\nwithout = [[{away[1]:.0f}, {away[0]:.0f}]]\nreasoner = "motion"'
    pointed.write_text(re.sub(r'mask = "ball.mp4".*', places, sample.read_text()))
    with Host() as host:
        film = shoot(host, pointed, out=tmp_path / "pointed.mp4")
    assert stages(film)["mask"]["provider"] == "grabcut"
    shown = frames_of(film.film).astype(int)
    performer = np.abs(shown - clean).max(axis=-1) > 60
    assert ((shown[..., 0] - shown[..., 1])[mask] > 60).mean() < 0.01
    seen = shadow & ~performer[0]
    before, after = (np.abs(frame - clean[0])[seen].mean() for frame in (plate[0], shown[0]))
    assert after < 0.3 * before


def test_the_film_says_of_itself_what_is_synthetic(first: Film) -> None:
    """Read with the library of those who made the standard; and `verify` says the same."""
    with c2pa.Reader(str(first.film)) as reader:
        held = json.loads(reader.json())
    manifest = held["manifests"][held["active_manifest"]]
    assert held["validation_state"] == "Valid"
    assert [entry["title"] for entry in manifest["ingredients"]] == ["plate.mp4"]
    (actions,) = (a["data"]["actions"] for a in manifest["assertions"] if "actions" in a["label"])
    assert actions[0]["action"] == "c2pa.created"
    assert actions[0]["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    by = {action.get("softwareAgent", {}).get("name", "").split(" ")[0] for action in actions}
    assert {stages(first)[name]["provider"] for name in ("inpaint", "generate", "speak", "render")} <= by
    told = CliRunner().invoke(main, ["verify", "--json", str(first.film)])
    assert told.exit_code == 0, told.output
    statement = json.loads(told.stdout)["credentials"]
    assert (statement["intact"], statement["trusted"]) == (True, False)
    assert statement["ingredients"] == ["plate.mp4"]
    page = first.page.read_text(encoding="utf-8")
    assert "c2pa" in page


def test_a_mask_of_half_the_plate_is_said_to_be_one(first: Film, sample: Path, home: Path) -> None:
    width, height = SCENE.size
    half = np.zeros((SCENE.frames, height, width, 3), np.uint8)
    half[:, :, : width // 2] = 255
    wide = sample.with_name("wide.toml")
    wide.write_text(sample.read_text().replace('mask = "ball.mp4"', 'mask = "wide.mp4"'))
    with Host() as host:
        media = host.provider("media")
        video = Video(width, height, SCENE.rate, lambda a, b: iter(half[a:b]), SCENE.frames)
        media.write(sample.with_name("wide.mp4"), video, quality="high")
        film = shoot(host, wide, until="inpaint")
    assert any("of the plate was taken out" in text for text in film.warnings)
    # So large a hole is filled with patches as far as their number goes, and smoothly from there.
    way = "it is a guess of patches of what is around, in part of smooth colours"
    assert any(way in text for text in film.warnings)
    assert not any("of the plate was taken out" in text for text in first.warnings)


def test_a_mask_that_is_damaged_is_made_again_and_says_what_is_said_of_it_once(
    sample: Path, home: Path
) -> None:
    pointed = sample.with_name("damaged.toml")
    box = 'boxes = [[20, 20, 60, 60, 3]]\nreasoner = "none"'
    pointed.write_text(re.sub(r'mask = "ball.mp4".*', box, sample.read_text()))
    others = set(home.rglob("quadmask_0.mp4"))
    with Host() as host:
        before = shoot(host, pointed, until="mask")
        (quadmask,) = set(home.rglob("quadmask_0.mp4")) - others
        quadmask.chmod(0o644)
        quadmask.write_bytes(b"no film")
        told = quadmask.with_name("told.json")
        told.chmod(0o644)
        told.write_text('["of the mask that was"]')
        again = shoot(host, pointed, until="mask")
    assert not stages(again)["mask"]["cached"]
    assert again.warnings == before.warnings


def test_a_mask_is_let_grow_by_pixels_and_what_was_followed_is_not_followed_again(sample: Path) -> None:
    text, shot = sample.read_text(), sample.with_name("grow.toml")
    held = frames_of(sample.with_name("ball.mp4"))[..., 0] > 127
    wide = np.stack(
        [cv2.distanceTransform(np.uint8(~frame), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= 5 for frame in held]
    )
    box = 'boxes = [[20, 20, 60, 60, 3]]\nreasoner = "none"'
    with Host() as host:
        for by, truth in ((5, wide), (0, held)):
            shot.write_text(text.replace('mask = "ball.mp4"', f'mask = "ball.mp4"\ngrow = {by}'))
            assert stages(shoot(host, shot, until="inpaint"))["inpaint"]["details"]["hidden"] == truth.sum()
        cached = []
        for by in (1, 2):
            shot.write_text(re.sub(r'mask = "ball.mp4".*', f"{box}\ngrow = {by}", text))
            cached.append(stages(shoot(host, shot, until="mask"))["mask"]["cached"])
    assert cached[1]


def test_from_and_until(first: Film, sample: Path) -> None:
    with Host() as host:
        film = shoot(host, sample, first="plant", until="plant")
        assert film.film is None
        assert [name for name, s in stages(film).items() if s["cached"]] == [
            "inpaint", "camera", "train", "generate",
        ]  # fmt: skip
        with pytest.raises(ConfigError, match="plant"):
            shoot(host, sample, until="plamt")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag == "img":
            self.pictures.append(held["src"] or "")
        links = (held.get("src"), held.get("href"))
        self.foreign += [link for link in links if link and not link.startswith("data:")]
        assert tag != "script"


def test_the_page_needs_nothing_beside_it(first: Film) -> None:
    page = _Page()
    text = first.page.read_text(encoding="utf-8")
    page.feed(text)
    assert len(page.pictures) == 16
    assert page.foreign == []
    for word in ("propagate", "ball", "CC0-1.0", "watermark perth"):
        assert word in text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('video = "plate.mp4"', 'video = "gone.mp4"', r"gone\.mp4"),
        ('mask = "ball.mp4"', 'mask = "gone.mp4"', r"gone\.mp4"),
        ('video = "plate.mp4"', 'video = "shot.toml"', r"shot\.toml|wrong\.toml"),
        ('kind = "plate"', 'kind = "follow"', "follow"),
        ("[plate.remove]", '[plate.remove]\npoints = [[1, 2]]', "just one"),
        ('text = "', 'text = "[shoutig] ', "shout"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_the_work(
    first: Film, sample: Path, tmp_path: Path, old: str, new: str, says: str
) -> None:
    wrong = sample.with_name("wrong.toml")
    wrong.write_text(sample.read_text().replace(old, new, 1))
    told: list[str] = []
    with Host() as host, pytest.raises(Exception, match=says):
        shoot(host, wrong, out=tmp_path / "x.mp4", progress=lambda event: told.append(event.message))
    assert list(tmp_path.iterdir()) == []
    assert not any(text.startswith("step") for text in told)

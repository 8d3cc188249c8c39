"""`kinetoscope inpaint` from films on disk to a film on disk."""

from __future__ import annotations

import json
import re
import wave

import attrs
import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import kinetoscope
from kinetoscope.cli import main
from kinetoscope_propagate.command import _human
from kinetoscope_spec import Video


@pytest.fixture(scope="module")
def films(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    scene = scenes.scene("still", 4, size=(160, 96), frames=10)
    covered = np.repeat(scene.covered[..., None], 3, axis=3)
    with kinetoscope.Host() as host:
        media = host.provider("media")
        media.write(folder / "film.mkv", Video.from_frames(scene.film, 25), quality="high")
        media.write(folder / "bright.mkv", Video.from_frames(covered * np.uint8(255), 25), quality="high")
        dark = np.where(covered, 0, 255).astype(np.uint8)
        media.write(folder / "dark.mkv", Video.from_frames(dark, 25), quality="high")
        media.write(folder / "short.mkv", Video.from_frames(dark[:4], 25), quality="high")
        tall = Video.from_frames(covered.transpose(0, 2, 1, 3) * np.uint8(255), 25)
        media.write(folder / "tall.mkv", tall, quality="high")
        media.write(folder / "all.mkv", Video.from_frames(np.full_like(dark, 255), 25), quality="high")
        media.write(folder / "cut.mp4", Video.from_frames(scene.film, 25), quality="high")
    whole = (folder / "cut.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: 2 * len(whole) // 3])
    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    return scene, folder


def test_a_mask_of_nothing_leaves_the_film_and_says_so(films, tmp_path) -> None:
    _, folder = films
    nothing = tmp_path / "nothing.mkv"
    with kinetoscope.Host() as host:
        media = host.provider("media")
        media.write(nothing, Video.from_frames(np.zeros((10, 96, 160, 3), np.uint8), 25), quality="high")
    words = (
        "inpaint",
        folder / "film.mkv",
        tmp_path / "out.mkv",
        "--mask",
        nothing,
        "--provider",
        "propagate",
    )
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 0
    assert "covers nothing" in done.output


@pytest.mark.parametrize(("stripes", "says"), [(50, "patches of what is around"), (0, "smooth colours")])
def test_what_is_made_up_is_said_with_its_way(tmp_path, stripes, says) -> None:
    """A hole that stays where it is, in stripes and in noise."""
    noise = np.random.default_rng(3).normal(scale=6, size=(96, 160))
    light = 120 + stripes * np.sin(np.arange(160) * 2 * np.pi / 12) + noise
    frame = np.repeat(light.astype(np.uint8)[..., None], 3, axis=2)
    hole = np.zeros_like(frame)
    hole[40:58, 66:90] = 255
    files = [tmp_path / name for name in ("film.mkv", "mask.mkv")]
    with kinetoscope.Host() as host:
        for file, picture in zip(files, (frame | hole, hole), strict=True):
            host.provider("media").write(file, Video.from_frames(np.stack([picture] * 2), 25), quality="high")
    words = ("inpaint", files[0], tmp_path / "out.mkv", "--mask", files[1], "--provider", "propagate")
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 0, done.output
    assert re.search(rf"100\.0% of what was hidden .* it is a guess of {says}", done.output)


def test_several_places_that_are_made_up_are_told_apart(tmp_path) -> None:
    """Stripes on the left, noise on the right, a hole in each: where they are, and how each is made up."""
    noise = np.random.default_rng(4).normal(scale=6, size=(96, 240))
    across = np.arange(240)
    light = 120 + 50 * np.sin(across * 2 * np.pi / 12) * (across < 120) + noise
    frame = np.repeat(light.astype(np.uint8)[..., None], 3, axis=2)
    hole = np.zeros_like(frame)
    hole[40:58, 50:70] = hole[42:56, 180:196] = 255
    files = [tmp_path / name for name in ("film.mkv", "mask.mkv")]
    with kinetoscope.Host() as host:
        for file, picture in zip(files, (frame | hole, hole), strict=True):
            host.provider("media").write(file, Video.from_frames(np.stack([picture] * 3), 25), quality="high")
    words = [files[0], tmp_path / "out.mkv", "--mask", files[1], "--provider", "propagate"]
    done = CliRunner().invoke(main, ["inpaint", *map(str, words)])
    assert done.exit_code == 0, done.output
    told = re.findall(r"frames 0 to 2, ([\d,]+): a guess of (\w+)", done.output)
    assert [way for _, way in told] == ["patches", "smooth"]
    for (place, _), truth in zip(told, ((50, 40, 70, 58), (180, 42, 196, 56)), strict=True):
        assert np.abs(np.array(place.split(","), int) - truth).max() <= 1
    holes = run(*words)["report"]["holes"]
    assert [hole["guess"] for hole in holes] == ["exemplar", "smooth"]
    assert sum(hole["pixels"] for hole in holes) == 3 * (18 * 20 + 14 * 16)


def test_what_is_said_of_a_guess_is_what_matters() -> None:
    """Specks are not told of one by one, what is carried is not said to be made up, and little is not 0."""
    holes = [
        {"first": i, "last": 9, "box": [i, 0, i + 9, 9], "pixels": pixels, "guess": guess}
        for i, (pixels, guess) in enumerate([(600, "exemplar"), (340, ""), (40, "smooth"), (20, "smooth")])
    ]
    report = {"hidden": 10**7, "guessed": 1000, "guess": "both", "holes": holes}
    doubts = [{"frame": 3, "reason": "it may be hidden: click on it here"}]
    data = {"frames": 10, "provider": "propagate", "seconds": 1, "output": "out.mp4", "report": report}
    lines = _human(data | {"mask": {"doubts": doubts}}).splitlines()
    assert lines[1].startswith("less than 0.1% of what was hidden")
    assert lines[2:] == [
        "  frames 0 to 9, 0,0,9,9: a guess of patches of what is around",
        "  frames 1 to 9, 1,0,10,9: carried on from frames before",
        "frame 3: it may be hidden: click on it here",
    ]


def written(path, frames, way):
    """Write a film as phones (a quarter turned, only the container says so) or cameras (10 bits) do."""
    codec, pixels = ("ffv1", "yuv444p10le") if way == "deep" else ("libx264", "yuv444p")
    if way == "turned":
        frames = np.rot90(frames, -1, axes=(1, 2))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"crf": "2"} if way == "turned" else {})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        if way == "turned":
            stream.set_display_rotation(90)
        for frame in frames:
            shown = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(shown.reformat(format=pixels)))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("way", ["timestamps", "odd", "alpha", "turned", "deep"])
def test_films_of_other_kinds_come_out_whole(scenes, tmp_path, way) -> None:
    scene = scenes.scene("still", 4, size=(160, 96), frames=6)
    film, covered = scene.film, np.repeat(scene.covered[..., None], 3, axis=3) * np.uint8(255)
    stamps = np.array([0, 0.04, 0.2, 0.24, 0.5, 0.9]) if way == "timestamps" else None
    if way == "odd":
        film, covered = film[:, :95, :159], covered[:, :95, :159]
    if way == "alpha":
        film = np.concatenate([film, np.full((*film.shape[:3], 1), 200, np.uint8)], axis=3)
    with kinetoscope.Host() as host:
        media = host.provider("media")
        given = attrs.evolve(Video.from_frames(film, 25), timestamps=stamps)
        name = "film.mp4" if way == "turned" else "film.mkv"
        if way in ("turned", "deep"):
            written(tmp_path / name, film, way)
        else:
            media.write(tmp_path / name, given, quality="high")
        media.write(tmp_path / "mask.mkv", Video.from_frames(covered, 25), quality="high")
        words = (name, "out.mkv", "--mask", "mask.mkv")
        files = [word if word.startswith("--") else tmp_path / word for word in words]
        assert run(*files, "--provider", "propagate")["frames"] == 6
        made = media.open(tmp_path / "out.mkv")
        frames = np.stack(list(made.frames()))[:, : film.shape[1], : film.shape[2], :3]
        if stamps is not None:
            np.testing.assert_allclose(made.timestamps, stamps, atol=0.002)
    inside = scene.covered[:, : film.shape[1], : film.shape[2]]
    truth = scene.truth[:, : film.shape[1], : film.shape[2]]
    left, before = (
        np.abs(held[inside] - truth[inside].astype(float)).mean() for held in (frames, film[..., :3])
    )
    assert left < 0.5 * before


def run(*words, status=0):
    done = CliRunner().invoke(main, ["inpaint", *map(str, words), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout) if status < 2 else done.output


def read(path):
    with kinetoscope.Host() as host:
        return np.stack(list(host.provider("media").open(path).frames()))


@pytest.mark.parametrize(
    "how", [("--mask", "bright.mkv"), ("--mask", "dark.mkv", "--dark"), ("--quadmask", "dark.mkv")]
)
def test_a_film_without_the_thing(scenes, films, tmp_path, how) -> None:
    scene, folder = films
    option, name, *more = how
    out, beside = tmp_path / "out.mp4", tmp_path / "beside.mp4"
    words = (
        folder / "film.mkv",
        out,
        option,
        folder / name,
        *more,
        "--provider",
        "propagate",
        "--compare",
        beside,
    )
    data = run(*words)
    assert (data["frames"], data["provider"], data["report"]["frames"]) == (10, "propagate", 10)
    assert data["report"]["hidden"] == pytest.approx(scene.covered.sum(), rel=0.05)
    # H.264 takes its share of so fine a pattern.
    assert scenes.scores(read(out), scene)["psnr"] > scenes.scores(scenes.telea(scene), scene)["psnr"] + 6
    assert read(beside).shape == (10, 96, 320, 3)


@pytest.mark.parametrize("how", ["--mask", "--quadmask"])
def test_a_mask_that_misses_the_outline_is_let_grow(films, tmp_path, how) -> None:
    scene, folder = films
    thin = np.stack([cv2.erode(held.astype(np.uint8), np.ones((11, 11), np.uint8)) for held in scene.covered])
    lit, rest = (255, 0) if how == "--mask" else (0, 255)
    picture = np.repeat(np.where(thin, lit, rest).astype(np.uint8)[..., None], 3, axis=3)
    with kinetoscope.Host() as host:
        host.provider("media").write(tmp_path / "thin.mkv", Video.from_frames(picture, 25), quality="high")
    left = {}
    for name, by in (("thin", 0), ("grown", 7), ("whole", 0)):
        mask = (how, tmp_path / "thin.mkv") if name != "whole" else ("--mask", folder / "bright.mkv")
        run(
            *(folder / "film.mkv", tmp_path / "out.mkv", *mask, "--grow", by),
            *("--provider", "propagate"),
        )
        off = read(tmp_path / "out.mkv").astype(float) - scene.truth
        left[name] = np.abs(off[scene.covered]).mean()
    assert left["whole"] < 0.8 * left["thin"], left
    assert left["grown"] < left["whole"] + 0.2 * (left["thin"] - left["whole"]), left


def test_what_does_not_fit_is_said_and_nothing_is_left(films, tmp_path) -> None:
    _, folder = films
    out = tmp_path / "out.mp4"
    data = run(folder / "film.mkv", out, "--mask", folder / "short.mkv", status=1)
    assert "4 frames" in data["error"]["message"]
    assert "10" in data["error"]["message"]
    data = run(folder / "film.mkv", out, "--mask", folder / "tall.mkv", status=1)
    assert "96 x 160 pixels, the video 160 x 96" in data["error"]["message"]
    data = run(folder / "film.mkv", out, "--mask", folder / "all.mkv", status=1)
    assert "covers all of every frame" in data["error"]["message"]
    data = run(folder / "sound.wav", out, "--mask", folder / "bright.mkv", status=1)
    assert "only audio" in data["error"]["message"]
    said = run(folder / "cut.mp4", out, "--mask", folder / "bright.mkv", status=1)["error"]["message"]
    assert re.search(r"cut.mp4: is cut off: [1-9] frames are there \(expected 10\)", said)
    said = run(folder / "film.mkv", out, "--mask", folder / "cut.mp4", status=1)["error"]["message"]
    assert re.search(r"cut.mp4: is cut off: [1-9] frames are there \(expected 10\)", said)
    for words in (("gone/out.mp4",), ("out.mp4", "--compare", "gone/both.mp4")):
        places = [word if word.startswith("--") else tmp_path / word for word in words]
        data = run(folder / "film.mkv", *places, "--mask", folder / "bright.mkv", status=1)
        assert re.search(r"there is no folder .*gone, expected", data["error"]["message"])
    places = (out, "--compare", tmp_path / "both.xyz")
    data = run(folder / "film.mkv", *places, "--mask", folder / "bright.mkv", status=1)
    assert f"{tmp_path / 'both.xyz'}: no film is written as '.xyz'" in data["error"]["message"]
    assert list(tmp_path.iterdir()) == []
    assert "in one way" in run(folder / "film.mkv", out, status=2)
    clash = run(folder / "film.mkv", folder / "film.mkv", "--mask", folder / "bright.mkv", status=2)
    assert "can't be written to" in clash


def test_what_a_reasoner_said_beside_the_quadmask_is_the_prompt(films, tmp_path, monkeypatch) -> None:
    from kinetoscope_propagate.inpainter import PropagateInpainter

    _, folder = films
    quadmask = tmp_path / "quadmask_0.mkv"
    quadmask.write_bytes((folder / "dark.mkv").read_bytes())
    told = []
    plain = PropagateInpainter.inpaint

    def inpaint(self, video, mask, *, prompt=None, **options):
        told.append(prompt)
        return plain(self, video, mask, prompt=prompt, **options)

    monkeypatch.setattr(PropagateInpainter, "inpaint", inpaint)
    words = [folder / "film.mkv", tmp_path / "out.mp4", "--quadmask", quadmask, "--provider", "propagate"]
    run(*words)
    (tmp_path / "prompt.json").write_text('{"bg": "an empty table"}')
    run(*words)
    run(*words, "--prompt", "a wall")
    assert told == [None, "an empty table", "a wall"]
    for held, said in (("{", "is no JSON"), ('{"fg": 1}', 'expected {"bg"'), ('["bg"]', 'expected {"bg"')):
        (tmp_path / "prompt.json").write_text(held)
        data = CliRunner().invoke(main, ["inpaint", *map(str, words), "--json"])
        assert data.exit_code == 1
        assert said.replace('"', "") in data.output.replace("\\", "").replace('"', "")


@pytest.fixture(scope="module")
def pointed(tmp_path_factory):
    """A disc with a shadow that goes over a wall, and the wall without either."""
    rng = np.random.default_rng(811)
    noise = rng.normal(size=(96, 160, 3)).astype(np.float32)
    wall = 150 + 18 * sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (1.5, 4.0))
    frames, changed = [], []
    for t in range(12):
        shade, disc = np.zeros((2, 96, 160), np.uint8)
        cv2.ellipse(shade, (25 + 10 * t, 58), (18, 9), 0, 0, 360, 1, -1)
        cv2.circle(disc, (25 + 10 * t, 42), 15, 1, -1)
        frame = np.where(shade[..., None] > 0, 0.6 * wall, wall)
        frames.append(np.where(disc[..., None] > 0, (200, 40, 30), frame))
        changed.append((shade | disc) > 0)
    path = tmp_path_factory.mktemp("pointed") / "film.mkv"
    with kinetoscope.Host() as host:
        shot = np.stack(frames).round().clip(0, 255).astype(np.uint8)
        host.provider("media").write(path, Video.from_frames(shot, 12), quality="high")
    return path, wall, np.stack(changed)


@pytest.mark.parametrize("reasoner", ["motion", "none"])
@pytest.mark.parametrize("places", [("--box", "60,27,91,58@5"), ("--point", "75,42@5", "--not", "75,63@5")])
def test_from_places_to_a_film_without_thing_and_shadow(pointed, tmp_path, reasoner, places) -> None:
    path, wall, changed = pointed
    out = tmp_path / "out.mkv"
    words = (*places, "--provider", "propagate", "--segmenter", "grabcut")
    data = run(path, out, *words, "--reasoner", reasoner)
    assert data["frames"] == 12
    assert (data["mask"]["segmenter"], data["mask"]["reasoner"]) == ("grabcut", reasoner)
    left = np.abs(read(out) - wall)[changed].mean()
    before = np.abs(read(path) - wall)[changed].mean()
    assert left < 0.15 * before if reasoner == "motion" else left > 0.15 * before, (left, before)
    assert bool(data["mask"]["affected"]) == (reasoner == "motion")
    assert list(tmp_path.iterdir()) == [out]


def test_clicks_that_do_not_fit_are_said(pointed, tmp_path) -> None:
    path, *_ = pointed
    out = tmp_path / "out.mkv"
    data = run(path, out, "--point", "500,42", "--segmenter", "grabcut", status=1)
    assert "500" in data["error"]["message"]
    both = run(path, out, "--point", "75,42", "--mask", path, status=2)
    assert "in one way" in both
    assert "goes with --point" in run(path, out, "--mask", path, "--reasoner", "none", status=2)
    assert list(tmp_path.iterdir()) == []

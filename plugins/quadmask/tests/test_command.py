"""`kinetoscope mask`: what it writes, prints, resumes and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from click.testing import CliRunner, Result
from quadmask_discs import COUNT, INSIDE, VIDEO, FakeHost, Flood, stacked

from kinetoscope_av.provider import AvMedia
from kinetoscope_quadmask.command import command
from kinetoscope_quadmask.hooks import Box, Point, Prompts, read_quadmask, write_mask
from kinetoscope_spec import Audio, ConfigError, FormatError, Mask, ProviderNotFound, ValidationError, Video

MEDIA = AvMedia()
CLICK = Prompts([Point(32, 15, 3)])


@pytest.fixture
def film(tmp_path: Path) -> Path:
    MEDIA.write(tmp_path / "plate.mkv", VIDEO, quality=0)
    return tmp_path / "plate.mkv"


def run(film: Path, *options: Any, host: FakeHost | None = None) -> Result:
    out = film.with_name("mask.mp4")
    return CliRunner().invoke(command, [str(film), str(out), *map(str, options)], obj=host or FakeHost())


def test_a_click_makes_a_mask_and_says_so(film: Path) -> None:
    done = run(
        film, "--point", "32,15@3", "--not", "60,60@3", "--json", "--preview", film.with_name("look.mp4")
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["frames"], told["provider"], told["reasoner"]) == (COUNT, "a-segmenter", "a-reasoner")
    assert told["scene"] == "An empty floor."
    assert told["affected"] == ["shadow"]
    assert [stage["name"] for stage in told["stages"]] == ["segment", "reason", "locate", "combine"]
    assert all(Path(file).is_file() for stage in told["stages"] for file in stage["files"])
    found = stacked(read_quadmask(MEDIA, told["output"]))
    np.testing.assert_array_equal(found <= 63, followed(film, CLICK))
    preview = stacked(MEDIA.open(film.with_name("look.mp4")))
    below = np.argwhere(found[4] == 127)[0]
    assert preview[4, below[0], below[1], 2] > VIDEO.source.frames[4, below[0], below[1], 2] + 30
    again = json.loads(run(film, "--point", "32,15@3", "--not", "60,60@3", "--json").output)
    assert all(stage["cached"] for stage in again["stages"])


def test_two_objects_and_a_box(film: Path) -> None:
    done = run(film, "--point", "32,15@3", "--box", "2:92,30,108,46", "--reasoner", "off")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{COUNT} frames in ")
    found = stacked(read_quadmask(MEDIA, film.with_name("mask.mp4")))
    np.testing.assert_array_equal(found == 0, followed(film, CLICK, Prompts(boxes=[Box(92, 30, 108, 46)])))


def test_prompts_of_a_file_and_of_the_line_add_up(film: Path) -> None:
    record = {"frame_width": 128, "frame_height": 72, "points_by_frame": {"3": [[32, 15]]}}
    film.with_name("info.json").write_text(json.dumps(record))
    options = ("--prompts", film.with_name("info.json"), "--reasoner", "off", "--json")
    assert run(film, *options).exit_code == 0
    found = stacked(read_quadmask(MEDIA, film.with_name("mask.mp4")))
    np.testing.assert_array_equal(found == 0, followed(film, CLICK))
    assert run(film, *options, "--point", "34,15@3").exit_code == 0
    info = json.loads((film.with_name("mask.mp4.stages") / "segmentation_info.json").read_text())
    assert info["points_by_frame"] == {"3": [[32.0, 15.0], [34.0, 15.0]]}


def followed(film: Path, *objects: Prompts) -> np.ndarray:
    """What the segmenter finds in the film itself, whose colours a codec has changed at edges."""
    masks = Flood().segment(MEDIA.open(film), objects).masks
    found = np.any([stacked(mask) > 0 for mask in masks], axis=0)
    truth = INSIDE[: len(objects)].any(axis=0)
    assert (found & truth).sum() > 0.6 * (found | truth).sum()
    return found


@pytest.mark.parametrize("dark", [True, False])
def test_a_mask_needs_no_segmenter(film: Path, dark: bool) -> None:
    inside = INSIDE[2] ^ dark
    write_mask(MEDIA, film.with_name("given.mkv"), Mask.from_frames(np.where(inside, 255, 0), 12))
    options = ["--mask", film.with_name("given.mkv"), *(["--dark"] if dark else [])]
    done = run(film, *options, host=FakeHost({"media": MEDIA}))
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(stacked(read_quadmask(MEDIA, film.with_name("mask.mp4"))) == 0, INSIDE[2])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "say what is to be taken out"),
        (["--point", "1,1", "--mask", "m.mp4"], "say what is to be taken out"),
        (["--point", "1"], "expected [OBJECT:]X,Y[@FRAME]"),
        (["--point", "1,2,3"], "expected [OBJECT:]X,Y[@FRAME]"),
        (["--point", "1,2@-1"], "expected [OBJECT:]X,Y[@FRAME]"),
        (["--point", "nan,2"], "expected [OBJECT:]X,Y[@FRAME]"),
        (["--box", "5,5,1,1"], "expected an area"),
        (["--point", "1,1", "--dark"], "--dark goes with --mask"),
        (["--point", "1,1", "--grid", "0x4"], "expected such as 8x14"),
        (["--point", "1,1", "--preview", "plate.mkv"], "is read from"),
    ],
)
def test_wrong_use_has_status_2(film: Path, options: list[str], says: str) -> None:
    held = [str(film.with_name(word)) if word.endswith(".mkv") else word for word in options]
    done = run(film, *held)
    assert done.exit_code == 2
    assert says in " ".join(done.output.replace("│", " ").split())
    assert not film.with_name("mask.mp4").exists()


def test_another_container_holds_the_same(film: Path) -> None:
    """`.mp4` is the stage's own file, anything else is written anew."""
    assert run(film, "--point", "32,15@3").exit_code == 0
    mask = film.with_name("mask.mp4")
    assert mask.read_bytes() == (film.with_name("mask.mp4.stages") / "quadmask_0.mp4").read_bytes()
    other = film.with_name("mask.mov")
    stages = ["--stages", str(film.with_name("mask.mp4.stages"))]
    done = CliRunner().invoke(
        command, [str(film), str(other), "--point", "32,15@3", *stages, "--json"], obj=FakeHost()
    )
    assert all(stage["cached"] for stage in json.loads(done.output)["stages"])
    found, same = (stacked(read_quadmask(MEDIA, path)) for path in (mask, other))
    np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("dark", [True, False])
def test_a_mask_that_covers_everything_is_refused(film: Path, dark: bool) -> None:
    given = film.with_name("given.mkv")
    write_mask(MEDIA, given, Mask.from_frames(np.full(INSIDE[2].shape, 0 if dark else 255, np.uint8), 12))
    done = run(film, "--mask", given, *(["--dark"] if dark else []))
    assert isinstance(done.exception, ValidationError)
    assert f"{given}: the mask covers all of every frame, expected some background" in str(done.exception)
    assert ("is it --dark" in str(done.exception)) != dark
    assert set(film.parent.iterdir()) == {film, given}
    part = np.full(INSIDE[2].shape, 0 if dark else 255, np.uint8)
    part[-1, 5, 5:9] ^= 255
    write_mask(MEDIA, given, Mask.from_frames(part, 12))
    assert run(film, "--mask", given, *(["--dark"] if dark else [])).exit_code == 0


@pytest.mark.parametrize(
    ("out", "preview", "says"),
    [
        ("gone/mask.mp4", None, r"gone/mask.mp4: there is no folder .*gone, expected one that exists"),
        ("mask.mp4", "gone/look.mp4", r"gone/look.mp4: there is no folder .*gone, expected one that exists"),
        ("mask.mp4", "look.xyz", r"look.xyz: no film is written as '.xyz'"),
    ],
)
def test_places_that_can_not_be_written_to_are_said_before_the_work(
    film: Path, out: str, preview: str | None, says: str
) -> None:
    look = ["--preview", str(film.parent / preview)] if preview else []
    words = [str(film), str(film.parent / out), "--point", "32,15@3", *look]
    done = CliRunner().invoke(command, words, obj=FakeHost())
    assert isinstance(done.exception, ValidationError | ConfigError)
    assert re.search(says, str(done.exception).replace("\\", "/"))
    assert list(film.parent.iterdir()) == [film]


def test_another_suffix_is_refused_before_any_work(film: Path) -> None:
    done = CliRunner().invoke(
        command, [str(film), str(film.with_name("m.avi")), "--point", "1,1"], obj=FakeHost()
    )
    assert done.exit_code == 2
    assert "expected a name that ends in .mp4" in done.output
    assert [path.name for path in film.parent.iterdir()] == [film.name]


@pytest.mark.parametrize("what", ["words", "sound", "cut"])
def test_what_is_no_film_leaves_nothing(film: Path, what: str) -> None:
    path = film.with_name(f"{what}.{'wav' if what == 'sound' else 'mp4'}")
    if what == "sound":
        MEDIA.write_audio(path, Audio(np.zeros((800, 1)), 8000))
    elif what == "words":
        path.write_text("no film")
    else:
        MEDIA.write(path, VIDEO)
        path.write_bytes(path.read_bytes()[:1500])
    done = run(path, "--point", "32,15@3")
    assert isinstance(done.exception, FormatError)
    assert path.name in str(done.exception)
    assert {held.name for held in film.parent.iterdir()} == {film.name, path.name}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--point", "32,15@99"], f"on frame 99, but the video has {COUNT} frames"),
        (["--point", "500,15@3"], "point (500, 15) lies outside the picture"),
        (["--point", "1,1@3", "--not", "1,1@99"], "on frame 99"),
    ],
)
def test_prompts_that_do_not_fit_leave_no_folder(film: Path, options: list[str], says: str) -> None:
    done = run(film, *options)
    assert isinstance(done.exception, ValidationError)
    assert says in str(done.exception)
    assert list(film.parent.iterdir()) == [film]
    assert run(film, "--point", "32,15@3", "--reasoner", "off").exit_code == 0
    run(film, *options)
    assert film.with_name("mask.mp4.stages").is_dir(), "what an earlier run left stays"


@pytest.mark.parametrize("what", ["film", "mask"])
def test_a_film_or_a_mask_that_ends_too_early_is_named(film: Path, what: str) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (12, 64, 96, 3), np.uint8)
    inside = np.zeros(noise.shape[:3], bool)
    inside[:, 20:40, 30:60] = True
    film, given = film.with_name("noise.mp4"), film.with_name("given.mp4")
    MEDIA.write(film, Video.from_frames(noise, 12), quality="high")
    bright = np.where(inside[..., None], noise // 4 + 190, noise // 4).astype(np.uint8)
    MEDIA.write(given, Video.from_frames(bright, 12), quality="high")
    cut = film if what == "film" else given
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    before = set(film.parent.iterdir())
    done = run(film, "--mask", given, "--reasoner", "off")
    assert isinstance(done.exception, FormatError)
    assert re.search(rf"{cut.name}: is cut off: [5-9] frames are there \(expected 12\)", str(done.exception))
    assert set(film.parent.iterdir()) == before


def test_frames_of_any_rate_and_odd_size_keep_their_times(film: Path) -> None:
    times = np.array([0.0, 0.1, 0.3, 0.35, 0.6, 0.9, 1.0, 1.4])
    odd = Video.from_frames(VIDEO.source.frames[:, :71, :127], 12)
    MEDIA.write(film, attrs.evolve(odd, timestamps=times))
    assert run(film, "--box", "24,7,41,24@3", "--reasoner", "off").exit_code == 0
    found = read_quadmask(MEDIA, film.with_name("mask.mp4"))
    opened = MEDIA.open(film)
    assert (found.width, found.height) == (opened.width, opened.height)
    np.testing.assert_allclose(found.timestamps, opened.timestamps, atol=2e-3)


def test_without_a_segmenter_it_says_so(film: Path) -> None:
    done = run(film, "--point", "1,1", host=FakeHost({"media": MEDIA}))
    assert isinstance(done.exception, ProviderNotFound)

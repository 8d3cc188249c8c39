"""Films: what is written comes back, whole, in place, and damaged files are named."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinetoscope_av.hooks import Media
from kinetoscope_av.provider import AvMedia
from kinetoscope_spec import Audio, Cancelled, ConfigError, FormatError, ValidationError, Video

MEDIA = AvMedia()
DATA = os.environ.get("KINETOSCOPE_DATA")
REAL = sorted(Path(DATA, "video").rglob("*.mp4")) if DATA else []


def picture(i: int, width: int = 96, height: int = 64) -> np.ndarray:
    """A smooth picture that differs from frame to frame, without sharp colour edges."""
    y, x = np.mgrid[:height, :width].astype(float)
    waves = [np.sin(x / 14 + i / 5), np.sin(y / 11 - i / 7), np.sin((x + y) / 19 + i / 3)]
    return (128 + 90 * np.stack(waves, 2)).astype(np.uint8)


def film(count: int = 40, **size: int) -> Iterator[np.ndarray]:
    return (picture(i, **size) for i in range(count))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b.astype(float)) ** 2), 1e-9)))


def tone(seconds: float, rate: int = 48000, channels: int = 2) -> Audio:
    t = np.arange(int(seconds * rate)) / rate
    return Audio(np.stack([0.4 * np.sin(2 * np.pi * f * t) for f in (440, 660)[:channels]], 1), rate)


def test_is_media() -> None:
    assert isinstance(MEDIA, Media)


@pytest.mark.parametrize(
    ("suffix", "least_db"), [("mp4", 36), ("mov", 36), ("mkv", 36), ("webm", 36), ("gif", 29)]
)
def test_round_trip(tmp_path: Path, suffix: str, least_db: float) -> None:
    path = tmp_path / f"film.{suffix}"
    written = MEDIA.write(path, film(), rate=25, quality="high")
    video = MEDIA.open(path)
    assert (video.width, video.height, video.rate, video.frame_count) == (96, 64, 25, 40)
    assert (written.frames, written.bytes, written.seconds) == (40, path.stat().st_size, 1.6)
    frames = list(video.frames())
    assert len(frames) == 40
    assert min(psnr(frame[..., :3], picture(i)) for i, frame in enumerate(frames)) > least_db
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (17, 130, 77)])
def test_colours_survive_tagged_as_bt709(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    path = tmp_path / "flat.mp4"
    MEDIA.write(path, [np.full((64, 64, 3), colour, np.uint8)] * 2, rate=25, quality="high")
    frame = next(MEDIA.open(path).frames())
    assert np.abs(frame[8:-8, 8:-8].astype(int) - colour).max() <= 4
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_trc, context.color_primaries, context.color_range) == (
            1,
            1,
            1,
            1,
        )
        assert context.pix_fmt == "yuv420p"


def test_index_stands_in_front(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    MEDIA.write(path, film(), rate=25)
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif"])
def test_seeking_is_frame_exact(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    MEDIA.write(path, film(70), rate=30, quality="draft")
    video = MEDIA.open(path)
    whole = list(video.frames())
    for start, stop in [(0, 1), (1, 2), (29, 33), (69, 70), (60, None), (5, 5), (-3, None), (68, 999)]:
        part = list(video.frames(start, stop))
        assert len(part) == len(whole[start:stop])
        assert all(np.array_equal(a, b) for a, b in zip(part, whole[start:stop], strict=True))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 79), length=st.integers(0, 5))
def test_any_range_of_an_open_gop_is_what_reading_from_the_start_gives(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int
) -> None:
    path, whole = _open_gop(tmp_path_factory)
    part = list(MEDIA.open(path).frames(start, start + length))
    assert len(part) == len(whole[start : start + length])
    assert all(np.array_equal(a, b) for a, b in zip(part, whole[start : start + length], strict=True))


_OPEN: list[tuple[Path, list[np.ndarray]]] = []


def _open_gop(factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """A film whose B frames lean on the next group of pictures, encoded by PyAV alone."""
    if not _OPEN:
        path = factory.mktemp("gop") / "open.mp4"
        with av.open(str(path), "w") as container:
            options = {"x264-params": "open-gop=1:keyint=12:min-keyint=4:bframes=4:b-pyramid=2"}
            stream = container.add_stream("libx264", rate=30, options=options)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for image in film(80):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
        _OPEN.append((path, list(MEDIA.open(path).frames())))
    return _OPEN[0]


def test_decoding_is_the_formula_of_bt709(tmp_path: Path) -> None:
    """Oracle: ITU-R BT.709-6, section 3, on the decoded planes, each chroma sample spread over 2 x 2."""
    path = tmp_path / "film.mp4"
    MEDIA.write(path, film(5), rate=25)
    with av.open(str(path)) as container:
        for frame, ours in zip(container.decode(video=0), MEDIA.open(path).frames(), strict=True):
            planes = frame.to_ndarray().astype(float).reshape(-1)
            luma, cb, cr = np.split(planes, [64 * 96, 64 * 96 + 32 * 48])
            y = (luma.reshape(64, 96) - 16) / 219
            b, r = (np.kron((c.reshape(32, 48) - 128) / 224, np.ones((2, 2))) for c in (cb, cr))
            rgb = np.stack([y + 1.5748 * r, y - 0.1873 * b - 0.4681 * r, y + 1.8556 * b], 2) * 255
            error = np.clip(rgb, 0, 255) - ours
            assert np.abs(error).mean() < 3
            assert np.abs(error.mean(axis=(0, 1))).max() < 0.75


@pytest.mark.parametrize("size", [(47, 33), (1, 1), (2, 3), (64, 65)])
def test_odd_sizes_grow_by_the_edge(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    path = tmp_path / "odd.mp4"
    written = MEDIA.write(path, film(3, width=width, height=height), rate="24000/1001", quality="high")
    assert (written.width, written.height) == (width + width % 2, height + height % 2)
    video = MEDIA.open(path)
    assert (video.width, video.height, video.rate) == (written.width, written.height, Fraction(24000, 1001))
    if min(size) > 16:
        assert psnr(next(video.frames())[:height, :width], picture(0, width, height)) > 34


def test_odd_sizes_stay_in_webm(tmp_path: Path) -> None:
    MEDIA.write(tmp_path / "odd.webm", film(3, width=47, height=33), rate=25)
    video = MEDIA.open(tmp_path / "odd.webm")
    assert (video.width, video.height) == (47, 33)


def test_scales_to_size(tmp_path: Path) -> None:
    MEDIA.write(tmp_path / "small.mp4", film(3), rate=25, size=(48, 32))
    video = MEDIA.open(tmp_path / "small.mp4")
    assert (video.width, video.height) == (48, 32)


def test_varying_rate_survives(tmp_path: Path) -> None:
    stamps = np.cumsum([0, 0.04, 0.1, 0.02, 0.5, 0.04])
    frames = np.stack([picture(i) for i in range(6)])
    base = Video.from_frames(frames, 25)
    video = Video(base.width, base.height, base.rate, base.source, 6, stamps)
    MEDIA.write(tmp_path / "vfr.mp4", video, quality="high")
    back = MEDIA.open(tmp_path / "vfr.mp4")
    assert back.timestamps is not None
    assert np.allclose(back.timestamps, stamps, atol=1e-4)
    assert psnr(list(back.frames())[4], frames[4]) > 34


@pytest.mark.parametrize("suffix", ["webm", "mov"])
def test_alpha_survives(tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((64, 96, 1), np.uint8)
    alpha[16:48, 24:72] = 255
    frames = [np.concatenate([picture(i), alpha], 2) for i in range(4)]
    MEDIA.write(tmp_path / f"a.{suffix}", frames, rate=25, quality="high", alpha=True)
    video = MEDIA.open(tmp_path / f"a.{suffix}")
    back = list(video.frames())
    assert len(back) == 4
    assert back[2].shape == (64, 96, 4)
    assert np.abs(back[2][..., 3:].astype(int) - alpha).mean() < 3


def test_alpha_where_it_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="alpha"):
        MEDIA.write(tmp_path / "a.mp4", [np.zeros((4, 4, 4), np.uint8)], rate=25, alpha=True)


@pytest.mark.parametrize(
    ("suffix", "rate", "channels"), [("mp4", 48000, 2), ("mp4", 22050, 1), ("webm", 48000, 2)]
)
def test_sound_survives_in_time(tmp_path: Path, suffix: str, rate: int, channels: int) -> None:
    sound = tone(1.6, rate, channels)
    path = tmp_path / f"film.{suffix}"
    assert MEDIA.write(path, film(), rate=25, audio=sound).audio
    back = MEDIA.open(path).audio
    assert back is not None
    assert (back.rate, back.samples.shape[1]) == (rate, channels)
    assert abs(back.duration - 1.6) < 0.03
    n = int(1.5 * rate)
    difference = back.samples[:n] - sound.samples[:n]
    # A shift by one sample alone would give 0.03 at 660 Hz; the level of the tone is 0.28.
    assert np.sqrt((difference**2).mean()) < 0.03
    part = MEDIA.read_audio(path, 0.5, 0.75)
    assert part is not None
    assert abs(len(part.samples) - 0.25 * rate) < 1
    assert np.abs(part.samples - back.samples[round(0.5 * rate) :][: len(part.samples)]).max() < 0.02


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_the_padding_of_the_last_frame_of_sound_is_cut_off(tmp_path: Path, rate: int) -> None:
    """AAC fills its last frame of 1,024 samples: an eighth of a second at 8 kHz."""
    path = tmp_path / "f.mp4"
    sound = tone(0.667, rate)
    MEDIA.write(path, film(16), rate=24, audio=sound)
    back = MEDIA.open(path).audio
    assert back is not None
    assert abs(back.duration - sound.duration) < 0.002


def test_silent_film_has_no_sound(tmp_path: Path) -> None:
    MEDIA.write(tmp_path / "f.mp4", film(2), rate=25)
    assert MEDIA.open(tmp_path / "f.mp4").audio is None
    assert MEDIA.read_audio(tmp_path / "f.mp4") is None


def test_keys_of_metadata_are_lower_case(tmp_path: Path) -> None:
    for suffix in ("mkv", "webm", "mov"):
        MEDIA.write(tmp_path / f"f.{suffix}", film(2), rate=25, metadata={"artist": "Muybridge"})
        assert MEDIA.metadata(tmp_path / f"f.{suffix}")["artist"] == "Muybridge"


def test_metadata(tmp_path: Path) -> None:
    MEDIA.write(tmp_path / "f.mp4", film(2), rate=25, metadata={"title": "Gehen", "comment": "ω"})
    assert MEDIA.metadata(tmp_path / "f.mp4")["title"] == "Gehen"
    assert MEDIA.metadata(tmp_path / "f.mp4")["comment"] == "ω"
    assert "creation_time" not in MEDIA.metadata(tmp_path / "f.mp4")


@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif", "mkv"])
def test_same_frames_same_bytes(tmp_path: Path, suffix: str) -> None:
    sound = None if suffix == "gif" else tone(0.5)
    written = set()
    for _ in range(8):  # an encoder that was not the same each time was the same every other time
        MEDIA.write(tmp_path / f"a.{suffix}", film(20), rate=25, audio=sound)
        written.add((tmp_path / f"a.{suffix}").read_bytes())
    assert len(written) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("at", [0, 7])
def test_interrupted_write_leaves_what_was_there(tmp_path: Path, error: type[BaseException], at: int) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")

    def frames() -> Iterator[np.ndarray]:
        for i in range(20):
            if i == at:
                raise error
            yield picture(i)

    with pytest.raises(error):
        MEDIA.write(path, frames(), rate=25)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


def test_progress_counts_and_cancels(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int, message: str) -> bool:
        seen.append((done, total))
        return done < 5

    with pytest.raises(Cancelled):
        MEDIA.write(tmp_path / "f.mp4", list(film(9)), rate=25, progress=progress)
    assert seen == [(i, 9) for i in range(1, 6)]
    assert not list(tmp_path.iterdir())


def test_wrong_requests_are_named(tmp_path: Path) -> None:
    one = [np.zeros((8, 8, 3), np.uint8)]
    for suffix, options, word in [
        ("mp5", {"rate": 25}, "'.mp4'"),
        ("mp4", {"rate": 25, "quality": "hihg"}, "'high'"),
        ("mp4", {"rate": 25, "quality": 99}, "0 to 51"),
        ("mp4", {}, "rate is missing"),
        ("mp4", {"rate": 0}, "above 0"),
        ("mp4", {"rate": float("nan")}, "frames per second"),
        ("mp4", {"rate": 25, "size": (0, 4)}, "pixels"),
        ("gif", {"rate": 25, "audio": tone(0.1)}, "no sound"),
        ("gif", {"rate": 25, "quality": 3}, "no rate factor"),
    ]:
        with pytest.raises(ConfigError, match=word):
            MEDIA.write(tmp_path / f"f.{suffix}", one, **options)
    for frames, word in [
        ([], "at least one"),
        ([*one, np.zeros((8, 9, 3), np.uint8)], "frame 1"),
        ([np.zeros((8, 8, 3))], "float64"),
        ([np.zeros((8, 8), np.uint8)], "expected uint8"),
    ]:
        with pytest.raises(ValidationError, match=word):
            MEDIA.write(tmp_path / "f.mp4", frames, rate=25)
    assert not list(tmp_path.iterdir())


def test_bad_files_are_named(tmp_path: Path) -> None:
    good = tmp_path / "good.mp4"
    MEDIA.write(good, film(30), rate=25, quality="high")
    content = good.read_bytes()
    cases: dict[str, bytes] = {
        "empty.mp4": b"",
        "short.mp4": content[: len(content) // 2],
        "head.mp4": content[:100],
        "noise.mp4": np.random.default_rng(1).bytes(20_000),
        "zeros.mp4": bytes(5000),
        "text.mp4": b"{" * 100_000,
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\ngood.mp4\n",
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError, match=name):
            list(MEDIA.open(tmp_path / name).frames())
    os.truncate(tmp_path / "empty.mp4", 10 << 30)
    os.mkfifo(tmp_path / "pipe.mp4")
    for name in ("empty.mp4", ".", "pipe.mp4", "missing.mp4", "x\0y.mp4"):
        with pytest.raises(FormatError):
            MEDIA.open(tmp_path / name)
    with pytest.raises(OSError, match=r"missing\.mp4"):
        MEDIA.open(tmp_path / "missing.mp4")


def test_truncated_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    for suffix in ("mp4", "webm"):
        good = tmp_path / f"good.{suffix}"
        MEDIA.write(good, film(100), rate=25, quality="draft")
        content = good.read_bytes()
        for part in (0.1, 0.3, 0.6, 0.9):
            cut = tmp_path / f"cut.{suffix}"
            cut.write_bytes(content[: int(len(content) * part)])
            with pytest.raises(FormatError, match="cut"):
                list(MEDIA.open(cut).frames())


def test_a_small_file_with_huge_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gif"
    MEDIA.write(path, film(2), rate=25)
    content = path.read_bytes()
    path.write_bytes(content[:6] + b"89a8" + content[10:])  # 14,648 x 14,433 pixels
    with pytest.raises(FormatError, match=r"bomb\.gif: has frames of 14648 x 14433 pixels"):
        MEDIA.open(path)


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({b"avc1": b"zzzz"}, "picture"),
        ({b"mp4a": b"zzzz", b"\x04\x80\x80\x80\x17\x40": b"\x04\x80\x80\x80\x17\xff"}, "sound"),
    ],
)
def test_unknown_codecs_are_named(tmp_path: Path, told: dict[bytes, bytes], what: str) -> None:
    path = tmp_path / "film.mp4"
    MEDIA.write(path, film(5), rate=25, audio=tone(0.2))
    content = path.read_bytes()
    for codec, unknown in told.items():
        assert codec in content
        content = content.replace(codec, unknown)
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"film\.mp4: its {what} is of an unknown codec"):
        MEDIA.open(path)
    if what == "sound":
        assert len(list(MEDIA.open(path, audio=False).frames())) == 5


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 96000), np.float32), format="flt", layout="stereo")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(FormatError, match="no moving picture, only audio"):
        MEDIA.open(path)
    sound = MEDIA.read_audio(path)
    assert sound is not None
    assert abs(sound.duration - 1) < 0.05


def test_rotation_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.set_display_rotation(90)
        image = np.zeros((64, 96, 3), np.uint8)
        image[:, 64:] = 255  # the right edge is bright: turned by a quarter to the left it is on top
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    video = MEDIA.open(path)
    assert (video.width, video.height) == (64, 96)
    frame = next(video.frames())
    with av.open(str(path)) as container:
        turn = next(container.decode(video=0)).rotation
    top, bottom = (frame[:24].mean(), frame[-24:].mean())
    assert (top > 200 and bottom < 50) if turn == 90 else (top < 50 and bottom > 200)


def test_film_pickles(tmp_path: Path) -> None:
    MEDIA.write(tmp_path / "f.mp4", film(5), rate=25)
    video = MEDIA.open(tmp_path / "f.mp4")
    copy = pickle.loads(pickle.dumps(video))
    assert np.array_equal(next(copy.frames(3)), next(video.frames(3)))


def test_names_are_only_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("http:film.mp4", "-i.mp4", "füm %03d.mp4", "concat:a|b.mp4"):
        MEDIA.write(name, film(2), rate=25)
        assert MEDIA.open(name).frame_count == 2


@pytest.mark.realdata
@pytest.mark.skipif(not REAL, reason="KINETOSCOPE_DATA is not set")
@pytest.mark.parametrize("path", REAL, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_real_films(path: Path) -> None:
    video = MEDIA.open(path)
    assert video.frame_count is not None
    with av.open(str(path)) as container:
        count = sum(1 for _ in container.decode(video=0))
    assert video.frame_count == count
    whole = [frame.sum(dtype=np.int64) for frame in video.frames()]
    assert len(whole) == count
    assert next(video.frames(count - 2)).sum(dtype=np.int64) == whole[count - 2]

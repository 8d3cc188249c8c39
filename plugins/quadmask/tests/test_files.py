"""Quadmasks on disk: exact in our films, told apart in everybody's, and the real ones."""

from __future__ import annotations

import os
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_av.provider import AvMedia
from kinetoscope_quadmask.hooks import (
    Grid,
    affected_mask,
    as_quadmask,
    check_fit,
    read_mask,
    read_quadmask,
    removed_mask,
    write_mask,
    write_quadmask,
)
from kinetoscope_quadmask.streams import on_grid, with_first_frame
from kinetoscope_spec import Cancelled, ConfigError, FormatError, Mask, Quadmask, ValidationError, Video
from kinetoscope_spec.contracts import strategies

MEDIA = AvMedia()
DATA = os.environ.get("KINETOSCOPE_DATA")


def stacked(stream: Mask | Video) -> np.ndarray:
    return np.stack([frame.copy() for frame in stream.frames()])


@given(strategies.quadmasks(), st.sampled_from((".mp4", ".mkv", ".mov", ".webm")))
@settings(max_examples=25, deadline=None)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, mask: Quadmask, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("mask") / f"quadmask{suffix}"
    write_quadmask(MEDIA, path, mask)
    again = read_quadmask(MEDIA, path)
    assert (again.width, again.height, again.frame_count) == (mask.width, mask.height, len(stacked(mask)))
    assert again.rate == mask.rate
    np.testing.assert_array_equal(stacked(again), stacked(mask))
    assert [frame.tolist() for frame in again.frames(1, 2)] == stacked(mask)[1:2].tolist()
    if suffix != ".webm":  # without loss: every decoder sees the very values
        plain = stacked(MEDIA.open(path))[:, : mask.height, : mask.width, 0]
        np.testing.assert_array_equal(plain, stacked(mask))


def test_a_mask_of_two_values_is_read_back_either_way(tmp_path: Path) -> None:
    soft = np.random.default_rng(1).integers(0, 256, (4, 9, 13), np.uint8)
    write_mask(MEDIA, tmp_path / "mask.mp4", Mask.from_frames(soft, 25))
    found = stacked(read_mask(MEDIA, tmp_path / "mask.mp4"))
    np.testing.assert_array_equal(found, np.where(soft >= 128, 255, 0))
    np.testing.assert_array_equal(stacked(read_mask(MEDIA, tmp_path / "mask.mp4", kind="dark")), 255 - found)


def test_a_lossy_film_of_another_size_is_told_apart(tmp_path: Path) -> None:
    """Large patches, H.264 at a low quality, read at half the size: the edges alone may differ."""
    patches = np.kron(np.random.default_rng(2).choice([0, 63, 127, 255], (3, 4, 4)), np.ones((1, 40, 40)))
    grey = np.repeat(patches[..., None], 3, axis=-1).astype(np.uint8)
    MEDIA.write(tmp_path / "lossy.mp4", Video.from_frames(grey, 12), quality="draft")
    like = Video.from_frames(np.zeros((3, 80, 80, 3), np.uint8), Fraction(24))
    found = read_quadmask(MEDIA, tmp_path / "lossy.mp4", like=like)
    assert found.rate == 24
    wrong = stacked(found) != patches[:, ::2, ::2]
    inner = np.kron(np.ones((4, 4)), np.pad(np.ones((14, 14)), 3)).astype(bool)
    assert not wrong[:, inner].any()


def test_trimasks_are_taken(tmp_path: Path) -> None:
    levels = np.array([0, 60, 100, 180, 200, 255], np.uint8)
    write = np.repeat(np.broadcast_to(levels, (2, 4, 6))[..., None], 3, axis=-1)
    MEDIA.write(
        tmp_path / "tri.mkv",
        Video.from_frames(np.kron(write, np.ones((1, 8, 8, 1), np.uint8)), 12),
        quality=0,
    )
    found = read_quadmask(MEDIA, tmp_path / "tri.mkv", kind="trimask")
    assert stacked(found)[0, 0, ::8].tolist() == [0, 0, 127, 127, 255, 255]


def test_another_length_names_both(tmp_path: Path) -> None:
    write_quadmask(MEDIA, tmp_path / "q.mp4", Quadmask.from_frames(np.zeros((3, 8, 8)), 12))
    like = Video.from_frames(np.zeros((5, 8, 8, 3), np.uint8), 12)
    with pytest.raises(ValidationError, match="the mask has 3 frames, the video 5"):
        read_quadmask(MEDIA, tmp_path / "q.mp4", like=like)


def test_nothing_is_left_of_a_film_that_failed(tmp_path: Path) -> None:
    mask = Quadmask.from_frames(np.zeros((3, 8, 8)), 12)
    with pytest.raises(Cancelled):
        write_quadmask(MEDIA, tmp_path / "sub" / "q.mp4", mask, progress=lambda *_: False)
    with pytest.raises(ConfigError, match=rf"^{tmp_path}/q\.tiff: no film is written as"):
        write_quadmask(MEDIA, tmp_path / "q.tiff", mask)
    (tmp_path / "words.mp4").write_text("no film")
    with pytest.raises(FormatError, match=r"words\.mp4"):
        read_quadmask(MEDIA, tmp_path / "words.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["words.mp4"]


class _Wrong:
    """A media provider that writes everything one level brighter."""

    def __getattr__(self, name: str) -> object:
        return getattr(MEDIA, name)

    def write(self, path: Path, frames: Video, **options: object) -> object:
        held = np.where(stacked(frames) == 63, 127, stacked(frames)).astype(np.uint8)
        return MEDIA.write(path, Video.from_frames(held, frames.rate), **options)


def test_a_codec_that_changes_a_value_is_found_out(tmp_path: Path) -> None:
    mask = Quadmask.from_frames(np.full((2, 8, 8), 63), 12)
    with pytest.raises(ValidationError, match=r"q\.mp4: frame 0 of the mask is not kept"):
        write_quadmask(_Wrong(), tmp_path / "q.mp4", mask)
    assert not list(tmp_path.iterdir())


def test_streams_are_made_of_streams() -> None:
    held = np.array([[[0, 63, 127, 255]]] * 2, np.uint8)
    mask = Quadmask.from_frames(held, 12)
    assert stacked(removed_mask(mask))[0].tolist() == [[255, 255, 0, 0]]
    assert stacked(affected_mask(mask))[0].tolist() == [[0, 255, 255, 0]]
    assert stacked(with_first_frame(mask)).tolist() == [[[0, 0, 255, 255]], [[0, 63, 127, 255]]]
    assert stacked(on_grid(mask, Grid(1, 2))).tolist() == [[[63, 63, 127, 127]]] * 2
    assert [f.tolist() for f in with_first_frame(mask).frames(1)] == [[[0, 63, 127, 255]]]
    assert as_quadmask(mask) is mask
    soft = Mask.from_frames(np.array([[[0, 1, 255]]], np.uint8), 12)
    assert stacked(as_quadmask(soft)).tolist() == [[[255, 0, 0]]]


def test_what_does_not_fit_is_named() -> None:
    mask = Quadmask.from_frames(np.zeros((3, 8, 9)), 12)
    with pytest.raises(ValidationError, match="the mask is 9 x 8 pixels, the video 8 x 8"):
        check_fit(mask, Video.from_frames(np.zeros((3, 8, 8, 3), np.uint8), 12))
    with pytest.raises(ValidationError, match="the quadmask has 3 frames, the video 2"):
        check_fit(mask, Video.from_frames(np.zeros((2, 8, 9, 3), np.uint8), 12), "quadmask")


@pytest.mark.realdata
@pytest.mark.skipif(not DATA, reason="KINETOSCOPE_DATA is not set")
@pytest.mark.parametrize(
    ("sample", "name", "frames", "first", "four"),
    [
        # counts of 0, 63, 127, 255 over all frames that are read, found with FFmpeg's own decoder to RGB
        ("ducky-float", "trimask_quadmask.mp4", 62, {255}, (6598916, 5435829, 5840541, 39978154)),
        ("moving_ball", "quadmask_0.mp4", 6, {0, 255}, None),
    ],
)
def test_real_masks(
    sample: str, name: str, frames: int, first: set[int], four: tuple[int, ...] | None, tmp_path: Path
) -> None:
    """Exact values, nothing affected in frame 0, on the grid already, and the same when written again."""
    folder = Path(str(DATA)) / "video" / sample
    mask = read_quadmask(MEDIA, folder / name, like=MEDIA.open(folder / "input_video.mp4"))
    counts: Counter[int] = Counter()
    gridded, ruled = on_grid(mask), with_first_frame(mask)
    raw = MEDIA.open(folder / name).frames(0, frames)
    for frame, plain, snapped, kept in zip(
        mask.frames(0, frames), raw, gridded.frames(0, frames), ruled.frames(0, frames), strict=True
    ):
        np.testing.assert_array_equal(plain[..., 0], frame)
        np.testing.assert_array_equal(snapped, frame)
        np.testing.assert_array_equal(kept, frame)
        counts.update(dict(zip(*(a.tolist() for a in np.unique(frame, return_counts=True)), strict=True)))
    assert set(np.unique(next(mask.frames()))) == first
    if four:
        assert tuple(counts[value] for value in (0, 63, 127, 255)) == four
    part = Quadmask.from_frames(np.stack(list(mask.frames(2, 5))), mask.rate)
    write_quadmask(MEDIA, tmp_path / "again.mp4", part)
    np.testing.assert_array_equal(stacked(read_quadmask(MEDIA, tmp_path / "again.mp4")), stacked(part))

"""The contract of the hook `inpainter`: what a mask covers is taken out, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.errors import Cancelled, ContractError, ValidationError
from kinetoscope_spec.video import Mask, Quadmask, Video

__all__ = ["InpainterContract"]

Pair = tuple[Video, Mask]
_Stream = TypeVar("_Stream", Video, Mask)

_COVERING = ("box", "full", "scattered", "soft")
"""Kinds of masks that cover something in every frame."""


@attrs.frozen(eq=False)
class _Shared:
    """A source whose frames can be written to, as those of a decoder may: `[T, H, W, ...]`."""

    frames: Array

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        yield from self.frames[start:stop]


class InpainterContract(Contract):
    """What callers of an inpainter rely on.

    A `Mask` covers where it is above 0; a `Quadmask` where it is 0 (remove), 63 (overlap) or 127
    (affected): only 255 is kept.

    Attributes:
        recovery_levels: by how many of 255 levels, on average, what is recovered may be off where
            other frames show it.
        inpaint_options: what is passed to `inpaint`.
    """

    hook: ClassVar[str] = "inpainter"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.inpainter:MUTANTS"
    recovery_levels: float = 8.0
    inpaint_options: Mapping[str, Any] = {}

    def videos(self) -> st.SearchStrategy[Video]:
        """Return videos that the provider can take; narrow it for one with a least size or length."""
        return strategies.videos()

    # -- laws

    @law("_covered")
    def test_size_rate_and_frame_count_are_kept(self, pair: Pair) -> None:
        """Size, rate, timestamps, number of frames, channels and sound are the video's own."""
        video, _ = pair
        made = self._inpaint(*pair)
        require(isinstance(made, Video), f"inpaint returned {type(made).__name__}, expected a Video")
        for name in ("width", "height", "rate"):
            there, here = getattr(video, name), getattr(made, name)
            require(here == there, f"{name} is {here}, expected the video's {there}")
        require(
            made.frame_count in (None, video.frame_count),
            f"frame_count says {made.frame_count}, expected {video.frame_count}",
        )
        wanted, found = _frames(video), _frames(made)
        require(len(found) == len(wanted), f"it has {len(found)} frames, expected {len(wanted)}")
        shapes = {frame.shape for frame in found}
        require(shapes == {wanted[0].shape}, f"frames are {shapes}, expected {wanted[0].shape}")
        require(_same(video.timestamps, made.timestamps), "timestamps differ from the video's")
        require(made.audio == video.audio, "the sound differs from the video's, expected it untouched")

    @law("_covered")
    def test_what_is_outside_the_mask_is_untouched(self, pair: Pair) -> None:
        """Every pixel that the mask does not cover keeps its value, bit for bit."""
        video, mask = pair
        found = _frames(self._inpaint(video, mask))
        for i, (was, now, covered) in enumerate(zip(_frames(video), found, _covered(mask), strict=False)):
            wrong = (was != now).any(axis=-1) & ~covered
            require(
                not wrong.any(),
                f"frame {i}: {wrong.sum()} of {(~covered).sum()} pixels outside the mask changed"
                f"{_first_pixel(wrong, was, now)}",
            )

    @law("_uncovered")
    def test_an_empty_mask_changes_nothing(self, pair: Pair) -> None:
        """Where the mask covers nothing in any frame, the video comes back as it was, bit for bit."""
        video, mask = pair
        found = _frames(self._inpaint(video, mask))
        for i, (was, now) in enumerate(zip(_frames(video), found, strict=False)):
            changed = (was != now).any(axis=-1)
            require(
                not changed.any(),
                f"frame {i}: {changed.sum()} pixels changed under an empty mask"
                f"{_first_pixel(changed, was, now)}",
            )

    @law("_static_scenes", cost=2)
    def test_a_background_seen_in_other_frames_is_recovered(self, given: tuple[Array, Video, Mask]) -> None:
        """A still background that a moving thing uncovers is put where the thing hides it."""
        background, video, mask = given
        found = _frames(self._inpaint(video, mask))
        for i, (now, covered) in enumerate(zip(found, _covered(mask), strict=False)):
            if not covered.any():
                continue
            off = np.abs(now[covered].astype(int) - background[covered]).mean()
            require(
                off <= self.recovery_levels,
                f"frame {i}: what was behind the mask, seen in other frames, is off by {off:.1f} of 255 "
                f"levels on average, expected at most {self.recovery_levels:g}",
            )

    @law("_covered", st.sampled_from((0, 1, 2**31 - 1)), cost=2)
    def test_the_same_seed_gives_the_same_video(self, pair: Pair, seed: int) -> None:
        """The same video, mask and seed give the same frames, bit for bit."""
        first, second = (_frames(self._inpaint(*pair, seed=seed)) for _ in range(2))
        for i, (one, other) in enumerate(zip(first, second, strict=False)):
            differing = (one != other).any(axis=-1)
            require(
                not differing.any(),
                f"frame {i}: {differing.sum()} pixels differ between two calls with seed {seed}"
                f"{_first_pixel(differing, one, other)}",
            )

    @law("_covered", st.sampled_from(((1, 0), (0, 1), (-1, 0), (5, 3))))
    def test_a_mask_of_another_size_is_an_error(self, pair: Pair, more: tuple[int, int]) -> None:
        """A mask of another size than the video's is a `ValidationError` that names both sizes."""
        video, mask = pair
        size = (max(1, mask.width + more[0]), mask.height + more[1])
        if size == (mask.width, mask.height):
            size = (mask.width + 1, mask.height)
        pictures = np.stack([_resized(frame, size) for frame in mask.frames()])
        other = type(mask).from_frames(pictures, mask.rate)
        numbers = {str(n) for n in (video.width, video.height, *size)}
        what = f"a mask of {size[0]} x {size[1]} pixels over a video of {video.width} x {video.height}"
        self._expect_refusal(video, other, numbers, what)

    @law("_covered", st.sampled_from((1, -1, 7)))
    def test_a_mask_of_another_length_is_an_error(self, pair: Pair, more: int) -> None:
        """A mask of more or fewer frames than the video is a `ValidationError` that names both numbers."""
        video, mask = pair
        count = int(video.frame_count or 0)
        wanted = count + more if count + more > 0 else count + 1
        pictures = np.stack([frame for _, frame in zip(range(wanted), _endless(mask), strict=False)])
        other = type(mask).from_frames(pictures, mask.rate)
        what = f"a mask of {wanted} frames over a video of {count}"
        self._expect_refusal(video, other, {str(wanted), str(count)}, what)

    @law("_covered")
    def test_progress_is_told_and_can_stop_the_work(self, pair: Pair) -> None:
        """`progress(done, total, message)` is called as frames are made; False ends it with `Cancelled`."""
        told: list[tuple[int, int]] = []

        def listen(done: int, total: int, message: str) -> None:
            told.append((done, total))

        _frames(self._inpaint(*pair, progress=listen))
        require(told, "progress was never called")
        wrong = [(done, total) for done, total in told if not 0 <= done <= total]
        require(not wrong, f"progress was told {wrong[:1]}, expected (done, total) with 0 <= done <= total")
        order = [done for done, _ in told]
        require(order == sorted(order), f"progress went back: {order}")
        try:
            made = _frames(self._inpaint(*pair, progress=lambda *_: False))
        except Cancelled:
            return
        raise ContractError(f"progress returned False, and {len(made)} frames were made all the same")

    @law("_covered", st.integers(0, 8), st.integers(0, 8), cost=2)
    def test_the_result_can_be_read_again(self, pair: Pair, start: int, length: int) -> None:
        """The frames of the result can be read as often as one likes, and from any frame to any other."""
        made = self._inpaint(*pair)
        whole = _frames(made)
        again = _frames(made)
        require(
            len(again) == len(whole) and all(map(np.array_equal, whole, again)),
            f"a second reading gives {len(again)} frames, expected the same {len(whole)} as the first",
        )
        stop = start + length
        part = [frame.copy() for frame in made.frames(start, stop)]
        require(
            len(part) == len(whole[start:stop]) and all(map(np.array_equal, part, whole[start:stop])),
            f"frames({start}, {stop}) gives {len(part)} frames, expected those of the whole from "
            f"{start} to {stop}",
        )

    @law("_covered")
    def test_the_input_is_left_alone(self, pair: Pair) -> None:
        """The frames of the video and of the mask are read, not written to."""
        video, mask = _writable(pair[0]), _writable(pair[1])
        before = (np.stack(_frames(video)), np.stack(_frames(mask)))
        _frames(self._inpaint(video, mask))
        after = (np.stack(_frames(video)), np.stack(_frames(mask)))
        for name, was, now in zip(("video", "mask"), before, after, strict=True):
            changed = int((now != was).sum())
            require(changed == 0, f"{changed} numbers of the {name} that was passed in were overwritten")

    # -- what laws draw

    def _covered(self) -> st.SearchStrategy[Pair]:
        return strategies.masked_videos(self.videos(), kinds=_COVERING)

    def _uncovered(self) -> st.SearchStrategy[Pair]:
        return strategies.masked_videos(self.videos(), kinds=("empty",))

    def _static_scenes(self) -> st.SearchStrategy[tuple[Array, Video, Mask]]:
        return _static_scenes(self.videos())

    # -- how they call

    def _inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.subject.inpaint(video, mask, **{**self.inpaint_options, **options})
        return made

    def _expect_refusal(self, video: Video, mask: Mask, numbers: set[str], what: str) -> None:
        try:
            _frames(self._inpaint(video, mask))
        except ValidationError as error:
            missing = sorted(number for number in numbers if number not in str(error))
            require(not missing, f"the error about {what} does not name {', '.join(missing)}: {error}")
        else:
            raise ContractError(f"{what} was taken, expected a ValidationError")


@st.composite
def _static_scenes(draw: st.DrawFn, videos: st.SearchStrategy[Video]) -> tuple[Array, Video, Mask]:
    """Draw (background `[H, W, C]`, video, mask): a box walks over it and leaves no pixel covered always.

    Taken are the size, the rate and the channels of a video that the provider can take; there are as
    many frames as the box needs to go, four at least.
    """
    like = draw(videos)
    width, height = like.width, like.height
    first = next(like.frames())
    count = max(4, int(like.frame_count or 0))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    corners = rng.uniform(0, 255, (2, 2, first.shape[2]))
    across, down = np.linspace(0, 1, width)[None, :, None], np.linspace(0, 1, height)[:, None, None]
    top, bottom = (row[0] + (row[1] - row[0]) * across for row in corners)
    background = (top + (bottom - top) * down).astype(np.uint8)
    wide = draw(st.integers(1, max(1, width // 3)))
    pictures = np.repeat(background[None], count, axis=0)
    inside = np.zeros((count, height, width), bool)
    for i in range(count):
        # It starts outside, goes across, and has left by the last frame.
        left = round(-wide + (width + wide) * i / (count - 1))
        inside[i, :, max(0, left) : max(0, left + wide)] = True
    pictures[inside] = 255 - pictures[inside] // 2
    video = Video.from_frames(pictures, like.rate)
    if draw(st.booleans()):
        return background, video, Quadmask.from_frames(np.where(inside, 0, 255).astype(np.uint8), like.rate)
    return background, video, Mask.from_frames(np.where(inside, 255, 0).astype(np.uint8), like.rate)


def _frames(stream: Video | Mask) -> list[Array]:
    """Return copies of all frames: a source may use one array for all of them."""
    return [frame.copy() for frame in stream.frames()]


def _covered(mask: Mask) -> list[Array]:
    """Return where a mask covers, `[H, W]` for each frame."""
    if isinstance(mask, Quadmask):
        return [frame != 255 for frame in mask.frames()]
    return [frame > 0 for frame in mask.frames()]


def _writable(stream: _Stream) -> _Stream:
    return attrs.evolve(stream, source=_Shared(np.stack(_frames(stream))))


def _endless(mask: Mask) -> Iterator[Array]:
    while True:
        yield from mask.frames()


def _resized(frame: Array, size: tuple[int, int]) -> Array:
    """Return the frame cut or repeated to `size` (width, height)."""
    height, width = frame.shape
    resized: Array = frame[np.arange(size[1]) % height][:, np.arange(size[0]) % width]
    return resized


def _same(a: Array | None, b: Array | None) -> bool:
    return (a is None) == (b is None) and (a is None or np.array_equal(a, b))  # type: ignore[arg-type]


def _first_pixel(wrong: Array, was: Array, now: Array) -> str:
    """Say where the first wrong pixel is and what it was."""
    if not wrong.any():
        return ""
    y, x = np.argwhere(wrong)[0]
    return f"; the first at ({x}, {y}) from {was[y, x].tolist()} to {now[y, x].tolist()}"

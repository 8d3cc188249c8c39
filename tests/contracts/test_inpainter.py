"""The contract of inpainters, what it says of some that are wrong in other ways, and the scaffold's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Cancelled, Mask, Quadmask, ValidationError, Video
from kinetoscope_spec.contracts import Contract, InpainterContract, Wrapper, check


@pytest.fixture
def plain(template: Callable[[str], Contract]) -> Any:
    """Return the scaffold's inpainter."""
    return template("inpainter").subject


def says(provider: Any, law: str) -> str:
    report = check(InpainterContract.of(provider, name="wrong"), examples=50, seed=0, laws=[law])
    return report.broken[0].message if report.broken else ""


class Frames(Wrapper):
    """An inpainter whose frames `change` changes."""

    change: Callable[[np.ndarray], np.ndarray] = staticmethod(lambda frame: frame)

    def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
        made: Video = self.real.inpaint(video, mask, **options)

        def source(start: int, stop: int | None) -> Iterator[np.ndarray]:
            for frame in made.frames(start, stop):
                yield self.change(frame)

        return attrs.evolve(made, source=source)


def test_alpha_that_is_lost_is_noticed(plain: Any) -> None:
    class Drops(Frames):
        change = staticmethod(lambda frame: np.ascontiguousarray(frame[..., :3]))

    assert "frames are {(4, 4, 3)}, expected (4, 4, 4)" in says(
        Drops(plain), "size_rate_and_frame_count_are_kept"
    )


def test_a_quadmask_is_not_taken_for_a_mask(plain: Any) -> None:
    class Inverts(Wrapper):
        def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
            as_mask = Mask(mask.width, mask.height, mask.rate, mask.source, mask.frame_count)
            made: Video = self.real.inpaint(video, as_mask, **options)
            return made

    assert "pixels outside the mask changed" in says(
        Inverts(plain), "what_is_outside_the_mask_is_untouched"
    ) or "levels on average" in says(Inverts(plain), "a_background_seen_in_other_frames_is_recovered")
    assert "changed under an empty mask" in says(Inverts(plain), "an_empty_mask_changes_nothing")


def test_an_error_of_another_kind_or_without_numbers_is_told(plain: Any) -> None:
    class Vague(Wrapper):
        def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
            try:
                made: Video = self.real.inpaint(video, mask, **options)
            except ValidationError:
                raise ValidationError("wrong mask") from None
            return made

    class Breaks(Wrapper):
        def inpaint(self, video: Video, mask: Mask, **options: Any) -> Video:
            try:
                made: Video = self.real.inpaint(video, mask, **options)
            except ValidationError as error:
                raise IndexError("boolean index did not match") from error
            return made

    for law in ("a_mask_of_another_size_is_an_error", "a_mask_of_another_length_is_an_error"):
        assert "does not name" in says(Vague(plain), law)
        assert "IndexError" in says(Breaks(plain), law)


def test_progress_that_says_nothing_or_goes_back_is_told(plain: Any) -> None:
    class Silent(Wrapper):
        def inpaint(self, video: Video, mask: Mask, *, progress: Any = None, **options: Any) -> Video:
            made: Video = self.real.inpaint(video, mask, **options)
            return made

    class Backwards(Wrapper):
        def inpaint(self, video: Video, mask: Mask, *, progress: Any = None, **options: Any) -> Video:
            def back(done: int, total: int, message: str) -> Any:
                return progress(total - done, total, message)

            made: Video = self.real.inpaint(video, mask, progress=back if progress else None, **options)
            return made

    law = "progress_is_told_and_can_stop_the_work"
    assert "progress was never called" in says(Silent(plain), law)
    assert "progress went back" in says(Backwards(plain), law)


# The scaffold's inpainter, where laws do not look


def film(count: int, *, counted: bool = True) -> tuple[Video, Mask, list[int]]:
    """A pixel that shows the frame's number, covered in all frames but the first; and what was read."""
    read: list[int] = []

    def pictures(start: int, stop: int | None) -> Iterator[np.ndarray]:
        for i in range(start, count if stop is None else min(stop, count)):
            read.append(i)
            yield np.full((2, 2, 3), i % 251, np.uint8)

    def covers(start: int, stop: int | None) -> Iterator[np.ndarray]:
        for i in range(start, count if stop is None else min(stop, count)):
            yield np.array([[255 if i else 0, 0], [0, 0]], np.uint8)

    number = count if counted else None
    return Video(2, 2, 30, pictures, number), Mask(2, 2, 30, covers, number), read


def test_the_scaffold_reads_no_further_ahead_than_it_must(plain: Any) -> None:
    video, mask, read = film(1000)
    frames = plain.inpaint(video, mask).frames()
    first = next(frames)
    assert max(read) <= 31
    assert first[0, 0, 0] == 0
    assert next(frames)[0, 0, 0] == 0  # from the first, where it is not covered
    read.clear()
    (one,) = plain.inpaint(video, mask).frames(500, 501)
    assert min(read) >= 470
    assert max(read) <= 531
    assert one[0, 0, 0] == 500 % 251  # from around it: the first frame is out of reach
    assert list(plain.inpaint(video, mask).frames(1000, 1010)) == []
    assert list(plain.inpaint(video, mask).frames(5, 5)) == []


def test_the_scaffold_takes_films_of_unknown_length(plain: Any) -> None:
    video, mask, _ = film(7, counted=False)
    told: list[tuple[int, int]] = []
    made = plain.inpaint(video, mask, progress=lambda done, total, _: told.append((done, total)))
    assert len(list(made.frames())) == 7
    assert told[-1] == (7, 7)
    _, short, _ = film(5, counted=False)
    with pytest.raises(ValidationError, match="mask ends after 5 frames"):
        list(plain.inpaint(video, short).frames())
    with pytest.raises(ValidationError, match="video ends after 5 frames"):
        list(plain.inpaint(film(5, counted=False)[0], mask).frames())


def test_the_scaffold_fills_from_the_surroundings_where_no_frame_shows_more(plain: Any) -> None:
    picture = np.full((1, 5, 5, 3), 90, np.uint8)
    picture[0, 1:4, 1:4] = 0
    inside = np.full((1, 5, 5), 255, np.uint8)
    inside[0, 1:4, 1:4] = 63
    (filled,) = plain.inpaint(Video.from_frames(picture, 30), Quadmask.from_frames(inside, 30)).frames()
    assert (filled == 90).all()


def test_the_scaffold_stops_when_it_is_told_to(plain: Any) -> None:
    video, mask, read = film(1000)
    with pytest.raises(Cancelled, match="after 3 frames"):
        list(plain.inpaint(video, mask, progress=lambda done, *_: done < 3).frames())
    assert max(read) < 40

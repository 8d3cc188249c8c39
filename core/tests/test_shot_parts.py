"""Frames drawn in ranges: the same from whichever is drawn first, kept without loss, taken up after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.shot.crew import Crew
from kinetoscope.shot.parts import Drawn, digest_of, film_frames, packed, unpacked
from kinetoscope.shot.ranges import LONGEST, SHORTEST, drawn, ranges
from kinetoscope.shot.settings import Output
from kinetoscope.shot.stages import source_digest
from kinetoscope.shot.store import Store
from kinetoscope_spec import Cancelled, KinetoscopeError

COUNT, SIZE = 41, (6, 4)


class Smoothed:
    """A session whose pictures look back: each is the sum of its own and a half of the one before."""

    def __init__(self, history: int) -> None:
        self.history = history
        self._past: list[float] = []

    def __enter__(self) -> Smoothed:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def render(self, frame: int) -> float:
        self._past.append(frame**2 % 7 + (0.5 * self._past[-1] if self._past and self.history else 0.0))
        return self._past[-1]


@given(st.integers(1, 400), st.integers(0, 12))
def test_ranges_are_all_frames_once(count: int, history: int) -> None:
    found = ranges(count, history)
    assert [frame for start, stop in found for frame in range(start, stop)] == list(range(count))
    lengths = {stop - start for start, stop in found[:-1]}
    assert len(lengths) <= 1
    assert all(SHORTEST <= length <= max(LONGEST, 4 * history) for length in lengths)


@pytest.mark.parametrize("history", [0, 3])
def test_a_range_is_the_same_wherever_it_is_drawn(history: int) -> None:
    def pictures(*part: int) -> list[float]:
        return list(drawn(lambda: Smoothed(history), Smoothed.render, COUNT, *part))  # type: ignore[arg-type]

    whole = pictures()
    assert len(whole) == COUNT
    assert [picture for part in ranges(COUNT, history) for picture in pictures(*part)] == whole
    assert pictures(5, 9) == whole[5:9]
    alone = [frame**2 % 7 for frame in range(COUNT)]
    assert (whole == alone) == (history == 0)  # it does look back


@given(st.integers(0, 5), st.integers(0, 2**32 - 1), st.booleans())
def test_frames_come_back_as_they_were(count: int, seed: int, noisy: bool) -> None:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256 if noisy else 2, (count, 7, 5, 4), np.uint8)
    back = list(unpacked(packed(iter(frames)), (7, 5, 3)))
    assert len(back) == count
    assert all(map(np.array_equal, back, frames[..., :3]))


@attrs.frozen
class Picture:
    """A drawing of noise; a worker draws it like any other."""

    seed: int = 5
    count: int = COUNT
    size: tuple[int, int] = SIZE
    output: Output = attrs.field(factory=lambda: Output(quality="draft"))
    by: dict[str, tuple[str, str]] = attrs.field(factory=lambda: {"renderer": ("none", "none")})

    def open(self, host: Any, progress: Any = None) -> Any:
        def frames(start: int, stop: int | None) -> Iterator[Any]:
            for number in range(start, self.count if stop is None else stop):
                host.seen.append(number)
                yield np.random.default_rng((self.seed, number)).integers(
                    0, 256, (SIZE[1], SIZE[0], 3), np.uint8
                )

        return frames


class Plain:
    """A host with a renderer that looks at nothing before, which notes what is drawn."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def provider(self, *_: str) -> Any:
        return self

    def open(self, *_: Any, **__: Any) -> Any:
        return Smoothed(0)

    def frames(
        self, store: Store, executor: Executor | None, progress: Any = None, key: str = "k"
    ) -> list[Any]:
        drawing: Any = Picture()
        host: Any = self
        here, crew = drawing.open(host), Crew()
        return list(film_frames(drawing, here, host, Drawn(store, key), crew, executor, progress))


def same(found: list[Any]) -> bool:
    expected = list(Picture().open(Plain())(0, COUNT))
    return len(found) == COUNT and all(map(np.array_equal, found, expected))


def test_here_and_elsewhere_are_the_same_and_what_was_drawn_is_taken_up(tmp_path: Path) -> None:
    store = Store(tmp_path, 10**9)
    host = Plain()
    assert same(host.frames(store, None))
    assert not (tmp_path / "draw").exists()  # here, nothing waits: nothing is kept
    with ThreadPoolExecutor(2) as executor:
        assert same(host.frames(store, executor))
        host.seen.clear()
        assert same(host.frames(store, executor))
        assert host.seen == []
        lost = sorted((tmp_path / "draw").iterdir())[3]
        (lost / "frames.z").write_bytes((lost / "frames.z").read_bytes()[:-9])
        assert same(host.frames(store, executor))
        assert host.seen == list(range(*ranges(COUNT)[3]))
        (lost / "frames.z").write_bytes(b"")
    assert same(Plain().frames(store, None))
    Drawn(store, "k").drop()
    assert list((tmp_path / "draw").iterdir()) == []


def test_what_was_drawn_is_taken_up_after_a_cancellation(tmp_path: Path) -> None:
    store, host, told = Store(tmp_path, 10**9), Plain(), []

    def progress(done: int, total: int, message: str) -> bool:
        told.append((done, total, message))
        return done < 20

    with ThreadPoolExecutor(1) as executor, pytest.raises(Cancelled, match="of 41 frames"):
        host.frames(store, executor, progress)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert {(total, message) for _, total, message in told} == {(COUNT, "rendering")}
    kept = sum(1 for _ in (tmp_path / "draw").iterdir())
    assert kept >= 20 // 4
    again = Plain()
    assert same(again.frames(store, None))
    assert set(range(kept * 4)).isdisjoint(again.seen)


def test_who_waits_for_a_range_can_be_cancelled(tmp_path: Path) -> None:
    """A range may take minutes: it is left to end by itself."""

    class Never(Executor):
        workers = 1

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            return Future()

    asked: list[int] = []

    def progress(done: int, *_: Any) -> bool:
        asked.append(done)
        return len(asked) < 2

    with pytest.raises(Cancelled, match="after 0 of 41"):
        Plain().frames(Store(tmp_path, 10**9), Never(), progress)
    assert asked == [0, 0]


def test_frames_that_wait_take_a_part_of_the_cache_and_no_more(tmp_path: Path) -> None:
    room = 4 * 1000
    with ThreadPoolExecutor(2) as executor:
        assert same(Plain().frames(Store(tmp_path, room), executor))
    held = sum(file.stat().st_size for file in tmp_path.rglob("frames.z"))
    assert 0 < held <= room // 4


def test_frames_that_were_kept_before_count_once(tmp_path: Path) -> None:
    """A film of which a half is kept has as much room for the rest as one of which none is."""
    roomy, size = Store(tmp_path / "a", 10**9), 0
    with ThreadPoolExecutor(2) as executor:
        Plain().frames(roomy, executor)
        held = sorted((tmp_path / "a" / "draw").iterdir())
        size = sum((each / "frames.z").stat().st_size for each in held)
        for each in held[len(held) // 2 :]:
            (each / "frames.z").unlink()
        assert same(Plain().frames(Store(tmp_path / "a", 4 * size), executor))
    assert sum(file.stat().st_size for file in (tmp_path / "a").rglob("frames.z")) == size


def test_a_cache_that_takes_nothing_is_no_reason_not_to_draw(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with ThreadPoolExecutor(2) as executor:
        assert same(Plain().frames(Store(tmp_path / "file", 10**9), executor))


def test_what_another_version_has_drawn_is_not_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing: Any = Picture()
    before = digest_of(drawing)
    assert before == digest_of(Picture())  # type: ignore[arg-type]
    assert before != digest_of(Picture(seed=6))  # type: ignore[arg-type]
    for package in ("kinetoscope", "kinetoscope_spec"):
        with monkeypatch.context() as changed:
            changed.setattr(
                "kinetoscope.shot.parts.source_digest",
                lambda name, package=package: "changed" if name == package else source_digest(name),
            )
            assert digest_of(drawing) != before
    assert digest_of(drawing) == before


@pytest.mark.parametrize(
    ("workers", "parts", "opened"), [(8, 3, [3]), (2, 5, [2]), (8, 1, []), (None, 5, [])]
)
def test_there_are_no_more_processes_than_ranges(
    monkeypatch: pytest.MonkeyPatch, workers: int | None, parts: int, opened: list[int]
) -> None:
    asked: list[int] = []

    def processes(_: Any, *, workers: int) -> ThreadPoolExecutor:
        asked.append(workers)
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr("kinetoscope.executors.processes.Processes.open", processes)
    with Crew(workers=workers).drawing(parts) as executor:
        assert (executor is not None) == bool(opened)
    assert asked == opened


def test_a_range_whose_worker_dies_and_dies_is_named(tmp_path: Path) -> None:
    class Deadly(Executor):
        workers = 1

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            if args[1].start == 8:
                future.set_exception(BrokenExecutor("it was killed"))
            else:
                future.set_result(fn(*args, **kwargs))
            return future

    with pytest.raises(KinetoscopeError, match="frames 8 to 11 died, twice: it was killed"):
        Plain().frames(Store(tmp_path, 10**9), Deadly())

"""What a run tells, and how it stops."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.shot.events import ShotEvent, Teller
from kinetoscope_spec import Cancelled

EXPECTED = {"train": 6.0, "generate": 3.0, "plant": 1.0}
STEPS = st.tuples(st.sampled_from([*EXPECTED, "other"]), st.integers(-1, 12), st.integers(-1, 10))


@given(st.lists(STEPS))
def test_how_much_is_done_never_goes_back_and_stays_a_share(steps: list[tuple[str, int, int]]) -> None:
    events: list[ShotEvent] = []
    teller = Teller(events.append, EXPECTED)
    for stage, done, total in steps:
        teller.begin(stage)
        assert teller.of_this_stage()(done, total, "working")
        assert (events[-1].stage, events[-1].message) == (stage, "working")
    whole = [event.whole for event in events]
    assert whole == sorted(whole)
    assert all(0 <= share <= 1 for share in whole)
    assert all(event.fraction is None or 0 <= event.fraction <= 1 for event in events)


def test_stages_count_by_the_time_that_they_take() -> None:
    events: list[ShotEvent] = []
    teller = Teller(events.append, EXPECTED)
    teller.begin("train")
    teller.of_this_stage()(1, 2, "step 1")
    assert events[-1].whole == pytest.approx(0.3)
    teller.end("train")
    teller.begin("generate")
    assert events[-1].whole == pytest.approx(0.6)
    teller.end("generate")
    teller.begin("plant")
    teller.end("plant")
    teller.of_this_stage()(0, 0, "done")
    assert (events[-1].whole, events[-1].fraction) == (1.0, None)


def test_once_cancelled_no_stage_goes_on_and_nobody_is_told() -> None:
    told: list[str] = []

    def listener(event: ShotEvent) -> bool:
        told.append(event.message)
        return event.message != "stop"

    teller = Teller(listener, EXPECTED)
    teller.begin("train")
    tell = teller.of_this_stage()
    assert tell(1, 10, "go on")
    assert not tell(2, 10, "stop")
    assert not tell(3, 10, "deaf")
    with pytest.raises(Cancelled, match="before the stage 'generate'"):
        teller.begin("generate")
    assert told == ["train", "go on", "stop"]


def test_threads_speak_for_their_stage_and_one_at_a_time() -> None:
    events: list[ShotEvent] = []
    inside = threading.Semaphore(1)

    def listener(event: ShotEvent) -> None:
        assert inside.acquire(blocking=False)
        events.append(event)
        inside.release()

    teller, ready = Teller(listener, EXPECTED), threading.Barrier(2)

    def work(stage: str) -> None:
        teller.begin(stage)
        tell = teller.of_this_stage()
        ready.wait()
        for done in range(50):
            tell(done, 50, stage)

    threads = [threading.Thread(target=work, args=(stage,)) for stage in ("train", "plant")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(events) == 102
    assert all(event.stage == event.message for event in events)


def test_a_thread_that_knows_no_stage_speaks_for_the_one_that_asked() -> None:
    """Stages side by side, whose providers work in threads of their own."""
    events: list[ShotEvent] = []
    teller = Teller(events.append, EXPECTED)
    teller.begin("train")
    tell = teller.of_this_stage()
    teller.begin("plant")
    thread = threading.Thread(target=tell, args=(1, 2, "halfway"))
    thread.start()
    thread.join()
    assert (events[-1].stage, events[-1].fraction) == ("train", 0.5)


def test_where_one_stage_failed_the_others_are_told_to_end() -> None:
    events: list[ShotEvent] = []
    teller = Teller(events.append, EXPECTED)
    teller.begin("train")
    teller.stop()
    assert not teller.of_this_stage()(1, 2, "halfway")
    with pytest.raises(Cancelled):
        teller.begin("plant")
    assert len(events) == 1

"""Loops: time is neither lost nor made, runs repeat themselves bit for bit."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_spec import FormatError, ValidationError
from kinetoscope_stage import (
    GlobalTransform,
    Loop,
    Numbers,
    PreviousTransform,
    Recording,
    Schedule,
    Transform,
    World,
    column,
    component,
    system,
)
from kinetoscope_stage.recording import Tick
from kinetoscope_stage.transforms import TransformSystem, interpolated


@component
class Velocity:
    linear: Numbers = column(3)


@system(reads=[Velocity, Transform], writes=[Velocity, Transform])
def drift(view, dt) -> None:
    for chunk in view.query(Velocity, Transform):
        push = view.input("push", np.zeros(3))
        chunk[Velocity].linear[:] += (push + view.random.normal(size=(len(chunk), 3))) * dt
        chunk[Transform].position[:] += chunk[Velocity].linear * dt
        tall = chunk.entities[chunk[Transform].position[:, 1] > 0.02]
        view.despawn(tall)
        view.spawn_many(len(tall), Transform(), Velocity())


def loop(seed=1, **options) -> Loop:
    world = World(seed=seed)
    world.spawn_many(20, Transform(), Velocity(), GlobalTransform(), PreviousTransform())
    return Loop(world, Schedule([drift, TransformSystem()]), **options)


ticks = st.lists(
    st.one_of(
        st.none(),
        st.tuples(
            st.floats(0, 0.2),
            st.sampled_from((1.0, 0.0, 0.25, 3.0)),
            st.one_of(st.none(), st.lists(st.floats(-5, 5), min_size=3, max_size=3)),
        ),
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(ticks)
def test_replay_is_bit_equal(tmp_path_factory, told) -> None:
    live = loop(recording=Recording())
    digests = []
    for one in told:
        if one is None:
            live.single_step({"push": [0.1, 0.2, 0.3]})
        else:
            live.time_scale = one[1] or 1.0
            live.paused = one[1] == 0
            live.tick(one[0], None if one[2] is None else {"push": one[2]})
        digests.append(live.world.digest())
    path = str(tmp_path_factory.mktemp("replay") / "run.jsonl")
    live.recording.save(path)
    assert loop().replay(Recording.load(path)) == digests


def test_replay_of_another_seed_is_another_run() -> None:
    recording = Recording()
    loop(recording=recording).headless(3)
    assert loop(seed=2).replay(recording) != loop().replay(recording)


@pytest.mark.parametrize("rate", [60, 30, 24, 120, 23.976, 1000])
def test_headless_and_manual_agree_bit_for_bit(rate) -> None:
    pushes = np.random.default_rng(3).normal(size=(40, 3))
    headless = loop(steps_per_second=rate)
    headless.headless(40, inputs=lambda i: {"push": pushes[i]})
    manual = loop(steps_per_second=rate)
    for push in pushes:
        assert manual.tick(1 / rate, {"push": push}) == 1
    assert headless.world.digest() == manual.world.digest()
    assert headless.world.step_count == 40


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.3), max_size=40), st.integers(1, 400))
def test_no_time_is_lost_or_made(dts, rate) -> None:
    world = World()
    run = Loop(world, Schedule([]), steps_per_second=rate, most_steps=3)
    for dt in dts:
        assert run.tick(dt) <= 3
        assert 0 <= run.alpha < 1
    passed = sum((Fraction(round(dt * 1e9), 10**9) for dt in dts), Fraction(0))
    step = Fraction(round(1e9 / rate), 10**9)
    held = world.step_count * step + Fraction(round(run.dropped_s * 1e9), 10**9)
    assert passed - held == Fraction(run._left_ns, 10**9)
    assert world.time == pytest.approx(world.step_count * float(step), abs=1e-12)


def test_catching_up_is_bounded_and_what_is_dropped_is_told() -> None:
    run = loop(steps_per_second=100, most_steps=5)
    assert run.tick(10.0) == 5
    assert run.dropped_s == pytest.approx(9.95)
    assert run.tick(0.0) == 0


def test_pause_scale_and_single_steps() -> None:
    run = loop(steps_per_second=100)
    run.paused = True
    assert run.tick(0.05) == 0
    run.single_step()
    assert run.world.step_count == 1
    run.paused = False
    run.time_scale = 0.5
    assert [run.tick(0.01) for _ in range(4)] == [0, 1, 0, 1]
    run.time_scale = 2.0
    assert run.tick(0.01) == 2


class Clock:
    """A clock that stands still but for sleeping and for what a frame costs."""

    def __init__(self, cost: float) -> None:
        self.now, self.cost, self.slept = 50.0, cost, 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept += seconds
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += seconds
        await asyncio.sleep(0)

    def work(self):
        @system(phase="frame")
        def frame(view, dt) -> None:
            self.now += self.cost

        return frame


@pytest.mark.parametrize("cost", [0.0, 0.004, 0.03])
def test_standalone_keeps_the_pace_or_falls_behind_without_choking(cost) -> None:
    clock = Clock(cost)
    run = Loop(World(), Schedule([clock.work()]), steps_per_second=120, most_steps=8)
    run.standalone(until=lambda _: clock.now >= 52.0, clock=clock, sleep=clock.sleep)
    assert run.world.step_count == pytest.approx(2 * 120, abs=5)
    assert clock.slept == pytest.approx(max(0.0, 2 - 120 * cost), abs=0.05)


def test_a_machine_that_slept_for_weeks_goes_on() -> None:
    times = iter([0.0, 3e6, 3e6, 3e6, 3e6])
    run = Loop(World(), Schedule([]))
    run.standalone(until=lambda held: held.world.step_count > 0, clock=times.__next__, sleep=lambda _: None)
    assert run.world.step_count == run.most_steps


def test_a_slow_machine_drops_time() -> None:
    clock = Clock(0.1)
    run = Loop(World(), Schedule([clock.work()]), steps_per_second=100, most_steps=2)
    run.standalone(until=lambda _: clock.now >= 52.0, clock=clock, sleep=clock.sleep)
    assert run.world.step_count == pytest.approx(2 * 20, abs=4)
    assert run.dropped_s == pytest.approx(1.6, abs=0.15)


def test_in_an_event_loop_it_gives_way_and_can_be_cancelled() -> None:
    clock, blocking = Clock(0.004), Clock(0.004)

    async def main() -> tuple[Loop, int]:
        run = Loop(World(), Schedule([clock.work()]), steps_per_second=120)
        task = asyncio.create_task(
            run.standalone_async(until=lambda _: clock.now >= 51.0, clock=clock, sleep=clock.asleep)
        )
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        endless = asyncio.create_task(
            run.standalone_async(until=lambda _: False, clock=clock, sleep=clock.asleep)
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        assert not run.world.locked
        return run, turns

    run, turns = asyncio.run(main())
    other = Loop(World(), Schedule([blocking.work()]), steps_per_second=120)
    other.standalone(until=lambda _: blocking.now >= 51.0, clock=blocking, sleep=blocking.sleep)
    assert turns > 50
    assert run.world.step_count >= other.world.step_count > 100


def test_frames_lie_between_steps() -> None:
    world = World()
    world.spawn(Transform(), Velocity([1, 0, 0]), GlobalTransform(), PreviousTransform())

    @system(reads=[Velocity, Transform], writes=[Transform])
    def move(view, dt) -> None:
        for chunk in view.query(Velocity, Transform):
            chunk[Transform].position[:] += chunk[Velocity].linear * dt

    run = Loop(world, Schedule([move, TransformSystem()]), steps_per_second=10)
    shown = []
    for _ in range(40):
        run.tick(0.03)
        shown.append(float(interpolated(world, run.alpha)[1][0, 0]))
    # One step late, and at rest for the first, but even: the same distance from frame to frame.
    assert np.diff(shown[8:]) == pytest.approx(0.03, abs=1e-9)


def test_who_is_new_does_not_come_from_the_origin() -> None:
    world = World()
    world.spawn(Transform([5, 0, 0]), GlobalTransform(), PreviousTransform())
    Loop(world, Schedule([TransformSystem()])).headless(1)
    assert interpolated(world, 0.0)[1].tolist() == [[5, 0, 0]]


@pytest.mark.parametrize("dt", [-0.1, np.nan, np.inf, 1e300])
def test_time_that_is_none_is_refused(dt) -> None:
    with pytest.raises(ValidationError, match="dt is"):
        loop().tick(dt)


@pytest.mark.parametrize("value", [np.nan, "text", [[1], None], [[1], [1, 2]], np.longdouble(1)])
def test_inputs_are_finite_numbers(value) -> None:
    with pytest.raises(ValidationError, match="input 'a'"):
        loop().tick(0.1, {"a": value})


def test_inputs_are_called_by_text() -> None:
    with pytest.raises(ValidationError, match="called 1, expected text"):
        loop().tick(0.1, {1: 2.0})


@pytest.mark.parametrize("number", [np.float32, np.float16, np.float64, np.int64, bool])
def test_durations_of_any_kind_are_replayed(tmp_path, number) -> None:
    live = loop(recording=Recording())
    live.time_scale = number(1)
    for dt in np.linspace(0.01, 0.07, 20):
        live.tick(number(dt))
    live.recording.save(str(tmp_path / "run.jsonl"))
    replayed = loop().replay(Recording.load(str(tmp_path / "run.jsonl")))
    assert replayed[-1] == live.world.digest()


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 3)])
def test_inputs_without_numbers_keep_their_shape(tmp_path, shape) -> None:
    live = Loop(World(), Schedule([]), recording=Recording())
    live.tick(0.1, {"a": np.zeros(shape, np.float32)})
    live.recording.save(str(tmp_path / "run.jsonl"))
    again = Loop(World(), Schedule([]))
    assert again.replay(Recording.load(str(tmp_path / "run.jsonl"))) == [live.world.digest()]
    assert again.world.inputs["a"].shape == shape


HEAD = '{"format": "kinetoscope stage recording 1"}\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "[]",
        HEAD + "[]",
        HEAD + '{"dt": -1, "time_scale": 1}',
        HEAD + '{"dt": 1e999, "time_scale": 1}',
        HEAD + '{"dt": true, "time_scale": 1}',
        HEAD + '{"dt": 0.1, "time_scale": 1, "inputs": 3}',
        HEAD + '{"dt": 0.1, "time_scale": 1, "inputs": {"a": 3}}',
        HEAD + '{"dt": 0.1, "time_scale": 1, "inputs": {"a": {"dtype": "O", "values": [1]}}}',
        HEAD + '{"dt": 0.1, "time_scale": 1, "inputs": {"a": {"dtype": "<f8", "values": [[1], [2, 3]]}}}',
        HEAD + '{"dt": 0.1, "time_scale": 1, "inputs": {"a": {"dtype": "i1", "values": [300]}}}',
        HEAD + '{"dt": 0.1, "time_scale": 1, "inputs": {"a": {"dtype": "(9999,9999,999)f8", "values": 1}}}',
        HEAD + '{"dt": 0.1, "time_scale": 1, "inputs": {"a": {"dtype": "<f16", "values": [1]}}}',
        HEAD + '{"dt": 1, "time_scale": 1, "inputs": {"a": {"dtype": "<f8", "values": [], "shape": [9]}}}',
        HEAD + "[" * 100_000,
        HEAD.replace("}", ', "step_ns": 0}', 1),
        HEAD.replace("}", ', "most_steps": "5"}', 1),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, text) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"bad\.jsonl"):
        Recording.load(str(path))


def test_a_recording_is_replayed_by_a_loop_of_its_own_steps(tmp_path) -> None:
    live = Loop(World(), Schedule([]), steps_per_second=50, most_steps=3, recording=Recording())
    live.tick(0.1)
    path = str(tmp_path / "run.jsonl")
    live.recording.save(path)
    held = Recording.load(path)
    assert (held.step_ns, held.most_steps) == (20_000_000, 3)
    same = Loop(World(), Schedule([]), steps_per_second=50, most_steps=3)
    assert same.replay(held) == [live.world.digest()]
    for other in ({"steps_per_second": 60, "most_steps": 3}, {"steps_per_second": 50, "most_steps": 4}):
        with pytest.raises(ValidationError, match="the recording is of a loop with"):
            Loop(World(), Schedule([]), **other).replay(held)


def test_a_recording_that_can_not_be_written_whole_leaves_the_old_one(tmp_path) -> None:
    path = tmp_path / "run.jsonl"
    Recording([Tick(0.5)]).save(str(path))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        Recording([Tick(0.5), Tick(object())]).save(str(path))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.jsonl"]

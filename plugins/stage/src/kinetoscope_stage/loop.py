"""Loops: fixed steps for what is simulated, frames as they come for what is shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import numpy as np

from kinetoscope_spec import ValidationError
from kinetoscope_stage._component import Array
from kinetoscope_stage.recording import LONGEST_S, Recording, Tick
from kinetoscope_stage.schedule import Schedule
from kinetoscope_stage.world import World

__all__ = ["Loop"]

_NS: Final = 1_000_000_000


class Loop:
    """Runs a schedule on a world, after "Fix Your Timestep!" (Fiedler 2004).

    Time that has passed is collected; as often as it makes a fixed step, the systems of the phase
    `fixed` run, each time with the same `dt`; what is left says how far a rendered frame lies
    between two steps. Time is counted in whole nanoseconds, so that adding it up loses none, and
    the same ticks give the same steps.

    Attributes:
        world, schedule: what runs.
        step_s: the fixed step, seconds, rounded to a nanosecond.
        most_steps: so many steps a tick at most; time beyond is dropped, so that a machine that is
            too slow falls behind instead of choking.
        time_scale: simulated over real time, 0 or more.
        paused: no steps but single ones while it is True.
        dropped_s: seconds that were dropped so far.
        recording: where ticks are written down, or None.
    """

    def __init__(
        self,
        world: World,
        schedule: Schedule,
        *,
        steps_per_second: float = 60.0,
        most_steps: int = 5,
        recording: Recording | None = None,
    ) -> None:
        if not (np.isfinite(steps_per_second) and 0 < steps_per_second <= _NS):
            raise ValidationError(f"steps_per_second is {steps_per_second}, expected above 0, at most 1e9")
        if not isinstance(most_steps, int | np.integer) or most_steps < 1:
            raise ValidationError(f"most_steps is {most_steps}, expected a whole number, 1 or more")
        self.world = world
        self.schedule = schedule
        self.most_steps = most_steps
        self.time_scale = 1.0
        self.paused = False
        self.recording = recording
        self._step_ns = round(_NS / steps_per_second)
        if recording is not None:
            recording.step_ns, recording.most_steps = self._step_ns, int(most_steps)
        self._left_ns = 0
        self._dropped_ns = 0

    @property
    def step_s(self) -> float:
        """Seconds of a fixed step."""
        return self._step_ns / _NS

    @property
    def dropped_s(self) -> float:
        """Seconds that were dropped because too many steps would have been due."""
        return self._dropped_ns / _NS

    @property
    def alpha(self) -> float:
        """How far now lies between the last two steps, 0 to below 1."""
        return self._left_ns / self._step_ns

    def tick(self, dt: float, inputs: Mapping[str, Any] | None = None) -> int:
        """Let `dt` seconds pass, then render a frame; return the number of fixed steps that ran.

        `inputs`, arrays by name, hold from now on until others are given.

        Raises:
            ValidationError: `dt` or `time_scale` is not within 0 to 1e6, an input is not numbers.
        """
        # As floats of Python, whatever they were: a recording keeps no other kind, and so none is run.
        dt, scale = _duration("dt", dt), _duration("time_scale", self.time_scale)
        given = None if inputs is None else _frozen(inputs)
        scale = 0.0 if self.paused else scale
        if self.recording is not None:
            self.recording.ticks.append(Tick(dt, scale, given))
        return self._pass(dt, scale, given)

    def single_step(self, inputs: Mapping[str, Any] | None = None) -> None:
        """Run one fixed step and render a frame, paused or not; collected time stays as it is."""
        given = None if inputs is None else _frozen(inputs)
        if self.recording is not None:
            self.recording.ticks.append(Tick(None, 1.0, given))
        self._take(given)
        self._step()
        self._frame(self.step_s)

    def replay(self, recording: Recording) -> list[str]:
        """Do what a recording says, and return the world's digest after every tick.

        A world that starts out equal ends up equal, bit for bit.

        Raises:
            ValidationError: the recording is of a loop of other steps.
        """
        for what, theirs, ours in (
            ("fixed steps of so many ns", recording.step_ns, self._step_ns),
            ("most_steps", recording.most_steps, self.most_steps),
        ):
            if theirs not in (None, ours):
                raise ValidationError(
                    f"the recording is of a loop with {what}: {theirs}; this one has {ours}"
                )
        digests: list[str] = []
        for held in recording.ticks:
            if held.dt is None:
                self._take(held.inputs)
                self._step()
                self._frame(self.step_s)
            else:
                self._pass(held.dt, held.time_scale, held.inputs)
            digests.append(self.world.digest())
        return digests

    # -- modes ------------------------------------------------------------------------------------

    def headless(
        self, steps: int, *, inputs: Callable[[int], Mapping[str, Any] | None] | None = None
    ) -> None:
        """Run so many fixed steps as fast as they go, a frame after each.

        `inputs` is asked before each step with its number, from 0. The world ends up as it does when
        an application ticks it by `step_s` with the same inputs.
        """
        scale, paused, self.time_scale, self.paused = self.time_scale, self.paused, 1.0, False
        try:
            for i in range(steps):
                self.tick(self.step_s, None if inputs is None else inputs(i))
        finally:
            self.time_scale, self.paused = scale, paused

    def standalone(
        self,
        *,
        frames_per_second: float = 60.0,
        until: Callable[[Loop], bool],
        inputs: Callable[[], Mapping[str, Any] | None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Run at the pace of the clock until `until(loop)` is True, sleeping between frames."""
        pace = _Pace(frames_per_second, clock)
        while not until(self):
            self.tick(pace.passed(), None if inputs is None else inputs())
            wait = pace.wait()
            if wait > 0:
                sleep(wait)

    async def standalone_async(
        self,
        *,
        frames_per_second: float = 60.0,
        until: Callable[[Loop], bool],
        inputs: Callable[[], Mapping[str, Any] | None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """The same in an event loop, to which every frame gives way; cancelling ends it between frames."""
        pace = _Pace(frames_per_second, clock)
        while not until(self):
            self.tick(pace.passed(), None if inputs is None else inputs())
            await sleep(max(pace.wait(), 0.0))

    # -- inside -----------------------------------------------------------------------------------

    def _pass(self, dt: float, scale: float, inputs: Mapping[str, Array] | None) -> int:
        self._take(inputs)
        self._left_ns += round(dt * scale * _NS)
        due, left = divmod(self._left_ns, self._step_ns)
        steps = min(due, self.most_steps)
        self._dropped_ns += (due - steps) * self._step_ns
        self._left_ns = left
        for _ in range(steps):
            self._step()
        self._frame(dt)
        return steps

    def _take(self, inputs: Mapping[str, Array] | None) -> None:
        if inputs is not None:
            self.world.inputs = dict(inputs)

    def _step(self) -> None:
        world = self.world
        world.events.turn()
        self.schedule.run(world, self.step_s)
        world.step_count += 1
        # A product and not a sum: after a million steps it is as exact as after one.
        world.time = world.step_count * self._step_ns / _NS

    def _frame(self, dt: float) -> None:
        self.schedule.run(self.world, dt, phase="frame", alpha=self.alpha)


class _Pace:
    """When the next frame is due: on the beat, or at once if a beat was missed."""

    def __init__(self, frames_per_second: float, clock: Callable[[], float]) -> None:
        if not (np.isfinite(frames_per_second) and frames_per_second > 0):
            raise ValidationError(f"frames_per_second is {frames_per_second}, expected above 0")
        self._clock = clock
        self._frame_s = 1 / frames_per_second
        self._last = self._due = clock()

    def passed(self) -> float:
        now = self._clock()
        passed, self._last = max(now - self._last, 0.0), now
        return min(passed, LONGEST_S)  # a machine may have slept for weeks

    def wait(self) -> float:
        self._due = max(self._due + self._frame_s, self._clock())
        return self._due - self._clock()


def _duration(name: str, value: Any) -> float:
    try:
        held = float(value)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"{name} is {value!r}, expected a number") from error
    if not 0 <= held <= LONGEST_S:
        raise ValidationError(f"{name} is {value}, expected 0 to {LONGEST_S:g}")
    return held


def _frozen(inputs: Mapping[str, Any]) -> dict[str, Array]:
    frozen: dict[str, Array] = {}
    for name, value in inputs.items():
        if not isinstance(name, str):
            raise ValidationError(f"an input is called {name!r}, expected text")
        try:
            array = np.array(value)
        except ValueError as error:  # rows of different lengths
            raise ValidationError(f"input {name!r}: {error}") from error
        # Wider numbers than 8 bytes differ from machine to machine, and no recording could hold them.
        fits = array.dtype.kind in "biuf" and array.dtype.itemsize <= 8
        if not fits or (array.dtype.kind == "f" and not np.isfinite(array).all()):
            raise ValidationError(f"input {name!r} holds {array.dtype}, expected finite numbers")
        array.flags.writeable = False
        frozen[name] = array
    return frozen

"""What is asked of a performer over time, held against speeds added up in small steps."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope.shot.pace import RAMP_M_S2, STAND_S, Pace
from kinetoscope.shot.settings import Action

SPEEDS = st.just(0.0) | st.floats(0.05, 6)


@st.composite
def actions(draw: st.DrawFn) -> tuple[Action, ...]:
    gaps = draw(st.lists(st.floats(0.05, 5), max_size=5))
    return tuple(Action(float(at), speed=draw(SPEEDS)) for at in np.cumsum(gaps))


def speeds(first: float, told: tuple[Action, ...], times: np.ndarray) -> np.ndarray:
    """The speed at each time, by walking through the times: it goes towards what was last told."""
    now, found = first, []
    for before, at in zip(np.concatenate([[0.0], times[:-1]]), times, strict=True):
        wanted = [first, *(action.speed for action in told if action.at <= before)][-1]
        now += np.clip(wanted - now, -RAMP_M_S2 * (at - before), RAMP_M_S2 * (at - before))
        found.append(now)
    return np.array(found)


@settings(max_examples=40)
@given(SPEEDS, actions())
def test_the_way_is_the_speeds_added_up(first: float, told: tuple[Action, ...]) -> None:
    times = np.arange(1, 1501) * 0.02
    expected = np.cumsum(speeds(first, told, times)) * 0.02
    assert np.abs(Pace.of(first, None, told).travelled(times) - expected).max() < 0.4


@given(st.floats(0.2, 6), actions(), st.floats(0.1, 20))
def test_the_time_is_when_the_way_is_gone(first: float, told: tuple[Action, ...], length: float) -> None:
    pace = Pace.of(first, None, told)
    end = pace.seconds(length)
    if pace.travelled(1e6) >= length:
        assert abs(pace.travelled(end) - length) < 0.01
    else:
        assert end == max(pace.times[-1], told[-1].at) + STAND_S


@given(SPEEDS, actions(), SPEEDS, st.floats(0, 12))
def test_what_is_asked_begins_with_what_is(
    first: float, told: tuple[Action, ...], now: float, at: float
) -> None:
    pace, times = Pace.of(first, None, told), np.arange(1, 61) / 30
    asked = pace.ahead(at, times, now)
    if len(pace.times) == 1:
        assert (asked == first).all()
        return
    ways = np.concatenate([[0.0], asked * times])
    velocity = np.diff(ways) * 30
    assert abs(velocity[0] - now) <= RAMP_M_S2 / 30 + 1e-9
    assert np.abs(np.diff(velocity)).max() <= 1.01 * RAMP_M_S2 / 30


def test_what_an_action_does_not_name_stays() -> None:
    told = (Action(1, style="old", face=(1, 2)), Action(2, speed=0), Action(3, style="proud"))
    pace = Pace.of(1.0, "normal", told)
    assert [pace.style_at(t) for t in (0, 1, 2.5, 3)] == ["normal", "old", "old", "proud"]
    assert [pace.face_at(t) for t in (0, 1, 2.5, 3)] == [None, (1, 2), None, None]

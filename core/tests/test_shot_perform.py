"""Following a path: what a model does wrong all the time is made up for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.shot.measure import velocity_errors
from kinetoscope.shot.pace import Pace
from kinetoscope.shot.perform import LEASH_M, crowd, perform
from kinetoscope.shot.steering import Velocities
from kinetoscope_spec import Control, Motion, Path, Skeleton, rotation
from kinetoscope_spec.errors import ValidationError

SKELETON = Skeleton(("Hips",), (-1,), np.array([[0.0, 0.9, 0.0]]))
STRIDE = 5


def standing(position: np.ndarray, frames: int = 2) -> Motion:
    places = np.tile([[[position[0], 0.9, position[1]]]], (frames, 1, 1))
    return Motion(SKELETON, places, rotation.identity(np.zeros((frames, 1, 4))), 30.0, name="start")


@attrs.frozen
class Drifter:
    """A locomotion that goes where it is told, and as far to the left of that as its model says.

    A state is the places `[2]` that it has been at, a sixth of a second apart.
    """

    framerate = 30.0

    def start(self, seed: Motion) -> list[np.ndarray]:
        return [seed.positions[-1, 0, [0, 2]].astype(float)]

    def root(self, state: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        way = state[-1] - state[-2] if len(state) > 1 else np.array([0.0, 1.0])
        return state[-1], way / max(float(np.linalg.norm(way)), 1e-9)

    def frame_count(self, state: list[np.ndarray]) -> int:
        return STRIDE * (len(state) - 1)

    def inputs(self, state: list[np.ndarray], control: Control) -> np.ndarray:
        """The way to the place wanted in a fifth of a second, and its direction."""
        at = int(np.searchsorted(control.times, 0.2))
        share = STRIDE / 30.0 / control.times[at]
        way = (control.positions[at] - state[-1]) * share
        return np.concatenate([way, control.directions[at]])[None]

    def advance(self, state: list[np.ndarray], outputs: np.ndarray) -> list[np.ndarray]:
        return [*state, state[-1] + outputs[0]]

    def motion(self, state: list[np.ndarray]) -> Motion:
        places = np.repeat(np.array(state[1:]), STRIDE, axis=0)
        positions = np.stack([places[:, 0], np.full(len(places), 0.9), places[:, 1]], axis=1)[:, None]
        return Motion(SKELETON, positions, rotation.identity(np.zeros((len(places), 1, 4))), 30.0)


@attrs.frozen
class Aside:
    """A model that answers with the way wanted and so many metres more to the left of it."""

    by_m: float

    def predict(self, inputs: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        left = np.stack([inputs[:, 3], -inputs[:, 2]], axis=1)
        return inputs[:, :2] + self.by_m * left


def learned(by_m: float) -> Any:
    return SimpleNamespace(
        feature=Drifter(), fitted=Aside(by_m), framerate=30.0, record={"joints": list(SKELETON.names)}
    )


@pytest.mark.parametrize("by_m", [-0.04, 0.04])
@pytest.mark.parametrize("path", [Path(np.array([[0.0, 0.0], [0.0, 30.0]])), Path.figure_eight(30.0)])
def test_who_always_goes_aside_ends_up_on_the_path(by_m: float, path: Path) -> None:
    motion = perform(learned(by_m), standing(np.zeros(2)), path, pace=Pace.of(1.2), seed=0, max_seconds=20)
    places, distance = motion.positions[:, 0, [0, 2]].astype(float), 0.0
    aside = []
    for place in places:
        distance = path.nearest(place, near=distance, window=1.0)
        aside.append(np.linalg.norm(place - path.at(distance)))
    # Five centimetres at first (0.04 m against what brings it back in half a second), then it is found out.
    assert max(aside[:60]) > 0.05
    assert np.mean(aside[-150:]) < 0.02


def test_whose_draws_lead_away_is_led_back() -> None:
    class Drawn(Aside):
        """Draws a way that leaves the path, whatever is wanted; the likeliest is what is wanted."""

        def predict(self, inputs: np.ndarray, *, seed: int | None = None) -> np.ndarray:
            return inputs[:, :2] if seed is None else np.tile([[0.1, 0.15]], (len(inputs), 1))

    one = learned(0.0)
    one.fitted = Drawn(0.0)
    path = Path(np.array([[0.0, 0.0], [0.0, 30.0]]))
    beside = Path(np.array([[5.0, 0.0], [5.0, 30.0]]))
    walks = [(standing(np.zeros(2)), path), (standing(np.zeros(2)), beside)]
    for motion, x in zip(crowd(one, walks, pace=Pace.of(1.2), seed=0, max_seconds=15), (0, 5), strict=True):
        aside = np.abs(motion.positions[:, 0, 0] - x)
        assert aside.max() < LEASH_M + 0.15
        assert aside.max() > LEASH_M


def test_no_model_is_asked_for_more_than_half_a_metre_aside() -> None:
    """One that can't be brought back is not sent away either: what it is told stays near the path."""
    path, start = Path(np.array([[0.0, 0.0], [0.0, 30.0]])), standing(np.zeros(2))
    asked: list[np.ndarray] = []

    class Stubborn(Aside):
        def predict(self, inputs: np.ndarray, *, seed: int | None = None) -> np.ndarray:
            asked.append(inputs)
            return np.tile([[0.1, 0.1]], (len(inputs), 1))

    one = learned(0.0)
    one.fitted = Stubborn(0.0)
    crowd(one, [(start, path)], pace=Pace.of(1.2), seed=0, max_seconds=10)
    places = np.arange(len(asked)) * 0.1
    wanted = places + np.array([rows[0, 0] for rows in asked]) * 0.2 / (STRIDE / 30)
    # It went left by 6 m; the path lies at 0, and half a metre beyond it is the furthest that is aimed at.
    assert (wanted >= places * np.exp(-0.2 / 0.5) - 0.5).all()


programs = st.lists(
    st.tuples(st.floats(0.1, 5.0), st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=4
).map(
    lambda rows: Velocities(
        np.cumsum([0.0, *(row[0] for row in rows[:-1])]), np.array([row[1:] for row in rows])
    )
)


@given(programs, st.floats(0, 20))
def test_how_far_one_comes_is_the_velocities_integral(wanted: Velocities, until: float) -> None:
    middles = (np.arange(4000) + 0.5) * until / 4000
    by_hand = wanted.at(middles).sum(axis=0) * until / 4000
    np.testing.assert_allclose(wanted.travelled(np.float64(until)), by_hand, atol=0.03)


@given(programs, st.floats(0, 10))
def test_a_control_by_velocities_begins_where_one_is(wanted: Velocities, now: float) -> None:
    here, facing = np.array([3.0, -2.0]), np.array([0.0, 1.0])
    control = wanted.control(now, here, facing, np.array([0.1, 0.2, 0.5]))
    moved = wanted.travelled(now + control.times) - wanted.travelled(np.float64(now))
    np.testing.assert_allclose(control.positions - here, moved, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(control.directions, axis=1), 1.0)


def test_who_is_told_velocities_goes_as_fast_and_stands_when_told_to() -> None:
    wanted = Velocities([0.0, 4.0, 8.0], [[0.0, 1.2], [0.9, 0.0], [0.0, 0.0]])
    motion = perform(learned(0.0), standing(np.zeros(2)), wanted, pace=Pace.of(1.0), seed=0, max_seconds=12)
    assert motion.frame_count == 360
    # The places are held for a stride: the pelvis is where it was to be at its stride's end.
    ends = np.arange(STRIDE, 361, STRIDE)
    np.testing.assert_allclose(
        motion.positions[ends - 1, 0][:, [0, 2]], wanted.travelled(ends / 30), atol=0.05
    )
    assert velocity_errors(motion.resample(6.0), wanted).mean() < 0.06
    assert velocity_errors(motion, Velocities([0.0], [[0.0, 0.0]])).mean() > 0.5


@pytest.mark.parametrize(
    ("times", "velocities"),
    [
        ([1.0], [[0, 1]]),
        ([0.0, 0.0], [[0, 1], [1, 0]]),
        ([0.0], [[0, 1, 2]]),
        ([0.0], [[0, np.nan]]),
        ([], []),
    ],
)
def test_what_are_no_velocities_is_refused(times: list[float], velocities: list[list[float]]) -> None:
    with pytest.raises(ValidationError):
        Velocities(times, velocities)


def test_velocities_that_lead_nowhere_have_no_path() -> None:
    with pytest.raises(ValidationError, match="nowhere"):
        Velocities([0.0], [[0.0, 0.0]]).path(3.0)
    assert Velocities([0.0, 2.0], [[0.0, 1.0], [0.0, 0.0]]).path(9.0).length == pytest.approx(2.0)

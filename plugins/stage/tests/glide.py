"""A locomotion that can be said in a sentence: the body turns to where it is to face, and glides there.

With it what a controller does is known exactly. The model is the identity: outputs are inputs.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import Motion, Skeleton, rotation

FRAMERATE, STRIDE = 30.0, 6
SKELETON = Skeleton(("hips", "head"), np.array([-1, 0]), np.array([[0, 1, 0], [0, 0.6, 0]]))


def standing(x=2.0, z=-1.0, yaw=0.7) -> Motion:
    """A clip that stands somewhere, turned somehow: where a seed is must not matter."""
    q = np.zeros((4, 2, 4))
    q[..., 3] = 1
    q[:, 0] = rotation.from_yaw(np.array(yaw))
    p = np.repeat(SKELETON.rest_positions[None], 4, axis=0)
    p[:, 0, [0, 2]] = x, z
    return Motion(SKELETON, p, q, FRAMERATE)


@attrs.frozen(eq=False)
class State:
    place: Any
    yaw: float
    played: tuple[Any, ...] = ()


class Glide:
    """The seven methods that a controller calls."""

    def start(self, seed: Motion) -> State:
        ahead = rotation.rotate(seed.rotations[-1, 0], np.array([0.0, 0, 1]))
        return State(seed.positions[-1, 0, [0, 2]], float(np.arctan2(ahead[0], ahead[2])))

    def inputs(self, state: State, control: Any) -> np.ndarray:
        velocity = (control.positions[0] - state.place) / control.times[0]
        way = control.directions[-1]
        return np.array([[*velocity, np.arctan2(way[0], way[1])]])

    def advance(self, state: State, outputs: Any) -> State:
        vx, vz, yaw = outputs[0]
        turn = (yaw - state.yaw + np.pi) % (2 * np.pi) - np.pi
        share = np.arange(1, STRIDE + 1) / STRIDE
        places = state.place + (share * STRIDE / FRAMERATE)[:, None] * [vx, vz]
        return State(places[-1], state.yaw + turn, (*state.played, (places, state.yaw + turn * share)))

    def frame_count(self, state: State) -> int:
        return sum(len(places) for places, _ in state.played)

    def motion(self, state: State) -> Motion:
        places = np.concatenate([places for places, _ in state.played])
        yaws = np.concatenate([yaws for _, yaws in state.played])
        p = np.repeat(SKELETON.rest_positions[None], len(places), axis=0)
        p[:, 0, [0, 2]] = places
        q = np.zeros((len(places), 2, 4))
        q[..., 3] = 1
        q[:, 0] = rotation.from_yaw(yaws)
        return Motion(SKELETON, p, q, FRAMERATE)


class Forgetful(Glide):
    """The same, with bounded memory."""

    def forgotten(self, state: State) -> State:
        return attrs.evolve(state, played=())


class Identity:
    """A model that says what it hears, and counts."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict(self, inputs: Any, *, seed: int | None = None) -> Any:
        self.batches.append(len(inputs))
        return inputs

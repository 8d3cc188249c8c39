"""The tables `[[performer.action]]` of a shot file."""

from __future__ import annotations

from itertools import pairwise

import attrs

from kinetoscope.shot._checks import between
from kinetoscope.toml import WrongValue

__all__ = ["LEAST_SPEED_M_S", "Action", "check_order"]

LATEST_S = 3600.0
LEAST_SPEED_M_S = 0.05


@attrs.frozen
class Action:
    """What the performer does from a time on; what an action does not name stays as it was.

    Attributes:
        at: seconds from the performance's beginning.
        speed: m/s along the path from then on; 0 stands still.
        style: a label that the clips carry, from then on.
        face: `[x, z]` m, a place that the body turns to, until an action names another speed or place.
        clip: a motion file of the clips' skeleton, relative to the shot file: it is played once, from where
            the performer is, who then goes on.
    """

    at: float = attrs.field(validator=between(0, LATEST_S, "seconds"))
    speed: float | None = attrs.field(default=None, validator=between(0, 20, "m/s"))
    style: str | None = None
    face: tuple[float, float] | None = None
    clip: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.speed, self.style, self.face, self.clip) == (None, None, None, None):
            raise WrongValue("at", "stands alone, expected speed, style, face or clip with it")
        if self.speed is not None and 0 < self.speed < LEAST_SPEED_M_S:
            raise WrongValue("speed", f"is {self.speed}, expected 0 or at least {LEAST_SPEED_M_S:g} m/s")


def check_order(actions: tuple[Action, ...]) -> None:
    """Raise `WrongValue` unless each action comes later than the one before."""
    for before, after in pairwise(actions):
        if after.at <= before.at:
            raise WrongValue("action", f"has {after.at:g} s after {before.at:g} s, expected increasing times")

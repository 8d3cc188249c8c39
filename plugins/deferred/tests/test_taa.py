"""The laws of anti-aliasing over time, and films in ranges."""

import numpy as np
import pytest

from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec import Actor, Camera, Ground, Scene
from kinetoscope_spec.contracts import TemporalContract
from kinetoscope_spec.temporal import SETTLED

pytestmark = pytest.mark.gl


class TestTaa(TemporalContract):
    provider = DeferredRenderer
    name = "deferred, taa"


def test_a_range_that_starts_warm_is_as_in_the_whole_film(kit, sessions):
    ball = kit.character(*kit.sphere(0.5, rings=24))

    def at(x):
        pose = np.eye(4)[None].copy()
        pose[0, :3, 3] = x, 0.5, 0.0
        return pose

    def film(first, last):
        session = sessions("medium", taa=True)
        session.render(Scene(), Camera((0, 1, 4), (0, 0, 0)))  # a cut
        for i in range(first, last):
            now, before = (at(0.01 * n - 0.3) for n in (i, i - 1))
            actor = Actor(ball, now, previous_pose=before)
            camera = Camera((1.0 + 0.01 * i, 1.5, 4.0), (0.005 * i, 0.5, 0.0))
            frame = session.render(kit.scene(actor, ground=Ground()), camera)
        return frame.color.astype(int)

    assert sessions("medium", taa=True).history == SETTLED
    assert sessions("medium").history == 0
    whole = film(0, 41)
    assert np.abs(film(40 - SETTLED, 41) - whole).max() <= 2
    assert np.abs(film(40 - SETTLED // 4, 41) - whole).max() > 2

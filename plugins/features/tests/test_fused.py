"""Compiled rows are those of the formulas, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_features import fused
from kinetoscope_features.basic import JointPositions, JointRotations, JointVelocities, RootTrajectory
from kinetoscope_features.frame import computed_together
from kinetoscope_spec.contracts.strategies import walks

pytest.importorskip("numba", reason="the extra `fast` is not installed")
JOINTS = [JointPositions(), JointRotations(), JointVelocities()]


@settings(deadline=None)  # the first one compiles
@given(
    walks(),
    st.lists(st.sampled_from([*JOINTS, RootTrajectory()]), min_size=1, max_size=5),
    st.sampled_from([np.float32, np.float64]),
)
def test_compiled_rows_are_those_of_the_formulas(motion, features, dtype):
    plain, quick = (
        computed_together(features, motion, dtype=dtype, compiled=compiled) for compiled in (False, True)
    )
    for a, b in zip(plain, quick, strict=True):
        assert b.dtype == dtype
        np.testing.assert_array_equal(a, b)


def test_compiled_code_is_taken_once_there_is_work_for_it(monkeypatch):
    monkeypatch.setattr(fused, "_spent_s", 0.0)
    monkeypatch.setitem(fused.sys.modules, "numba", fused)
    assert fused.wanted(1)
    monkeypatch.delitem(fused.sys.modules, "numba")
    assert not fused.wanted(1000)
    assert fused.wanted(3_000_000)
    monkeypatch.setattr(fused, "available", lambda: False)
    assert not fused.wanted(3_000_000)


def test_features_say_what_is_compiled_of_them(walkers, monkeypatch):
    clip = walkers.walk(frames=20)
    kinds = []
    monkeypatch.setattr(fused, "wanted", lambda count: True)
    loop = fused.joint_rows
    monkeypatch.setattr(fused, "joint_rows", lambda *given: (kinds.append([*given[-1]]), loop(*given)))
    computed_together([*JOINTS, RootTrajectory()], clip)
    assert kinds == [["positions", "rotations", "velocities"]]
    JointVelocities().compute(clip)
    assert kinds[1:] == [["velocities"]]

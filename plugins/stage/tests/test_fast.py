"""Compiled or not: the same to the last bit; slerp's series against SciPy's slerp."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from kinetoscope_spec import Motion, Skeleton
from kinetoscope_stage import _fast
from kinetoscope_stage.clips import Clip


def made(seed: int, frames: int, joints: int, widest: float) -> Clip:
    random = np.random.default_rng(seed)
    parents = np.array([-1, *(random.integers(-1, i) for i in range(1, joints))])
    skeleton = Skeleton(tuple(f"j{i}" for i in range(joints)), parents, random.normal(size=(joints, 3)))
    q = [Rotation.random(joints, random_state=seed)]
    for _ in range(frames - 1):
        axis = random.normal(size=(joints, 3))
        axis /= np.linalg.norm(axis, axis=1, keepdims=True)
        q.append(Rotation.from_rotvec(axis * random.uniform(0, widest, (joints, 1))) * q[-1])
    rotations = np.array([held.as_quat() for held in q])
    return Clip.of(Motion(skeleton, random.normal(size=(frames, joints, 3)), rotations, 25.0))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 7),
    st.sampled_from((0.0, 1e-9, 0.3, 3.1)),
    st.integers(0, 70),
)
def test_sampling_is_the_same_compiled(seed, frames, joints, widest, count) -> None:
    clip = made(seed, frames, joints, widest)
    random = np.random.default_rng(seed)
    inside = random.uniform(0, clip.duration, count)
    rows = random.permutation(count + 3)[:count]
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for compiled in (False, True):
            patch.setattr(_fast, "wanted", lambda _, compiled=compiled: compiled)
            out = np.full((count + 3, joints, 3), 7.0), np.full((count + 3, joints, 4), 7.0)
            clip._write(inside, rows, out)
            found.append(out)
    for plain, fast in zip(*found, strict=True):
        assert plain.tobytes() == fast.tobytes()
    untouched = np.setdiff1d(np.arange(count + 3), rows)
    assert (found[1][0][untouched] == 7).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(0, 40))
def test_posing_is_the_same_compiled(seed, joints, count) -> None:
    random = np.random.default_rng(seed)
    parents = tuple(int(random.integers(-1, i)) if i else -1 for i in range(joints))
    turns = [Rotation.random(max(n, 1), random_state=seed).as_quat()[:n] for n in (count * joints, count)]
    local = random.normal(size=(count, joints, 3)), turns[0].reshape(count, joints, 4)
    at = random.normal(size=(count, 3)) * 100, turns[1], random.uniform(0.5, 2, count)
    rows = random.permutation(count)[: count // 2]
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for compiled in (False, True):
            patch.setattr(_fast, "wanted", lambda _, compiled=compiled: compiled)
            out = np.empty((len(rows), joints, 3)), np.empty((len(rows), joints, 4))
            _fast.pose(parents, np.arange(joints), rows, local, at, out)
            found.append(out)
    for plain, fast in zip(*found, strict=True):
        assert plain.tobytes() == fast.tobytes()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 3.1))
def test_the_series_is_slerp(seed, widest) -> None:
    clip = made(seed, 3, 4, widest)
    times = np.random.default_rng(seed).uniform(0, clip.duration, 9)
    _, q = clip.sample(times)
    assert np.abs(np.linalg.norm(q, axis=-1) - 1).max() < 1e-14
    for j in range(4):
        exact = Slerp(np.arange(3) / 25.0, Rotation.from_quat(clip.motion.rotations[:, j]))(times)
        assert (exact.inv() * Rotation.from_quat(q[:, j])).magnitude().max() < 2e-7


def test_what_is_spent_decides_and_not_the_clock(monkeypatch) -> None:
    monkeypatch.setattr(_fast, "_spent", 0)
    monkeypatch.setattr(_fast, "available", lambda: True)
    assert not _fast.wanted(_fast._WORTH - 1)
    assert _fast.wanted(1)
    monkeypatch.setattr(_fast, "available", lambda: False)
    assert not _fast.wanted(1)

"""Skeletons and motions: what can't exist, what can't change, and the laws of cutting and resampling."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from kinetoscope_spec import Motion, Skeleton, ValidationError
from kinetoscope_spec.motion import rest_motion


def skeleton(joints: int = 3) -> Skeleton:
    return Skeleton(tuple(f"j{i}" for i in range(joints)), np.arange(joints) - 1, np.ones((joints, 3)))


def clip(frames: int = 10, seed: int = 0, rate: float = 30.0, **kwargs: Any) -> Motion:
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(frames * 3, rng=rng).as_quat().reshape(frames, 3, 4).astype(np.float32)
    return Motion(
        skeleton(), rng.normal(size=(frames, 3, 3)).astype(np.float32), rotations, rate, "clip", **kwargs
    )


def wrong(build: Any, *words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        build()
    for word in words:
        assert word in str(caught.value), caught.value


def test_skeletons_that_cannot_exist() -> None:
    two = np.zeros((2, 3))
    wrong(lambda: Skeleton(("a", "a"), [-1, 0], two), "names", "'a'", "twice")
    wrong(lambda: Skeleton(("a", ""), [-1, 0], two), "names[1]", "''")
    wrong(lambda: Skeleton((), [], np.zeros((0, 3))), "empty")
    wrong(lambda: Skeleton(("a", "b"), [1, -1], two), "parents[0]", "'a'", "before")
    wrong(lambda: Skeleton(("a", "b"), [-1, 1], two), "parents[1]", "'b'")
    wrong(lambda: Skeleton(("a", "b"), [-1, -2], two), "parents[1]")
    wrong(lambda: Skeleton(("a", "b"), [-1, 0.5], two), "parents", "whole")
    wrong(lambda: Skeleton(("a", "b"), [-1], two), "parents", "[1]", "J=2")
    wrong(lambda: Skeleton(("a", "b"), [-1, 0], np.zeros((2, 4))), "rest_positions", "[2, 4]")
    wrong(
        lambda: Skeleton(("a", "b"), [-1, 0], [[0, 0, 0], [0, np.nan, 0]]), "rest_positions[1, 1]", "finite"
    )
    wrong(lambda: Skeleton(("a", "b"), [-1, 0], two, np.zeros((2, 4))), "rest_rotations[0]", "unit")
    wrong(lambda: Skeleton(("a", "b"), [-1, 0], two, None, np.full((2, 3), np.inf)), "rest_scales[0, 0]")
    wrong(lambda: Skeleton(("a", "b"), [-1, 0], [["x"] * 3] * 2), "rest_positions", "numbers")
    wrong(lambda: Skeleton(("a", "b"), [-1, 0], [[1, 2], [3]]), "rest_positions")


def test_motions_that_cannot_exist() -> None:
    good = clip(4)
    p, q = good.positions.copy(), good.rotations.copy()
    wrong(lambda: Motion(skeleton(), p, q, 0), "framerate", "above 0")
    wrong(lambda: Motion(skeleton(), p, q, float("nan")), "framerate")
    wrong(lambda: Motion(skeleton(), p, q, -30), "framerate")
    wrong(lambda: Motion(skeleton(), p, q, 30, start_time=float("inf")), "start_time")
    wrong(lambda: Motion(skeleton(), p[:0], q[:0], 30), "no frame")
    wrong(lambda: Motion(skeleton(), p, q[:3], 30), "rotations", "T=4")
    wrong(lambda: Motion(skeleton(4), p, q, 30), "positions", "J=4")
    wrong(lambda: Motion(skeleton(), p, 1.01 * q, 30), "rotations[0, 0]", "1.01", "unit quaternion")
    broken = p.copy()
    broken[2, 1, 0] = np.nan
    wrong(lambda: Motion(skeleton(), broken, q, 30), "positions[2, 1, 0]", "finite")
    wrong(lambda: Motion(skeleton(), p, q, 30, scales=np.ones((4, 3))), "scales")


def test_validation_errors_are_value_errors() -> None:
    assert issubclass(ValidationError, ValueError)


def test_arrays_cannot_be_written_to_and_attributes_not_replaced() -> None:
    motion = clip()
    for array in (
        motion.positions,
        motion.rotations,
        motion.skeleton.parents,
        motion.skeleton.rest_positions,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError):
        motion.framerate = 60  # type: ignore[misc]


def test_values_are_equal_by_what_they_hold_and_pickle() -> None:
    for value in (clip(), clip(scales=np.ones((10, 3, 3))), skeleton()):
        back = pickle.loads(pickle.dumps(value))
        assert back == value
        assert back is not value
    assert clip(seed=1) != clip(seed=2)
    assert clip() != "clip"
    assert hash(skeleton()) == hash(skeleton())
    with pytest.raises(TypeError):
        hash(clip())
    with pytest.raises(ValueError, match="read-only"):
        pickle.loads(pickle.dumps(clip())).positions[0] = 0


def test_index_names_the_nearest() -> None:
    assert skeleton().index("j2") == 2
    with pytest.raises(KeyError, match="did you mean"):
        skeleton().index("j")
    assert skeleton().children(0) == (1,)


def test_the_rest_pose() -> None:
    turn = Rotation.from_euler("X", 90, degrees=True).as_quat()
    bones = Skeleton(("a", "b"), [-1, 0], [[0, 1, 0], [0, 1, 0]], [turn, [0, 0, 0, 1]])
    positions, rotations = bones.rest_transforms()
    np.testing.assert_allclose(positions, [[0, 1, 0], [0, 1, 1]], atol=1e-12)
    np.testing.assert_allclose(rotations, [turn, turn], atol=1e-12)
    np.testing.assert_allclose(bones.rest_matrices()[:, :3, 3], positions, atol=1e-12)
    still = rest_motion(bones, 5)
    assert still.frame_count == 5
    assert still.scales is None
    np.testing.assert_allclose(still.global_transforms()[0][3], positions, atol=1e-12)


@given(st.integers(1, 12), st.integers(-15, 15), st.integers(-15, 15) | st.none())
@settings(deadline=None)
def test_slices_are_python_slices(frames: int, start: int, stop: int | None) -> None:
    motion = clip(frames)
    wanted = list(range(frames))[start:stop]
    if not wanted:
        with pytest.raises(ValidationError, match="no frame"):
            motion.slice(start, stop)
        return
    part = motion.slice(start, stop)
    np.testing.assert_array_equal(part.positions, motion.positions[wanted])
    np.testing.assert_array_equal(part.rotations, motion.rotations[wanted])
    assert part.start_time == pytest.approx(wanted[0] / 30)
    assert part.duration == pytest.approx((len(wanted) - 1) / 30)


def test_slices_share_memory() -> None:
    motion = clip()
    assert np.shares_memory(motion.slice(2, 5).positions, motion.positions)


@given(
    st.integers(1, 40),
    st.sampled_from([24.0, 29.97, 30.0, 50.0, 60.0, 120.0, 7.3]),
    st.sampled_from([30.0, 59.94]),
)
@settings(deadline=None)
def test_resampling_keeps_the_time_axis(frames: int, rate: float, source: float) -> None:
    motion = clip(frames, rate=source)
    found = motion.resample(rate)
    assert found.framerate == rate
    assert found.duration <= motion.duration + 1e-9
    assert found.duration > motion.duration - 1 / rate - 1e-9
    np.testing.assert_array_equal(found.positions[0], motion.positions[0])
    assert found.positions.dtype == motion.positions.dtype
    assert found.rotations.dtype == motion.rotations.dtype


def test_resampling_there_and_back_gives_the_frames_that_were_there() -> None:
    motion = clip(20)
    back = motion.resample(120).resample(30)
    assert back.frame_count == motion.frame_count
    np.testing.assert_allclose(back.positions, motion.positions, atol=1e-6)
    turned = (
        Rotation.from_quat(back.rotations.reshape(-1, 4))
        * Rotation.from_quat(motion.rotations.reshape(-1, 4)).inv()
    )
    assert turned.magnitude().max() < 1e-5
    assert motion.resample(30) is motion


def test_resampling_against_scipy() -> None:
    motion = clip(12, scales=np.random.default_rng(1).uniform(1, 2, (12, 3, 3)))
    found = motion.resample(77)
    times = np.arange(found.frame_count) / 77
    for joint in range(3):
        wanted = Slerp(np.arange(12) / 30, Rotation.from_quat(motion.rotations[:, joint]))(
            np.minimum(times, 11 / 30)
        )
        assert (wanted * Rotation.from_quat(found.rotations[:, joint]).inv()).magnitude().max() < 1e-5
        for axis in range(3):
            at = np.interp(times, np.arange(12) / 30, motion.positions[:, joint, axis])
            np.testing.assert_allclose(found.positions[:, joint, axis], at, atol=1e-5)
    assert found.scales is not None
    np.testing.assert_allclose(
        found.scales[:, 0, 0], np.interp(times, np.arange(12) / 30, motion.scales[:, 0, 0]), atol=1e-9
    )


def test_resampling_to_nothing() -> None:
    for rate in (0, -1, float("nan"), float("inf")):
        wrong(lambda rate=rate: clip().resample(rate), "framerate")


def test_scales_move_what_hangs_on_them() -> None:
    bones = Skeleton(("a", "b"), [-1, 0], [[0, 0, 0], [0, 1, 0]])
    motion = Motion(
        bones, bones.rest_positions[None], bones.rest_rotations[None], 30, scales=[[[1, 2, 1], [1, 1, 1]]]
    )
    np.testing.assert_allclose(motion.global_transforms()[0][0, 1], [0, 2, 0])

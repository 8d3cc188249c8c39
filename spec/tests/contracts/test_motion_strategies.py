"""What is drawn is valid, reaches the awkward, and shrinks to the simple."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from kinetoscope_spec import Motion, Skeleton
from kinetoscope_spec.contracts import strategies

FINDING = settings(
    max_examples=2000, database=None, derandomize=True, suppress_health_check=list(HealthCheck), deadline=None
)


def finds(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    return find(strategy, condition, settings=FINDING)


@given(strategies.motions())
@settings(max_examples=50, deadline=None)
def test_motions_are_valid_and_belong_to_their_skeleton(motion: Motion) -> None:
    # Building checks shapes, numbers and unit length; what remains is what drawing promises.
    assert motion.positions.shape == (motion.frame_count, len(motion.skeleton), 3)
    assert motion.framerate > 0


AWKWARD_SKELETONS: dict[str, Callable[[Skeleton], bool]] = {
    "one joint": lambda s: len(s) == 1,
    "300 joints": lambda s: len(s) == 300,
    "a deep chain": lambda s: len(s) >= 40 and list(s.parents) == list(range(-1, len(s) - 1)),
    "two roots": lambda s: int((s.parents < 0).sum()) == 2,
    "names beyond ASCII": lambda s: any(not name.isascii() for name in s.names),
    "names with spaces": lambda s: any(" " in name for name in s.names),
    "bones of length zero": lambda s: bool((s.rest_positions[1:] == 0).all(axis=-1).any()),
    "negative scales": lambda s: bool((s.rest_scales < 0).any()),
    "turned rest poses": lambda s: bool((np.abs(s.rest_rotations[:, 3]) < 0.5).any()),
}
AWKWARD_MOTIONS: dict[str, Callable[[Motion], bool]] = {
    "one frame": lambda m: m.frame_count == 1,
    "quaternions of both signs": lambda m: bool(
        (m.rotations[..., 3] < -0.1).any() and (m.rotations[..., 3] > 0.1).any()
    ),
    "scales": lambda m: m.scales is not None and bool((m.scales < 0).any()),
    "drop frames": lambda m: m.framerate == pytest.approx(29.97, abs=1e-3),
    "joints that move": lambda m: (
        len(m.skeleton) > 1 and bool(np.ptp(m.positions[:, m.skeleton.parents >= 0], axis=0).any())
    ),
}


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("what", AWKWARD_SKELETONS)
def test_skeletons_reach(what: str) -> None:
    found = finds(strategies.skeletons(), AWKWARD_SKELETONS[what])
    if what not in ("300 joints", "a deep chain"):
        assert len(found) <= 3, f"it did not shrink: {found}"


@pytest.mark.parametrize("what", AWKWARD_MOTIONS)
def test_motions_reach(what: str) -> None:
    found = finds(strategies.motions(), AWKWARD_MOTIONS[what])
    assert len(found.skeleton) <= 3, f"it did not shrink: {found}"
    assert found.frame_count <= 3


def test_the_simplest_motion_is_a_rest_pose_of_one_joint_and_one_frame() -> None:
    motion = finds(strategies.motions(), lambda _: True)
    assert (len(motion.skeleton), motion.frame_count) == (1, 1)
    assert np.array_equal(motion.rotations, [[[0, 0, 0, 1]]])
    assert motion.scales is None


@given(strategies.motions(smooth=True, frames=st.just(5), scales=False))
@settings(max_examples=30, deadline=None)
def test_smooth_motions_change_little_from_frame_to_frame(motion: Motion) -> None:
    assert np.abs(np.diff(motion.rotations, axis=0)).max() < 0.25
    assert np.abs(np.diff(motion.positions, axis=0)).max() < 0.15


@given(strategies.skeletons(roots=1, rest_rotations=False, rest_scales=False))
@settings(max_examples=50, deadline=None)
def test_narrowed_skeletons_are_narrow(skeleton: Skeleton) -> None:
    assert (skeleton.parents < 0).sum() == 1
    assert (skeleton.rest_scales == 1).all()
    assert (skeleton.rest_rotations[:, 3] == 1).all()


@given(strategies.file_bytes([b"HEADER 1 2 3"]))
@settings(max_examples=100, deadline=None)
def test_damaged_files_stay_small(data: bytes) -> None:
    assert len(data) <= 512 + 3 * 16 * 50


def test_damaged_files_reach_the_good_one_with_one_byte_changed() -> None:
    good = b"HEADER 1 2 3"
    found = finds(
        strategies.file_bytes([good]),
        lambda data: len(data) == len(good) and sum(a != b for a, b in zip(data, good, strict=True)) == 1,
    )
    assert len(found) == len(good)

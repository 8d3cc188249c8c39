"""Compiled, batched and differentiated by JAX, rows are those that NumPy computes."""

from __future__ import annotations

import pickle
import random

import jax
import numpy as np
import pytest
from hypothesis import strategies as st

import kinetoscope
from kinetoscope_spec.contracts.strategies import walks
from kinetoscope_spec.errors import ProviderNotFound, ValidationError

ALL = ["root-trajectory", "joint-positions", "joint-rotations", "joint-velocities", "joint-angular-velocities",
       "foot-contacts", "foot-phase", "periodic-phase", "trajectory-window", "terrain-height", "guidance-pose",
       "tracking-targets"]  # fmt: skip


@pytest.fixture(scope="module")
def host():
    with kinetoscope.Host() as held:
        yield held


@pytest.fixture(scope="module")
def clips():
    """Four clips of one skeleton and length, drawn with a seed of their own."""
    from hypothesis import Phase, find, settings

    drawn = st.lists(walks(frames=st.just(24), framerates=st.just(30.0), plain=True), min_size=4, max_size=4)
    settled = settings(database=None, deadline=None, phases=[Phase.generate])
    return find(
        drawn,
        lambda held: min(np.abs(np.diff(clip.positions, axis=0)).max() for clip in held) > 1e-3,
        settings=settled,
        random=random.Random(0),
    )


def test_rows_of_all_features_are_those_of_numpy_to_1e_5(host, clips):
    ours = host.feature("features-jax").configured(features=ALL)
    plain = [host.feature(name) for name in ALL]
    ends = np.cumsum([0, *(len(each.schema(clips[0].skeleton)) for each in plain)])
    for clip, rows in zip(clips, ours.compute_many(clips), strict=True):
        for name, each, start, stop in zip(ALL, plain, ends, ends[1:], strict=False):
            np.testing.assert_allclose(rows[:, start:stop], each.compute(clip), atol=1e-5, err_msg=name)
    columns = [column for each in plain for column in each.schema(clips[0].skeleton).columns]
    assert list(ours.schema(clips[0].skeleton).columns) == columns


def test_features_stand_side_by_side_with_their_options(host, clips):
    ours = host.feature("features-jax").configured(
        features=["foot-contacts", {"feature": "trajectory-window", "offsets_s": [0.1], "smoothing_s": 0.0}]
    )
    plain = host.feature("trajectory-window").configured(offsets_s=[0.1], smoothing_s=0.0)
    rows = ours.compute(clips[0])
    assert rows.shape == (24, 2 + 4)
    np.testing.assert_allclose(rows[:, 2:], plain.compute(clips[0]), atol=1e-5)
    mirrored = ours.mirrored(rows, clips[0].skeleton)
    np.testing.assert_array_equal(mirrored[:, :2], rows[:, 1::-1])
    np.testing.assert_allclose(mirrored[:, 2:], plain.mirrored(rows[:, 2:], clips[0].skeleton))


def test_the_function_is_compiled_batched_and_differentiated(host, clips):
    ours = host.feature("features-jax").configured(features=["joint-velocities"])
    skeleton = clips[0].skeleton
    toes = np.asarray(ours.schema(skeleton).where("joint_velocity", joint="LeftToeBase"))
    with jax.enable_x64(True):
        positions, rotations = (
            jax.numpy.stack([jax.numpy.asarray(getattr(clip, name)) for clip in clips])
            for name in ("positions", "rotations")
        )
        rows = jax.jit(jax.vmap(ours.function(skeleton, 30.0)))(positions, rotations)
        np.testing.assert_allclose(rows, np.stack(ours.compute_many(clips)), atol=1e-9)

        def slip(turned):
            return (ours.function(skeleton, 30.0)(positions[0], turned)[:, toes] ** 2).sum()

        gradient = jax.jit(jax.grad(slip))(rotations[0])
        step = 1e-6 * np.random.default_rng(0).normal(size=gradient.shape)
        numeric = slip(rotations[0] + step) - slip(rotations[0] - step)
        assert float(numeric) == pytest.approx(2 * float((gradient * step).sum()), rel=1e-4)


def test_clips_of_other_lengths_come_back_in_their_order_and_from_workers(host, clips):
    ours = host.feature("features-jax").configured(features=["foot-contacts"])
    there = pickle.loads(pickle.dumps(ours))
    mixed = [clips[0], clips[1].slice(0, 5), clips[2]]
    for clip, rows in zip(mixed, there.compute_many(mixed), strict=True):
        np.testing.assert_array_equal(rows, host.feature("foot-contacts").compute(clip))
    assert np.asarray(there.compute(clips[0], [3, -1])).shape == (2, 2)


def test_a_training_set_knows_what_it_holds_and_how_far_it_looks(host):
    ours, same, other = (
        host.feature("features-jax").configured(
            features=["foot-contacts", {"feature": "trajectory-window", "offsets_s": [-0.2, far]}]
        )
        for far in (0.5, 0.5, 1.0)
    )
    assert repr(ours) == repr(same) != repr(other)
    assert (ours.reach_s, other.reach_s) == ((-0.2, 0.5), (-0.2, 1.0))
    assert host.feature("features-jax").reach_s == (0.0, 0.0)


def test_precision_of_the_process_is_left_alone(host, clips):
    host.feature("features-jax").configured(features=["foot-contacts"]).compute(clips[0])
    assert jax.numpy.ones(1).dtype == np.float32


def test_what_is_wrong_is_said(host, clips):
    ours = host.feature("features-jax")
    with pytest.raises(ValidationError, match="no option 'feature'"):
        ours.configured(feature="joint-positions")
    with pytest.raises(ValidationError, match="expected at least one"):
        ours.configured(features="joint-positions")
    with pytest.raises(ValidationError, match="has no `rows`"):
        ours.configured(features=["labels"])
    with pytest.raises(ValidationError, match="a table with `feature`"):
        ours.configured(features=[{"offsets_s": [0.1]}])
    with pytest.raises(ProviderNotFound):
        ours.configured(features=["joint-postions"])
    with pytest.raises(ValidationError, match="frame 24 asked"):
        ours.configured(features=["foot-contacts"]).compute(clips[0], [24])


def test_what_turns_with_the_root_is_what_its_features_say(host, clips):
    skeleton = clips[0].skeleton
    names = [name for name in ALL if name != "periodic-phase"]  # whose angles a turn does not make good
    start, wanted = 0, []
    for each in map(host.feature, names):
        wanted += [(a + start, b + start) for a, b in each.turning(skeleton)]
        start += len(each.schema(skeleton))
    ours = host.feature("features-jax")
    assert [tuple(pair) for pair in ours.configured(features=names).turning(skeleton)] == wanted
    assert len(wanted) > 20
    with pytest.raises(ValidationError, match=r"PeriodicPhase.*no heading_jitter_deg"):
        ours.configured(features=ALL).turning(skeleton)

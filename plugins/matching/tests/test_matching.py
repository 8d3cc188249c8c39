"""What is found, beside a search of every row by its definition."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_matching.matching import MotionMatching
from kinetoscope_spec.errors import Cancelled, FormatError, ValidationError

KINDS = [[0, 1], [2, 3, 4, 5, 6, 7]]
"""The columns of `made` by their names."""


def cost(dataset, row, weights=(1.0, 1.0), kinds=KINDS):
    """Return the cost `[N]` of every moment for `row [X]`: kinds of columns, in deviations."""
    inputs = np.asarray(dataset.inputs, np.float64)
    deviation = np.array(dataset.input_schema.deviation)
    deviation[deviation < 1e-4] = 1.0
    apart = ((inputs - row) / deviation) ** 2
    return sum(weight * apart[:, kind].mean(axis=1) for weight, kind in zip(weights, kinds, strict=True))


@given(seed=st.integers(0, 2**32 - 1), weight=st.floats(0.01, 100))
def test_it_finds_what_comparing_with_every_row_finds(made, seed, weight):
    dataset = made()
    fitted = MotionMatching(weights={"wanted": weight}, stay=0.0, variance=1.0).fit(dataset)
    row = dataset.inputs.mean(0) + np.random.default_rng(seed).normal(size=8) * dataset.inputs.std(0)
    costs = cost(dataset, row, (weight, 1.0))
    (found,) = fitted.moments(row[None])
    assert costs[found] <= costs.min() * (1 + 1e-4) + 1e-6
    assert (fitted.predict(row[None]) == np.asarray(dataset.outputs, np.float32)[found]).all()


@given(seed=st.integers(0, 2**32 - 1), stay=st.floats(0.05, 0.95))
def test_it_stays_unless_a_jump_is_cheaper_by_the_margin(made, seed, stay):
    dataset, random = made(), np.random.default_rng(seed)
    fitted = MotionMatching(stay=stay, variance=1.0).fit(dataset)
    here = int(random.integers(len(dataset)))
    row = np.array(dataset.inputs[here], np.float64)
    row[:2] += random.normal(size=2)  # this pose, another wish
    costs = cost(dataset, row)
    (found,) = fitted.moments(row[None])
    if abs(costs[here] * (1 - stay) - costs.min()) > 1e-4:
        assert found == (here if costs[here] * (1 - stay) < costs.min() else costs.argmin())


def test_a_weight_of_zero_leaves_a_kind_of_column_out(made):
    dataset = made()
    fitted = MotionMatching(weights={"pose": 0.0}, stay=0.0).fit(dataset)
    rows = np.array(dataset.inputs, np.float64)
    rows[:, 2:] = 1000.0
    assert (fitted.moments(rows) == np.arange(len(rows))).all()


def test_without_columns_of_joints_the_cheapest_is_taken(made):
    dataset = made(joints=False)
    assert len(MotionMatching(stay=0.9).fit(dataset).spaces) == 1


def test_seeds_find_other_moments_and_the_same_ones_again(made):
    fitted = MotionMatching(spread=1.0).fit(made())
    rows = np.repeat(np.array([[0, 9, 0, 0, 0, 0, 0, 4.0]]), 20, axis=0)
    found = fitted.moments(rows, seed=1)
    assert len(set(found)) > 3
    assert (found == fitted.moments(rows, seed=1)).all()
    assert (found != fitted.moments(rows, seed=2)).any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stay": 1.0}, "stay is 1.0"),
        ({"weights": {"pose": -1.0}}, "weights\\['pose'\\] is -1.0"),
        ({"weights": {3: 1.0}}, "weights name 3"),
        ({"weights": [1.0]}, "weights are"),
        ({"spread": float("nan")}, "spread is nan"),
        ({"stai": 0.1}, "stay"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, said):
    with pytest.raises(ValidationError, match=said):
        MotionMatching().configured(**options)


def test_weights_of_columns_that_are_not_there_are_refused(made):
    with pytest.raises(ValidationError, match=r"'poze'.*'pose'"):
        MotionMatching(weights={"poze": 1.0}).fit(made())


def test_progress_can_cancel(made):
    with pytest.raises(Cancelled):
        MotionMatching().fit(made(), progress=lambda *_: False)


@pytest.mark.parametrize(
    ("rows", "said"), [(np.zeros((2, 7)), r"\[2, 7\].*\[N, 8\]"), (np.full((1, 8), np.nan), "not finite")]
)
def test_rows_that_do_not_fit_are_refused(made, rows, said):
    with pytest.raises(ValidationError, match=said):
        MotionMatching().fit(made()).predict(rows)


def rewritten(path, change):
    """Change the JSON description in the header of a checkpoint."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    held = json.loads(header["__metadata__"]["kinetoscope"])
    change(held, header)
    header["__metadata__"]["kinetoscope"] = json.dumps(held)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + length :])


@pytest.mark.parametrize(
    "change",
    [
        lambda held, _: held.update(spaces=3),
        lambda held, _: held.update(spaces="two"),
        lambda held, _: held.update(format="something/1"),
        lambda held, _: held.pop("input_schema"),
        lambda held, _: held["options"].update(stay="much"),
        lambda held, _: held.update(metadata=7),
        lambda held, _: held["output_schema"]["columns"].pop(),
        lambda _, header: header.pop("points1"),
        lambda _, header: header["points0"].update(shape=[1, 1]),
    ],
)
def test_a_checkpoint_that_was_tampered_with_is_refused(made, tmp_path, change):
    path = tmp_path / "moments.safetensors"
    MotionMatching().fit(made()).save(path)
    rewritten(path, change)
    with pytest.raises(FormatError, match=r"moments\.safetensors"):
        MotionMatching().load(path)


@pytest.mark.parametrize("kept", [0, 4, 20, 500])
def test_half_a_file_is_refused(made, tmp_path, kept):
    path = tmp_path / "moments.safetensors"
    MotionMatching().fit(made()).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(FormatError, match=r"moments\.safetensors"):
        MotionMatching().load(path)


def test_numbers_that_are_not_finite_are_refused(made, tmp_path):
    path = tmp_path / "moments.safetensors"
    fitted = MotionMatching().fit(made())
    fitted.points[0][0, 0] = np.inf
    fitted.save(path)
    with pytest.raises(FormatError, match="points0"):
        MotionMatching().load(path)

"""Schemas and training sets: small, smooth, of columns whose sizes differ."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts.strategies._text import names as any_names
from kinetoscope_spec.learning import Column, FeatureSchema, TrainingSet

__all__ = ["schemas", "training_sets"]

KINDS = (("joint_position", "m"), ("joint_velocity", "m/s"), ("root_turn_rate", "rad/s"), ("contact", "1"))


@st.composite
def schemas(draw: st.DrawFn, *, columns: st.SearchStrategy[int] | None = None) -> FeatureSchema:
    """Schemas of one column to 12, of the names and units that features have; without mean and deviation."""
    count = draw(st.integers(1, 12) if columns is None else columns)
    joints = draw(st.lists(st.none() | any_names(), min_size=1, max_size=3))
    found = []
    for i in range(count):
        name, unit = KINDS[i % len(KINDS)]
        found.append(Column(name, unit, joints[i % len(joints)], "xyz"[i % 3], offset=0.1 * (i // 3)))
    return FeatureSchema(found)


@st.composite
def training_sets(
    draw: st.DrawFn,
    *,
    rows: st.SearchStrategy[int] | None = None,
    inputs: st.SearchStrategy[int] | None = None,
    outputs: st.SearchStrategy[int] | None = None,
    constant: bool = True,
) -> TrainingSet:
    """Training sets whose outputs are smooth functions of their inputs; rows all differ.

    Columns lie about different means and vary by 0.01 to 100; some of the inputs never vary, unless
    `constant=False`. Rows come from one clip or two.
    """
    count = draw(st.integers(8, 32) if rows is None else rows)
    x_columns = draw(schemas(columns=st.integers(1, 8) if inputs is None else inputs)).columns
    y_columns = draw(schemas(columns=st.integers(1, 5) if outputs is None else outputs)).columns
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    normal = rng.uniform(-1.5, 1.5, size=(count, len(x_columns)))
    normal[:, 0] = np.linspace(-1.5, 1.5, count)[rng.permutation(count)]
    if constant and draw(st.booleans()):
        normal[:, 1:][:, rng.random(len(x_columns) - 1) < 0.3] = 0.0
    curves = np.sin(
        normal @ rng.normal(size=(len(x_columns), len(y_columns))) + rng.uniform(0, 6, len(y_columns))
    )
    x, y = _spread(rng, normal), _spread(rng, curves)
    return TrainingSet(
        x,
        y,
        TrainingSet.measured(x_columns, x),
        TrainingSet.measured(y_columns, y),
        framerate=30.0,
        clips=np.arange(count) % draw(st.integers(1, 2)),
        metadata={"feature": "drawn", "options": {"seed": 0}, "clips": ["one", "two"]},
    )


def _spread(rng: np.random.Generator, values: Array) -> Array:
    """Return `values [N, D]` of order one in columns of different sizes and means, float32."""
    size = 10.0 ** rng.uniform(-2, 2, values.shape[1])
    spread: Array = size * (values + rng.normal(size=values.shape[1]))
    return spread.astype(np.float32)

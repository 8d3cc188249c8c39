"""Training sets that tests of training share."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from kinetoscope_spec import Column, TrainingSet


def smooth(rows=256, seed=0, clips=1):
    """Rows of five inputs; outputs are smooth functions of them, and one never varies."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 5)) * [1, 10, 0.1, 1, 1] + [0, 100, 0, 0, 0]
    y = np.stack([x[:, 0], x[:, 0] * x[:, 3], 50 + x[:, 1], np.full(rows, 7.0)], axis=1)
    columns = ([Column(f"in{i}") for i in range(5)], [Column(f"out{i}") for i in range(4)])
    schemas = (TrainingSet.measured(c, v) for c, v in zip(columns, (x, y), strict=True))
    numbers = np.arange(rows) * clips // rows
    return TrainingSet(x, y, *schemas, clips=numbers, metadata={"clips": ["a"], "licence": "own"})


def sinusoids(rows=512, frames=21, width=3, seed=0):
    """Windows of one second in which everything moves at one frequency and phase: their own outputs."""
    random = np.random.default_rng(seed)
    times = np.linspace(-0.5, 0.5, frames)
    frequency, phase = random.uniform(1.0, 3.0, (rows, 1, 1)), random.uniform(0, 1, (rows, 1, 1))
    lags = np.arange(width) / width / 2
    x = np.sin(2 * np.pi * (frequency * times[:, None] + phase + lags)).reshape(rows, -1)
    columns = [Column("velocity", "m/s", f"joint{i}", "x", float(t)) for t in times for i in range(width)]
    schema = TrainingSet.measured(columns, x)
    return TrainingSet(x, x, schema, schema), frequency[:, 0, 0], phase[:, 0, 0]


@pytest.fixture(scope="session")
def made():
    """The makers of training sets, for tests of any scope."""
    return SimpleNamespace(smooth=smooth, sinusoids=sinusoids)

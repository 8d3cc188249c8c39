"""A training set that walks: poses, and where they are to go."""

from __future__ import annotations

import numpy as np
import pytest

from kinetoscope_spec import Column, TrainingSet


@pytest.fixture(scope="session")
def made():
    def make(rows=300, seed=0, joints=True):
        random = np.random.default_rng(seed)
        x = random.normal(size=(rows, 8)) * [1, 1, 50, 0.1, 1, 1, 1, 0] + [0, 9, 0, 0, 0, 0, 0, 4]
        y = random.normal(size=(rows, 5)).astype(np.float32)
        columns = [Column("wanted", "m", None, axis) for axis in ("x", "z")]
        for joint in ("hips", "knee"):
            columns += [Column("pose", "m", joint if joints else None, axis) for axis in ("x", "y", "z")]
        outputs = [Column(f"out{i}") for i in range(5)]
        schemas = TrainingSet.measured(columns, x), TrainingSet.measured(outputs, y)
        return TrainingSet(x, y, *schemas, metadata={"licence": "own"})

    return make

"""The contract of the hook `model`, told that the periodic autoencoder takes windows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st

from kinetoscope_codebook.periodic import PeriodicAutoencoder
from kinetoscope_spec import Column, TrainingSet
from kinetoscope_spec.contracts import ModelContract

__all__ = ["PeriodicContract"]


@st.composite
def windows(draw: st.DrawFn, *, rows: st.SearchStrategy[int]) -> TrainingSet:
    """Windows of sinusoids: inputs are values, outputs what they change by in a second."""
    frames, width = draw(st.sampled_from([3, 5, 9])), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    times = np.linspace(-0.5, 0.5, frames)
    rate, phase = random.uniform(0.5, 2, (2, draw(rows), 1, width))
    angles = 2 * np.pi * (rate * times[:, None] + phase)
    size = 10.0 ** random.uniform(-2, 2, width)
    values, changes = size * np.sin(angles), size * rate * np.cos(angles)
    columns = tuple(
        Column("velocity", "m/s", f"joint{i}", "x", float(t)) for t in times for i in range(width)
    )
    x, y = (rows.reshape(len(rows), -1).astype(np.float32) for rows in (values, changes))
    return TrainingSet(x, y, TrainingSet.measured(columns, x), TrainingSet.measured(columns, y))


class PeriodicContract(ModelContract):
    """All laws, on windows of three frames to nine."""

    provider = PeriodicAutoencoder
    name = "periodic-autoencoder"
    memorise_budget: Mapping[str, float] = {"steps": 1000}

    def training_sets(self) -> st.SearchStrategy[TrainingSet]:
        """Return windows."""
        return windows(rows=st.integers(8, 32))

    def batches(self) -> st.SearchStrategy[TrainingSet]:
        """Return eight windows."""
        return windows(rows=st.just(8))

    def _small(self) -> object:
        """Return a model fitted to windows of three frames."""
        rows = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)
        schema = TrainingSet.measured(tuple(Column("x", offset=0.1 * i) for i in range(3)), rows)
        outputs = TrainingSet.measured(schema.columns, rows**2)
        return self._fit(TrainingSet(rows, rows**2, schema, outputs))

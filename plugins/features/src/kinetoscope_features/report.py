"""What a training set holds, as a picture: how many windows of which label, and how columns are spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from kinetoscope_features.body import Array
from kinetoscope_features.picture import figures
from kinetoscope_features.store import TrainingStore
from kinetoscope_spec import FeatureSchema

__all__ = ["counted", "drawn_set"]

SAMPLE = 20_000
"""Windows, spread evenly over all, whose columns are drawn: a histogram shows no more."""

_ACROSS = 4
"""Panels in a row."""


def counted(store: TrainingStore) -> dict[str, tuple[int, int]]:
    """Return the windows of each label, for training and for validation; clips without one have an empty one."""
    found: dict[str, tuple[int, int]] = {}
    for training in (True, False):
        clips, counts = np.unique(store.clip_numbers(training=training), return_counts=True)
        for clip, count in zip(clips, counts, strict=True):
            label = store.metadata["labels"][clip]
            seen = found.get(label, (0, 0))
            found[label] = (seen[0] + int(count), seen[1]) if training else (seen[0], seen[1] + int(count))
    return dict(sorted(found.items()))


def drawn_set(store: TrainingStore) -> Any:
    """Return a Matplotlib figure of a training set: counts by label, a histogram for each kind of column.

    Histograms are of the windows for training, not normalised, all columns of a kind together; a panel says
    the range, and how many of the columns never change.

    Raises:
        ProviderUnavailable: Matplotlib is not installed.
    """
    figure_class = figures()
    at = np.unique(np.linspace(0, len(store) - 1, min(SAMPLE, len(store))).astype(np.int64))
    sides = zip(
        ("inputs", "outputs"), store.windows(at), (store.input_schema, store.output_schema), strict=True
    )
    kinds = [
        (side, name, schema, columns, rows)
        for side, rows, schema in sides
        for name, columns in _kinds(schema).items()
    ]
    height = 1 + -(-len(kinds) // _ACROSS)
    figure = figure_class(figsize=(4 * _ACROSS, 2.4 * height), layout="constrained")
    grid = figure.add_gridspec(height, _ACROSS)
    _labels(figure.add_subplot(grid[0, :]), store)
    for i, (side, name, schema, columns, rows) in enumerate(kinds):
        axes = figure.add_subplot(grid[1 + i // _ACROSS, i % _ACROSS])
        _histogram(axes, f"{side}: {name}", schema, columns, rows[:, columns], store.dead(side)[columns])
    return figure


def _kinds(schema: FeatureSchema) -> dict[str, Array]:
    """Return the columns of each name."""
    found: dict[str, list[int]] = {}
    for i, column in enumerate(schema.columns):
        found.setdefault(column.name, []).append(i)
    return {name: np.array(columns) for name, columns in found.items()}


def _labels(axes: Any, store: TrainingStore) -> None:
    counts = counted(store)
    names = [label or "(none)" for label in counts]
    training, validation = np.array(list(counts.values())).T
    axes.bar(names, training, color="tab:blue", label="training")
    axes.bar(names, validation, bottom=training, color="tab:orange", label="validation")
    axes.set(
        ylabel="windows",
        title=f"{training.sum():,} windows for training, {validation.sum():,} for validation",
    )
    axes.tick_params(axis="x", rotation=45 if len(names) > 12 else 0)
    axes.legend(frameon=False)


def _histogram(
    axes: Any, title: str, schema: FeatureSchema, columns: Array, rows: Array, dead: Array
) -> None:
    low, high = float(rows.min()), float(rows.max())
    axes.hist(
        rows.reshape(-1), bins=60, range=(low, high if high > low else low + 1), color="tab:grey", log=True
    )
    never = f", {dead.sum()} never change" if dead.any() else ""
    axes.set_title(f"{title}\n{len(columns)} columns{never}", fontsize="small")
    unit = schema.columns[int(columns[0])].unit
    axes.set_xlabel(f"{low:.3g} to {high:.3g}{'' if unit == '1' else f' {unit}'}", fontsize="small")

"""The model `motion-matching`: keeps every moment of the clips, and plays the one that fits best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np

from kinetoscope_matching.file import load
from kinetoscope_matching.fitted import FittedMatching
from kinetoscope_matching.space import Space, scales
from kinetoscope_spec import TrainingSet
from kinetoscope_spec.errors import Cancelled, ValidationError, nearest
from kinetoscope_spec.protocols import Progress

__all__ = ["MotionMatching"]

_STILL = 1e-4
"""Inputs that deviate less count as constant."""


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high:
        raise ValidationError(f"{name} is {value!r}, expected a number from {low:g} to {high:g}")


def _number(low: float, high: float) -> Any:
    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        _check_number(attribute.name, value, low, high)

    return check


def _weights(_: Any, __: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ValidationError(f"weights are {value!r:.60}, expected numbers by the names of columns")
    for name, weight in value.items():
        if not isinstance(name, str):
            raise ValidationError(f"weights name {name!r:.60}, expected the name of a column")
        _check_number(f"weights[{name!r}]", weight, 0.0, 1e6)


@attrs.frozen(kw_only=True)
class MotionMatching:
    """Motion matching: of all moments in the training set, the outputs of the one whose inputs fit best.

    Nothing is learned: what comes out is what was recorded, to the last bit. Cost is the squared
    distance of inputs in deviations, every kind of column (all of one name) counting the same, times its
    weight. The search is a k-d tree in the inputs' principal axes.

    Büttner and Clavet 2015, "Motion Matching: the road to next gen animation", Nucl.ai; Clavet 2016,
    "Motion matching and the road to next-gen animation", GDC.

    Options:
        weights: by the name of a kind of column; 1 unless given, 0 leaves it out of the cost.
        stay: how much cheaper another moment must be, as a share, for a jump to it. Where the character
            is in the clips is told by its pose (the columns of joints); without such columns the
            cheapest is taken always, as with 0.
        variance: share of the weighed inputs' variance that the axes searched must keep.
        spread: by how many deviations `seed` disturbs the question along each axis.
    """

    weights: Mapping[str, float] = attrs.field(
        factory=dict,
        converter=lambda given: given if not isinstance(given, dict) else MappingProxyType(given),
        validator=_weights,
    )
    stay: float = attrs.field(default=0.2, validator=_number(0.0, 0.99))
    variance: float = attrs.field(default=0.99, validator=_number(0.0, 1.0))
    spread: float = attrs.field(default=0.3, validator=_number(0.0, 100.0))

    def configured(self, **options: Any) -> MotionMatching:
        """Return a new model with these options; this one stays as it is.

        Raises:
            ValidationError: an unknown option (naming the nearest) or a value out of range.
        """
        known = [field.name for field in attrs.fields(MotionMatching)]
        for name in options:
            if name not in known:
                raise ValidationError(f"'motion-matching' has no option {name!r}{nearest(name, known)}")
        return attrs.evolve(self, **options)

    def fit(
        self, dataset: TrainingSet, *, seed: int = 0, budget: Any = None, progress: Progress | None = None
    ) -> FittedMatching:
        """Keep the moments of `dataset`, ready to be searched.

        There is nothing to draw and nothing to repeat: `seed` and `budget` change nothing.

        Raises:
            ValidationError: no rows, or a weight for a kind of column that there is not.
            Cancelled: `progress` returned False.
        """
        if not len(dataset):
            raise ValidationError("the training set has no rows, expected at least 1")
        schema, inputs = dataset.input_schema, np.asarray(dataset.inputs, np.float64)
        mean = inputs.mean(axis=0) if schema.mean is None else np.asarray(schema.mean, np.float64)
        deviation = inputs.std(axis=0) if schema.deviation is None else np.asarray(schema.deviation)
        scale = scales(schema, np.where(deviation < _STILL, 1.0, deviation), self.weights)
        pose = np.array([column.joint is not None for column in schema.columns])
        spaces = [Space.of(inputs, mean, scale, self.variance)]
        if self.stay > 0 and pose.any():
            spaces.append(Space.of(inputs, mean, np.where(pose, scale, 0.0), self.variance))
        for done, what in enumerate(("measured", "ready")):
            if progress is not None and progress(done, 1, what) is False:
                raise Cancelled(f"cancelled when {what}")
        return FittedMatching.of(
            spaces=tuple(spaces),
            points=tuple(space.points(inputs).astype(np.float32) for space in spaces),
            outputs=np.asarray(dataset.outputs, np.float32),
            input_schema=schema,
            output_schema=dataset.output_schema,
            metadata=dict(dataset.metadata),
            options={**attrs.asdict(self), "weights": dict(self.weights)},
        )

    def load(self, path: str | Path) -> FittedMatching:
        """Read a checkpoint; never runs code from it.

        Raises:
            FormatError: it is not one.
            OSError: it can't be read.
        """
        return load(path)

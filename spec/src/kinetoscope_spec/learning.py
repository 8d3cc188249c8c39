"""What models learn from: columns with names and units, and rows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, shaped
from kinetoscope_spec._value import Value, as_tuple, frozen_mapping
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.motion import Skeleton

__all__ = ["Column", "FeatureSchema", "TrainingSet"]


@attrs.frozen
class Column:
    """One number of a feature row.

    Attributes:
        name: what it is: `root_velocity`, `joint_rotation_6d`, `contact`.
        unit: `m`, `m/s`, `rad`, `rad/s`, `1`.
        joint: the joint it belongs to, or None.
        component: `x`, `y`, `z`, `r00`, ... or None.
        offset: seconds from the row's frame to the frame it speaks of; below 0 is the past.
    """

    name: str
    unit: str = "1"
    joint: str | None = None
    component: str | None = None
    offset: float = 0.0


@attrs.frozen(eq=False, repr=False)
class FeatureSchema(Value):
    """The meaning of a row's D numbers.

    Attributes:
        columns: D columns.
        mean, deviation: `[D]`, for normalising, or None before they are known; a column that
            never varies has deviation 1.
    """

    columns: tuple[Column, ...] = attrs.field(converter=as_tuple)
    mean: Array | None = None
    deviation: Array | None = None

    def __attrs_post_init__(self) -> None:
        size = {"D": len(self.columns)}
        for name in ("mean", "deviation"):
            if getattr(self, name) is not None:
                object.__setattr__(
                    self, name, shaped("FeatureSchema", name, getattr(self, name), ["D"], sizes=size)
                )
        if self.deviation is not None and (self.deviation <= 0).any():
            raise ValidationError("FeatureSchema.deviation holds a number that is not above 0")

    def __len__(self) -> int:
        return len(self.columns)

    def where(self, name: str, *, joint: str | None = None, component: str | None = None) -> Array:
        """Return the indices of the columns called `name` (of that joint, of that component).

        Raises:
            KeyError: there is none.
        """
        found = [
            i
            for i, column in enumerate(self.columns)
            if column.name == name
            and (joint is None or column.joint == joint)
            and (component is None or column.component == component)
        ]
        if not found:
            raise KeyError(f"no column {name!r} (joint {joint!r}, component {component!r}) in this schema")
        return np.asarray(found)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dicts that `from_json` reads."""
        return {
            "columns": [[c.name, c.unit, c.joint, c.component, c.offset] for c in self.columns],
            "mean": None if self.mean is None else self.mean.tolist(),
            "deviation": None if self.deviation is None else self.deviation.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FeatureSchema:
        """Build a schema from what `to_json` returned."""
        return cls(tuple(Column(*row) for row in data["columns"]), data["mean"], data["deviation"])


@attrs.frozen(eq=False, repr=False)
class TrainingSet(Value):
    """Rows of inputs and of the outputs to learn from them.

    Attributes:
        inputs: `[N, X]` in the units of `input_schema`, not normalised.
        outputs: `[N, Y]` in the units of `output_schema`, not normalised.
        input_schema, output_schema: with mean and deviation over these rows.
        skeleton: whose motion the rows describe, or None.
        framerate: rows per second within a clip.
        clips: int64 `[N]`, the clip each row comes from: split by clip, never by row.
        metadata: names of the clips, options of the feature, licences, hashes.
    """

    inputs: Array
    outputs: Array
    input_schema: FeatureSchema
    output_schema: FeatureSchema
    skeleton: Skeleton | None = None
    framerate: float = 30.0
    clips: Array | None = None
    metadata: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)

    def __attrs_post_init__(self) -> None:
        size = {"X": len(self.input_schema), "Y": len(self.output_schema)}
        set_ = object.__setattr__
        set_(self, "inputs", shaped("TrainingSet", "inputs", self.inputs, ["N", "X"], sizes=size))
        set_(self, "outputs", shaped("TrainingSet", "outputs", self.outputs, ["N", "Y"], sizes=size))
        clips = np.zeros(len(self.inputs), np.int64) if self.clips is None else self.clips
        set_(self, "clips", shaped("TrainingSet", "clips", clips, ["N"], np.int64, sizes=size))

    def __len__(self) -> int:
        return len(self.inputs)

    @staticmethod
    def measured(columns: Sequence[Column], rows: Array, *, least: float = 1e-4) -> FeatureSchema:
        """Return a schema with mean and deviation of `rows [N, D]`.

        A column that varies by less than `least` gets deviation 1: dividing by next to nothing
        would turn rounding into signal.
        """
        mean = rows.mean(axis=0, dtype=np.float64)
        deviation = rows.std(axis=0, dtype=np.float64)
        return FeatureSchema(tuple(columns), mean, np.where(deviation < least, 1.0, deviation))

"""The space in which moments are compared: inputs, weighed and turned so that a tree can search them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import FeatureSchema
from kinetoscope_spec.errors import ValidationError, nearest

__all__ = ["Space", "scales"]

Array = NDArray[np.float64]


def scales(schema: FeatureSchema, deviation: Array, weights: Mapping[str, float]) -> Array:
    """Return by what `[X]` to multiply inputs, so that their squared distance is the cost of a match.

    Columns are measured in deviations, and all of one name count together as one, times its weight: a
    pose has a hundred numbers and must not drown the few of the way that is wanted.

    Raises:
        ValidationError: a weight for a name that the schema does not have.
    """
    names = [column.name for column in schema.columns]
    for name in weights:
        if name not in names:
            raise ValidationError(f"weights name {name!r}{nearest(name, sorted(set(names)))}")
    count = Counter(names)
    found: Array = np.array([np.sqrt(weights.get(name, 1.0) / count[name]) for name in names]) / deviation
    return found


@attrs.frozen(eq=False)
class Space:
    """An affine map of inputs to points whose distances are the costs of matches.

    Attributes:
        mean: `[X]`.
        axes: `[X, P]`, the scaled inputs' principal axes.
    """

    mean: Array
    axes: Array

    @classmethod
    def of(cls, inputs: Any, mean: Array, scale: Array, variance: float) -> Space:
        """Return the space of the principal axes that keep `variance` of the scaled `inputs [N, X]`.

        All axes would leave every distance as it is; a tree prunes by the first few.
        """
        scaled = (np.asarray(inputs, np.float64) - mean) * scale
        values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
        values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
        kept = np.cumsum(values) / max(values.sum(), 1e-300) < variance
        count = min(int(kept.sum()) + 1, len(values))
        return cls(np.asarray(mean, np.float64), scale[:, None] * vectors[:, :count])

    def points(self, rows: Any) -> Array:
        """Return the points `[N, P]` of input rows `[N, X]`.

        Row by row: the product of a batch may round otherwise than that of its rows, and where two
        moments fit equally well that would be another answer.
        """
        centred = np.asarray(rows, np.float64) - self.mean
        return np.stack([row @ self.axes for row in centred]) if len(centred) else centred @ self.axes

"""The moments of the clips, searched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_matching.space import Space
from kinetoscope_spec import FeatureSchema
from kinetoscope_spec.errors import ValidationError

__all__ = ["FittedMatching"]

Array = NDArray[np.float32]


@attrs.frozen(eq=False, kw_only=True)
class FittedMatching:
    """All moments of a training set.

    Attributes:
        spaces: in which moments are compared: by all inputs, and, if staying counts, by the pose alone.
        points: `[N, P]` for each space, the moments there.
        outputs: `[N, Y]`, what followed each moment.
        input_schema, output_schema: meaning of the columns.
        metadata: what the training set said of itself; features build themselves again from it.
        options: those of the model.
        trees: k-d trees of the points.
    """

    spaces: tuple[Space, ...]
    points: tuple[Array, ...]
    outputs: Array
    input_schema: FeatureSchema
    output_schema: FeatureSchema
    metadata: Mapping[str, Any]
    options: Mapping[str, Any]
    trees: tuple[Any, ...] = attrs.field(repr=False)

    @classmethod
    def of(cls, *, points: tuple[Array, ...], **held: Any) -> FittedMatching:
        """Build the trees of `points`, and what holds them."""
        from scipy.spatial import cKDTree

        return cls(points=points, trees=tuple(cKDTree(p.astype(np.float64)) for p in points), **held)

    def predict(self, inputs: Any, *, seed: int | None = None) -> Array:
        """Return outputs `[N, Y]` for `inputs [N, X]`, both in the units of their schemas.

        Args:
            inputs: one row for each prediction.
            seed: disturbs the inputs by `spread`, each row its own, so that another moment may fit best;
                None takes them as they are. What disturbs a row depends on the seed and its place.

        Raises:
            ValidationError: another width than the input schema's, or a number that is not finite.
        """
        return self.outputs[self.moments(inputs, seed=seed)]

    def moments(self, inputs: Any, *, seed: int | None = None) -> NDArray[np.int64]:
        """Return the rows `[N]` of the training set that are played for `inputs [N, X]`; see `predict`."""
        rows = self._checked(inputs)
        if not len(rows):
            return np.zeros(0, np.int64)
        asked = self.spaces[0].points(rows)
        if seed is not None:
            noise = np.random.default_rng(seed).normal(size=asked.shape)
            asked = asked + self.options["spread"] * self.points[0].std(axis=0, dtype=np.float64) * noise
        found: NDArray[np.int64] = self.trees[0].query(asked)[1].astype(np.int64)
        if len(self.spaces) == 1:
            return found
        here = self.trees[1].query(self.spaces[1].points(rows))[1].astype(np.int64)
        stays = self._cost(asked, here) * (1 - self.options["stay"]) <= self._cost(asked, found)
        return np.where(stays, here, found)

    def _cost(self, asked: NDArray[np.float64], moments: NDArray[np.int64]) -> NDArray[np.float64]:
        cost: NDArray[np.float64] = ((asked - self.points[0][moments]) ** 2).sum(axis=1)
        return cost

    def _checked(self, inputs: Any) -> NDArray[np.float64]:
        rows = np.asarray(inputs, np.float64)
        wanted = len(self.input_schema)
        if rows.ndim != 2 or rows.shape[1] != wanted:
            raise ValidationError(
                f"inputs have shape {list(rows.shape)}, expected [N, {wanted}]: the input schema has {wanted} "
                f"columns, from {self.input_schema.columns[0].name!r} to {self.input_schema.columns[-1].name!r}"
            )
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            name = self.input_schema.columns[column].name
            raise ValidationError(f"inputs[{row}, {column}] ({name}) is not finite, expected a number")
        return rows

    def save(self, path: str | Path) -> None:
        """Write the checkpoint: safetensors, with a JSON description in its header."""
        from kinetoscope_matching.file import save

        save(self, path)

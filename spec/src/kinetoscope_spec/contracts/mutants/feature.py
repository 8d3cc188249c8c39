"""Features with one thing wrong."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from array_api_compat import array_namespace, is_numpy_array

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.learning import Column, FeatureSchema, TrainingSet
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Optional(Wrapper):
    """A feature some of whose methods are other ones, `its_NAME`, where the real one has them at all."""

    def __getattr__(self, name: str) -> Any:
        held = getattr(self.real, name)
        other = getattr(type(self), f"its_{name}", None)
        return held if other is None else other.__get__(self)


class _Alters(_Optional):
    """A feature whose rows are changed after they are computed, by `compute` and by `rows` alike."""

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        asked: Array = self.real.compute(motion, frames)
        whole = asked if frames is None else self.real.compute(motion)
        altered: Array = self.altered(whole, motion.skeleton, motion.positions, motion.framerate)
        return altered if frames is None else altered[np.asarray(frames, np.int64)]

    def its_rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        rows = self.real.rows(skeleton, positions, rotations, framerate)
        return self.altered(rows, skeleton, positions, framerate)

    def altered(self, rows: Any, skeleton: Skeleton, positions: Any, framerate: float) -> Any:
        raise NotImplementedError  # pragma: no cover - every mutant has its own

    def where(self, rows: Any, skeleton: Skeleton, *units: str) -> Any:
        """Return 1 for the columns of those units and 0 for others, `[D]`, like `rows`."""
        held = [float(column.unit in units) for column in self.real.schema(skeleton).columns]
        xp = array_namespace(rows)
        return xp.asarray(held, dtype=rows.dtype)


@mutant(MUTANTS, "schema_length_equals_columns")
class Promises(Wrapper):
    """has a column in its schema that no row has"""

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        real: FeatureSchema = self.real.schema(skeleton)
        return FeatureSchema((*real.columns, Column("style")))


@mutant(MUTANTS, "deterministic")
class Trembles(Wrapper):
    """adds a little noise to its rows"""

    numbers = itertools.count()

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        noisy: Array = self.real.compute(motion, frames) + 1e-7 * (next(self.numbers) % 5)
        return noisy


@mutant(MUTANTS, "a_batch_equals_its_frames")
class Sorts(Wrapper):
    """gives the rows in the order of time, whatever the order in which frames are asked for"""

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        rows: Array = self.real.compute(motion, None if frames is None else sorted(frames))
        return rows


@mutant(MUTANTS, "frames_outside_the_clip_are_refused")
class Holds(Wrapper):
    """takes the last frame for every frame beyond it"""

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        held = None if frames is None else np.minimum(frames, len(self.real.compute(motion)) - 1)
        rows: Array = self.real.compute(motion, held)
        return rows


@mutant(MUTANTS, "any_motion_ends_in_rows_or_a_validation_error")
class Stumbles(Wrapper):
    """lets a KeyError through where a joint is missing"""

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        try:
            schema: FeatureSchema = self.real.schema(skeleton)
        except ValidationError as error:
            raise KeyError("hips") from error
        return schema


@mutant(MUTANTS, "turning_and_moving_changes_nothing")
class Stands(_Alters):
    """gives rows that depend on how far along z the clip stands"""

    def altered(self, rows: Any, skeleton: Skeleton, positions: Any, framerate: float) -> Any:
        z = 0.5 * (positions[0, 0, 2] + positions[-1, 0, 2])
        return rows * (1 + 0.1 * z / (1 + z * z))


@mutant(MUTANTS, "mirroring_twice_is_identity")
class Unmoved(_Optional):
    """leaves rows as they are when it mirrors them"""

    def its_mirrored(self, rows: Array, skeleton: Skeleton) -> Array:
        return rows


@mutant(MUTANTS, "a_reversed_clip_has_negated_velocities")
class Favours(_Alters):
    """gives speeds upwards and forwards half as large again, downwards and backwards half as large"""

    def altered(self, rows: Any, skeleton: Skeleton, positions: Any, framerate: float) -> Any:
        columns = self.real.schema(skeleton).columns
        held = [0.5 * (column.unit == "m/s" and column.component in ("y", "z")) for column in columns]
        xp = array_namespace(rows)
        return rows + xp.asarray(held, dtype=rows.dtype) * xp.abs(rows)


@mutant(MUTANTS, "resampling_changes_only_what_interpolation_allows")
class Presumes(_Alters):
    """takes every clip for one of 30 frames a second"""

    def altered(self, rows: Any, skeleton: Skeleton, positions: Any, framerate: float) -> Any:
        return rows * (1 + self.where(rows, skeleton, "m", "m/s", "rad/s") * (framerate / 30 - 1))


@mutant(MUTANTS, "array_libraries_agree")
class Halves(_Optional):
    """computes in half precision on arrays that are not NumPy's"""

    def its_rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        rows = self.real.rows(skeleton, positions, rotations, framerate)
        xp = array_namespace(rows)
        return rows if is_numpy_array(rows) else xp.astype(xp.astype(rows, xp.float16), rows.dtype)


@mutant(MUTANTS, "gradients_are_finite")
class Roots(_Optional):
    """takes a square root of zero on its way, which has no finite gradient"""

    def its_rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        rows = self.real.rows(skeleton, positions, rotations, framerate)
        xp = array_namespace(rows)
        return rows + xp.sqrt(0.0 * xp.sum(positions * positions))


@mutant(MUTANTS, "training_rows_match_their_schemas")
class Counts(_Optional):
    """counts clips from 1"""

    def its_training_set(self, motions: Sequence[Motion], **options: Any) -> TrainingSet:
        dataset: TrainingSet = self.real.training_set(motions, **options)
        return attrs.evolve(dataset, clips=None if dataset.clips is None else dataset.clips + 1)


class _Coarse(_Optional):
    """A feature whose training rows have few digits."""

    def its_training_set(self, motions: Sequence[Motion], **options: Any) -> TrainingSet:
        dataset: TrainingSet = self.real.training_set(motions, **options)
        return attrs.evolve(dataset, inputs=np.round(dataset.inputs, 1))


@mutant(MUTANTS, "a_restored_feature_makes_equal_rows")
class Forgets(_Optional):
    """rounds its rows to one digit once it is restored"""

    def its_restored(self, record: Mapping[str, Any]) -> _Coarse:
        return _Coarse(self.real.restored(record))


@mutant(MUTANTS, "playing_counts_its_frames")
class Drops(_Optional):
    """leaves the last frame that was played out of the motion"""

    def its_restored(self, record: Mapping[str, Any]) -> Drops:
        return Drops(self.real.restored(record))

    def its_motion(self, state: Any) -> Motion:
        motion: Motion = self.real.motion(state)
        return motion.slice(0, max(motion.frame_count - 1, 1))

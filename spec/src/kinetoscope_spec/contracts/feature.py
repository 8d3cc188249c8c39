"""The contract of the hook `feature`: rows of numbers computed from motion, and their playing."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from typing import ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts import _array_libraries as libraries
from kinetoscope_spec.contracts._clips import ahead, carried, doubled, label, rates, reversed_clip
from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts.strategies._bodies import (
    mirrored_walks,
    still_body,
    walks,
)
from kinetoscope_spec.contracts.strategies._motion import motions as any_motions
from kinetoscope_spec.errors import ContractError, ValidationError
from kinetoscope_spec.learning import FeatureSchema, TrainingSet
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["FeatureContract"]

LENGTHS = {"m", "m/s", "rad/s"}
"""Units of columns that interpolation between frames may change only a little."""


class FeatureContract(Contract):
    """What callers of a feature rely on.

    Laws of mirroring hold for a feature that has `mirrored` (`protocols.MirroredFeature`), those of other
    array libraries for one that has `rows` (`protocols.ArrayFeature`), those of playing for one that has
    `training_set` (`protocols.Locomotion`).

    Attributes:
        tolerance: by how much two rows may differ that are to be the same, for numbers about 1 and
            below; larger ones may differ by as much more.
        framerate: frames per second at which the feature computes its rows, whatever the clip's; None
            for the clip's own.
        one_sided: whether velocities are differences to one neighbouring frame, not central ones: when
            the clip is reversed they may change by what they change from frame to frame.
        training_frames: frames of the clips that `training_set` is given.
    """

    hook: ClassVar[str] = "feature"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.feature:MUTANTS"
    tolerance: float = 1e-5
    framerate: float | None = None
    one_sided: bool = False
    training_frames: int = 40

    # -- what laws draw

    def motions(self) -> st.SearchStrategy[Motion]:
        """Return motions that the feature accepts."""
        return walks(framerates=self._framerates())

    def mirrored_motions(self) -> st.SearchStrategy[tuple[Motion, Motion]]:
        """Return pairs of a motion that the feature accepts and its mirror image."""
        return mirrored_walks(framerates=self._framerates())

    def same_sized_motions(self) -> st.SearchStrategy[Motion]:
        """Return motions of one skeleton and length: some libraries compile code for every size."""
        return walks(frames=st.just(8), framerates=self._framerates(), plain=True)

    def skeleton(self) -> Skeleton:
        """Return a skeleton that the feature accepts, by which its columns are known."""
        return still_body()

    def clips(self) -> st.SearchStrategy[list[Motion]]:
        """Return lists of clips of one skeleton to learn from."""
        one = walks(frames=st.just(self.training_frames), framerates=self._framerates(), plain=True)
        return st.lists(one, min_size=1, max_size=2)

    def _framerates(self) -> st.SearchStrategy[float] | None:
        return None if self.framerate is None else st.just(self.framerate)

    # -- laws of every feature

    @law("motions")
    def test_schema_length_equals_columns(self, motion: Motion) -> None:
        """There is a row for every frame, with as many numbers, all finite, as the schema has columns."""
        schema = self.subject.schema(motion.skeleton)
        require(
            isinstance(schema, FeatureSchema), f"schema is a {type(schema).__name__}, expected FeatureSchema"
        )
        rows = np.asarray(self.subject.compute(motion))
        require(
            rows.shape == (motion.frame_count, len(schema)),
            f"rows have shape {list(rows.shape)}, expected [{motion.frame_count}, {len(schema)}]: one for each "
            "frame, one number for each column of the schema",
        )
        require(np.issubdtype(rows.dtype, np.floating), f"rows are {rows.dtype}, expected floating numbers")
        require(np.isfinite(rows), f"{self._column(schema, ~np.isfinite(rows))} is not finite")

    @law("motions", "motions")
    def test_deterministic(self, motion: Motion, between: Motion) -> None:
        """The same motion gives the same rows, to the last bit, whatever was computed in between."""
        first = np.array(self.subject.compute(motion))
        self.subject.compute(between)
        again = np.asarray(self.subject.compute(motion))
        schema = self.subject.schema(motion.skeleton)
        require(
            np.array_equal(first, again),
            f"computed twice, {self._worst(schema, first, again)}",
        )

    @law("motions", st.lists(st.integers(0, 10**6), max_size=6))
    def test_a_batch_equals_its_frames(self, motion: Motion, numbers: list[int]) -> None:
        """The rows of the frames asked for, in any order, are those that each frame has when asked alone."""
        frames = [number % motion.frame_count for number in numbers]
        schema = self.subject.schema(motion.skeleton)
        rows = np.asarray(self.subject.compute(motion, frames))
        require(len(rows) == len(frames), f"{len(frames)} frames gave {len(rows)} rows")
        for row, frame in zip(rows, frames, strict=True):
            alone = np.asarray(self.subject.compute(motion, [frame]))
            self._same(schema, alone, row[None], f"frame {frame} asked alone and among {frames}")
        backwards = np.asarray(self.subject.compute(motion, range(motion.frame_count)[::-1]))[::-1]
        everything = np.asarray(self.subject.compute(motion))
        self._same(schema, everything, backwards, "all frames, and all frames asked for from last to first")

    @law("motions", st.integers(0, 10**6))
    def test_frames_outside_the_clip_are_refused(self, motion: Motion, beyond: int) -> None:
        """A frame beyond the clip's last is a `ValidationError` that says so."""
        frame = motion.frame_count + beyond
        try:
            rows = self.subject.compute(motion, [0, frame])
        except ValidationError:
            return
        raise ContractError(
            f"frame {frame} of a clip of {motion.frame_count} gave rows of shape {list(np.shape(rows))}, "
            "expected a ValidationError"
        )

    @law(any_motions())
    def test_any_motion_ends_in_rows_or_a_validation_error(self, motion: Motion) -> None:
        """A motion of any skeleton ends in finite rows or in a `ValidationError` that says what is missing."""
        try:
            schema = self.subject.schema(motion.skeleton)
            rows = np.asarray(self.subject.compute(motion))
        except ValidationError as error:
            require(str(error), "the ValidationError says nothing")
        else:
            require(np.isfinite(rows), f"{self._column(schema, ~np.isfinite(rows))} is not finite")

    @law("motions", st.floats(-7, 7), st.floats(-50, 50), st.floats(-50, 50))
    def test_turning_and_moving_changes_nothing(self, motion: Motion, yaw: float, x: float, z: float) -> None:
        """Turning a whole clip about the vertical and moving it over the ground changes no row.

        Features in world space leave this law out.
        """
        schema = self.subject.schema(motion.skeleton)
        rows = np.asarray(self.subject.compute(motion))
        there = np.asarray(self.subject.compute(carried(motion, yaw, x, z)))
        self._same(schema, rows, there, f"the clip turned by {yaw:g} rad and moved by ({x:g}, {z:g}) m")

    @law("mirrored_motions", unless="cannot_mirror")
    def test_mirroring_twice_is_identity(self, pair: tuple[Motion, Motion]) -> None:
        """Mirrored rows are the rows of the mirrored clip, and mirroring them again gives them back."""
        motion, other = pair
        schema = self.subject.schema(motion.skeleton)
        rows, expected = (np.array(self.subject.compute(held)) for held in pair)
        once = np.asarray(self.subject.mirrored(rows.copy(), motion.skeleton))
        self._same(schema, expected, once, "rows of the mirrored clip, and mirrored rows of the clip")
        twice = np.asarray(self.subject.mirrored(once.copy(), other.skeleton))
        self._same(schema, rows, twice, "rows, and rows mirrored twice")

    @law("motions", unless="no_velocities")
    def test_a_reversed_clip_has_negated_velocities(self, motion: Motion) -> None:
        """Columns in units per second of a clip played backwards are those of the clip, negated.

        Central differences are negated exactly; one-sided ones to what they change from frame to frame.
        """
        schema = self.subject.schema(motion.skeleton)
        fast = rates(schema)
        rows = np.asarray(self.subject.compute(motion), np.float64)[:, fast]
        back = np.asarray(self.subject.compute(reversed_clip(motion)), np.float64)[::-1, fast]
        slack: Array | float = 0.0
        if self.one_sided:  # to the next frame's velocity, seen in that frame's axes
            slack = np.abs(rows[2:] - rows[1:-1]) + 0.1 * np.abs(rows).max(initial=0.0)
            rows, back = rows[1:-1], back[1:-1]
        some = FeatureSchema([schema.columns[i] for i in fast])
        self._same(some, -rows, back, "velocities negated, and those of the reversed clip", slack)

    @law("motions", unless="no_lengths")
    def test_resampling_changes_only_what_interpolation_allows(self, motion: Motion) -> None:
        """At twice the framerate, positions and velocities change by no more than from frame to frame.

        Metres and seconds are meant, not frames: at the old frames' times a clip resampled to twice the
        framerate has the same positions and velocities, to the most that any of their unit changes between
        neighbouring frames. A fifth of the greatest speed, and 0.05 m/s or rad/s, are allowed besides: what
        moves on an arc moves on its chords now, and smoothing sees more frames. Where a path goes on beyond
        the clip at its last velocity, the 0.05 m/s count for as long as the column looks ahead or back.
        """
        schema = self.subject.schema(motion.skeleton)
        real = [i for i, column in enumerate(schema.columns) if column.unit in LENGTHS]
        some = FeatureSchema([schema.columns[i] for i in real])
        rows = np.asarray(self.subject.compute(motion), np.float64)[:, real]
        fine = np.asarray(self.subject.compute(doubled(motion)), np.float64)[:, real]
        fine = fine if self.framerate is not None else fine[::2]
        require(len(fine) == len(rows), f"{len(rows)} frames became {len(fine)} at the old frames' times")
        change = np.zeros(len(real))
        for unit in LENGTHS:
            held = [i for i, column in enumerate(some.columns) if column.unit == unit]
            change[held] = np.abs(np.diff(rows[:, held], axis=0)).max(initial=0.0)
            if unit == "m":
                change[held] += 0.05 * np.abs([some.columns[i].offset for i in held])
            else:
                change[held] += 0.05 + 0.2 * np.abs(rows[:, held]).max(initial=0.0)
        self._same(some, rows, fine, "a clip and the same at twice the framerate", change)

    @law("same_sized_motions", cost=20, unless="no_other_library")
    def test_array_libraries_agree(self, motion: Motion) -> None:
        """NumPy, PyTorch and JAX, as far as they are installed, give the same rows, and `compute` does too."""
        schema = self.subject.schema(motion.skeleton)
        expected = np.asarray(self.subject.compute(motion))
        for name in ("numpy", *libraries.installed()):
            rows = libraries.computed(self.subject.rows, motion, name)
            self._same(schema, expected, rows, f"rows by compute and by {name}")

    @law("same_sized_motions", st.integers(0, 2**32 - 1), cost=5, unless="cannot_differentiate")
    def test_gradients_are_finite(self, motion: Motion, seed: int) -> None:
        """The gradient of the rows by every position and rotation is finite."""
        weights = np.random.default_rng(seed).normal(size=np.shape(self.subject.compute(motion)))
        found = libraries.gradients(self.subject.rows, motion, weights)
        require(len(found), "the rows have no gradient, neither by positions nor by rotations")
        for name, gradient in found.items():
            require(
                np.isfinite(gradient),
                f"the gradient by the {name} is finite in {np.isfinite(gradient).sum()} of {gradient.size} numbers",
            )

    # -- laws of features that can be learned and played

    @law("clips", cost=10, unless="cannot_train")
    def test_training_rows_match_their_schemas(self, clips: list[Motion]) -> None:
        """A training set has finite rows as wide as its schemas, each of one of the clips it was made of."""
        dataset = self._trained(clips)
        for name in ("inputs", "outputs"):
            rows, schema = getattr(dataset, name), getattr(dataset, f"{name[:-1]}_schema")
            require(np.isfinite(rows), f"{name}: {self._column(schema, ~np.isfinite(rows))} is not finite")
            require(schema.mean is not None, f"the schema of the {name} has no mean and deviation")
        require(
            dataset.clips is not None and set(dataset.clips.tolist()) <= set(range(len(clips))),
            f"rows come from the clips {sorted(set(np.asarray(dataset.clips).tolist()))}, expected 0 to {len(clips) - 1}",
        )

    @law("clips", cost=10, unless="cannot_train")
    def test_a_restored_feature_makes_equal_rows(self, clips: list[Motion]) -> None:
        """Restored from a training set's metadata, as JSON, a feature makes the same rows and columns."""
        dataset = self._trained(clips)
        try:
            record = json.loads(json.dumps(dict(dataset.metadata)))
        except (TypeError, ValueError) as error:
            raise ContractError(f"metadata can't be written as JSON: {error}") from None
        feature = self.subject.restored(record)
        columns = feature.schema(clips[0].skeleton).columns
        require(
            columns == dataset.input_schema.columns,
            f"the restored feature has {len(columns)} columns, or others than the training set's "
            f"{len(dataset.input_schema)}",
        )
        again = feature.training_set(clips)
        for name in ("inputs", "outputs"):
            schema = getattr(dataset, f"{name[:-1]}_schema")
            before, after = getattr(dataset, name), getattr(again, name)
            self._same(schema, before, after, f"{name} of the training set, and of the restored feature")

    @law("clips", st.integers(1, 3), cost=10, unless="cannot_train")
    def test_playing_counts_its_frames(self, clips: list[Motion], steps: int) -> None:
        """From a seed, rows of outputs play motion of the seed's skeleton: as many frames as are counted."""
        dataset = self._trained(clips)
        feature = self.subject.restored(dict(dataset.metadata))
        state = feature.start(clips[0])
        counts = [feature.frame_count(state)]
        for step in range(steps):
            inputs = np.asarray(feature.inputs(state, ahead(*feature.root(state))))
            require(
                inputs.shape == (1, len(dataset.input_schema)) and bool(np.isfinite(inputs).all()),
                f"inputs have shape {list(inputs.shape)}, expected [1, {len(dataset.input_schema)}], all finite",
            )
            before = state
            state = feature.advance(state, dataset.outputs[[step % len(dataset)]])
            counts.append(feature.frame_count(state))
            require(
                feature.frame_count(before) == counts[-2],
                f"advance changed the state it was given: {counts[-2]} frames played became "
                f"{feature.frame_count(before)}",
            )
        require(
            counts[0] == 0 and bool((np.diff(counts) > 0).all()),
            f"frames played were {counts}, expected 0 at first and more with every advance",
        )
        played = feature.motion(state)
        require(
            played.frame_count == counts[-1],
            f"frame_count says {counts[-1]}, the motion has {played.frame_count} frames",
        )
        require(played.skeleton == clips[0].skeleton, "the motion's skeleton is not the seed's")

    # -- why some do not apply

    def cannot_mirror(self) -> str | None:
        """Return why the law of mirroring does not apply, or None."""
        return None if hasattr(self.subject, "mirrored") else "the feature has no 'mirrored'"

    def no_velocities(self) -> str | None:
        """Return why the law of velocities does not apply, or None."""
        found = rates(self.subject.schema(self.skeleton()))
        return None if found else "no column is in units per second"

    def no_lengths(self) -> str | None:
        """Return why the law of resampling does not apply, or None."""
        units = {column.unit for column in self.subject.schema(self.skeleton()).columns}
        return None if units & LENGTHS else "no column is a position or velocity"

    def no_other_library(self) -> str | None:
        """Return why the law of array libraries does not apply, or None."""
        if not hasattr(self.subject, "rows"):
            return "the feature has no 'rows' that takes arrays of any library"
        return None if libraries.installed() else "neither torch nor jax is installed"

    def cannot_differentiate(self) -> str | None:
        """Return why the law of gradients does not apply, or None."""
        if not hasattr(self.subject, "rows"):
            return "the feature has no 'rows' that could be differentiated"
        return None if importlib.util.find_spec("torch") else "torch is not installed"

    def cannot_train(self) -> str | None:
        """Return why the laws of learning and playing do not apply, or None."""
        return None if hasattr(self.subject, "training_set") else "the feature has no 'training_set'"

    # -- how they compare

    def _trained(self, clips: Sequence[Motion]) -> TrainingSet:
        dataset = self.subject.training_set(clips)
        require(
            isinstance(dataset, TrainingSet),
            f"training_set returned {type(dataset).__name__}, expected TrainingSet",
        )
        require(len(dataset), f"clips of {self.training_frames} frames gave no row")
        made: TrainingSet = attrs.evolve(dataset)  # builds it anew, so that its checks run
        return made

    def _same(self, schema: FeatureSchema, a: Array, b: Array, what: str, slack: Array | float = 0.0) -> None:
        """Require equal rows, to the tolerance and `slack [D]`."""
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        require(a.shape == b.shape, f"{what}: shapes {list(a.shape)} and {list(b.shape)}, expected the same")
        if not a.size:
            return
        bound = self.tolerance * (1 + np.abs(a).max(initial=0.0)) + slack
        require(np.abs(a - b) <= bound, f"{what}: {self._worst(schema, a, b, bound)}")

    def _worst(self, schema: FeatureSchema, a: Array, b: Array, bound: Array | float = 0.0) -> str:
        """Say where `a` and `b` differ most, beyond `bound`."""
        if a.shape != b.shape:
            return f"shapes {list(a.shape)} and {list(b.shape)}"
        excess = np.abs(a - b) - bound
        row, column = np.unravel_index(int(np.argmax(excess)), excess.shape)
        allowed = np.broadcast_to(bound, a.shape)[row, column]
        return (
            f"{label(schema, int(column))} in row {row} is {a[row, column]:.9g} and {b[row, column]:.9g}, "
            f"expected the same to {allowed:.2g}"
        )

    def _column(self, schema: FeatureSchema, wrong: Array) -> str:
        """Name the first cell where `wrong [N, D]`."""
        if not wrong.any():
            return "no cell"
        row, column = np.argwhere(wrong)[0]
        return f"{label(schema, int(column))} in frame {row}"

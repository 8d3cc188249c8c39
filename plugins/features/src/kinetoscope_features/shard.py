"""One shard of a training set: the frames of some clips, each once, and what workers do to write it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import attrs
import numpy as np

from kinetoscope_features.body import Array
from kinetoscope_features.frame import computed_together
from kinetoscope_features.moments import Moments
from kinetoscope_features.recipe import Recipe
from kinetoscope_features.sources import Source
from kinetoscope_spec import Motion, Skeleton
from kinetoscope_spec.errors import KinetoscopeError, ValidationError

__all__ = ["Job", "Plan", "Written", "frames_of", "read_shard", "write_shard"]


@attrs.frozen(eq=False)
class Plan:
    """How the rows of every clip are made.

    Attributes:
        recipe: what is wanted.
        features: distinct features, in the order in which their rows stand side by side.
        skeleton: of all clips.
        widths: columns of each feature.
        doubled: whether mirrored rows stand beside the plain ones, since for these features or this
            skeleton they can't be had by exchanging columns.
        offsets: all frames that windows look at, relative to their own, sorted.
        reach: frames that a window needs before its own, and after it.
        pairs: of each feature the columns `[P, 2]` that turn with the root's heading; none without jitter.
    """

    recipe: Recipe
    features: tuple[Any, ...]
    skeleton: Skeleton
    widths: tuple[int, ...]
    doubled: bool
    offsets: tuple[int, ...]
    reach: tuple[int, int]
    pairs: tuple[Array, ...]

    @property
    def columns(self) -> int:
        """Stored numbers of a frame."""
        return sum(self.widths) * (2 if self.doubled else 1)


@attrs.frozen(eq=False)
class Job:
    """A shard to be written.

    Attributes:
        plan: how.
        source: where its clips are read.
        indices: which of the source's items.
        training: for each of them whether its windows are for training; others are for validation.
        path: of the shard, without suffix.
        key: says all of this; a shard on disk with the same key is the one that is wanted.
    """

    plan: Plan
    source: Source
    indices: tuple[int, ...]
    training: tuple[bool, ...]
    path: Path
    key: str


@attrs.frozen(eq=False)
class Written:
    """What a shard holds.

    Attributes:
        rows: frames.
        clips: of each clip: name, item, first row, frames, whether it is for training.
        moments: of the stored columns at the plan's offsets, over training windows.
        failed: `(name, reason)` of clips that could not be used.
        short: clips that hold no whole window.
        frames: frames of the clips as they were read.
    """

    rows: int
    clips: tuple[tuple[str, int, int, int, bool], ...]
    moments: Moments
    failed: tuple[tuple[str, str], ...]
    short: int
    frames: int


def same_body(a: Skeleton, b: Skeleton) -> bool:
    """Tell whether rows of `a` and `b` mean the same: the same joints that rest the same way."""
    return (
        a.names == b.names
        and np.array_equal(a.parents, b.parents)
        and np.allclose(np.abs((a.rest_rotations * b.rest_rotations).sum(axis=-1)), 1.0, atol=1e-5)
    )


def frames_of(plan: Plan, motion: Motion) -> Array:
    """Return what is stored of each frame of `motion`: float32 `[T, S]`."""
    parts = computed_together(plan.features, motion, dtype=np.float32)
    for feature, part in zip(plan.features, parts, strict=True):
        if len(part) != motion.frame_count:
            raise ValidationError(
                f"{type(feature).__name__} gives {len(part)} rows for the {motion.frame_count} frames of "
                f"{motion.name!r}, expected one for each: leave its framerate to the recipe"
            )
    if plan.doubled:
        parts += [
            feature.mirrored(part, plan.skeleton) for feature, part in zip(plan.features, parts, strict=True)
        ]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _copies(recipe: Recipe, motion: Motion) -> list[Motion]:
    """Return the motion at the recipe's framerate, and at each of the warps' speeds."""
    made = [motion.resample(recipe.framerate)]
    for factor in recipe.warps:
        slowed = attrs.evolve(motion.resample(recipe.framerate / factor), framerate=recipe.framerate)
        made.append(attrs.evolve(slowed, name=f"{motion.name}-x{factor:g}"))
    return made


def _named(motion: Motion, name: str) -> Motion:
    """Return the motion with this name; a motion that is made is checked, frame by frame."""
    return motion if motion.name == name else attrs.evolve(motion, name=name)


class _Writing:
    """A shard on its way to the disk; one clip in memory at a time."""

    def __init__(self, job: Job, file: BinaryIO) -> None:
        self.job, self.file = job, file
        self.rows = self.short = self.frames = 0
        self.clips: list[tuple[str, int, int, int, bool]] = []
        self.failed: list[tuple[str, str]] = []
        self.moments = Moments.empty(len(job.plan.offsets), job.plan.columns)

    def item(self, index: int, training: bool) -> None:
        """Add the clips of one item; what is wrong with one leaves the others."""
        name = self.job.source.items[index].name
        try:
            motions = self.job.source.read(index)
        except (KinetoscopeError, OSError) as error:
            self.failed.append((name, " ".join(str(error).split())))
            return
        for motion in motions:
            try:
                self.clip(_named(motion, name), index, training)
            except KinetoscopeError as error:
                self.failed.append((name, " ".join(str(error).split())))

    def clip(self, motion: Motion, index: int, training: bool) -> None:
        plan = self.job.plan
        if not same_body(motion.skeleton, plan.skeleton):
            raise ValidationError(
                f"{motion.name!r} moves another skeleton than the first clip, expected one for all: "
                "retarget it, or build a training set of its own"
            )
        self.frames += motion.frame_count
        before, after = plan.reach
        for copy in _copies(plan.recipe, motion):
            if copy.frame_count < before + after + 1:
                self.short += 1
                continue
            rows = frames_of(plan, _named(copy, motion.name))
            if not np.isfinite(rows).all():
                raise ValidationError(f"{copy.name!r} has features that are not finite")
            self.file.write(rows.data)
            self.clips.append((copy.name, index, self.rows, len(rows), training))
            self.rows += len(rows)
            if training:
                seen = Moments.of(rows, before, len(rows) - after, plan.offsets)
                self.moments = self.moments.merged(seen)


def write_shard(job: Job) -> Written:
    """Write one shard, unless it is there already: the function that workers run.

    `PATH.f32` holds the rows, `PATH.npz` the moments, and `PATH.json`, which is written last and at
    once, says what they are: without it, or with another key, the shard is written anew.
    """
    held = read_shard(job.path, job.key)
    if held is not None:
        return held
    job.path.parent.mkdir(parents=True, exist_ok=True)
    job.path.with_suffix(".json").unlink(missing_ok=True)
    # Into a new file: whoever reads the old one has it mapped, and would die of its being cut.
    rows = job.path.with_suffix(".f32.part")
    with rows.open("wb") as file:
        writing = _Writing(job, file)
        for index, training in zip(job.indices, job.training, strict=True):
            writing.item(index, training)
    os.replace(rows, job.path.with_suffix(".f32"))
    moments = writing.moments
    with job.path.with_suffix(".npz").open("wb") as file:
        np.savez(file, mean=moments.mean, squares=moments.squares, low=moments.low, high=moments.high)
    record = {
        "key": job.key,
        "rows": writing.rows,
        "columns": job.plan.columns,
        "count": moments.count,
        "clips": writing.clips,
        "failed": writing.failed,
        "short": writing.short,
        "frames": writing.frames,
    }
    temporary = job.path.with_suffix(".json.part")
    temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, job.path.with_suffix(".json"))
    return Written(
        writing.rows, tuple(writing.clips), moments, tuple(writing.failed), writing.short, writing.frames
    )


def read_shard(path: Path, key: str) -> Written | None:
    """Return what a shard holds that was written for `key`; None where it is not, or not whole."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if record["key"] != key:
            return None
        if path.with_suffix(".f32").stat().st_size != 4 * record["rows"] * record["columns"]:
            return None
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as held:
            moments = Moments(record["count"], *(held[name] for name in ("mean", "squares", "low", "high")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    clips: Sequence[Any] = record["clips"]
    return Written(
        record["rows"],
        tuple((str(c[0]), int(c[1]), int(c[2]), int(c[3]), bool(c[4])) for c in clips),
        moments,
        tuple((str(name), str(reason)) for name, reason in record["failed"]),
        record["short"],
        record["frames"],
    )

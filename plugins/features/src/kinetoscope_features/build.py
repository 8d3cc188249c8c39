"""Training sets on disk: every clip's frames once, in shards, and a record of what windows are made of."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_features.assemble import Layout
from kinetoscope_features.body import Array
from kinetoscope_features.heading import turning
from kinetoscope_features.labels import Labels, label_of
from kinetoscope_features.moments import Moments
from kinetoscope_features.recipe import Entry, Recipe
from kinetoscope_features.shard import Job, Plan, Written, write_shard
from kinetoscope_features.sources import Source
from kinetoscope_spec import Column, FeatureSchema, Motion, Progress, Skeleton
from kinetoscope_spec.errors import Cancelled, KinetoscopeError, ValidationError
from kinetoscope_spec.files import write_text

__all__ = ["FORMAT", "Report", "build", "mirror_map", "split"]

FORMAT = 1
ITEMS = 32
"""Files or clips in a shard: enough that a shard is worth a worker's while, few enough to be resumed."""

LEAST = 1e-4
"""A column that varies by less gets deviation 1: dividing by next to nothing would blow up rounding."""


@attrs.frozen
class Report:
    """What was built.

    Attributes:
        windows: of which `validation` are kept for validation.
        columns: `(inputs, outputs)`.
        clips: that windows come from, with their warped copies.
        frames: of the clips as they were read.
        short: clips too short for one window.
        failed: `(clip, reason)`.
        dead: names of columns that never change in the training windows.
    """

    windows: int
    validation: int
    columns: tuple[int, int]
    clips: int
    frames: int
    short: int
    failed: tuple[tuple[str, str], ...]
    dead: tuple[str, ...]


def split(names: Sequence[str], part: float, seed: int, labels: Sequence[str] | None = None) -> list[bool]:
    """Tell for each clip whether it is for training: all but `part` of the clips of each label.

    `labels` are those of the clips; None reads them off the names.
    Within a label the hash of seed and name decides, so that more clips move few others. Shares are
    rounded so that labels with few clips give their part together.
    """
    groups: dict[str, list[int]] = {}
    labels = [label_of(name) or "" for name in names] if labels is None else labels
    for i, label in enumerate(labels):
        groups.setdefault(label, []).append(i)
    training, due, taken = [True] * len(names), 0.0, 0
    for label in sorted(groups):
        ranked = sorted(
            groups[label], key=lambda i: hashlib.sha256(f"{seed}:{names[i]}:{i}".encode()).digest()
        )
        due += part * len(ranked)
        for i in ranked[: max(round(due) - taken, 0)]:
            training[i] = False
            taken += 1
    return training


def mirror_map(feature: Any, skeleton: Skeleton, width: int) -> tuple[Array, Array] | None:
    """Return columns `[D]` and signs `[D]` by which rows become their mirror image.

    It is found by mirroring rows of random numbers, and checked on others. None where it takes more
    than exchanging columns and signs: rotations of joints whose axes rest askew.

    Raises:
        ValidationError: the feature does not know its mirror image.
    """
    if not hasattr(feature, "mirrored"):
        raise ValidationError(f"{type(feature).__name__} has no 'mirrored'; set mirror = false")
    rows = np.random.default_rng(0).normal(size=(3, width))
    seen = np.asarray(feature.mirrored(rows.copy(), skeleton))
    columns = np.abs(np.abs(seen[0])[:, None] - np.abs(rows[0])).argmin(axis=1)
    signs = np.sign(seen[0] * rows[0, columns])
    exact = np.allclose(seen, rows[:, columns] * signs, atol=1e-5)
    return (columns, signs) if exact else None


def _reference(source: Source) -> Motion:
    """Return the first motion there is: whose skeleton it moves, all others must."""
    reason = ""
    for index in range(len(source.items)):
        try:
            motions = source.read(index)
        except (KinetoscopeError, OSError) as error:
            reason = reason or f"; the first that failed: {source.items[index].name}: {error}"
            continue
        if motions:
            return motions[0]
    raise ValidationError(f"no clip can be read, expected at least one{reason}")


def _features(
    recipe: Recipe, find: Callable[[str], Any], names: Sequence[str]
) -> tuple[list[Any], dict[int, int]]:
    """Return distinct features, and which of them each entry (by its place) has."""
    made: list[Any] = []
    place: dict[str, int] = {}
    which = {}
    for i, entry in enumerate(recipe.entries):
        key = json.dumps([entry.feature, entry.options], sort_keys=True, default=list)
        if key not in place:
            feature = find(entry.feature)
            if entry.options:
                if not hasattr(feature, "configured"):
                    raise ValidationError(f"feature {entry.feature!r} takes no options")
                feature = feature.configured(**entry.options)
            if hasattr(feature, "known") and not getattr(feature, "labels", ()):
                feature = feature.known(names)
            place[key] = len(made)
            made.append(feature)
        which[i] = place[key]
    return made, which


def _labels(features: Sequence[Any], names: Sequence[str]) -> list[str]:
    """Return the label of each clip by which they are split: those of a table, if the recipe names one."""
    tables = [held for held in features if isinstance(held, Labels) and held.table is not None]
    return [tables[0].kind(name) if tables else label_of(name) or "" for name in names]


def _plan(
    recipe: Recipe, features: Sequence[Any], which: Mapping[int, int], skeleton: Skeleton
) -> tuple[Plan, tuple[Array, Array]]:
    """Return how rows are made, and columns and signs of their mirror image."""
    widths = tuple(len(feature.schema(skeleton)) for feature in features)
    total = sum(widths)
    columns, signs, doubled = np.arange(total), np.ones(total), False
    if recipe.mirror:
        maps = [mirror_map(feature, skeleton, width) for feature, width in zip(features, widths, strict=True)]
        known = [held for held in maps if held is not None]
        doubled = len(known) < len(maps)
        if doubled:
            columns = columns + total
        else:
            starts = np.cumsum((0, *widths[:-1]))
            columns = np.concatenate([held[0] + start for held, start in zip(known, starts, strict=True)])
            signs = np.concatenate([held[1] for held in known])
    offsets = sorted({frame for entry in recipe.entries for frame in recipe.frames(entry)})
    reach = recipe.reach([features[which[i]] for i in range(len(recipe.entries))])
    pairs = tuple(turning(feature, skeleton) for feature in features) if recipe.heading_jitter_deg else ()
    plan = Plan(recipe, tuple(features), skeleton, widths, doubled, tuple(offsets), reach, pairs)
    return plan, (columns, signs)


def _layout(
    plan: Plan, entries: Sequence[tuple[Entry, int]], mirror: tuple[Array, Array]
) -> tuple[Layout, list[Column]]:
    """Return where the columns of inputs or outputs come from, and what they mean."""
    starts = np.cumsum((0, *plan.widths))
    offsets, columns, meanings = [], [], []
    for entry, which in entries:
        schema = plan.features[which].schema(plan.skeleton)
        for seconds, frame in zip(entry.offsets_s, plan.recipe.frames(entry), strict=True):
            offsets.append(np.full(len(schema), frame))
            columns.append(np.arange(starts[which], starts[which + 1]))
            meanings += [attrs.evolve(column, offset=column.offset + seconds) for column in schema.columns]
    plain = np.concatenate(columns)
    return (
        Layout(
            np.concatenate(offsets).astype(np.int64),
            np.stack([plain, mirror[0][plain]]).astype(np.int64),
            np.stack([np.ones(len(plain)), mirror[1][plain]]).astype(np.float32),
        ),
        meanings,
    )


def _pairs(plan: Plan, entries: Sequence[tuple[Entry, int]]) -> list[list[int]]:
    """Return which columns of inputs or outputs turn with the root's heading, `[P, 2]`."""
    start, found = 0, []
    for entry, which in entries:
        for _ in entry.offsets_s:
            if plan.pairs:
                found += (plan.pairs[which] + start).tolist()
            start += plan.widths[which]
    return found


def _measured(
    plan: Plan, layout: Layout, columns: Sequence[Column], moments: Moments
) -> tuple[FeatureSchema, Moments, Array]:
    """Return the schema with mean and deviation over training windows, these moments, and `[C]` what is dead."""
    place = {offset: k for k, offset in enumerate(plan.offsets)}
    rows = np.array([place[int(offset)] for offset in layout.offsets])
    at = np.arange(len(columns))
    seen = []
    for side in range(2 if plan.recipe.mirror else 1):
        view = moments.viewed(layout.columns[side], layout.signs[side])
        seen.append(
            Moments(view.count, view.mean[rows, at][None], view.squares[rows, at][None], view.low, view.high)
        )
    both = seen[0] if len(seen) == 1 else seen[0].merged(seen[1])
    deviation = np.sqrt(both.squares[0] / max(both.count, 1))
    dead = deviation < LEAST
    return FeatureSchema(columns, both.mean[0], np.where(dead, 1.0, deviation)), both, dead


def _jobs(plan: Plan, source: Source, training: Sequence[bool], out: Path) -> Iterator[Job]:
    for number, start in enumerate(range(0, len(source.items), ITEMS)):
        indices = tuple(range(start, min(start + ITEMS, len(source.items))))
        held = [(source.items[i].name, source.items[i].key, training[i]) for i in indices]
        said = [
            FORMAT,
            plan.recipe.digest(),
            _skeleton_json(plan.skeleton),
            plan.doubled,
            held,
            *map(repr, plan.features),
        ]
        key = hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()
        yield Job(plan, source, indices, tuple(training[i] for i in indices), out / f"shard-{number:05}", key)


def _run(
    jobs: Sequence[Job], executor: Executor | None, workers: int, progress: Progress | None
) -> list[Written]:
    """Write all shards; the order of what is returned is that of the jobs, whoever is done first."""
    done: list[Written] = []
    waiting: deque[Future[Written]] = deque()
    todo = iter(jobs)
    try:
        while len(done) < len(jobs):
            if executor is None:
                done.append(write_shard(next(todo)))
            else:
                while len(waiting) < 2 * workers and (job := next(todo, None)) is not None:
                    waiting.append(executor.submit(write_shard, job))
                done.append(waiting.popleft().result())
            if progress is not None and progress(len(done), len(jobs), "shards") is False:
                raise Cancelled(
                    f"cancelled after {len(done)} of {len(jobs)} shards; another run goes on from there"
                )
    finally:
        for future in waiting:
            future.cancel()
    return done


def build(
    source: Source,
    out: str | Path,
    recipe: Recipe,
    find: Callable[[str], Any],
    *,
    executor: Executor | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Build a training set in the folder `out` from all clips of `source`.

    The files are the same to the last bit whatever `executor` and `workers`. Shards that an earlier
    run with the same recipe and clips has left are kept. `training.json` is written last.

    Args:
        source: the clips; see `sources`.
        out: a folder that is new, empty or a training set.
        recipe: what windows are made of.
        find: returns the feature of a name, such as `host.feature`.
        executor: where clips are read and computed; None is here. Workers write into `out`.
        workers: how many calls it runs at once.
        progress: told after each shard.

    Raises:
        ValidationError: no clip holds a window, a feature can't be computed of the first skeleton, or
            `out` holds other things.
        Cancelled: `progress` returned False.
    """
    out = Path(out).absolute()
    if out.exists() and not out.is_dir():
        raise ValidationError(f"{out} is a file, expected a new folder or a training set")
    if out.exists() and any(not p.name.startswith(("shard-", "training.json")) for p in out.iterdir()):
        raise ValidationError(f"{out} holds other things, expected a new folder or a training set")
    names = [item.name for item in source.items]
    features, which = _features(recipe, find, names)
    labels = _labels(features, names)
    training = split(names, recipe.validation, recipe.seed, labels)
    skeleton = _reference(source).skeleton
    plan, mirror = _plan(recipe, features, which, skeleton)
    out.mkdir(parents=True, exist_ok=True)
    (out / "training.json").unlink(missing_ok=True)
    jobs = list(_jobs(plan, source, training, out))
    written = _run(jobs, executor, workers, progress)
    wanted = {job.path.name for job in jobs}
    for stale in [path for path in out.glob("shard-*") if path.name.split(".")[0] not in wanted]:
        stale.unlink()
    return _finish(plan, out, written, which, mirror, labels)


def _finish(
    plan: Plan,
    out: Path,
    written: Sequence[Written],
    which: Mapping[int, int],
    mirror: tuple[Array, Array],
    labels: Sequence[str],
) -> Report:
    """Write `training.json` and return what was built."""
    recipe = plan.recipe
    failed = tuple(one for held in written for one in held.failed)
    moments = Moments.empty(len(plan.offsets), plan.columns)
    for held in written:
        moments = moments.merged(held.moments)
    before, after = plan.reach
    training, validation = _windows(written, before + after)
    if not training:
        reason = f"; the first that failed: {failed[0][0]}: {failed[0][1]}" if failed else ""
        raise ValidationError(f"no clip for training holds a window of {before + after + 1} frames{reason}")
    entries = [(entry, which[i]) for i, entry in enumerate(recipe.entries)]
    parts = {"inputs": entries[: len(recipe.inputs)], "outputs": entries[len(recipe.inputs) :]}
    record: dict[str, Any] = {"format": FORMAT, "framerate": recipe.framerate, "mirror": recipe.mirror}
    record["heading_jitter_deg"] = recipe.heading_jitter_deg
    dead: list[str] = []
    for name, held_entries in parts.items():
        record[name], still = _part(plan, held_entries, mirror, moments)
        dead += still
    record |= {
        "columns": plan.columns,
        "before": before,
        "after": after,
        "recipe": json.loads(json.dumps(attrs.asdict(recipe), default=list)),
        "skeleton": _skeleton_json(plan.skeleton),
        "labels": [labels[clip[1]] for held in written for clip in held.clips],
        "shards": [{"rows": held.rows, "clips": held.clips} for held in written],
        "failed": failed,
    }
    write_text(out / "training.json", json.dumps(record, allow_nan=False) + "\n")
    return Report(
        windows=training + validation,
        validation=validation,
        columns=(len(record["inputs"]["offsets"]), len(record["outputs"]["offsets"])),
        clips=sum(len(held.clips) for held in written),
        frames=sum(held.frames for held in written),
        short=sum(held.short for held in written),
        failed=failed,
        dead=tuple(dead),
    )


def _windows(written: Sequence[Written], reach: int) -> tuple[int, int]:
    """Return how many windows there are to train on and to validate on; each takes `reach` frames more."""
    counts = {True: 0, False: 0}
    for held in written:
        for _, _, _, frames, training in held.clips:
            counts[training] += frames - reach
    return counts[True], counts[False]


def _part(
    plan: Plan, entries: Sequence[tuple[Entry, int]], mirror: tuple[Array, Array], moments: Moments
) -> tuple[dict[str, Any], list[str]]:
    """Return what is on record of the inputs or the outputs, and the names of columns that never change."""
    layout, columns = _layout(plan, entries, mirror)
    schema, measured, still = _measured(plan, layout, columns, moments)
    dead = [
        " ".join(filter(None, (column.name, column.joint, column.component, f"{column.offset:+g} s")))
        for column, is_still in zip(columns, still, strict=True)
        if is_still
    ]
    held = {
        "schema": schema.to_json(),
        "offsets": layout.offsets.tolist(),
        "columns": layout.columns.tolist(),
        "signs": layout.signs.tolist(),
        "low": measured.low.tolist(),
        "high": measured.high.tolist(),
        "dead": still.tolist(),
        "pairs": _pairs(plan, entries),
    }
    return held, dead


def _skeleton_json(skeleton: Skeleton) -> dict[str, Any]:
    return {
        "names": list(skeleton.names),
        "parents": [int(parent) for parent in skeleton.parents],
        "rest_positions": np.asarray(skeleton.rest_positions).tolist(),
        "rest_rotations": np.asarray(skeleton.rest_rotations).tolist(),
    }

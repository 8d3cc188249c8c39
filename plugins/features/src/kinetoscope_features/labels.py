"""Labels of clips, from their names or from a table: one column for each label."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np

from kinetoscope_features.body import Array
from kinetoscope_features.frame import above_0, checked_frames, configured, digest
from kinetoscope_spec import Column, FeatureSchema, FormatError, Motion, Skeleton
from kinetoscope_spec.errors import ValidationError, nearest

__all__ = ["Labels", "label_of", "read_table"]


def label_of(name: str) -> str | None:
    """Return the label that a clip's name tells: the word before its number, or None.

    `dataset-1_walk_not-confident_002` gives `not-confident`, `proud12` gives `proud`, `turn` gives None.
    Copies that are mirrored or warped (`walk_002-x1.1`) have the label of their clip.
    """
    found = re.search(r"(?:^|[_\s])([^_\s\d][^_\s]*?)_?\d+(?:-mirrored|-x[\d.]+(?:e-?\d+)?)?$", name)
    return found.group(1) if found else None


Spans = tuple[tuple[float, float, str], ...]
"""Labels of a clip, each with the seconds from and to which it holds."""


def read_table(path: str | Path) -> Mapping[str, Spans]:
    """Read labels from a CSV file with a header: `clip,label`, and `start_s,end_s` if only a part has it.

    A clip may stand in several rows.

    Raises:
        FormatError: a column is missing, a row is short or a time is no number; names the line.
        OSError: it can't be read.
    """
    found: dict[str, list[tuple[float, float, str]]] = {}
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames is None or not {"clip", "label"} <= set(reader.fieldnames):
            raise FormatError(
                f"columns are {reader.fieldnames}", path=path, line=1, expected="clip,label[,start_s,end_s]"
            )
        for row in reader:
            clip, label = (row.get(key) or "" for key in ("clip", "label"))
            if not clip or not label:
                raise FormatError("clip or label is empty", path=path, line=reader.line_num)
            try:
                start, end = float(row.get("start_s") or 0.0), float(row.get("end_s") or "inf")
            except ValueError as error:
                raise FormatError(str(error), path=path, line=reader.line_num, expected="seconds") from None
            if not 0 <= start < end:
                raise FormatError(
                    f"from {start:g} to {end:g} s",
                    path=path,
                    line=reader.line_num,
                    expected="0 <= start < end",
                )
            found.setdefault(clip, []).append((start, end, label))
    return MappingProxyType({clip: tuple(spans) for clip, spans in found.items()})


def _names(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class Labels:
    """Which labels hold in a frame: 1 or 0 in a column for each, and in one for none.

    Options:
        labels: all labels, each a column; `known` collects them from clips' names.
        table: path of a CSV file (`read_table`); None reads labels off the names (`label_of`).
        framerate: frames per second at which rows are computed; None keeps the clip's own.
    """

    labels: tuple[str, ...] = attrs.field(default=(), converter=_names)
    table: str | None = None
    framerate: float | None = attrs.field(default=None, validator=above_0)
    _spans: dict[str, Spans] | None = attrs.field(init=False, default=None, eq=False, repr=digest)

    def __attrs_post_init__(self) -> None:
        if len(set(self.labels)) < len(self.labels):
            raise ValidationError(f"labels {list(self.labels)} name one twice")
        if self.table is not None:
            object.__setattr__(self, "_spans", dict(read_table(self.table)))

    def configured(self, **options: Any) -> Labels:
        """Return a new feature with these options; this one stays as it is.

        Raises:
            ValidationError: an unknown option (naming the nearest) or a value out of range.
        """
        return configured(self, options)

    def known(self, names: Iterable[str]) -> Labels:
        """Return this feature with all labels that clips of these `names` have, sorted."""
        found: Counter[str] = Counter()
        for name in names:
            found.update({label for _, _, label in self._of(name)})
        return attrs.evolve(self, labels=tuple(sorted(found)))

    def kind(self, name: str) -> str:
        """Return all labels of the clip called `name`, joined by `+`: clips of one kind are split alike."""
        return "+".join(sorted({label for _, _, label in self._of(name)}))

    def _of(self, name: str) -> Spans:
        if self._spans is not None:
            return self._spans.get(name, ())
        label = label_of(name)
        return () if label is None else ((0.0, float("inf"), label),)

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return one column for each label, and one for frames that have none of them."""
        columns = [Column("label", "1", None, label) for label in self.labels]
        return FeatureSchema([*columns, Column("unlabelled")])

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return rows `[N, L + 1]` for the `frames` asked for, all if None.

        Raises:
            ValidationError: the clip has a label that there is no column for (with labels known at
                all), or a frame lies outside the clip.
        """
        rate = self.framerate or motion.framerate
        count = motion.frame_count if rate == motion.framerate else motion.resample(rate).frame_count
        rows = np.zeros((count, len(self.labels) + 1))
        times = np.arange(count) / rate
        for start, end, label in self._of(motion.name) if self.labels else ():
            if label not in self.labels:
                raise ValidationError(
                    f"motion {motion.name!r} has the unknown label {label!r}{nearest(label, self.labels)}"
                )
            rows[(times >= start) & (times < end), self.labels.index(label)] = 1.0
        rows[:, -1] = ~rows.any(axis=1)
        return rows if frames is None else rows[checked_frames(frames, count, motion.name)]

    def mirrored(self, rows: Array, skeleton: Skeleton) -> Array:
        """Return the rows: what a motion is called does not change in the mirror."""
        return np.array(rows)

"""A training set on disk, read in shuffled batches: larger than memory, the same every time."""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_features.assemble import Layout, gather
from kinetoscope_features.body import Array
from kinetoscope_features.heading import turn_windows
from kinetoscope_spec import FeatureSchema, FormatError, Skeleton, TrainingSet
from kinetoscope_spec.errors import ValidationError

__all__ = ["TorchWindows", "TrainingStore"]

CHUNK = 256
"""Neighbouring windows that are read together: at 1 KB a frame, what a disk reads at a stroke."""

POOL = 128
"""Chunks among which windows are shuffled: some 33,000 windows, so that hardly two are neighbours."""

AHEAD = 4096
"""Windows that are assembled together, while those before are used."""

HELD = 8192
"""Windows after which what was mapped to read them is given back: a few hundred megabytes at worst."""


def _layout(data: dict[str, Any], size: int, stored: int) -> Layout:
    """Return where `size` columns come from, all of the `stored` ones: compiled code looks without asking."""
    made = Layout(
        np.asarray(data["offsets"], np.int64),
        np.asarray(data["columns"], np.int64),
        np.asarray(data["signs"], np.float32),
    )
    if made.offsets.shape != (size,) or not made.columns.shape == made.signs.shape == (2, size):
        raise ValueError(f"offsets, columns and signs are not those of {size} columns")
    if ((made.columns < 0) | (made.columns >= stored)).any():
        raise ValueError(f"a column is none of the {stored} stored ones")
    return made


def _columns_in_pairs(data: dict[str, Any], size: int) -> Array:
    pairs = np.asarray(data["pairs"], np.int64).reshape(-1, 2)
    if ((pairs < 0) | (pairs >= size)).any():
        raise ValueError(f"pairs name a column that is none of {size}")
    return pairs


def _normal(schema: FeatureSchema) -> tuple[Array, Array]:
    """Return what is taken off a column, and what it is multiplied by then: float32 `[C]` each."""
    deviation = np.asarray(schema.deviation, np.float64)
    return np.asarray(schema.mean, np.float32), (1 / deviation).astype(np.float32)


def _checked(indices: Any, count: int) -> Array:
    """Return `indices` as int64 `[N]`; a mask or a number below 0 would mean other windows than were asked for."""
    asked = np.asarray(indices)
    if asked.ndim != 1 or (asked.size and asked.dtype.kind not in "iu"):
        raise IndexError(f"indices are {asked.dtype} {list(asked.shape)}, expected whole numbers [N]")
    asked = asked.astype(np.int64)
    outside = (asked < 0) | (asked >= count)
    if outside.any():
        raise IndexError(f"window {asked[outside][0]} asked of {count}")
    return asked


class TrainingStore:
    """Windows of a training set that `build` made, assembled from frames when they are read.

        store = TrainingStore("walks.train")
        for inputs, outputs in store.batches(256, epoch=3):
            ...

    It holds a few numbers for each window; frames are mapped from the disk. It pickles as its path, so
    that workers open it themselves.

    Attributes:
        path: its folder.
        input_schema, output_schema: with mean and deviation over the windows for training.
        framerate: windows a second.
        mirror: whether half of the windows are seen in the mirror.
        heading_jitter_rad: by how much, at most, the root faces elsewhere in windows for training.

    Raises:
        FormatError: there is no whole training set.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        file = self.path / "training.json"
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            self._read(record)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            ValidationError,
            OverflowError,
        ) as error:
            raise FormatError(
                f"no training set: {error}", path=file, expected="what `kinetoscope dataset build` writes"
            ) from error

    def _read(self, record: dict[str, Any]) -> None:
        if record["format"] != 1:
            raise ValueError(f"format {record['format']!r}, expected 1")
        self.input_schema = FeatureSchema.from_json(record["inputs"]["schema"])
        self.output_schema = FeatureSchema.from_json(record["outputs"]["schema"])
        sides = ("inputs", "outputs")
        sizes = (len(self.input_schema), len(self.output_schema))
        stored = int(record["columns"])
        self._layouts = tuple(
            _layout(record[side], size, stored) for side, size in zip(sides, sizes, strict=True)
        )
        self._pairs = tuple(
            _columns_in_pairs(record[side], size) for side, size in zip(sides, sizes, strict=True)
        )
        self._ranges = {
            side: tuple(np.asarray(record[side][end], np.float64) for end in ("low", "high"))
            for side in sides
        }
        self._dead = {side: np.asarray(record[side]["dead"], bool) for side in sides}
        self.heading_jitter_rad = math.radians(float(record["heading_jitter_deg"]))
        self._normals = (_normal(self.input_schema), _normal(self.output_schema))
        self.framerate, self.mirror = float(record["framerate"]), bool(record["mirror"])
        self.metadata: dict[str, Any] = {"recipe": record["recipe"]}
        self._skeleton: dict[str, Any] = record["skeleton"]
        self._maps: list[mmap.mmap] = []
        self._read_windows = 0
        self._shards = [
            self._mapped(number, int(shard["rows"]), stored) for number, shard in enumerate(record["shards"])
        ]
        self._starts = np.cumsum([0, *(len(shard) for shard in self._shards)])
        windows: dict[bool, list[Array]] = {True: [], False: []}
        clips: dict[bool, list[Array]] = {True: [], False: []}
        names: list[str] = []
        for start, shard in zip(self._starts, record["shards"], strict=False):
            for name, _, first, frames, training in shard["clips"]:
                if not 0 <= first <= first + frames <= shard["rows"]:
                    raise ValueError(f"clip {name!r} is none of the {shard['rows']} rows of its shard")
                rows = np.arange(first + record["before"], first + frames - record["after"]) + start
                windows[training].append(rows)
                clips[training].append(np.full(len(rows), len(names)))
                names.append(name)
        none = [np.zeros(0, np.int64)]
        self._windows = {key: np.concatenate(none + held) for key, held in windows.items()}
        self._clips = {key: np.concatenate(none + held) for key, held in clips.items()}
        self.metadata |= {"clips": names, "labels": record["labels"]}
        if len(record["labels"]) != len(names):
            raise ValueError(f"{len(record['labels'])} labels for {len(names)} clips")

    def _mapped(self, number: int, rows: int, columns: int) -> Array:
        path = self.path / f"shard-{number:05}.f32"
        if path.stat().st_size != 4 * rows * columns:
            raise ValueError(f"{path.name} has {path.stat().st_size} bytes, expected {4 * rows * columns}")
        if not rows:
            return np.zeros((0, columns), np.float32)
        with path.open("rb") as file:
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._maps.append(held)
        return np.frombuffer(held, np.float32).reshape(rows, columns)

    def _let_go(self, count: int) -> None:
        """Note that `count` windows were read; now and then give back the memory through which they were.

        What is mapped counts as the process's own until the system needs it for others. The system keeps
        the files' contents all the same, so it is at hand where it is wanted again.
        """
        self._read_windows += count
        if self._read_windows >= HELD and hasattr(mmap, "MADV_DONTNEED"):
            self._read_windows = 0
            for held in self._maps:
                held.madvise(mmap.MADV_DONTNEED)

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainingStore, (self.path,)

    @property
    def skeleton(self) -> Skeleton:
        """Whose motion the rows describe."""
        held = self._skeleton
        return Skeleton(
            held["names"],
            held["parents"],
            np.asarray(held["rest_positions"], np.float64),
            np.asarray(held["rest_rotations"], np.float64),
        )

    def __len__(self) -> int:
        """Return the number of windows for training."""
        return self.count()

    def count(self, *, training: bool = True) -> int:
        """Return the number of windows for training, or for validation."""
        return len(self._windows[training])

    def clip_numbers(self, *, training: bool = True) -> Array:
        """Return of each window `[N]` its clip's place among `metadata["clips"]`."""
        return self._clips[training]

    def dead(self, side: str) -> Array:
        """Return which columns of `inputs` or `outputs` never change in the windows for training, bool `[C]`."""
        return self._dead[side]

    def ranges(self, side: str) -> tuple[Array, Array]:
        """Return the least and the greatest value `[C]` of each column in the windows for training."""
        low, high = self._ranges[side]
        return low, high

    def windows(
        self,
        indices: Array,
        *,
        mirrored: Array | None = None,
        turned: Array | None = None,
        training: bool = True,
        normalised: bool = False,
        compiled: bool | None = None,
    ) -> tuple[Array, Array]:
        """Return float32 inputs `[N, X]` and outputs `[N, Y]` of the windows at `indices [N]`.

        Args:
            indices: whole numbers from 0 to `count` (not with it); neighbours are of neighbouring frames.
            mirrored: bool `[N]`, which to see in the mirror; None is none.
            turned: `[N]` rad, by how much the root faces elsewhere in each; None is not at all.
            training: of the windows for training, else of those for validation.
            normalised: with mean 0 and deviation 1 over the windows for training.
            compiled: whether by compiled code; None is where Numba is installed.

        Raises:
            IndexError: there is no such window, or there are no mirrored or turned ones.
        """
        rows = self._windows[training][_checked(indices, self.count(training=training))]
        flags = np.zeros(len(rows), bool) if mirrored is None else np.asarray(mirrored, bool)
        if flags.any() and not self.mirror:
            raise IndexError("mirrored windows asked of a training set that was built without mirror = true")
        if turned is not None and not self.heading_jitter_rad:
            raise IndexError(
                "turned windows asked of a training set that was built without heading_jitter_deg"
            )
        at_once = normalised and turned is None
        made = tuple(np.empty((len(rows), len(layout)), np.float32) for layout in self._layouts)
        shards = np.searchsorted(self._starts, rows, side="right") - 1
        # In the order in which they lie on the disk.
        order = np.argsort(rows, kind="stable")
        borders = np.flatnonzero(np.diff(shards[order])) + 1
        for part in np.split(order, borders):
            if not len(part):
                continue
            shard = int(shards[part[0]])
            at = rows[part] - self._starts[shard]
            for layout, out, normal in zip(self._layouts, made, self._normals, strict=True):
                gather(
                    self._shards[shard],
                    at,
                    flags[part],
                    layout,
                    part,
                    out,
                    normal=normal if at_once else None,
                    compiled=compiled,
                )
        self._let_go(len(rows))
        if turned is not None:
            for out, pairs, (mean, scale) in zip(made, self._pairs, self._normals, strict=True):
                turn_windows(out, pairs, np.asarray(turned, np.float64))
                if normalised:
                    np.multiply(np.subtract(out, mean, out=out), scale, out=out)
        return made[0], made[1]

    def order(self, *, seed: int = 0, epoch: int = 0, training: bool = True) -> tuple[Array, Array]:
        """Return in which order windows come `[N]`, each once, and whether each is mirrored, bool `[N]`.

        Chunks of neighbours are shuffled, then the windows of many chunks among each other: so a disk
        reads strokes, and a batch holds windows of as many clips as there are chunks in a pool.
        """
        count = self.count(training=training)
        random = np.random.default_rng([seed, epoch, int(training)])
        chunks = random.permutation(-(-count // CHUNK))
        mixed = []
        for start in range(0, len(chunks), POOL):
            held = chunks[start : start + POOL, None] * CHUNK + np.arange(CHUNK)
            mixed.append(random.permutation(held[held < count]))
        indices = np.concatenate(mixed) if mixed else np.zeros(0, np.int64)
        flags = random.random(count) < 0.5 if self.mirror else np.zeros(count, bool)
        return indices, flags

    def _turned(self, count: int, seed: int, epoch: int) -> Array | None:
        """Return by how much the root faces elsewhere in each window of an epoch `[N]`, rad; None for not."""
        if not self.heading_jitter_rad:
            return None
        random = np.random.default_rng([seed, epoch, 2])
        return random.uniform(-self.heading_jitter_rad, self.heading_jitter_rad, count)

    def batches(
        self,
        size: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        training: bool = True,
        normalised: bool = False,
        drop_last: bool = False,
        library: str = "numpy",
    ) -> Iterator[tuple[Any, Any]]:
        """Yield inputs `[size, X]` and outputs `[size, Y]`, float32, of all windows, each once.

        The order depends on seed and epoch alone. Those to come are assembled by a thread while one is
        used. A batch is the caller's to change.

        Args:
            size: windows in a batch; the last may be smaller, unless `drop_last`.
            seed, epoch: of the order, and of what is mirrored and turned.
            training: of the windows for training, else of those for validation.
            normalised: with mean 0 and deviation 1 over the windows for training.
            drop_last: leave out the last batch if it is smaller.
            library: `numpy`, `torch` (CPU tensors that share memory) or `jax`.
        """
        if size < 1:
            raise ValueError(f"size is {size}, expected at least 1")
        convert = _converter(library)
        indices, flags = self.order(seed=seed, epoch=epoch, training=training)
        turned = self._turned(len(indices), seed, epoch) if training else None
        stop = len(indices) // size * size if drop_last else len(indices)
        step = size * max(AHEAD // size, 1)

        def assembled(start: int) -> tuple[Array, Array]:
            end = min(start + step, stop)
            return self.windows(
                indices[start:end],
                mirrored=flags[start:end],
                turned=None if turned is None else turned[start:end],
                training=training,
                normalised=normalised,
            )

        with ThreadPoolExecutor(1) as thread:
            ahead: Future[tuple[Array, Array]] | None = thread.submit(assembled, 0) if stop else None
            for start in range(0, stop, step):
                assert ahead is not None
                inputs, outputs = ahead.result()
                ahead = thread.submit(assembled, start + step) if start + step < stop else None
                for at in range(0, len(inputs), size):
                    yield convert(inputs[at : at + size]), convert(outputs[at : at + size])

    def training_set(self, *, training: bool = True, mirrored: bool = False) -> TrainingSet:
        """Return all windows in memory, as models take them; `mirrored` adds each in the mirror."""
        count = self.count(training=training)
        once = np.arange(count)
        inputs, outputs = self.windows(once, training=training)
        clips = self._clips[training]
        if mirrored:
            again = self.windows(once, mirrored=np.ones(count, bool), training=training)
            inputs, outputs = np.concatenate([inputs, again[0]]), np.concatenate([outputs, again[1]])
            clips = np.concatenate([clips, clips])
        return TrainingSet(
            inputs,
            outputs,
            self.input_schema,
            self.output_schema,
            skeleton=self.skeleton,
            framerate=self.framerate,
            clips=clips,
            metadata=self.metadata,
        )

    def torch(self, *, training: bool = True, seed: int = 0, epoch: int = 0) -> TorchWindows:
        """Return the windows as a dataset for `torch.utils.data.DataLoader`."""
        return TorchWindows(self, training=training, seed=seed, epoch=epoch)


def _converter(library: str) -> Any:
    if library == "numpy":
        return lambda array: array
    if library == "torch":
        import torch

        return torch.from_numpy
    if library == "jax":
        import jax.numpy as jnp

        return jnp.asarray
    raise ValueError(f"library is {library!r}, expected 'numpy', 'torch' or 'jax'")


@attrs.frozen(eq=False)
class TorchWindows:
    """Windows for PyTorch's `DataLoader`, which shuffles them, pins them and reads in many processes.

    Attributes:
        store: whose.
        training: of the windows for training, else of those for validation.
        seed, epoch: of which windows are mirrored, and how they are turned.
    """

    store: TrainingStore
    training: bool = True
    seed: int = 0
    epoch: int = 0

    def __len__(self) -> int:
        return self.store.count(training=self.training)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[tuple[Any, Any]]:
        """Return many at once: `DataLoader` asks so for a batch."""
        import torch

        at = np.asarray(indices, np.int64)
        flags = self._hashed(at, 0) < 0.5 if self.store.mirror else None
        jitter = self.store.heading_jitter_rad if self.training else 0.0
        turned = jitter * (2 * self._hashed(at, 1) - 1) if jitter else None
        inputs, outputs = self.store.windows(at, mirrored=flags, turned=turned, training=self.training)
        return list(zip(torch.from_numpy(inputs), torch.from_numpy(outputs), strict=True))

    def _hashed(self, indices: Array, purpose: int) -> Array:
        """Return numbers from 0 to 1 by a hash of each index: workers need not agree on anything."""
        salt = 1 + self.seed + 7919 * self.epoch + 104729 * purpose
        mixed = indices.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15 * salt % 2**64)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        found: Array = (mixed >> np.uint64(11)).astype(np.float64) / 2**53
        return found

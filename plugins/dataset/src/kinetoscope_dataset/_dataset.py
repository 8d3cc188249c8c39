"""`Dataset`: clips in a Zarr store as a sequence of motions, read when they are asked for."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from kinetoscope_dataset._catalog import is_dataset, read_catalog
from kinetoscope_dataset._clip import Clip, digest, motion_of, own_attributes, parsed, skeleton_of
from kinetoscope_dataset._packing import Origin, pack
from kinetoscope_dataset._shards import Layout, decode, layout_of
from kinetoscope_dataset._storage import Storage, storage_at
from kinetoscope_dataset._writer import Writer
from kinetoscope_spec import FormatError, Motion, Skeleton

if TYPE_CHECKING:
    import zarr

__all__ = ["Dataset"]

FOREIGN_BYTES = 32 << 20
FOREIGN_RATIO = 1000
"""Of an array in a layout that is not ours so much is read: bytes, and bytes for each that is stored."""


class Dataset(Sequence[Motion]):
    """The clips of a dataset, as they were when it was opened, in the order of their sources.

    Nothing but the list of clips is held: a clip's frames are read each time it is asked for, so
    iterating takes the memory of one. Threads may share a dataset; it pickles, and opens the same
    clips in another process.

        data = Dataset.open("s3://bucket/walks")
        for motion in data.find("walk*"):
            ...
        window = data.window(3, 120, 180)
    """

    def __init__(self, storage: Storage, clips: Sequence[Clip]) -> None:
        self._storage = storage
        self._clips = tuple(clips)
        self._lock = threading.Lock()
        self._skeletons: dict[str, Skeleton] = {}
        self._layouts: dict[str, Layout | None] = {}

    @classmethod
    def open(cls, where: str | os.PathLike[str], **options: Any) -> Dataset:
        """Open the dataset at a path or URL; `options` go to fsspec.

        Raises:
            FormatError: there is none.
            ConfigError: a kind of URL that fsspec does not know.
        """
        storage = storage_at(where, options)
        return cls(storage, read_catalog(storage).clips)

    @classmethod
    def create(cls, where: str | os.PathLike[str], **options: Any) -> Dataset:
        """Open the dataset at a path or URL; make an empty one if there is none.

        Raises:
            KinetoscopeError: the place holds other things, or another process writes there.
        """
        storage = storage_at(where, options)
        if not is_dataset(storage):
            with Writer(storage):
                pass
        return cls(storage, read_catalog(storage).clips)

    # -- what there is

    @property
    def url(self) -> str:
        """Where it is."""
        return self._storage.url

    @property
    def clips(self) -> tuple[Clip, ...]:
        """What is known of each clip without reading it."""
        return self._clips

    @property
    def skeletons(self) -> Mapping[str, Skeleton]:
        """The skeletons of the clips, by id; clips of equal skeletons share one."""
        return {name: self._skeleton(name) for name in dict.fromkeys(clip.skeleton for clip in self._clips)}

    def licence(self, index: int) -> str:
        """Return the text of the licence under which a clip stands; empty where none was found."""
        name = self._clips[index].licence
        return str(self._attributes(f"licences/{name}/zarr.json").get("text", "")) if name else ""

    def find(self, pattern: str) -> Dataset:
        """Return the clips whose name or source fits `pattern` (`*`, `?`, `[abc]`), as a dataset."""
        return self._of(
            clip
            for clip in self._clips
            if fnmatchcase(clip.name, pattern) or fnmatchcase(clip.source, pattern)
        )

    def where(self, *, skeleton: str | None = None, framerate: float | None = None) -> Dataset:
        """Return the clips of one skeleton (by id), of one framerate, or both."""
        return self._of(
            clip
            for clip in self._clips
            if skeleton in (None, clip.skeleton) and framerate in (None, clip.framerate)
        )

    def _of(self, clips: Any) -> Dataset:
        made = Dataset(self._storage, tuple(clips))
        made._skeletons, made._layouts = self._skeletons, self._layouts
        return made

    # -- reading

    def __len__(self) -> int:
        return len(self._clips)

    @overload
    def __getitem__(self, index: int) -> Motion: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Motion | Dataset:
        if isinstance(index, slice):
            return self._of(self._clips[index])
        return self.window(index)

    def __iter__(self) -> Iterator[Motion]:
        return (self.window(i) for i in range(len(self)))

    def window(self, index: int, start: int = 0, stop: int | None = None) -> Motion:
        """Return frames `start` to `stop` of a clip, counted as a Python slice counts.

        Only the chunks that hold them are read.

        Raises:
            IndexError: there is no such clip.
            ValueError: no frame is left.
            FormatError: the clip is damaged, or gone since the dataset was opened.
        """
        clip = self._clips[index]
        first, last, _ = slice(start, stop).indices(clip.frames)
        if last <= first:
            raise ValueError(f"frames {start} to {stop} of a clip of {clip.frames}: no frame is left")
        at = f"clips/{clip.id}"
        frames = self._read(at, (clip.frames, clip.joints, len(clip.columns)), first, last)
        weights = None
        if clip.morphs:
            weights = self._read(f"morphs/{clip.id}", (clip.frames, len(clip.morphs)), first, last)
        return motion_of(clip, self._skeleton(clip.skeleton), frames, weights, first, f"{self.url}/{at}")

    def _read(self, at: str, shape: tuple[int, ...], first: int, last: int) -> Any:
        path = f"{self.url}/{at}"
        layout = self._layout(at, shape)
        if layout is None:
            return self._read_other(at, shape, first, last)
        return decode(lambda key, *part: self._storage.get(f"{at}/{key}", *part), layout, first, last, path)

    def _layout(self, at: str, shape: tuple[int, ...]) -> Layout | None:
        if at not in self._layouts:
            path = f"{self.url}/{at}/zarr.json"
            document = self._document(f"{at}/zarr.json")
            if document.get("shape") != list(shape):
                raise FormatError(
                    f"shape is {document.get('shape')!r:.80}", path=path, expected=str(list(shape))
                )
            self._layouts[at] = layout_of(document)
        return self._layouts[at]

    def _read_other(self, at: str, shape: tuple[int, ...], first: int, last: int) -> Any:
        """Read an array that somebody stored in another layout: zarr knows them all."""
        wanted = 4 * (last - first) * math.prod(shape[1:])
        try:
            array: Any = self.zarr()[at]
            # Zarr makes zeros of what is missing, as many as are declared.
            if wanted > FOREIGN_BYTES + FOREIGN_RATIO * array.nbytes_stored():
                raise FormatError(f"{wanted:,} bytes are declared", path=f"{self.url}/{at}")
            frames = np.asarray(array[first:last], np.float32)
        except FormatError:
            raise
        except Exception as error:
            raise FormatError(f"zarr can't read it: {error}", path=f"{self.url}/{at}") from error
        if frames.shape != (last - first, *shape[1:]):
            raise FormatError(f"shape is {list(frames.shape)}", path=f"{self.url}/{at}")
        return frames

    def _skeleton(self, name: str) -> Skeleton:
        with self._lock:
            held = self._skeletons.get(name)
        if held is None:
            key = f"skeletons/{name}/zarr.json"
            made = skeleton_of(self._document(key), f"{self.url}/{key}")
            with self._lock:
                held = self._skeletons.setdefault(name, made)  # one object for all clips
        return held

    def _attributes(self, key: str) -> dict[str, Any]:
        return own_attributes(self._document(key), f"{self.url}/{key}")

    def _document(self, key: str) -> dict[str, Any]:
        try:
            return parsed(self._storage.get(key), f"{self.url}/{key}")
        except FileNotFoundError as error:
            raise FormatError("it is gone, or was never whole", path=f"{self.url}/{key}") from error

    def zarr(self) -> zarr.Group:
        """Return the dataset as zarr-python has it: `data.zarr()[f"clips/{clip.id}"][0:60]`."""
        import zarr

        options = getattr(self._storage, "options", None)
        return zarr.open_group(self.url, mode="r", storage_options=options or None)

    # -- writing

    def add(
        self,
        *motions: Motion,
        source: str = "",
        licence: str = "",
        format: str = "",  # noqa: A002 - as metadata calls it
    ) -> Dataset:
        """Store motions and return the dataset with them; this one stays as it is.

        Args:
            motions: all from one source; what that had before is replaced. Their numbers are kept
                as float32.
            source: what to call where they come from; the first one's name unless given.
            licence: text of the terms under which they stand.
            format: what the source was, such as `bvh`.

        Raises:
            ValidationError: no motion, or numbers beyond the range of float32.
            KinetoscopeError: another process writes here.
        """
        from kinetoscope_spec import ValidationError

        if not motions:
            raise ValidationError("no motion to add, expected at least one")
        source = source or motions[0].name
        with self._lock, Writer(self._storage) as writer:
            revision = writer.next_revision(source)
            origin = Origin(source, content_hash(motions), revision, licence, licence, format)
            packed = [pack(motion, origin, i, len(motions)) for i, motion in enumerate(motions)]
            first = packed[0].clip
            if writer.sources.get(source) != (first.source_hash, first.beside):
                for item in packed:
                    writer.store(item)
                writer.finish()
            return Dataset(self._storage, writer.clips)

    # -- as a value

    def __reduce__(self) -> tuple[Any, ...]:
        return Dataset, (self._storage, self._clips)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dataset):
            return NotImplemented
        return self.url == other.url and self._clips == other._clips

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        frames = sum(clip.frames for clip in self._clips)
        return f"<Dataset {self.url}: {len(self)} clips, {frames:,} frames>"


def content_hash(motions: Sequence[Motion]) -> str:
    """Return the hash of motions that come from no file."""
    parts: list[str | bytes] = []
    for motion in motions:
        parts += [motion.name, repr((motion.framerate, motion.start_time)), *motion.skeleton.names]
        skeleton = motion.skeleton
        arrays = [skeleton.parents, skeleton.rest_positions, skeleton.rest_rotations, skeleton.rest_scales]
        arrays += [motion.positions, motion.rotations, *motion.morph_weights.values()]
        arrays += [] if motion.scales is None else [motion.scales]
        parts += [*motion.morph_weights, *(f"{a.shape}{a.dtype}".encode() + a.tobytes() for a in arrays)]
    return f"kinetoscope:{digest(*parts)}"

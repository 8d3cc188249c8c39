"""Writes clips so that what is there is whole, whenever the writer is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType

from kinetoscope_dataset._catalog import Catalog, is_dataset, read_catalog, write_index, write_root
from kinetoscope_dataset._clip import Clip
from kinetoscope_dataset._packing import Packed
from kinetoscope_dataset._storage import Storage
from kinetoscope_spec import KinetoscopeError

__all__ = ["Writer"]

UNSAVED = 32
"""So many files without a motion may be read again after a kill; a quarter of all, where that is more."""


class Writer:
    """The one writer of a dataset, which it makes if there is none. Use it with `with`.

    What it stores replaces what its source had before. Nothing that a reader may be reading is
    overwritten: a clip has a name of its own, its document comes after its numbers, and what no
    longer counts is removed by `finish`, after the index that does without it.

    Raises:
        FormatError: there is something else than a dataset.
        KinetoscopeError: another process writes here, or the folder holds other things.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._stack = ExitStack()
        self._shared: set[str] = set()
        self._clips: dict[str, dict[int, Clip]] = {}
        self._clipless: dict[str, tuple[str, str]] = {}
        self._stale: set[str] = set()
        self._changed = False
        self._unsaved = 0

    def __enter__(self) -> Writer:
        self._stack.enter_context(self._storage.locked())
        try:
            if not is_dataset(self._storage):
                _check_empty(self._storage)
                write_root(self._storage)
            self._load(read_catalog(self._storage))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _load(self, held: Catalog) -> None:
        # What workers had in hand when a run was killed, files half written among it, would otherwise lie
        # beside what is written there now.
        for name in sorted(held.broken):
            self._remove(name)
        self._stale = set(held.stale - held.broken)
        self._changed = not held.indexed
        self._clipless = dict(held.clipless)
        for clip in held.clips:
            self._clips.setdefault(clip.source, {})[clip.index] = clip

    @property
    def clips(self) -> list[Clip]:
        """The clips that are stored, by source and place in it."""
        return [self._clips[source][i] for source in sorted(self._clips) for i in sorted(self._clips[source])]

    @property
    def sources(self) -> Mapping[str, tuple[str, str]]:
        """Hash and id of the terms of all sources that are stored, those without a clip too."""
        first = {source: next(iter(held.values())) for source, held in self._clips.items()}
        return self._clipless | {source: (clip.source_hash, clip.beside) for source, clip in first.items()}

    def next_revision(self, source: str) -> int:
        """Return which revision of a source would be stored next."""
        held = self._clips.get(source)
        return 1 + next(iter(held.values())).revision if held else 0

    def store(self, packed: Packed) -> None:
        """Store one clip. It counts once all clips of its source are stored."""
        for key, data in packed.shared.items():
            if key not in self._shared:
                self._storage.put(key, data)
                self._shared.add(key)
        for key, data in packed.objects.items():
            self._storage.put(key, data, unseen=True)  # nobody looks for it before its document is there
        self._storage.put(*packed.document)
        clip = packed.clip
        self._changed = True
        self._clipless.pop(clip.source, None)
        held = self._clips.setdefault(clip.source, {})
        if any((old.revision, old.source_hash) != (clip.revision, clip.source_hash) for old in held.values()):
            self._stale |= {old.id for old in held.values()}
            held.clear()
        held[clip.index] = clip
        self._stale.discard(clip.id)

    def store_clipless(self, source: str, source_hash: str, beside: str) -> None:
        """Remember a source that holds no motion, so that it need not be read again."""
        self.forget(source)
        self._clipless[source] = source_hash, beside
        self._changed = True
        self._unsaved += 1
        # The index alone says it. It is written now and then, the more seldom the longer it gets, so
        # that a run which is killed loses a part of this and all writing together stays cheap.
        if self._unsaved >= max(UNSAVED, (len(self._clips) + len(self._clipless)) // 4):
            write_index(self._storage, self.clips, self._clipless)
            self._unsaved = 0

    def forget(self, source: str) -> None:
        """Take a source's clips out of the dataset when `finish` is called."""
        self._stale |= {clip.id for clip in self._clips.pop(source, {}).values()}
        self._changed |= self._clipless.pop(source, None) is not None or bool(self._stale)

    def finish(self) -> None:
        """Write the index, then remove what no longer counts."""
        if self._changed or self._stale:
            write_index(self._storage, self.clips, self._clipless)
        for name in sorted(self._stale):
            self._remove(name)
        self._stale.clear()
        self._changed = False

    def _remove(self, name: str) -> None:
        # The document first: frames without one are no clip, a document without frames would be.
        self._storage.remove(f"clips/{name}/zarr.json")
        self._storage.remove(f"clips/{name}")
        self._storage.remove(f"morphs/{name}")


def _check_empty(storage: Storage) -> None:
    """Refuse a folder of other things; what a beginning that was broken off left is none of them."""
    ours = {"clips", "morphs", "skeletons", "licences", "index", ".zarr.json.partial"}
    others = [name for name in storage.names() if name not in ours]
    if others:
        raise KinetoscopeError(
            f"{storage.url} holds {', '.join(others[:3])}{', …' if len(others) > 3 else ''} and is no "
            "dataset; name an empty or new folder"
        )

"""Files, read and packed: the function that workers run. It never raises for what is wrong in a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from kinetoscope_dataset._packing import Origin, Packed, pack_all, terms_id
from kinetoscope_dataset._storage import Storage
from kinetoscope_spec import Asset, KinetoscopeError

__all__ = ["Outcome", "Read", "Task", "work", "work_all"]

Read = Callable[[Path], "Asset | None"]
"""Reads a file by what its bytes are; None where no importer reads that. Picklable.

Where it has a method `read_bytes(path, data)`, files of up to `AT_ONCE` bytes are read once: what is
stored is then what was hashed, also of a file that is being written.
"""

BLOCK = 1 << 20
AT_ONCE = 32 << 20


@attrs.frozen
class Task:
    """A file to be stored.

    Attributes:
        path: the file.
        source: its name in the dataset.
        beside: the licence text found beside it, or empty.
        held: hash and id of the terms with which the dataset has it, or None.
        revision: the revision that it is stored as.
        size: bytes.
    """

    path: Path
    source: str
    beside: str = ""
    held: tuple[str, str] | None = None
    revision: int = 0
    size: int = 0


@attrs.frozen
class Outcome:
    """What became of a file: `converted`, `clipless`, `unchanged`, `skipped`, or `failed` with a reason."""

    state: str
    reason: str = ""
    packed: tuple[Packed, ...] = ()
    terms: tuple[str, str] = ("", "")

    @property
    def frames(self) -> int:
        """Frames of all clips."""
        return sum(item.clip.frames for item in self.packed)


def work_all(read: Read, tasks: Sequence[Task], storage: Storage | None = None) -> list[Outcome]:
    """Read and pack some files: one call for many small ones, since a call between processes costs, too.

    Frames go straight to `storage` where the worker reaches it, and what comes back is without them:
    they are most of it, and are looked for by nobody before their clip's document is written.
    """
    outcomes = [work(read, task) for task in tasks]
    return outcomes if storage is None else [_stored(outcome, storage) for outcome in outcomes]


def _stored(outcome: Outcome, storage: Storage) -> Outcome:
    for packed in outcome.packed:
        for key, data in packed.objects.items():
            # Moved into its place, not written there: a run that was killed may have left a worker
            # which is a moment behind, and writes what the next run has already written.
            storage.put(key, data)
    return attrs.evolve(outcome, packed=tuple(attrs.evolve(held, objects={}) for held in outcome.packed))


def work(read: Read, task: Task) -> Outcome:
    """Read and pack one file, unless the dataset has it as it is."""
    try:
        data, hashed = _hashed(task.path)
        terms = hashed, terms_id(task.beside)
        if task.held == terms:
            return Outcome("unchanged")
        at_hand = None if data is None else getattr(read, "read_bytes", None)
        asset = read(task.path) if at_hand is None else at_hand(task.path, data)
        if asset is None:
            return Outcome("skipped", "no importer reads it")
        if not asset.motions:
            return Outcome("clipless", "it holds no motion", terms=terms)
        return Outcome("converted", packed=tuple(pack_all(asset.motions, _origin(task, asset, hashed))))
    except (KinetoscopeError, OSError) as error:
        return Outcome("failed", " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - a defect in one importer must not stop the other files
        notes = " ".join(getattr(error, "__notes__", ()))
        return Outcome("failed", " ".join(f"{type(error).__name__}: {error} {notes}".split()))


def _origin(task: Task, asset: Asset, hashed: str) -> Origin:
    stated = str(asset.metadata.get("licence") or asset.metadata.get("license") or "").strip()
    licence = "\n\n".join(text for text in (stated, task.beside) if text)
    kind = str(asset.metadata.get("format", ""))
    return Origin(task.source, hashed, task.revision, licence, task.beside, kind, asset.warnings)


def _hashed(path: Path) -> tuple[bytes | None, str]:
    """Return the bytes of a file, unless there are many, and their hash."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(size + 1) if size <= AT_ONCE else b""
        held = hashlib.sha256(data)
        whole = len(data) == size
        while not whole and (block := file.read(BLOCK)):  # also of one that grows or is cut meanwhile
            held.update(block)
    return (data if whole else None), f"sha256:{held.hexdigest()}"

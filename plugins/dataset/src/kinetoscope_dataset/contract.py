"""The laws of the hook `dataset`, for every provider of it.

    class TestMine(DatasetContract):
        provider = MyDatasets()

Needs hypothesis (extra `kinetoscope-spec[contracts]`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_dataset.hooks import Report
from kinetoscope_dataset.provider import ZarrDatasets
from kinetoscope_spec import Asset, Cancelled, FormatError, KinetoscopeError, Motion
from kinetoscope_spec.contracts import Contract, law, require, strategies

__all__ = ["DatasetContract", "Folder"]

NAMES = ("a.walk", "b.walk", "deep/a.walk", "deep/er/ü 走.walk", "z")
"""Files of one stem in several folders, letters of all kinds, no suffix."""


@attrs.frozen
class Folder:
    """What a folder's files hold: motions by name."""

    files: Mapping[str, Sequence[Motion]]

    def __iter__(self) -> Any:
        return iter(sorted(self.files))


def folders(least: int = 1) -> st.SearchStrategy[Folder]:
    """Return folders of some files; motions of one file share their skeleton."""
    clips = st.tuples(strategies.motions(), st.integers(1, 2)).map(_takes)
    return st.dictionaries(st.sampled_from(NAMES), clips, min_size=least, max_size=3).map(Folder)


def _takes(drawn: tuple[Motion, int]) -> tuple[Motion, ...]:
    motion, count = drawn
    return tuple(attrs.evolve(motion, name=f"take {i}", start_time=float(i)) for i in range(count))


class Reading:
    """Reads the files of a folder as `convert` wants it, and notes which were read."""

    def __init__(self, root: Path, folder: Folder, *, damaged: Sequence[str] = ()) -> None:
        self.root, self.folder, self.damaged = root, folder, damaged
        self.read: list[str] = []

    def write(self, version: int = 0) -> None:
        """Write the files; their bytes say name and version only, `__call__` knows what they hold."""
        for name in self.folder:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name} {version}", encoding="utf-8")

    def __call__(self, path: Path) -> Asset | None:
        name = path.relative_to(self.root).as_posix()
        self.read.append(name)
        if name in self.damaged:
            raise FormatError("is damaged", path=path)
        motions = self.folder.files[name]
        metadata = {"format": "drawn", "unit_m": 1.0, "axes": "+X+Y+Z"}
        return Asset(name, motions[0].skeleton, tuple(motions), metadata=metadata)


class DatasetContract(Contract):
    """What callers of datasets rely on."""

    hook: ClassVar[str] = "dataset"
    mutants: ClassVar[str | None] = "kinetoscope_dataset.contract_mutants:MUTANTS"
    provider = ZarrDatasets
    name = "zarr"

    def where(self, folder: Path) -> str:
        """Return where in an empty folder a dataset is made."""
        return str(folder / "data.zarr")

    # -- laws

    @law(folders(), cost=3)
    def test_what_is_stored_is_read_again(self, held: Folder) -> None:
        """All clips come back, sorted by file and their order in it, their numbers as float32."""
        with self.folder() as root:
            reading = self._written(root, held)
            report = self._convert(reading)
            count = sum(len(motions) for motions in held.files.values())
            require(report.converted == len(held.files), f"{report.converted} files of {len(held.files)}")
            require(report.clips == count, f"{report.clips} clips are reported, there are {count}")
            self._holds(reading)

    @law(folders(2), st.data(), cost=5)
    def test_a_second_run_reads_only_what_is_missing(self, held: Folder, data: Any) -> None:
        """A run after another reads no file that is stored, and ends in the same dataset."""
        some = data.draw(st.sets(st.sampled_from(sorted(held.files)), min_size=1), label="stored before")
        with self.folder() as root:
            self._convert(self._written(root, Folder({name: held.files[name] for name in some})))
            reading = self._written(root, held)
            report = self._convert(reading, prune=True)
            missing = sorted(set(held.files) - some)
            require(sorted(reading.read) == missing, f"read {sorted(reading.read)}, missing were {missing}")
            require(report.unchanged == len(some), f"{report.unchanged} unchanged, expected {len(some)}")
            self._holds(reading)

    @law(folders(2), folders(2), st.data(), cost=5)
    def test_a_file_that_changed_is_stored_anew(self, old: Folder, new: Folder, data: Any) -> None:
        """The clips of a file whose bytes changed are those that it holds now; the others stay."""
        both = Folder({**old.files, **new.files})
        with self.folder() as root:
            self._convert(self._written(root, old))
            reading = self._written(root, both)
            for name in new.files:
                (reading.root / name).write_text("other bytes")
            report = self._convert(reading)
            require(report.failed == (), f"failed: {report.failed}")
            self._holds(reading)

    @law(folders(2), st.data(), cost=3)
    def test_a_file_that_fails_is_reported(self, held: Folder, data: Any) -> None:
        """A file that can't be read is reported with its path and reason, and the others are stored."""
        bad = data.draw(st.sampled_from(sorted(held.files)), label="damaged")
        with self.folder() as root:
            reading = self._written(root, held, damaged=(bad,))
            report = self._convert(reading)
            told = [path for path, reason in report.failed if "damaged" in reason]
            require(told == [str(reading.root / bad)], f"reported {report.failed}, damaged was {bad!r}")
            self._holds(reading, {name: m for name, m in held.files.items() if name != bad})

    @law(folders(2), st.data(), st.booleans(), cost=4)
    def test_a_file_that_is_gone_is_reported(self, held: Folder, data: Any, prune: bool) -> None:
        """The clips of a file that is gone are reported, and removed when that is asked for."""
        gone = data.draw(st.sampled_from(sorted(held.files)), label="gone")
        with self.folder() as root:
            reading = self._written(root, held)
            self._convert(reading)
            (reading.root / gone).unlink()
            report = self._convert(reading, prune=prune)
            require(report.vanished == (gone,), f"vanished {report.vanished}, expected {gone!r}")
            require(report.pruned == int(prune), f"{report.pruned} removed, expected {int(prune)}")
            left = {name: m for name, m in held.files.items() if not (prune and name == gone)}
            self._holds(reading, left)

    @law(folders(2), st.integers(1, 3), cost=5)
    def test_a_run_that_is_stopped_is_gone_on_with(self, held: Folder, steps: int) -> None:
        """What was stored before `progress` returned False stays, and the next run does the rest."""
        steps = min(steps, len(held.files))
        with self.folder() as root:
            reading = self._written(root, held)
            try:
                self._convert(reading, progress=lambda done, _total, _message: done < steps)
            except Cancelled:
                pass
            else:
                require(False, "`progress` returned False and nothing was raised, expected Cancelled")
            stopped = list(reading.read)
            self._convert(reading)
            require(
                len(reading.read) == len(held.files),
                f"{stopped} were read before it was stopped, {reading.read[len(stopped) :]} afterwards",
            )
            self._holds(reading)

    @law(folders(2), cost=5)
    def test_workers_change_nothing(self, held: Folder) -> None:
        """Files that an executor reads are stored as those that are read here."""
        with self.folder() as root, ThreadPoolExecutor(2) as executor:
            reading = self._written(root, held)
            report = self._convert(reading, executor=executor, workers=2)
            require(report.converted == len(held.files), f"{report.converted} files of {len(held.files)}")
            self._holds(reading)

    @law()
    def test_other_things_are_left_alone(self) -> None:
        """A folder of other things is no dataset: it can't be opened, and nothing is stored in it."""
        with self.folder() as root:
            where = Path(self.where(root))
            where.mkdir()
            (where / "notes.txt").write_text("mine")
            require(not self.subject.is_dataset(str(where)), "a folder of other things is said to be one")
            _refused(FormatError, lambda: self.subject.open(str(where)), "opened")
            _refused(
                KinetoscopeError,
                lambda: self.subject.convert([], str(where), read=lambda path: None),
                "written to",
            )
            require(sorted(path.name for path in where.iterdir()) == ["notes.txt"], "something was written")

    # -- how they are tried

    def _written(self, root: Path, held: Folder, *, damaged: Sequence[str] = ()) -> Reading:
        reading = Reading(root / "files", held, damaged=damaged)
        reading.write()
        return reading

    def _convert(self, reading: Reading, **options: Any) -> Report:
        where = self.where(reading.root.parent)
        report: Report = self.subject.convert([reading.root], where, read=reading, **options)
        require(self.subject.is_dataset(where), "what was converted to is said to be no dataset")
        return report

    def _holds(self, reading: Reading, files: Mapping[str, Sequence[Motion]] | None = None) -> None:
        """Compare all that is stored with the files."""
        files = reading.folder.files if files is None else files
        wanted = [motion for name in sorted(files) for motion in files[name]]
        found = self.subject.open(self.where(reading.root.parent))
        require(len(found) == len(wanted), f"{len(found)} clips are stored, expected {len(wanted)}")
        for i, (clip, motion) in enumerate(zip(found, wanted, strict=True)):
            for name in ("name", "framerate", "start_time", "skeleton"):
                one, other = getattr(clip, name), getattr(motion, name)
                require(one == other, f"clip {i}: {name} is {one!r:.200}, expected {other!r:.200}")
            _compare(i, clip, motion)


def _compare(index: int, found: Motion, wanted: Motion) -> None:
    for name in ("positions", "rotations", "scales"):
        one, other = getattr(found, name), getattr(wanted, name)
        require(
            (one is None) == (other is None), f"clip {index}: {name} are {'lost' if one is None else 'new'}"
        )
        if other is not None:
            same = one.shape == other.shape and np.array_equal(one, other.astype(np.float32))
            require(same, f"clip {index}: {name} are other numbers than those stored")
    curves = {name: curve.astype(np.float32) for name, curve in wanted.morph_weights.items()}
    same = curves.keys() == found.morph_weights.keys() and all(
        np.array_equal(found.morph_weights[name], curve) for name, curve in curves.items()
    )
    require(same, f"clip {index}: the weights of morphs are {sorted(found.morph_weights)}, not as stored")


def _refused(kind: type[Exception], call: Callable[[], Any], what: str) -> None:
    try:
        call()
    except kind:
        return
    except Exception as error:  # noqa: BLE001 - whatever else it is breaks the law
        require(False, f"it raised {type(error).__name__}: {error}; expected {kind.__name__}")
    require(False, f"it was {what}, expected {kind.__name__}")

"""Detectors with one thing wrong."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.detection import MODES, Detection

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []

_STRICT = MODES[-1]


class _Lists(Wrapper):
    """A detector that yields one by one what is wrong with its batches."""

    def detect_each(self, paths: Iterable[str | Path], mode: str = _STRICT) -> Iterator[Detection]:
        paths = iter(paths)
        while some := list(islice(paths, 100)):
            yield from self.detect_many(some, mode)

    def detect_many(self, paths: Iterable[str | Path], mode: str = _STRICT) -> list[Detection]:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


class _Says(Wrapper):
    """A detector whose answers are changed."""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        return self.changed(self.real.detect(source, mode), source)

    def detect_many(self, paths: Iterable[str | Path], mode: str = _STRICT) -> list[Detection]:
        return [self.changed(found, found.path) for found in self.real.detect_many(paths, mode)]

    def detect_each(self, paths: Iterable[str | Path], mode: str = _STRICT) -> Iterator[Detection]:
        each = getattr(self.real, "detect_each", None)
        if each is None:
            return (found for path in paths for found in self.detect_many([path], mode))
        return (self.changed(found, found.path) for found in each(paths, mode))

    def changed(self, found: Detection, source: Any) -> Detection:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "any_bytes_have_an_answer")
class Decodes(Wrapper):
    """lets a UnicodeDecodeError through where the bytes are no UTF-8"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        if isinstance(source, bytes):
            source[:4096].decode("utf-8")
        found: Detection = self.real.detect(source, mode)
        return found


@mutant(MUTANTS, "any_bytes_have_an_answer")
class Forgets(_Says):
    """says of every answer that it was made in the default mode"""

    def changed(self, found: Detection, source: Any) -> Detection:
        return attrs.evolve(found, mode=_STRICT)


@mutant(MUTANTS, "any_path_has_an_answer")
class Raises(Wrapper):
    """raises the OSError of a path that can't be read"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        if isinstance(source, str | os.PathLike) and os.path.basename(source) != "missing":
            os.stat(source)
        found: Detection = self.real.detect(source, mode)
        return found


@mutant(MUTANTS, "any_path_has_an_answer")
class Encodes(Wrapper):
    """has no bytes for a name that is no UTF-8"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        if isinstance(source, str | os.PathLike):
            os.fspath(source).encode("utf-8")
        found: Detection = self.real.detect(source, mode)
        return found


@mutant(MUTANTS, "detection_is_deterministic")
class Counts(_Says):
    """counts its answers in an alarm of each"""

    asked = 0

    def changed(self, found: Detection, source: Any) -> Detection:
        self.asked += 1
        alarms: Any = (*found.alarms, f"answer {self.asked}")
        return attrs.evolve(found, alarms=alarms)


@mutant(MUTANTS, "a_batch_equals_its_files_one_by_one")
class Sorts(_Lists):
    """answers a batch in the order of its names"""

    def detect_many(self, paths: Iterable[str | Path], mode: str = _STRICT) -> list[Detection]:
        found: list[Detection] = self.real.detect_many(sorted(paths), mode)
        return found


@mutant(MUTANTS, "a_batch_equals_its_files_one_by_one")
class GivesUp(_Lists):
    """ends a batch at the first path that can't be read"""

    def detect_many(self, paths: Iterable[str | Path], mode: str = _STRICT) -> list[Detection]:
        found: list[Detection] = []
        for one in self.real.detect_many(paths, mode):
            found.append(one)
            if one.error:
                break
        return found


@mutant(MUTANTS, "answers_come_as_they_are_found")
class Shuffles(Wrapper):
    """yields first what it found last"""

    def detect_each(self, paths: Iterable[str | Path], mode: str = _STRICT) -> Iterator[Detection]:
        found: list[Detection] = self.real.detect_many(paths, mode)
        return reversed(found)


@mutant(MUTANTS, "answers_come_as_they_are_found")
class Hoards(Wrapper):
    """takes all paths before it says anything"""

    def detect_each(self, paths: Iterable[str | Path], mode: str = _STRICT) -> Iterator[Detection]:
        held = list(paths)
        return (found for path in held for found in self.real.detect_many([path], mode))


@mutant(MUTANTS, "labels_are_declared")
class Undeclared(Wrapper):
    """does not declare the label of an empty file"""

    def labels(self) -> set[str]:
        return set(self.real.labels()) - {self.real.detect(b"").label}


@mutant(MUTANTS, "scores_are_plain_numbers_from_0_to_1")
class Float32(_Says):
    """hands on the network's score as a NumPy number, which JSON can't hold"""

    def changed(self, found: Detection, source: Any) -> Detection:
        return attrs.evolve(found, score=np.float32(found.score))  # type: ignore[arg-type]


@mutant(MUTANTS, "scores_are_plain_numbers_from_0_to_1")
class Percent(_Says):
    """gives scores from 0 to 100"""

    def changed(self, found: Detection, source: Any) -> Detection:
        copy = attrs.evolve(found)
        object.__setattr__(copy, "score", found.score * 100)
        return copy


@mutant(MUTANTS, "stricter_modes_only_refuse")
class Dares(_Says):
    """guesses in its strictest mode what it does not know in the others"""

    def changed(self, found: Detection, source: Any) -> Detection:
        if found.label != "unknown" or found.error or found.mode != _STRICT:
            return found
        return attrs.evolve(found, label=min(set(self.real.labels()) - {"unknown", "txt"}))


@mutant(MUTANTS, "unknown_modes_are_refused")
class Obliges(_Lists):
    """takes a mode that it does not know for the default"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        found: Detection = self.real.detect(source, mode if mode in MODES else _STRICT)
        return found

    def detect_many(self, paths: Iterable[str | Path], mode: str = _STRICT) -> list[Detection]:
        found: list[Detection] = self.real.detect_many(paths, mode if mode in MODES else _STRICT)
        return found


@mutant(MUTANTS, "the_name_never_matters")
class Trusts(_Says):
    """believes a name that ends in .png"""

    def changed(self, found: Detection, source: Any) -> Detection:
        if found.error or not str(found.path).endswith("b.png"):
            return found
        return attrs.evolve(found, label="png", group="image")


@mutant(MUTANTS, "the_middle_never_matters")
class Peeks(_Says):
    """looks at the byte in the middle of what is large"""

    def changed(self, found: Detection, source: Any) -> Detection:
        if not isinstance(source, bytes) or len(source) < 16_000:
            return found
        return attrs.evolve(found, score=(1 + source[len(source) // 2]) / 256)


@mutant(MUTANTS, "path_bytes_and_stream_agree")
class Continues(Wrapper):
    """looks at a stream from where it stands, and not from its beginning"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        if not hasattr(source, "read"):
            found: Detection = self.real.detect(source, mode)
            return found
        place = source.tell()
        found = self.real.detect(source.read(), mode)
        source.seek(place)
        return found


@mutant(MUTANTS, "a_stream_keeps_its_place")
class Rewinds(Wrapper):
    """leaves a stream at its beginning"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        found: Detection = self.real.detect(source, mode)
        if hasattr(source, "seek"):
            source.seek(0)
        return found


@mutant(MUTANTS, "the_file_is_left_alone")
class Remembers(Wrapper):
    """keeps its answer in a file beside what it looked at"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        found: Detection = self.real.detect(source, mode)
        if isinstance(source, Path) and os.path.isfile(source):
            Path(f"{source}.detected").write_text(found.label)
        return found


@mutant(MUTANTS, "memory_does_not_grow_with_the_file")
class Slurps(Wrapper):
    """reads a file whole before it looks at its ends"""

    def detect(self, source: Any, mode: str = _STRICT) -> Detection:
        if isinstance(source, Path) and os.path.isfile(source):
            source.read_bytes()
        found: Detection = self.real.detect(source, mode)
        return found


@mutant(MUTANTS, "known_files_are_told")
class Shrugs(_Says):
    """calls everything that is a file unknown"""

    def changed(self, found: Detection, source: Any) -> Detection:
        if found.group == "inode" or found.label == "empty":
            return found
        return attrs.evolve(found, label="unknown", group="unknown")

"""The provider `magika` of the hook `detector`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import attrs
import numpy as np

from kinetoscope_magika._alarms import alarms, second_opinion
from kinetoscope_magika._fastnet import NumpyNetwork
from kinetoscope_magika._knowledge import content_types, settings
from kinetoscope_magika._network import Network, OnnxNetwork, tokens
from kinetoscope_magika._source import SPECIAL_LABELS, Ends, Special, opened
from kinetoscope_magika._table import Match, Table
from kinetoscope_magika._verdict import Guess, described, few_bytes, guess_of, verdict
from kinetoscope_magika.formats import FORMATS
from kinetoscope_magika.media import MEDIA
from kinetoscope_spec import ConfigError, Detection, Services, Signature
from kinetoscope_spec.detection import MODES
from kinetoscope_spec.errors import nearest

__all__ = ["MagikaDetector", "OnnxDetector"]


_FIRST = 16
"""Files of the first chunk; the next have twice as many, so that the first answers come soon."""

_CHUNK = 256
"""Files that are looked at before the network is asked about those that need it: 8 kB each."""


@attrs.frozen(eq=False)
class Seen:
    """What was seen of a source: an error, something special, nothing (it is empty), or its ends.

    `row` is what the network is to be asked, if it is.
    """

    path: str | None
    error: str | None = None
    special: Special | None = None
    ends: Ends | None = None
    match: Match | None = None
    row: np.ndarray | None = None


class MagikaDetector:
    """Tells content types: file system, validated signatures, text rules, then Magika's network.

    What no signature or rule settles is answered exactly as the magika package answers it, with
    the same label, score and reason. The answer depends on the first and last 4,096 bytes and the
    size (and, where blanks stand in front, on what follows them), never on the name. Memory does
    not grow with files or their size; nothing blocks; one bad path never loses the others.
    """

    def __init__(
        self,
        services: Services | None = None,
        *,
        network: Network | None = None,
        formats: Iterable[Signature] = (*FORMATS, *MEDIA),
    ) -> None:
        """Take signatures from the importers that `services` knows, and after those `formats`.

        With neither every file goes through the network, as the magika package does it.
        """
        self._services = services
        self._formats = tuple(formats)
        self._network = network or NumpyNetwork()
        self._table: Table | None = None
        self._extensions: Mapping[str, frozenset[str]] | None = None

    def labels(self) -> frozenset[str]:
        """Return every label that it may give: the signatures', Magika's, and those of what is no file."""
        return frozenset({*content_types(), *self._signatures().labels, *SPECIAL_LABELS})

    def extensions(self) -> Mapping[str, frozenset[str]]:
        """Return the labels that the extension of a name (in small letters, without dot) may stand for."""
        if self._extensions is not None:
            return self._extensions
        found: dict[str, frozenset[str]] = {}
        of_types = ((known.label, known.extensions) for known in content_types().values())
        of_signatures = ((s.label, s.extensions) for s in self._signatures().signatures)
        for label, extensions in (*of_types, *of_signatures):
            for extension in extensions:
                key = extension.lower().lstrip(".")
                found[key] = found.get(key, frozenset()) | {label}
        self._extensions = MappingProxyType(found)
        return self._extensions

    def detect(
        self,
        source: str | Path | bytes | BinaryIO,
        mode: str = "high-confidence",
        *,
        audit: bool = False,
    ) -> Detection:
        """Say what `source` (a path, bytes, or a seekable stream whose position is kept) is.

        A path that can't be read gives a detection with `error`. `audit` asks the network about
        every file and raises an alarm where it contradicts the signature.

        Raises:
            ConfigError: an unknown mode.
            TypeError: `source` is none of these.
        """
        _check_mode(mode)
        seen = self._seen(source, audit)
        guess = None if seen.row is None else guess_of(self._network(seen.row[None])[0])
        return _answer(seen, guess, mode)

    def detect_each(
        self,
        paths: Iterable[str | Path],
        mode: str = "high-confidence",
        *,
        audit: bool = False,
        jobs: int | None = None,
    ) -> Iterator[Detection]:
        """Yield a detection for each path, in order, on `jobs` threads (None: one a processor).

        `paths` is read ahead by a few hundred at most, so memory is the same for any number of them.

        Raises:
            ConfigError: an unknown mode, at once.
        """
        _check_mode(mode)
        return self._each(iter(paths), mode, audit, jobs or os.cpu_count() or 1)

    def detect_many(
        self,
        paths: Iterable[str | Path],
        mode: str = "high-confidence",
        *,
        audit: bool = False,
        jobs: int | None = None,
    ) -> list[Detection]:
        """Detect all, in order; one that can't be read becomes a detection with `error`."""
        return list(self.detect_each(paths, mode, audit=audit, jobs=jobs))

    async def adetect(
        self,
        source: str | Path | bytes | BinaryIO,
        mode: str = "high-confidence",
        *,
        audit: bool = False,
    ) -> Detection:
        """Do what `detect` does, in a thread."""
        return await asyncio.to_thread(self.detect, source, mode, audit=audit)

    async def adetect_many(
        self,
        paths: Iterable[str | Path],
        mode: str = "high-confidence",
        *,
        audit: bool = False,
        jobs: int | None = None,
    ) -> list[Detection]:
        """Do what `detect_many` does, in a thread."""
        return await asyncio.to_thread(self.detect_many, paths, mode, audit=audit, jobs=jobs)

    def _each(self, paths: Iterator[str | Path], mode: str, audit: bool, jobs: int) -> Iterator[Detection]:
        size = min(_FIRST, _CHUNK)
        while chunk := [self._seen(path, audit) for path in islice(paths, size)]:
            size = min(2 * size, _CHUNK)
            rows = {i: seen.row for i, seen in enumerate(chunk) if seen.row is not None}
            found = self._network(np.stack([*rows.values()]), jobs) if rows else ()
            guesses = {i: guess_of(row) for i, row in zip(rows, found, strict=True)}
            for i, seen in enumerate(chunk):
                yield _answer(seen, guesses.get(i), mode)

    def _seen(self, source: str | Path | bytes | BinaryIO, audit: bool) -> Seen:
        """Look at a source: everything but the network."""
        path = str(os.fspath(source)) if isinstance(source, str | os.PathLike) else None
        try:
            with opened(source) as found:
                if isinstance(found, Special):
                    return Seen(path, special=found)
                if found.size == 0:
                    return Seen(path)
                ends = found.ends()
        except (OSError, ValueError) as error:
            return Seen(path, error=getattr(error, "strerror", None) or str(error))
        match = self._signatures().match(ends)
        return Seen(path, ends=ends, match=match, row=_row(ends) if audit or match is None else None)

    def _signatures(self) -> Table:
        if self._table is None:
            theirs = () if self._services is None else tuple(self._services.signatures())
            self._table = Table((*theirs, *self._formats))
        return self._table


class OnnxDetector(MagikaDetector):
    """The same detector on ONNX Runtime: the reference that the network in NumPy is held against."""

    def __init__(
        self, services: Services | None = None, *, formats: Iterable[Signature] = (*FORMATS, *MEDIA)
    ) -> None:
        super().__init__(services, network=OnnxNetwork(), formats=formats)


def _row(ends: Ends) -> np.ndarray | None:
    """Return the network's input, or None for too few bytes.

    Of a file whose whole head is blank but for a few bytes, the package sees nothing and says text;
    here the network is shown what follows the blanks.
    """
    hidden = len(ends.head) < ends.size and ends.blanks > len(ends.head) - settings().least
    return tokens(ends.text if hidden else ends.head, ends.tail)


def _answer(seen: Seen, guess: Guess | None, mode: str) -> Detection:
    """Put what was seen of a file and what the network says of it into one answer."""
    if seen.error is not None:
        answer = Detection("unknown", score=0.0, mode=mode, decided_by="filesystem", error=seen.error)
    elif seen.special is not None:
        answer = Detection(seen.special.label, seen.special.mime, "inode", mode=mode, decided_by="filesystem")
    elif seen.ends is None:
        answer = described("empty", 1.0, mode, "filesystem")
    else:
        answer = _of_content(seen.ends, seen.match, guess, mode)
    return answer if seen.path is None else attrs.evolve(answer, path=seen.path)


def _of_content(ends: Ends, match: Match | None, guess: Guess | None, mode: str) -> Detection:
    if match is None:
        answer = few_bytes(ends.head, mode) if guess is None else verdict(guess, mode)
        raised = tuple(alarms(answer, ends))
    else:
        s = match.signature
        answer = Detection(
            s.label, s.mime, s.group, mode=mode, decided_by=match.decided_by, is_text=s.is_text
        )
        doubts = () if guess is None else second_opinion(answer, guess)
        raised = (*alarms(answer, ends), *doubts)
    return attrs.evolve(answer, alarms=raised)  # type: ignore[arg-type]  # `tuple` as a converter is generic


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        known = ", ".join(MODES)
        raise ConfigError(f"mode is {mode!r}, expected one of {known}{nearest(str(mode), MODES)}")

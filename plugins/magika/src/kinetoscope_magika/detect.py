"""The provider `magika` of the hook `detector`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import attrs

from kinetoscope_magika._alarms import alarms, second_opinion
from kinetoscope_magika._fastnet import NumpyNetwork
from kinetoscope_magika._knowledge import content_types
from kinetoscope_magika._network import Network, OnnxNetwork, tokens
from kinetoscope_magika._source import SPECIAL_LABELS, Ends, Source, Special, opened
from kinetoscope_magika._table import Table
from kinetoscope_magika._verdict import Guess, described, few_bytes, guess_of, verdict
from kinetoscope_magika.formats import FORMATS
from kinetoscope_spec import ConfigError, Detection, Services
from kinetoscope_spec.detection import MODES
from kinetoscope_spec.errors import nearest

__all__ = ["MagikaDetector", "OnnxDetector"]


class MagikaDetector:
    """Tells content types: file system, validated signatures, text rules, then Magika's network.

    What no signature or rule settles is answered exactly as the magika package answers it, with
    the same label, score and reason. The answer depends on the first and last 4,096 bytes and the
    size (and, where blanks stand in front, on what follows them), never on the name. Memory does
    not grow with files or their size; nothing blocks; one bad path never loses the others.
    """

    def __init__(self, services: Services | None = None, *, network: Network | None = None) -> None:
        self._services = services
        self._network = network or NumpyNetwork()
        self._table: Table | None = None

    def labels(self) -> frozenset[str]:
        """Return every label that it may give: the signatures', Magika's, and those of what is no file."""
        return frozenset({*content_types(), *self._signatures().labels, *SPECIAL_LABELS})

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
        path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        try:
            with opened(source) as found:
                answer = self._of(found, mode, audit)
        except (OSError, ValueError) as error:
            text = getattr(error, "strerror", None) or str(error)
            answer = Detection("unknown", score=0.0, mode=mode, decided_by="filesystem", error=text)
        return answer if path is None else attrs.evolve(answer, path=str(path))

    def detect_many(
        self, paths: Iterable[str | Path], mode: str = "high-confidence", *, audit: bool = False
    ) -> list[Detection]:
        """Detect all, in order; one that can't be read becomes a detection with `error`."""
        _check_mode(mode)
        return [self.detect(path, mode, audit=audit) for path in paths]

    def _of(self, found: Source | Special, mode: str, audit: bool) -> Detection:
        if isinstance(found, Special):
            return Detection(found.label, found.mime, "inode", mode=mode, decided_by="filesystem")
        if found.size == 0:
            return described("empty", 1.0, mode, "filesystem")
        ends = found.ends()
        match = self._signatures().match(ends)
        if match is not None:
            s = match.signature
            answer = Detection(
                s.label, s.mime, s.group, mode=mode, decided_by=match.decided_by, is_text=s.is_text
            )
            doubts = second_opinion(answer, guess) if audit and (guess := self._guess(ends)) else ()
        else:
            guess = self._guess(ends)
            answer = few_bytes(ends.head, mode) if guess is None else verdict(guess, mode)
            doubts = ()
        raised: tuple[str, ...] = (*alarms(answer, ends), *doubts)
        return attrs.evolve(answer, alarms=raised)  # type: ignore[arg-type]  # `tuple` as a converter is generic

    def _guess(self, ends: Ends) -> Guess | None:
        """Return the network's guess, or None for too few bytes.

        Of a file whose whole head is blank, the package sees nothing and says text; here the
        network is shown what follows the blanks.
        """
        hidden = len(ends.head) < ends.size and not ends.head.strip() and ends.text
        row = tokens(ends.text if hidden else ends.head, ends.tail)
        return None if row is None else guess_of(self._network(row[None])[0])

    def _signatures(self) -> Table:
        if self._table is None:
            theirs = () if self._services is None else tuple(self._services.signatures())
            self._table = Table((*theirs, *FORMATS))
        return self._table


class OnnxDetector(MagikaDetector):
    """The same detector on ONNX Runtime: the reference that the network in NumPy is held against."""

    def __init__(self, services: Services | None = None) -> None:
        super().__init__(services, network=OnnxNetwork())


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        known = ", ".join(MODES)
        raise ConfigError(f"mode is {mode!r}, expected one of {known}{nearest(str(mode), MODES)}")

"""The provider `acme-thing`: what a file is, told by signatures, then by a look at its text."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import attrs

from kinetoscope_spec import ConfigError, Detection, Services, Signature
from kinetoscope_spec.detection import MODES

__all__ = ["AcmeThingDetector"]

WINDOW = 4096
"""Bytes that are looked at, at each end."""

SURE = {"best-guess": 0.0, "medium-confidence": 0.5, "high-confidence": 0.9}
"""How high a guess must score in each mode; signatures are no guess."""


def is_json(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether the whole of a small file is JSON."""
    try:
        return size <= WINDOW and isinstance(json.loads(head), dict | list)
    except (ValueError, RecursionError):
        return False


SIGNATURES = (
    Signature("png", "image/png", "image", magic=b"\x89PNG\r\n\x1a\n"),
    Signature("zip", "application/zip", "archive", magic=b"PK\x03\x04"),
    Signature("json", "application/json", "code", rule=is_json, is_text=True),
)
"""What this detector knows itself; importers bring more."""

GUESSES = (
    Signature("shell", "text/x-shellscript", "code", magic=b"#!/", is_text=True),
    Signature("python", "text/x-python", "code", magic=b"import ", is_text=True),
)
"""What may well be something else, with a score of 0.6."""

KINDS = (
    (stat.S_ISREG, ""),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


class AcmeThingDetector:
    """Asks the signatures of all importers, then its own, then guesses."""

    def __init__(self, services: Services | None = None) -> None:
        theirs: Sequence[Signature] = () if services is None else services.signatures()
        self._signatures = (*theirs, *SIGNATURES)

    def labels(self) -> frozenset[str]:
        """Return every label that it may give."""
        named = {signature.label for signature in (*self._signatures, *GUESSES)}
        return frozenset({*named, *(kind for _, kind in KINDS if kind), "empty", "txt", "unknown"})

    def detect(self, source: str | Path | bytes | BinaryIO, mode: str = "high-confidence") -> Detection:
        """Say what `source` is: a path, bytes, or a stream, whose position is kept."""
        if mode not in MODES:
            raise ConfigError(f"mode is {mode!r}, expected one of {', '.join(MODES)}")
        if isinstance(source, str | os.PathLike):
            return attrs.evolve(self._of_path(source, mode), path=str(source))
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        place = stream.tell()
        try:
            return self._of_stream(stream, mode)
        finally:
            stream.seek(place)

    def detect_many(self, paths: Iterable[str | Path], mode: str = "high-confidence") -> list[Detection]:
        """Detect all, in order; one that can't be read becomes a detection with `error`."""
        if mode not in MODES:
            raise ConfigError(f"mode is {mode!r}, expected one of {', '.join(MODES)}")
        return [self.detect(path, mode) for path in paths]

    def _of_path(self, path: str | Path, mode: str) -> Detection:
        try:
            kind = os.stat(path).st_mode
            special = next((label for test, label in KINDS if test(kind)), "unknown")
            if special:  # never opened: a pipe would wait for its writer
                return Detection(special, group="inode", mode=mode, decided_by="filesystem")
            with open(path, "rb") as stream:
                return self._of_stream(stream, mode)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return Detection("unknown", score=0.0, mode=mode, decided_by="filesystem", error=reason)

    def _of_stream(self, stream: BinaryIO, mode: str) -> Detection:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - WINDOW))
        tail = stream.read(WINDOW)
        stream.seek(0)
        head = stream.read(WINDOW)
        if size == 0:
            return Detection("empty", "inode/x-empty", "inode", mode=mode, decided_by="size")
        for signature in self._signatures:
            if _fits(signature, head, tail, size):
                return _detection(signature, 1.0, mode)
        for signature in GUESSES:
            if _fits(signature, head, tail, size) and SURE[mode] <= 0.6:
                return _detection(signature, 0.6, mode)
        if b"\0" in head:
            return Detection("unknown", score=0.0, mode=mode)
        return Detection("txt", "text/plain", "text", score=0.5, mode=mode, is_text=True)


def _fits(signature: Signature, head: bytes, tail: bytes, size: int) -> bool:
    if not head.startswith(signature.magic, signature.offset):
        return False
    rule = signature.rule
    if isinstance(rule, str):
        module, _, name = rule.partition(":")
        rule = getattr(import_module(module), name)
    try:
        return rule is None or bool(rule(head, tail, size))
    except Exception:  # noqa: BLE001 - one plugin's mistake must not take detection down
        return False


def _detection(signature: Signature, score: float, mode: str) -> Detection:
    return Detection(
        signature.label, signature.mime, signature.group, score=score, mode=mode, is_text=signature.is_text
    )

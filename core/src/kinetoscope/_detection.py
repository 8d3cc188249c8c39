"""What a file is: asked of the detector, or of the importers' own signatures where there is none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kinetoscope_spec.errors import FormatError

if TYPE_CHECKING:
    from kinetoscope_spec.detection import Detection
    from kinetoscope_spec.provider import Signature

__all__ = ["UnreadableFile", "by_signature", "check_readable", "describe"]

WINDOW = 4096


class UnreadableFile(FormatError, OSError):
    """A file that is missing, a folder, a pipe, or closed to us; both a `FormatError` and an `OSError`."""


def check_readable(path: Path) -> None:
    """Raise `UnreadableFile` unless `path` is a regular file that can be opened.

    Pipes and devices are refused unopened: opening a pipe waits for a writer that may never come.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "is a folder, expected a file")
        if not stat.S_ISREG(mode):
            raise OSError(22, "is a pipe, socket or device, expected a regular file")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"can't be read: {text}", path=path) from error


def by_signature(path: Path, signatures: Iterable[Signature], data: bytes | None = None) -> Detection:
    """Say what `path` is by the first of `signatures` that fits its bytes; its name does not matter.

    It is not opened where its bytes are at hand (`data`).
    """
    from kinetoscope_spec.detection import Detection

    head, tail, size = _ends(path) if data is None else (data[:WINDOW], data[-WINDOW:], len(data))
    if size == 0:
        return Detection("empty", "inode/x-empty", "inode", path=str(path), decided_by="size")
    for signature in signatures:
        if _fits(signature, head, tail, size):
            return Detection(
                signature.label, signature.mime, signature.group, path=str(path), is_text=signature.is_text
            )
    return Detection("unknown", score=0.0, path=str(path))


def _ends(path: Path) -> tuple[bytes, bytes, int]:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - WINDOW))
        tail = stream.read(WINDOW)
        stream.seek(0)
        return stream.read(WINDOW), tail, size


def _fits(signature: Signature, head: bytes, tail: bytes, size: int) -> bool:
    end = signature.offset + len(signature.magic)
    if head[signature.offset : end] != signature.magic:
        return False
    if signature.rule is None:
        return True
    rule = signature.rule
    if isinstance(rule, str):
        module, _, name = rule.partition(":")
        rule = getattr(import_module(module), name)
    return bool(rule(head, tail, size))


def describe(detection: Detection) -> str:
    """Return a detection in one phrase: `bvh (score 1.00, by signature)`."""
    return f"{detection.label} (score {detection.score:.2f}, by {detection.decided_by})"

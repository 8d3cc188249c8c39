"""What a file is: asked of the detector, or of the importers' own signatures where there is none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kinetoscope_spec.errors import FormatError

if TYPE_CHECKING:
    from kinetoscope_spec.character import Asset
    from kinetoscope_spec.detection import Detection
    from kinetoscope_spec.provider import Signature

__all__ = ["UnreadableFile", "by_signature", "check_readable", "describe", "told"]

WINDOW = 4096


class UnreadableFile(FormatError, OSError):
    """A file that is missing, a folder, a pipe, or closed to us; both a `FormatError` and an `OSError`."""


def check_readable(path: Path) -> int:
    """Return the size in bytes of a regular file that can be opened.

    Pipes and devices are refused unopened: opening a pipe waits for a writer that may never come.
    Nor does it wait for one that takes the file's place meanwhile: what was opened is looked at again.

    Raises:
        UnreadableFile: it is none.
    """
    try:
        _check_regular(path.stat())
        flags = os.O_RDONLY
        for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
            flags |= getattr(os, name, 0)
        descriptor = os.open(path, flags)
        try:
            status = os.fstat(descriptor)
            _check_regular(status)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"can't be read: {text}", path=path) from error
    return status.st_size


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "is a folder, expected a file")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(22, "is a pipe, socket or device, expected a regular file")


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
    try:
        if isinstance(rule, str):
            module, _, name = rule.partition(":")
            rule = getattr(import_module(module), name)
        return bool(rule(head, tail, size))
    except Exception as error:  # noqa: BLE001 - a stranger's rule may raise anything
        from kinetoscope._log import warn

        warn(f"the rule for {signature.label!r} failed: {error!r}")
        return False


def describe(detection: Detection) -> str:
    """Return a detection in one phrase: `bvh (score 1.00, by signature)`."""
    return f"{detection.label} (score {detection.score:.2f}, by {detection.decided_by})"


def told(asset: Asset, path: Path, doubts: Sequence[str]) -> Asset:
    """Return an asset whose warnings tell what looked wrong about its file; the log does too."""
    if not doubts:
        return asset
    import attrs

    from kinetoscope._log import warn

    for doubt in doubts:
        warn(f"{path}: {doubt}")
    if not hasattr(asset, "warnings"):
        return asset  # a stranger's importer may return something else
    return attrs.evolve(asset, warnings=(*asset.warnings, *doubts))

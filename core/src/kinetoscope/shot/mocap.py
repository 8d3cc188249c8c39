"""The clips that a performer learns from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from kinetoscope_spec import Motion
from kinetoscope_spec.errors import Cancelled, ConfigError
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Clips", "hash_file", "read_clips"]


@attrs.frozen
class Clips:
    """Motions of one skeleton, and the files they came from.

    Attributes:
        motions: one or more for each file.
        sources: `{path, sha256, motions, licence}` of each file.
        warnings: what importers warned of, and what was left out.
    """

    motions: tuple[Motion, ...]
    sources: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]

    def digest(self) -> str:
        """Return a hash of the files' contents, whatever their names and order."""
        together = "\n".join(sorted(source["sha256"] for source in self.sources))
        return hashlib.sha256(together.encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, reading a megabyte at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_clips(host: Host, files: Sequence[Path], progress: Progress | None = None) -> Clips:
    """Import `files` through the host, which detects what each is.

    Clips of another skeleton than the first one's are left out with a warning.

    Raises:
        ConfigError: no file holds a motion.
        FormatError: a file is not what it seems to be.
        Cancelled: `progress` returned False.
    """
    motions: list[Motion] = []
    sources: list[dict[str, Any]] = []
    warnings: dict[str, int] = {}
    for i, path in enumerate(files):
        if progress and progress(i, len(files), f"reading {path.name}") is False:
            raise Cancelled(f"cancelled after {i} of {len(files)} clips")
        asset = host.open(path)
        for text in asset.warnings:
            warnings[text] = warnings.get(text, 0) + 1
        fitting = [
            motion
            for motion in asset.motions
            if not motions or motion.skeleton.names == motions[0].skeleton.names
        ]
        if len(fitting) < len(asset.motions):
            warnings[f"{path.name} was left out: its skeleton is not that of the other clips"] = 1
        motions.extend(fitting)
        sources.append(
            {
                "path": str(path),
                "sha256": hash_file(path),
                "motions": len(fitting),
                "licence": asset.metadata.get("licence"),
            }
        )
    if not motions:
        raise ConfigError(
            f"none of {len(files)} files holds a motion, expected at least one clip to learn from"
        )
    told = tuple(text if n == 1 else f"{text} ({n} files)" for text, n in warnings.items())
    return Clips(tuple(motions), tuple(sources), told)

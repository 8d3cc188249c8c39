"""The clips that a performer learns from."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.shot.settings import Listing
from kinetoscope_spec import Asset, Motion
from kinetoscope_spec.errors import Cancelled, ConfigError, FormatError, ProviderNotFound
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Clips", "hash_file", "read_clips", "same_body"]

STEADY_M = 0.01
"""By how much a bone's length may vary within a clip and still be a bone's."""


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
        """Return a hash of what is learned from: the motions as they were read, their names, their order."""
        digest = hashlib.sha256()
        for motion in self.motions:
            skeleton = motion.skeleton
            digest.update(repr((motion.name, motion.framerate, skeleton.names)).encode())
            for array in (skeleton.parents, skeleton.rest_positions, motion.positions, motion.rotations):
                digest.update(repr((array.dtype.str, array.shape)).encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, reading a megabyte at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_clips(host: Host, listing: Listing, progress: Progress | None = None) -> Clips:
    """Import files through the host, which detects what each is.

    What can't be read is an error where the file was named, and left out with a warning where it
    came with its folder or a pattern. So are clips of another skeleton than the first one's: other
    names, other parents, or bones of another length.

    Raises:
        ConfigError: no file holds a motion.
        FormatError, ProviderNotFound: a file that was named can't be read.
        Cancelled: `progress` returned False.
    """
    motions: list[Motion] = []
    sources: list[dict[str, Any]] = []
    warnings: Counter[str] = Counter()
    for i, path in enumerate(listing.files):
        if progress and progress(i, len(listing.files), f"reading {path.name}") is False:
            raise Cancelled(f"cancelled after {i} of {len(listing.files)} clips")
        try:
            asset = host.open(path)
        except (FormatError, ProviderNotFound) as error:
            if path in listing.named:
                raise
            warnings[f"{path.name} was left out: {error}"] += 1
            continue
        warnings.update(asset.warnings)
        fitting = [motion for motion in asset.motions if same_body((motions or asset.motions)[0], motion)]
        if len(fitting) < len(asset.motions):
            warnings[f"{path.name} was left out: its skeleton is not that of the other clips"] += 1
        motions.extend(fitting)
        if fitting:
            sources.append(_source(path, asset, len(fitting)))
    told = tuple(text if n == 1 else f"{text} ({n} files)" for text, n in warnings.items())
    if not motions:
        raise ConfigError(
            "; ".join(
                [f"none of {len(listing.files)} files holds a motion, expected a clip to learn from", *told]
            )
        )
    return Clips(tuple(motions), tuple(sources), told)


def _source(path: Path, asset: Asset, motions: int) -> dict[str, Any]:
    licence = asset.metadata.get("licence")
    return {"path": str(path), "sha256": hash_file(path), "motions": motions, "licence": licence}


def same_body(a: Motion, b: Motion) -> bool:
    """Tell whether two motions move one body: names, parents, and bones within 2 cm or 2 %.

    Bones are measured as they are in the motion: where a joint has position channels of its own a
    file's rest offset may say anything.
    """
    if a.skeleton is b.skeleton:
        return True
    if a.skeleton.names != b.skeleton.names or not np.array_equal(a.skeleton.parents, b.skeleton.parents):
        return False
    lengths = [np.linalg.norm(motion.positions, axis=-1) for motion in (a, b)]
    # A joint that travels, such as hips under a root on the floor, is no bone.
    bones = np.logical_and(*(np.ptp(length, axis=0) < STEADY_M for length in lengths))
    one, other = (np.median(length, axis=0)[bones] for length in lengths)
    return bool(np.allclose(one, other, rtol=0.02, atol=0.02))

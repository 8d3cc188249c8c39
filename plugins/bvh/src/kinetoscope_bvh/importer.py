"""The importer `bvh`: reads and writes BioVision hierarchies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kinetoscope_spec import Asset

from kinetoscope_bvh._bytes import MAX_BYTES, read_bytes
from kinetoscope_bvh._read import build_asset

__all__ = ["BvhImporter"]


class BvhImporter:
    """Reads BVH files into assets of one skeleton and one motion, and writes them."""

    def read(
        self,
        path: str | Path,
        *,
        unit: float | None = None,
        end_sites: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> Asset:
        """Read the BVH file at `path`.

        Position channels stand in for the OFFSET of their joint, at the root and below; axes
        without one keep it. Rotation channels turn in the order in which a joint lists them,
        each about the axes that the ones before have turned.

        Args:
            path: the file.
            unit: metres per unit of the file. BVH states none: None guesses it from the figure's
                height and says so in the asset's warnings.
            end_sites: make nodes of the end sites (`<joint>_end`); otherwise their offsets stand
                in `metadata["end_sites"]` alone, as `{joint: (x, y, z) m}`.
            max_bytes: files larger than this are refused.

        Returns:
            An asset whose motion is float32. `metadata` has `format`, `unit_m`, `unit_guessed`,
            `axes`, `frame_time_s`, `end_sites`, and `channels`, `{joint: names in file order}`.

        Raises:
            FormatError: naming the line and what was expected there.
            OSError: the file can't be read.
        """
        path = Path(path)
        data = read_bytes(path, max_bytes)
        return build_asset(data, path, unit=unit, end_sites=end_sites)

    def write(self, asset: Asset, path: str | Path, **options: Any) -> None:
        """Write a motion of `asset` to `path`."""
        raise NotImplementedError

"""The importer `bvh`: reads and writes BioVision hierarchies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kinetoscope_bvh._bytes import HEAD, MAX_BYTES, check_head, read_bytes
from kinetoscope_bvh._numbers import expect
from kinetoscope_bvh._read import build_asset
from kinetoscope_bvh._write import bvh_lines, write_text
from kinetoscope_spec import Asset

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

    def read_bytes(
        self, data: bytes, path: str | Path, *, unit: float | None = None, end_sites: bool = False
    ) -> Asset:
        """Return what `read` returns of the file at `path`, whose bytes are at hand: it is not opened.

        Raises:
            FormatError: naming the line and what was expected there.
        """
        path = Path(path)
        check_head(data[:HEAD], path)
        return build_asset(data, path, unit=unit, end_sites=end_sites)

    def prepare(self, size: int) -> None:
        """Get ready for about `size` bytes of files: many are read by compiled code from the first."""
        expect(size)

    def write(
        self,
        asset: Asset,
        path: str | Path,
        *,
        motion: int | None = 0,
        order: str | Mapping[str, str] | None = None,
        unit: float | None = None,
    ) -> None:
        """Write the skeleton and one motion of `asset` to `path`, whole or not at all.

        Joints keep the channels they were read with, as far as these can hold the motion; others
        get three rotation channels, and position or scale channels if they move or scale.
        Numbers have 9 significant digits (17 where the motion is float64), enough to read the
        same again. Not written: meshes, morph weights, `start_time`, rest rotations (a BVH's zero pose has
        none; the motion itself is unchanged by that).

        Args:
            asset: what to write; its skeleton must have one root.
            path: the file, replaced if it exists.
            motion: which of the asset's motions; None for the skeleton alone.
            order: the order of the Euler angles, a permutation of `xyz`, for all joints or by
                joint name; None keeps what was read, or takes `zxy`.
            unit: metres per unit of the file; None keeps what was read, or takes centimetres.

        Raises:
            ValidationError: several roots, or a joint name that a BVH file can't hold.
            ConfigError: an option is wrong.
            OSError: the file can't be written.
        """
        lines = bvh_lines(asset, motion=motion, order=order, unit=unit)
        write_text(Path(path), lines)

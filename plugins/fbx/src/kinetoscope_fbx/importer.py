"""The importer `fbx`: reads Autodesk FBX files."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from kinetoscope_fbx._read import build_asset
from kinetoscope_fbx.signature import starts_as_fbx
from kinetoscope_spec import Asset, ConfigError, FormatError

__all__ = ["FbxImporter"]

MAX_BYTES: Final = 4 * 1024**3
"""The largest file that is read unless the caller allows more."""

_HEAD: Final = 4096


class FbxImporter:
    """Reads binary and ASCII FBX files of versions 5 to 7 into assets."""

    def read(
        self,
        path: str | Path,
        *,
        framerate: float | None = None,
        stacks: Sequence[str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Asset:
        """Read the FBX file at `path`.

        The skeleton holds every node, the file's own axes and unit turned into metres, Y up, +Z
        forward, without turning or scaling a root. Every animation stack becomes a motion, sampled
        at `framerate` from its start to its end; `start_time` says where it lies on the file's clock.

        Args:
            path: the file.
            framerate: frames per second to sample at; None takes the file's own.
            stacks: names of the animation stacks to bake, in that order; None takes all.
            max_bytes: files larger than this are refused.

        Returns:
            An asset whose motions are float32. `metadata` has `format`, `version`, `encoding`,
            `creator`, `unit_m`, `axes` and `framerate`.

        Raises:
            FormatError: naming the byte or line and what was expected there.
            ConfigError: a framerate that is none, or a stack the file does not have.
            OSError: the file can't be read.
        """
        if framerate is not None and not (np.isfinite(framerate) and 0 < framerate <= 100_000):
            raise ConfigError(f"framerate is {framerate}, expected frames per second above 0")
        path = Path(path)
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise FormatError("a device, pipe or socket", path=path, expected="a regular file")
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if not starts_as_fbx(head):
                raise FormatError(
                    f"the file begins with {head[:20]!r}" if head else "the file is empty",
                    path=path,
                    offset=0,
                    expected="'Kaydara FBX Binary' or '; FBX 7.4.0 project file'",
                )
            if status.st_size > max_bytes:
                raise FormatError(
                    f"the file has {status.st_size:,} bytes",
                    path=path,
                    expected=f"at most max_bytes={max_bytes:,}",
                )
            data = head + file.read(max(status.st_size - len(head), 0))
        return build_asset(data, path, framerate=framerate, stacks=stacks)

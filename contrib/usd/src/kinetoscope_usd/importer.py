"""The importer `usd`: reads and writes OpenUSD files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kinetoscope_spec import Asset, ConfigError, FormatError, ValidationError
from kinetoscope_usd._look import look
from kinetoscope_usd._sandbox import Sandbox
from kinetoscope_usd._stage import MEMORY_PER_BYTE, SECONDS_PER_MB

__all__ = ["UsdImporter"]

MAX_BYTES = 4 * 1024**3
"""The largest file that is read unless the caller allows more."""

_SANDBOX = Sandbox()
_SECONDS = 10.0
_MEMORY = 512 << 20


class UsdImporter:
    """Reads USD files of characters and clips, each in a process that may die of it, and writes them."""

    def read(
        self,
        path: str | Path,
        *,
        framerate: float | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Asset:
        """Read the USD file at `path` with all layers and textures that lie in its folder.

        Args:
            path: a `.usd`, `.usda`, `.usdc` or `.usdz` file.
            framerate: frames per second at which clips are sampled. None takes the time samples
                where they are evenly spaced, and the stage's own rate where they are not.
            max_bytes: files larger than this are refused.

        Returns:
            An asset of all joints of all skeletons and every other prim that moves, is placed or
            carries a rigid mesh. `metadata` has `format`, `unit_m`, `axes`, `framerate`, `prims`
            (`{node: path of its prim}`) and, where the layer says them, `comment` and `generator`.

        Raises:
            FormatError: naming the file, and the prim where one is at fault.
            OSError: the file can't be read.
        """
        path = Path(path)
        if framerate is not None and not 0 < framerate <= 10_000:
            raise ConfigError(f"framerate is {framerate}, expected frames per second above 0")
        size, kind = look(path, max_bytes)
        options: dict[str, Any] = {"kind": kind, "framerate": framerate}
        seconds = _SECONDS + SECONDS_PER_MB * size / 1e6
        data = _SANDBOX.run(path.absolute(), options, seconds, _MEMORY + MEMORY_PER_BYTE * size)
        return _unpacked(data, path)

    def write(
        self,
        asset: Asset,
        path: str | Path,
        *,
        motion: int | None = None,
    ) -> None:
        """Write `asset` to `path`, whole or not at all: `.usda`, `.usdc`, `.usd` (a crate) or `.usdz`.

        Metres, Y up. All nodes become the joints of one UsdSkel skeleton, every motion a
        SkelAnimation of which the first is bound. Names that USD has no letters for are kept in
        `jointNames` and in display names. Textures go into the package, or into the folder
        `<stem>_textures` beside the file.

        Args:
            asset: what to write.
            path: the file, replaced if it exists.
            motion: the only motion to write; None writes all of them.

        Raises:
            ValidationError: two meshes bind one bone in different poses, or a bind matrix has no inverse.
            ConfigError: an option, or the suffix of the path, is wrong.
            OSError: the file can't be written.
        """
        from kinetoscope_usd._write import write

        write(asset, Path(path), motion=motion)


def _unpacked(data: bytes, path: Path) -> Asset:
    from kinetoscope_usd._wire import decode

    try:
        result = decode(data)
    except (ValidationError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise FormatError(f"what OpenUSD made of the file is not sound: {error}", path=path) from error
    if "error" in result:
        raise FormatError(result["error"], path=path, line=result["line"], expected=result["expected"])
    asset = result["asset"]
    assert isinstance(asset, Asset)
    return asset

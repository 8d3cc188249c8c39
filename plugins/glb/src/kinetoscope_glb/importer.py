"""The importer `glb`: reads and writes glTF 2.0, binary and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kinetoscope_glb._container import MAX_BYTES, read_parts
from kinetoscope_spec import Asset

__all__ = ["GlbImporter"]


class GlbImporter:
    """Reads glTF 2.0 files into assets, and writes assets as such files."""

    def read(
        self,
        path: str | Path,
        *,
        framerate: float | None = None,
        scene: int | str | None = None,
        textures: bool = True,
        unit: float = 1.0,
        max_bytes: int = MAX_BYTES,
    ) -> Asset:
        """Read the file at `path`, `.glb` or `.gltf` by its content.

        Every node becomes one of the skeleton, parents first and otherwise in the order of the file;
        every animation a motion, its channels baked from its first key to its last; every mesh one
        mesh for each node that shows it. The vertices of a mesh are those of its primitives one
        after the other, those that several primitives share once.

        Args:
            path: the file. Buffers and images it refers to must lie in its folder or below.
            framerate: frames per second at which animations are baked. None takes for each the rate
                that its keys stand on (30, 24, 60, 25, 50, 48, 120, ... in this order), or that of
                evenly spaced keys, else the least of 30, 60, 120, 240 that has a frame for most gaps.
            scene: number or name of the scene whose meshes are read; None is all scenes.
            textures: decode images; without them the materials' images are None.
            unit: metres per unit of the file; glTF's is the metre, and some writers' is not.
            max_bytes: larger files are refused, those it refers to counted in.

        Returns:
            An asset whose motions are float32. `metadata` has `format` (`glb` or `gltf`), `unit_m`,
            `axes`, `version`, `scenes` (name and roots of each), `extensions`, and `generator` and
            `licence` where the file states them.

        Raises:
            FormatError: naming the place in the JSON or the byte, and what was expected there.
            ConfigError: an option is wrong.
            OSError: the file can't be read.
        """
        from kinetoscope_glb._read import build_asset

        path = Path(path)
        parts = read_parts(path, max_bytes)
        return build_asset(
            parts,
            path,
            framerate=framerate,
            scene=scene,
            textures=textures,
            unit=unit,
            max_bytes=max_bytes,
        )

    def write(
        self,
        asset: Asset,
        path: str | Path,
        *,
        motions: Sequence[int] | None = None,
        meshes: bool = True,
        binary: bool | None = None,
    ) -> None:
        """Write `asset` to `path`, whole or not at all.

        Joints become nodes, motions animations with a linear key a frame (channels that hold still
        have one key, or none at rest), meshes one vertex a corner and one primitive a material, with
        the eight largest influences, morph targets and PNG textures. Nodes that only show a mesh or
        join roots are marked in `extras`, and so are framerates and in-betweens, which glTF has no
        place for: reading gives them back. Numbers are float32, those of the rest pose float64. Not
        written: meshes without faces, vertices without a corner.

        Args:
            asset: what to write.
            path: the file, replaced if it exists.
            motions: which of the asset's motions; None is all.
            meshes: write meshes, skins and materials too.
            binary: a GLB, or JSON with the buffer in it. None goes by the suffix: JSON for `.gltf`.

        Raises:
            ValidationError: what glTF can't hold: more than 4 GiB, a number too large for float32.
            ConfigError: an option is wrong.
            OSError: the file can't be written.
        """
        from kinetoscope_glb._write import document, file_parts, write_file

        path = Path(path)
        held, pack = document(asset, motions=motions, meshes=meshes)
        if binary is None:
            binary = path.suffix.lower() != ".gltf"
        write_file(path, file_parts(held, pack, binary=binary))

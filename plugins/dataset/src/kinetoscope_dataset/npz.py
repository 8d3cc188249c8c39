"""The importer `npz`: a skeleton and one motion as plain NumPy arrays, without pickle."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope_dataset._npz_arrays import MAX_BYTES, read_arrays
from kinetoscope_dataset.npz_signature import KEYS
from kinetoscope_spec import Asset, ConfigError, FormatError, Motion, Skeleton, ValidationError

__all__ = ["NpzImporter"]


class NpzImporter:
    """Reads and writes archives that `numpy.load(path, allow_pickle=False)` opens.

    | key | array |
    | --- | --- |
    | `names` | text `[J]`, unique; parents before children |
    | `parents` | int64 `[J]`, -1 for a root |
    | `rest_positions`, `rest_rotations`, `rest_scales` | `[J, 3]` m, `[J, 4]` xyzw, `[J, 3]`, relative to the parent |
    | `positions`, `rotations` | `[T, J, 3]` m, `[T, J, 4]` xyzw, relative to the parent; none without a motion |
    | `scales` | `[T, J, 3]`, where joints are scaled |
    | `morph_names`, `morph_weights` | text `[M]` and `[T, M]`, where there are morphs |
    | `framerate`, `start_time` | numbers: frames per second, seconds |
    | `name`, `licence` | text: the motion's name, the terms if stated |
    """

    def read(self, path: str | Path, *, max_bytes: int = MAX_BYTES) -> Asset:
        """Read the archive at `path`; a file, and arrays, of more than `max_bytes` are refused.

        Without `rest_positions` the first frame is the rest pose. Other keys are left alone.

        Raises:
            FormatError: it holds no motion of this form.
            OSError: it can't be read.
        """
        path = Path(path)
        arrays = read_arrays(path, KEYS, max_bytes)
        try:
            return _asset(arrays, path)
        except (ValidationError, OverflowError, TypeError, ValueError) as error:
            raise FormatError(str(error), path=path) from error

    def write(self, asset: Asset, path: str | Path, *, motion: int | None = 0, compress: bool = True) -> None:
        """Write the skeleton and one motion of `asset`, whole or not at all. Meshes are not written.

        Args:
            asset: what to write.
            path: the file, replaced if it exists.
            motion: which of the asset's motions; None for the skeleton alone.
            compress: whether arrays are deflated.

        Raises:
            ValidationError: a name that ends in a NUL, which NumPy's text does not keep.
            ConfigError: there is no such motion.
            OSError: the file can't be written.
        """
        arrays = _arrays(asset, motion)
        target = Path(path)
        temporary = target.with_name(f".{target.stem[:80]}.{os.urandom(6).hex()}.npz")
        method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        try:
            with zipfile.ZipFile(temporary, "w", method) as archive:
                for key, array in arrays.items():
                    # The date of a ZipInfo is 1980 unless told: the same asset gives the same bytes.
                    member = zipfile.ZipInfo(f"{key}.npy")
                    member.compress_type = method
                    with archive.open(member, "w", force_zip64=True) as stream:
                        np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _arrays(asset: Asset, motion: int | None) -> dict[str, Any]:
    skeleton = asset.skeleton
    arrays: dict[str, Any] = {
        "names": _text(skeleton.names),
        "parents": skeleton.parents,
        "rest_positions": skeleton.rest_positions,
        "rest_rotations": skeleton.rest_rotations,
        "rest_scales": skeleton.rest_scales,
    }
    if motion is not None and (motion or asset.motions):
        if not 0 <= motion < len(asset.motions):
            raise ConfigError(f"motion is {motion}, the asset has {len(asset.motions)}")
        arrays |= _motion_arrays(asset.motions[motion])
    licence = str(asset.metadata.get("licence", "")).rstrip("\0")
    return arrays | ({"licence": _text(licence)} if licence else {})


def _motion_arrays(clip: Motion) -> dict[str, Any]:
    arrays: dict[str, Any] = {"positions": clip.positions, "rotations": clip.rotations}
    if clip.scales is not None:
        arrays["scales"] = clip.scales
    if clip.morph_weights:
        arrays["morph_names"] = _text(tuple(clip.morph_weights))
        arrays["morph_weights"] = np.stack(list(clip.morph_weights.values()), axis=1)
    times = {"framerate": np.float64(clip.framerate), "start_time": np.float64(clip.start_time)}
    return arrays | times | {"name": _text(clip.name)}


def _text(words: tuple[str, ...] | str) -> Any:
    array = np.array(words, dtype=np.str_)
    for word in (words,) if isinstance(words, str) else words:
        if word.endswith("\0"):
            raise ValidationError(f"the name {word!r} ends in a NUL, which a .npz can't hold")
    return array


def _asset(arrays: Mapping[str, Any], path: Path) -> Asset:
    warnings: list[str] = []
    for key in ("names", "parents"):
        if key not in arrays:
            raise FormatError(f"no array {key!r}", path=path, expected="a skeleton: names and parents")
    names = _words(arrays, "names")
    rest = arrays.get("rest_positions")
    if rest is None:
        if "positions" not in arrays or not arrays["positions"].ndim or not len(arrays["positions"]):
            raise FormatError("neither rest_positions nor positions", path=path)
        rest = arrays["positions"][0]
        warnings.append("there are no rest_positions; those of the first frame are taken")
    skeleton = Skeleton(
        names, arrays["parents"], rest, arrays.get("rest_rotations"), arrays.get("rest_scales")
    )
    metadata = {"format": "npz", "unit_m": 1.0, "axes": "+X+Y+Z"}
    if "licence" in arrays:
        metadata["licence"] = _word(arrays, "licence")
    motions = (_motion(arrays, skeleton, path),) if "positions" in arrays else ()
    return Asset(path.stem, skeleton, motions, metadata=metadata, warnings=tuple(warnings))


def _motion(arrays: Mapping[str, Any], skeleton: Skeleton, path: Path) -> Motion:
    for key in ("rotations", "framerate"):
        if key not in arrays:
            raise FormatError(f"positions without {key!r}", path=path)
    weights = {}
    if "morph_weights" in arrays:
        names, curves = _words(arrays, "morph_names"), arrays["morph_weights"]
        if curves.ndim != 2 or curves.shape[1] != len(names) or len(set(names)) < len(names):
            raise FormatError(f"morph_weights is {list(curves.shape)}", path=path, expected="[T, M], M names")
        weights = {name: curves[:, i] for i, name in enumerate(names)}
    return Motion(
        skeleton,
        arrays["positions"],
        arrays["rotations"],
        _number(arrays, "framerate", path),
        _word(arrays, "name") if "name" in arrays else path.stem,
        scales=arrays.get("scales"),
        start_time=_number(arrays, "start_time", path) if "start_time" in arrays else 0.0,
        morph_weights=weights,
    )


def _words(arrays: Mapping[str, Any], key: str) -> tuple[str, ...]:
    held = arrays.get(key)
    if held is None or held.dtype.kind != "U" or held.ndim != 1:
        raise ValidationError(f"{key!r} is no list of names")
    return tuple(str(word) for word in held.tolist())


def _word(arrays: Mapping[str, Any], key: str) -> str:
    held = arrays[key]
    if held.dtype.kind != "U" or held.size != 1:
        raise ValidationError(f"{key!r} is {held.dtype} {list(held.shape)}, expected one text")
    return str(held.reshape(()).item())


def _number(arrays: Mapping[str, Any], key: str, path: Path) -> float:
    held = arrays[key]
    if held.dtype.kind not in "iuf" or held.size != 1:
        raise FormatError(f"{key!r} is {held.dtype} {list(held.shape)}", path=path, expected="one number")
    return float(held.reshape(()).item())

"""The importer `asf`: reads Acclaim skeletons and motions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope_asf import _build
from kinetoscope_asf._motion import read_frames
from kinetoscope_asf._skeleton import Figure, read_figure
from kinetoscope_asf._text import lines, read_text
from kinetoscope_spec import Asset, ConfigError, FormatError, Motion

__all__ = ["AsfImporter"]

MAX_BYTES = 2 * 1024**3
"""The largest file that is read unless the caller allows more."""

FRAMERATE = 120.0
"""What an AMC is taken to run at: it says nothing, and the CMU database's cameras took so many."""

_INCH_M = 0.0254
_PLAUSIBLE_M = (0.3, 4.0)


class AsfImporter:
    """Reads ASF files into skeletons, and AMC files, with their ASF, into a skeleton and a motion."""

    def read(
        self,
        path: str | Path,
        *,
        skeleton: str | Path | None = None,
        framerate: float = FRAMERATE,
        unit: float | None = None,
        end_sites: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> Asset:
        """Read the ASF or AMC file at `path`.

        Args:
            path: the file. For an AMC the skeleton is looked for beside it: the file of the same
                name, the one that its first line names, the one whose name begins it as the CMU
                database has it (`02.asf` for `02_01.amc`), or the only one there is.
            skeleton: the ASF file of an AMC.
            framerate: frames per second; an AMC states none.
            unit: metres per unit of the file; None takes inches by the skeleton's factor of
                lengths, or what makes it the size of a figure, and says so in the warnings.
            end_sites: make nodes of the ends of the last bones (`<bone>_end`); otherwise they
                stand in `metadata["end_sites"]` alone, as `{bone: (x, y, z) m}`.
            max_bytes: files larger than this are refused.

        Returns:
            An asset whose nodes stand where bones begin; with a float32 motion for an AMC.
            `metadata` has `format`, `unit_m`, `unit_guessed`, `axes`, `end_sites`, `channels`
            (`{bone: degrees of freedom}`) and, where the skeleton has them, `figure` and `comment`.

        Raises:
            FormatError: naming the file, the line and what was expected there; also when an
                AMC's skeleton is not found.
            OSError: a file can't be read.
        """
        path = Path(path)
        if not (np.isfinite(framerate) and 0 < framerate <= 1e6):
            raise ConfigError(f"framerate is {framerate}, expected frames per second above 0")
        if unit is not None and not (np.isfinite(unit) and 1e-6 <= unit <= 1e6):
            raise ConfigError(f"unit is {unit}, expected metres per unit of the file, above 0")
        text = read_text(path, max_bytes)
        warnings: list[str] = []
        if _is_skeleton(text):
            return _asset(read_figure(text, path), path, None, framerate, unit, end_sites, warnings)
        beside = Path(skeleton) if skeleton is not None else _beside(path, text)
        figure = read_figure(read_text(beside, max_bytes), beside)
        return _asset(figure, path, text, framerate, unit, end_sites, warnings)


def _is_skeleton(text: str) -> bool:
    """Tell an ASF from an AMC by the sections that only a skeleton has."""
    return (
        re.search(r"(?im)^[ \t]*+:(root|bonedata|hierarchy|units|version|name)\b", text[:65536]) is not None
    )


def _beside(path: Path, text: str) -> Path:
    """Return the skeleton file of an AMC, which lies in its folder."""
    line, first = next(lines(text), (1, [""]))
    if not first[0].startswith(":") and not first[0].isdecimal():
        begins = repr(first[0][:40]) if first[0] else "the file is empty"
        raise FormatError(
            begins, path=path, line=line, expected="a section of an ASF or a frame of an AMC file"
        )
    named = re.match(r"#!OML:ASF\s+(.+)", text, re.IGNORECASE)
    told = named[1].strip().replace("\\", "/").rsplit("/", 1)[-1] if named else ""
    wanted = [path.stem, told.rsplit(".", 1)[0], path.stem.rpartition("_")[0]]
    there = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".asf")
    for stem in wanted:
        found = [p for p in there if stem and p.stem.lower() == stem.lower()]
        if found:
            return found[0]
    if len(there) == 1:
        return there[0]
    raise FormatError(
        "the skeleton of this motion is not beside it",
        path=path,
        expected=f"{path.stem}.asf, or the only .asf file in its folder; read(skeleton=…) names it",
    )


def _asset(
    figure: Figure,
    path: Path,
    text: str | None,
    framerate: float,
    unit: float | None,
    with_ends: bool,
    warnings: list[str],
) -> Asset:
    warnings += figure.warnings
    unit_m = _guess(figure, warnings) if unit is None else float(unit)
    skeleton = _build.skeleton_of(figure, unit_m, with_ends=with_ends)
    motions: tuple[Motion, ...] = ()
    if text is not None:
        frames = read_frames(text, figure, path)
        if frames.held:
            warnings.append(f"bones are left out of frames {frames.held} times; they stay as they were")
        if any("l" in bone.channels for bone in figure.bones):
            warnings.append("bones change their length (the channel l); they keep it here")
        if framerate == FRAMERATE:
            warnings.append(f"no framerate is stated; {FRAMERATE:g} is taken; read(framerate=…) sets it")
        motions = (_build.moving(figure, frames, skeleton, unit_m, framerate, path.stem),)
    metadata: dict[str, Any] = {
        "format": "asf" if text is None else "amc",
        "unit_m": unit_m,
        "unit_guessed": unit is None,
        "axes": "+X+Y+Z",
        "channels": {bone.name: bone.channels for bone in figure.bones},
        "end_sites": {
            name: tuple(float(x) * unit_m for x in end) for name, end in _build.end_sites(figure).items()
        },
    }
    if figure.name:
        metadata["figure"] = figure.name
    if figure.documentation:
        metadata["comment"] = figure.documentation
    return Asset(path.stem, skeleton, motions, metadata=metadata, warnings=tuple(warnings))


def _guess(figure: Figure, warnings: list[str]) -> float:
    """Return metres a unit: an inch over the factor of lengths, unless that makes no figure."""
    tall = _build.extent(_build.skeleton_of(figure, 1.0, with_ends=True))
    candidates = [
        (_INCH_M / figure.length, "inches"),
        (0.01, "centimetres"),
        (1.0, "metres"),
        (0.001, "millimetres"),
    ]
    low, high = _PLAUSIBLE_M
    unit, name = next((held for held in candidates if low <= tall * held[0] <= high), candidates[0])
    unit = min(max(unit, 1e-6), 1e6)
    factor = f" over {figure.length:g}" if name == "inches" and figure.length != 1 else ""
    warnings.append(
        f"no unit is stated; lengths are taken to be in {name}{factor} ({unit:.6g} m); read(unit=…) sets it"
    )
    return unit

"""The importer `c3d`: reads C3D files into skeletons of markers."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_c3d import _markers
from kinetoscope_c3d._frames import Points, read_points
from kinetoscope_c3d._parameters import Document, read_document
from kinetoscope_c3d.signature import BLOCK, parameter_start
from kinetoscope_spec import Asset, FormatError, Motion, Skeleton

__all__ = ["C3dImporter"]

MAX_BYTES = 4 * 1024**3
"""The largest file that is read unless the caller allows more."""


class C3dImporter:
    """Reads C3D files: one node for every marker, moving below one node that stands still."""

    def read(self, path: str | Path, *, max_bytes: int = MAX_BYTES) -> Asset:
        """Read the C3D file at `path`.

        A C3D holds points and no joints. Each becomes a node below the node `markers`, which
        stands at the origin; nodes move and do not turn. Where a point was not seen it goes on
        along a straight line to where it is seen next; `metadata["gaps"]` says when.

        Args:
            path: the file.
            max_bytes: files larger than this are refused.

        Returns:
            An asset with one float32 motion. `metadata` has `format`, `unit_m`, `axes`, `gaps`
            (`{marker: ((first frame, one beyond the last), …)}`), `events` (`label`, `context`,
            `time_s`), `analog_channels` and, where the file says them, `subjects` and `maker`.

        Raises:
            FormatError: naming the byte and what was expected there.
            OSError: the file can't be read.
        """
        path = Path(path)
        data = _read_bytes(path, max_bytes)
        document = read_document(data, path)
        return _asset(document, read_points(data, document, path), path)


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise FormatError("a device, pipe or socket", path=path, expected="a regular file")
    with path.open("rb") as file:
        head = file.read(BLOCK)
        if parameter_start(head) is None:
            found = f"the file begins with {head[:2]!r}" if head else "the file is empty"
            raise FormatError(found, path=path, offset=0, expected="a block number and 0x50")
        if status.st_size > max_bytes:
            raise FormatError(
                f"the file has {status.st_size:,} bytes",
                path=path,
                expected=f"at most max_bytes={max_bytes:,}",
            )
        return head + file.read(max(status.st_size - len(head), 0))


def _asset(document: Document, points: Points, path: Path) -> Asset:
    warnings: list[str] = []
    names = _markers.labels(document, points.values.shape[1], warnings)
    kept = _markers.places(document, names, warnings)
    if len(points.values):
        never = kept & ~points.seen.any(axis=0)
        if never.any():
            warnings.append(f"{int(never.sum())} points are never seen and left out")
        kept &= ~never
    if len(points.values) < points.declared:
        warnings.append(f"{points.declared} frames are declared and {len(points.values)} are there")
    unit, axes = _markers.unit(document, warnings), _markers.axes(document, warnings)
    names = [name for name, keep in zip(names, kept, strict=True) if keep]
    seen = points.seen[:, kept]
    gaps = {name: tuple(_markers.gaps(seen[:, i])) for i, name in enumerate(names) if not seen[:, i].all()}
    if gaps:
        warnings.append(
            f"{len(gaps)} points are not seen in all frames; the gaps are filled by straight lines"
        )
    if points.analog_channels:
        warnings.append(f"{points.analog_channels} analog channels are left out")
    metadata = _told(document) | {
        "unit_m": unit,
        "axes": axes,
        "gaps": gaps,
        "analog_channels": points.analog_channels,
    }
    values = _markers.turned(_markers.fill(points.values[:, kept], seen), axes) * np.float32(unit)
    skeleton, motions = _moving(names, values, points, path.stem)
    if not motions:
        warnings.append("the file holds no frames: markers without a motion")
    return Asset(path.stem, skeleton, motions, metadata=metadata, warnings=tuple(warnings))


def _moving(
    names: list[str], values: NDArray[np.float32], points: Points, stem: str
) -> tuple[Skeleton, tuple[Motion, ...]]:
    frames, count = len(values), len(names) + 1
    rest = np.zeros((count, 3))
    if frames:
        rest[1:] = values[0]
    skeleton = Skeleton(("markers", *names), np.array([-1] + [0] * len(names)), rest)
    if not frames:
        return skeleton, ()
    positions = np.zeros((frames, count, 3), np.float32)
    positions[:, 1:] = values
    rotations = np.zeros((frames, count, 4), np.float32)
    rotations[..., 3] = 1
    start = max(points.first - 1, 0) / points.rate
    return skeleton, (Motion(skeleton, positions, rotations, points.rate, stem, start_time=start),)


def _told(document: Document) -> dict[str, Any]:
    held: dict[str, Any] = {"format": "c3d", "events": _events(document)}
    subjects = [name for name in document.texts("SUBJECTS:NAMES") if name]
    if subjects:
        held["subjects"] = tuple(subjects)
    maker = [
        text for key in ("COMPANY", "SOFTWARE") for text in document.texts(f"MANUFACTURER:{key}") if text
    ]
    if maker:
        held["maker"] = ", ".join(maker)
    return held


def _events(document: Document) -> tuple[dict[str, Any], ...]:
    """Return events such as foot strikes; their times are minutes and seconds."""
    times = document.parameters["EVENT:TIMES"].values() if "EVENT:TIMES" in document.parameters else []
    names, contexts = document.texts("EVENT:LABELS"), document.texts("EVENT:CONTEXTS")
    found = []
    for i in range(min(len(times) // 2, document.word("EVENT:USED", 0), len(names))):
        seconds = 60.0 * times[2 * i] + times[2 * i + 1]
        if np.isfinite(seconds):
            context = contexts[i] if i < len(contexts) else ""
            found.append({"label": names[i], "context": context, "time_s": float(seconds)})
    return tuple(found)

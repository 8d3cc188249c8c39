"""What proves the importer `c3d`: the contract of its hook, and files that are made here."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from kinetoscope_c3d.importer import C3dImporter
from kinetoscope_spec.contracts import ImporterContract, Sample

__all__ = ["C3dContract", "made"]


def made(
    frames: Sequence[Sequence[Sequence[float]]],
    labels: Sequence[str],
    *,
    scale: float = -1.0,
    units: str = "mm",
    screen: tuple[str, str] = ("+X", "+Z"),
) -> bytes:
    """Return a C3D file by an Intel processor, of frames of points (x, y, z, residual)."""
    width = max(map(len, labels))
    parameters = [
        (b"USED", 2, (), struct.pack("<H", len(labels))),
        (b"SCALE", 4, (), struct.pack("<f", scale)),
        (b"RATE", 4, (), struct.pack("<f", 100.0)),
        (b"DATA_START", 2, (), struct.pack("<H", 3)),
        (b"LABELS", -1, (width, len(labels)), "".join(name.ljust(width) for name in labels).encode()),
        (b"UNITS", -1, (len(units),), units.encode()),
        (b"X_SCREEN", -1, (2,), screen[0].encode()),
        (b"Y_SCREEN", -1, (2,), screen[1].encode()),
    ]
    section = b"\x01\x50\x01\x54" + struct.pack("<bb", 5, -1) + b"POINT" + struct.pack("<hB", 3, 0)
    for name, kind, dimensions, value in parameters:
        body = struct.pack("<bB", kind, len(dimensions)) + bytes(dimensions) + value + b"\0"
        section += struct.pack("<bb", len(name), 1) + name + struct.pack("<h", len(body) + 2) + body
    header = struct.pack("<BBHHHHHfHHf", 2, 0x50, len(labels), 0, 1, len(frames), 0, scale, 3, 0, 100.0)
    flat = [number for frame in frames for point in frame for number in point]
    if scale < 0:
        data = struct.pack(f"<{len(flat)}f", *flat)
    else:
        data = struct.pack(
            f"<{len(flat)}h", *(round(x / scale) if i % 4 < 3 else int(x) for i, x in enumerate(flat))
        )
    return header.ljust(512, b"\0") + section.ljust(512, b"\0") + data


_LEG = made(
    [[(100, 200, 900, 0), (110, 200, 500, 0), (120, 180, 80, -1)], [(0, 0, 0, 0)] * 3], ["HIP", "KNE", "ANK"]
)
_WHOLE = made([[(10, 20, 1000, 0)]], ["C7"], scale=0.1, units="mm", screen=("+Y", "+Z"))


class C3dContract(ImporterContract):
    """A C3D file holds points, in the unit and axes that it names."""

    provider = C3dImporter
    name = "c3d"
    suffix = ".c3d"
    samples = (
        Sample(
            _LEG, {"markers": (0, 0, 0), "HIP": (0.1, 0.9, -0.2), "KNE": (0.11, 0.5, -0.2), "ANK": (0, 0, 0)}
        ),
        Sample(_WHOLE, {"C7": (0.02, 1.0, 0.01)}),
    )

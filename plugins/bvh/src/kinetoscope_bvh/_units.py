"""Which unit a BVH file is in: it does not say, but people are about as tall everywhere."""

from __future__ import annotations

UNITS = (
    # (largest extent in file units from and to, metres a unit, its name)
    (0.4, 3.5, 1.0, "metres"),
    (3.5, 9.0, 0.3048, "feet"),
    (9.0, 20.0, 0.1, "decimetres"),
    (20.0, 48.0, 0.0254 / 0.45, "the CMU database's unit, an inch over 0.45"),
    (48.0, 80.0, 0.0254, "inches"),
    (80.0, 400.0, 0.01, "centimetres"),
    (400.0, 4000.0, 0.001, "millimetres"),
)


def guess(size: float) -> tuple[float, str]:
    """Return metres per unit of a figure `size` units tall (or wide), and why, in a sentence."""
    for low, high, unit, name in UNITS:
        if low <= size < high:
            return unit, f"no unit is stated; the figure measures {size:.4g}, so it is taken to be in {name}"
    return 0.01, (
        f"no unit is stated and the figure measures {size:.4g}, which fits no person; "
        "it is taken to be in centimetres"
    )

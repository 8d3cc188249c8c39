"""Read a clip, and say who read it and why."""

from __future__ import annotations

from pathlib import Path

from kinetoscope import Host

__all__ = ["describe"]


def describe(path: str | Path) -> str:
    """Return what a clip holds and who read it."""
    with Host() as host:
        motion = host.open(path).motions[0]  # the detector says what the file is, by its bytes
        positions, _ = motion.global_transforms()  # [T, J, 3] m; and rotations [T, J, 4], x y z w
        chosen = host.explain("importer", path)  # who was chosen, why, and who else could have been
        wrong = host.diagnostics()  # what is broken, blocked or unavailable
    return "\n".join(
        [
            f"{motion.frame_count} frames of {len(motion.skeleton)} joints at {motion.framerate:g} Hz",
            f"the highest joint is at {positions[..., 1].max():.2f} m",
            str(chosen),
            *map(str, wrong),
        ]
    )

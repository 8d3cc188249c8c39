"""The importer `acme-thing`: skeletons and clips as lines of text, in metres, Y up.

    acme-thing v1
    joint PARENT X Y Z QX QY QZ QW SX SY SZ "NAME"
    clip FRAMERATE START "NAME"
    frame X Y Z QX QY QZ QW ...
    end

Joints come first, parents (counted from 0, -1 for a root) before their children, with the rest pose;
then clips, each followed by its frames. A frame has 7 numbers for each joint, or 10 where the clip
scales: position, rotation as a quaternion, scale, relative to the parent. Names are JSON strings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np

from kinetoscope_spec import Asset, FormatError, Motion, Skeleton, ValidationError

__all__ = ["AcmeThingImporter"]

HEADER: Final = "acme-thing v1"
Row = tuple[list[float], str]
"""The numbers of a line, and its name."""


class AcmeThingImporter:
    """Reads and writes `acme-thing` files; what they hold of an asset comes back to the last bit."""

    def read(self, path: str | Path) -> Asset:
        """Read the file at `path`.

        Options of your own are keyword-only and have defaults: `def read(self, path, *, unit=1.0)`.

        Raises:
            FormatError: the file is not what it should be; names the line.
            OSError: it can't be read.
        """
        path = Path(path)
        lines = _Lines(path, path.read_bytes().decode("ascii", "replace").split("\n"))
        if lines.next() != HEADER:
            raise lines.error("is no acme-thing file", f"{HEADER!r} in its first line")
        try:
            skeleton = _skeleton(list(lines.rows("joint", (11,), named=True)))
            motions = list(_clips(lines, skeleton))
        except ValidationError as error:  # numbers that the value types don't take
            raise lines.error(str(error)) from error
        if lines.next() != "end":
            raise lines.error("breaks off or strays", "'joint', 'clip', 'frame' or 'end', in that order")
        metadata = {"format": "acme-thing", "unit_m": 1.0, "axes": "+X+Y+Z"}
        return Asset(path.stem, skeleton, motions, metadata=metadata)

    def write(self, asset: Asset, path: str | Path) -> None:
        """Write the skeleton and the motions of `asset` to `path`; meshes and morph weights are left out.

        Raises:
            OSError: the file can't be written.
        """
        text = "\n".join([HEADER, *_joint_lines(asset.skeleton), *_clip_lines(asset.motions), "end", ""])
        Path(path).write_bytes(text.encode("ascii"))


class _Lines:
    """The lines of a file, one after the other, and errors that say where."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path, self.lines, self.done = path, lines, 0

    def next(self) -> str:
        self.done += 1
        return self.lines[self.done - 1] if self.done <= len(self.lines) else ""

    def error(self, message: str, expected: str | None = None) -> FormatError:
        return FormatError(message, path=self.path, line=self.done, expected=expected)

    def rows(self, word: str, widths: tuple[int, ...], *, named: bool = False) -> Iterator[Row]:
        """Take the lines that begin with `word`, all with as many numbers as the first: one of `widths`."""
        while self.done < len(self.lines) and self.lines[self.done].startswith(f"{word} "):
            line = self.next()
            words, quote, name = line.partition('"') if named else (line, "", "")
            try:
                numbers = [float(text) for text in words.split()[1:]]
                held = str(json.loads(quote + name)) if named else ""
            except ValueError as error:
                raise self.error(f"{word}: {error}", "numbers" + " and a name in quotes" * named) from None
            if len(numbers) not in widths or not all(map(isfinite, numbers)):
                wanted = " or ".join(map(str, widths))
                raise self.error(f"{word} has {len(numbers)} numbers", f"{wanted}, all of them finite")
            widths = (len(numbers),)
            yield numbers, held


def _skeleton(rows: list[Row]) -> Skeleton:
    numbers = np.array([row for row, _ in rows]).reshape(-1, 11)
    return Skeleton(
        tuple(name for _, name in rows), numbers[:, 0], numbers[:, 1:4], numbers[:, 4:8], numbers[:, 8:]
    )


def _clips(lines: _Lines, skeleton: Skeleton) -> Iterator[Motion]:
    count = len(skeleton)
    for (framerate, start), name in lines.rows("clip", (2,), named=True):
        frames = [row for row, _ in lines.rows("frame", (7 * count, 10 * count))]
        held = np.array(frames).reshape(len(frames), count, -1) if frames else np.empty((0, count, 7))
        scales = held[..., 7:] if held.shape[-1] == 10 else None
        yield Motion(
            skeleton, held[..., :3], held[..., 3:7], framerate, name, scales=scales, start_time=start
        )


def _joint_lines(skeleton: Skeleton) -> Iterator[str]:
    rest = np.concatenate(
        [skeleton.rest_positions, skeleton.rest_rotations, skeleton.rest_scales], axis=1, dtype=np.float64
    )
    for name, parent, row in zip(skeleton.names, skeleton.parents.tolist(), rest.tolist(), strict=True):
        yield f"joint {parent} {_numbers(row)} {json.dumps(name)}"


def _clip_lines(motions: tuple[Motion, ...]) -> Iterator[str]:
    for motion in motions:
        yield f"clip {_numbers([motion.framerate, motion.start_time])} {json.dumps(motion.name)}"
        scales = [] if motion.scales is None else [motion.scales]
        for frame in np.concatenate([motion.positions, motion.rotations, *scales], axis=-1, dtype=np.float64):
            yield f"frame {_numbers(frame.ravel().tolist())}"


def _numbers(values: list[float]) -> str:
    """Return the numbers with as many digits as it takes to read the very same ones again."""
    return " ".join(map(repr, values))

"""How prompts are written on the command line: `[object:]x,y[@frame]`, `[object:]left,top,right,bottom[@frame]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import click

from kinetoscope_quadmask._grid import Grid
from kinetoscope_quadmask.prompts import Box, Point, Prompts
from kinetoscope_spec import ValidationError

__all__ = ["SUFFIXES", "BoxType", "GridType", "PointType", "gathered"]

SUFFIXES: Final = (".mp4", ".m4v", ".mkv", ".mov", ".webm")
"""Of films in which a quadmask is kept."""

_NUMBER: Final = r"-?\d{1,7}(?:\.\d{1,6})?"
_SHAPE: Final = re.compile(rf"(?:(\d{{1,3}}):)?({_NUMBER}(?:,{_NUMBER})+)(?:@(\d{{1,9}}))?")


class _Places(click.ParamType[tuple[int, tuple[float, ...], int]]):
    """Numbers in the picture, of an object, on a frame."""

    count = 2
    example = ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return (object, numbers, frame)."""
        if not isinstance(value, str):
            return value
        found = _SHAPE.fullmatch(value.strip())
        numbers = [float(part) for part in found[2].split(",")] if found else []
        if found is None or len(numbers) != self.count:
            self.fail(f"{value!r} can't be read, expected {self.example}", param, ctx)
        return int(found[1] or 1), tuple(numbers), int(found[3] or 0)


class PointType(_Places):
    """`x,y@frame`."""

    name = "X,Y[@FRAME]"
    example = "[OBJECT:]X,Y[@FRAME], such as 320,180 or 2:40,60@12"


class BoxType(_Places):
    """`left,top,right,bottom@frame`."""

    name = "LEFT,TOP,RIGHT,BOTTOM[@FRAME]"
    count = 4
    example = "[OBJECT:]LEFT,TOP,RIGHT,BOTTOM[@FRAME]"


class GridType(click.ParamType[Grid]):
    """`rows x columns`."""

    name = "ROWSxCOLUMNS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a `Grid`."""
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)", value)
        if found is None:
            self.fail(f"{value!r} can't be read, expected such as 8x14", param, ctx)
        return Grid(int(found[1]), int(found[2]))


def gathered(
    points: Sequence[tuple[int, tuple[float, ...], int]],
    negative: Sequence[tuple[int, tuple[float, ...], int]],
    boxes: Sequence[tuple[int, tuple[float, ...], int]],
    nouns: Sequence[str],
) -> list[Prompts]:
    """Return the prompts of each object, in the order of their numbers; each noun is an object of its own.

    Raises:
        click.UsageError: a box has no area.
    """
    numbers = sorted({number for number, *_ in (*points, *negative, *boxes)})
    objects = []
    try:
        for wanted in numbers:
            places = [
                Point(x, y, frame, positive)
                for group, positive in ((points, True), (negative, False))
                for number, (x, y), frame in group
                if number == wanted
            ]
            areas = [
                Box(left, top, right, bottom, frame)
                for number, (left, top, right, bottom), frame in boxes
                if number == wanted
            ]
            objects.append(Prompts(places, areas))
    except ValidationError as error:
        raise click.UsageError(str(error)) from error
    return [*objects, *(Prompts(noun=noun) for noun in nouns)]

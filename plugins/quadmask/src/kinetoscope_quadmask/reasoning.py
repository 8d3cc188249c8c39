"""What a reasoner takes and gives: all that VOID's asks a vision model for, as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol, runtime_checkable

import attrs

from kinetoscope_quadmask._grid import Cell, Grid
from kinetoscope_quadmask.prompts import Box
from kinetoscope_spec import Mask, Progress, ValidationError, Video

__all__ = ["CATEGORIES", "Affected", "Belonging", "Cells", "Reasoner", "Reasoning", "Step"]

CATEGORIES: Final = ("physical", "visual_artifact")
"""Things that move or fall, and shadows, reflections and the like, which vanish."""


def _several(given: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(given)


def _cells(given: Iterable[Cell]) -> tuple[Cell, ...]:
    return tuple((int(row), int(col)) for row, col in given)


def _frame(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 0:
        raise ValidationError(f"{type(instance).__name__}.{attribute.name} is {value}, expected 0 or more")


def _named(instance: object, _attribute: object, value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValidationError(f"{type(instance).__name__}.noun is {value!r}, expected what it is")


@attrs.frozen
class Belonging:
    """What belongs to the object and goes with it: what it holds, wears or rides."""

    noun: str = attrs.field(validator=_named)
    why: str = ""
    box: Box | None = None


@attrs.frozen
class Cells:
    """Where something is in one frame, in cells (row, column) of the grid."""

    frame: int = attrs.field(validator=_frame)
    cells: tuple[Cell, ...] = attrs.field(converter=_cells)


@attrs.frozen
class Step:
    """The cell in whose middle something will be in one frame of the changed video; may be fractional."""

    frame: int = attrs.field(validator=_frame)
    row: float
    col: float


@attrs.frozen
class Affected:
    """Something that changes when the object is gone.

    Attributes:
        noun: what it is.
        category: `physical` or `visual_artifact`.
        why: why it changes.
        will_move: whether it will be in other places than in the video.
        first_frame: the frame in which it is first seen.
        movement: what it will do, for people.
        moving: whether it moves in the video.
        should_have_stayed: it moves in the video, and would have stayed where it was.
        original_cell: where it was, for what should have stayed.
        cells: where it is, for what has no outline of its own (shadows); between the frames that are
            listed the last one holds.
        size: rows and columns that it takes along its path.
        path: where it will be, for what will move; straight from step to step.
        box: around it in one frame of the video, which a segmenter can start from.
        mask: its own pixels in the video, where the reasoner knows them.
    """

    noun: str = attrs.field(validator=_named)
    category: str = attrs.field(default="physical", validator=attrs.validators.in_(CATEGORIES))
    why: str = ""
    will_move: bool = False
    first_frame: int = attrs.field(default=0, validator=_frame)
    movement: str = ""
    moving: bool = False
    should_have_stayed: bool = False
    original_cell: Cell | None = None
    cells: tuple[Cells, ...] = attrs.field(default=(), converter=_several)
    size: tuple[int, int] = (2, 2)
    path: tuple[Step, ...] = attrs.field(default=(), converter=_several)
    box: Box | None = None
    mask: Mask | None = None

    def __attrs_post_init__(self) -> None:
        if min(self.size) < 1:
            raise ValidationError(f"Affected.size is {self.size}, expected at least 1 row and 1 column")
        for name in ("cells", "path"):
            frames = [held.frame for held in getattr(self, name)]
            if frames != sorted(set(frames)):
                raise ValidationError(f"Affected.{name} has frames {frames}, expected them to increase")


@attrs.frozen
class Reasoning:
    """What changes in a video when an object is taken out.

    Attributes:
        grid: in which cells and steps are told.
        scene: what the video looks like without the object, in a sentence or two: an inpainter's prompt.
        belongings: what goes with the object.
        affected: what changes.
        regions: pixels that change, where the reasoner finds them without naming things; 255 inside.
        instruction: what was to be done, in the reasoner's words.
        confidence: 0 to 1.
        warnings: what was wrong with an answer and was repaired or left out.
    """

    grid: Grid
    scene: str = ""
    belongings: tuple[Belonging, ...] = attrs.field(default=(), converter=_several)
    affected: tuple[Affected, ...] = attrs.field(default=(), converter=_several)
    regions: Mask | None = None
    instruction: str = ""
    confidence: float = attrs.field(default=1.0, validator=(attrs.validators.ge(0), attrs.validators.le(1)))
    warnings: tuple[str, ...] = attrs.field(default=(), converter=_several)

    def check(self, video: Video) -> None:
        """Raise unless every cell lies in the grid, every frame in the video, every mask fits.

        Raises:
            ValidationError: one does not; names it.
        """
        for held in self.affected:
            cells = [cell for at in held.cells for cell in at.cells]
            cells += [held.original_cell] if held.original_cell is not None else []
            self.grid.of(cells)
            for step in held.path:
                if not (0 <= step.row < self.grid.rows and 0 <= step.col < self.grid.cols):
                    raise ValidationError(
                        f"{held.noun}: step ({step.row:g}, {step.col:g}) lies outside the grid of "
                        f"{self.grid.rows} rows and {self.grid.cols} columns"
                    )
            frames = [held.first_frame, *(at.frame for at in held.cells), *(step.frame for step in held.path)]
            late = [frame for frame in frames if video.frame_count is not None and frame >= video.frame_count]
            if late:
                raise ValidationError(
                    f"{held.noun}: frame {late[0]} is past the end of {video.frame_count} frames"
                )
        for mask in (self.regions, *(held.mask for held in self.affected)):
            if mask is not None and (mask.width, mask.height) != (video.width, video.height):
                raise ValidationError(
                    f"a mask of {mask.width} x {mask.height} pixels was reasoned for a video of "
                    f"{video.width} x {video.height}"
                )


@runtime_checkable
class Reasoner(Protocol):
    """Says what else changes when an object is taken out of a video.

    What callers rely on: cells lie in the grid and frames in the video; masks have the video's size and
    number of frames; the video and the mask are only read.
    """

    def reason(
        self,
        video: Video,
        mask: Mask,
        *,
        instruction: str = "",
        grid: Grid | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> Reasoning:
        """Return what changes in `video` without what `mask` covers (255 inside).

        `instruction` says what is to be done in the user's words; `grid` is `Grid.over` the picture
        unless given.

        Raises:
            ValidationError: the mask has another size or length than the video.
            Cancelled: `progress` returned False.
        """
        ...

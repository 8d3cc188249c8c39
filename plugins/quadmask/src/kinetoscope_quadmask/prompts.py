"""What a segmenter takes and gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np

from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask.streams import count_frames
from kinetoscope_spec import Mask, Progress, ValidationError, Video

__all__ = ["Box", "Doubt", "Hint", "Point", "Prompts", "Segmentation", "Segmenter", "check_objects"]


def _frame(instance: object, _attribute: object, value: int) -> None:
    if value < 0:
        raise ValidationError(f"{type(instance).__name__}.frame is {value}, expected 0 or more")


def _finite(instance: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not np.isfinite(value):
        raise ValidationError(f"{type(instance).__name__}.{attribute.name} is {value}, expected a number")


def _several(given: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(given)


@attrs.frozen
class Point:
    """A place that belongs to the object (`positive`) or does not.

    Attributes:
        x, y: pixels of the video, from the left and from the top; pixel (0, 0) is the top left one.
        frame: number of the frame, from 0.
    """

    x: float = attrs.field(validator=_finite)
    y: float = attrs.field(validator=_finite)
    frame: int = attrs.field(default=0, validator=_frame)
    positive: bool = True


@attrs.frozen
class Box:
    """A box around the object: from (`left`, `top`) to (`right`, `bottom`), not included, in pixels."""

    left: float = attrs.field(validator=_finite)
    top: float = attrs.field(validator=_finite)
    right: float = attrs.field(validator=_finite)
    bottom: float = attrs.field(validator=_finite)
    frame: int = attrs.field(default=0, validator=_frame)

    def __attrs_post_init__(self) -> None:
        if self.right <= self.left or self.bottom <= self.top:
            raise ValidationError(
                f"Box is ({self.left:g}, {self.top:g}) to ({self.right:g}, {self.bottom:g}), expected an area"
            )


@attrs.frozen(eq=False)
class Hint:
    """The object's mask in one frame: `mask` is `uint8 [H, W]`, 255 inside, or bool."""

    mask: Array
    frame: int = attrs.field(default=0, validator=_frame)

    def __attrs_post_init__(self) -> None:
        mask = np.asarray(self.mask)
        if mask.ndim != 2 or mask.dtype not in (np.uint8, np.bool_):
            raise ValidationError(
                f"Hint.mask is {mask.dtype} {list(mask.shape)}, expected uint8 or bool [H, W]"
            )
        inside = mask if mask.dtype == np.bool_ else mask >= 128
        kept = np.where(inside, np.uint8(255), np.uint8(0))
        kept.flags.writeable = False
        object.__setattr__(self, "mask", kept)


@attrs.frozen
class Prompts:
    """All that is known of one object: points, boxes and masks on any frames, and what it is called.

    Attributes:
        noun: for segmenters that take text; others leave it alone.
    """

    points: tuple[Point, ...] = attrs.field(default=(), converter=_several)
    boxes: tuple[Box, ...] = attrs.field(default=(), converter=_several)
    masks: tuple[Hint, ...] = attrs.field(default=(), converter=_several)
    noun: str = ""

    def kinds(self) -> frozenset[str]:
        """Return which of `points`, `boxes`, `masks` and `text` there are."""
        held = {"points": self.points, "boxes": self.boxes, "masks": self.masks, "text": self.noun.strip()}
        return frozenset(kind for kind, given in held.items() if given)

    def prompted_frames(self) -> tuple[int, ...]:
        """Return the frames that hold a prompt, in order."""
        return tuple(sorted({p.frame for group in (self.points, self.boxes, self.masks) for p in group}))

    def on(self, frame: int) -> Prompts:
        """Return the prompts of one frame."""
        return Prompts(
            tuple(p for p in self.points if p.frame == frame),
            tuple(b for b in self.boxes if b.frame == frame),
            tuple(m for m in self.masks if m.frame == frame),
            self.noun,
        )

    def check(self, video: Video, takes: Iterable[str] = ("points", "boxes", "masks")) -> None:
        """Raise unless a segmenter that `takes` these kinds can use the prompts on this video.

        Raises:
            ValidationError: nothing says where the object is, or a prompt lies outside the picture or
                past the last frame, or a mask has another size.
        """
        usable = {*self.kinds()} & {*takes}
        positive = any(p.positive for p in self.points)
        if not usable - {"points"} and not ("points" in usable and positive):
            raise ValidationError(
                f"nothing says where the object is, expected one of {', '.join(sorted(takes))}"
                + ("; the points are all negative" if self.points and not positive else "")
            )
        self._check_places(video)
        self._check_frames(video)

    def _check_places(self, video: Video) -> None:
        size = f"the video is {video.width} x {video.height}"
        for point in self.points:
            if not (0 <= point.x < video.width and 0 <= point.y < video.height):
                raise ValidationError(f"point ({point.x:g}, {point.y:g}) lies outside the picture: {size}")
        for box in self.boxes:
            if box.right <= 0 or box.bottom <= 0 or box.left >= video.width or box.top >= video.height:
                raise ValidationError(
                    f"box ({box.left:g}, {box.top:g}) to ({box.right:g}, {box.bottom:g}) lies outside the "
                    f"picture: {size}"
                )
        for hint in self.masks:
            if hint.mask.shape != (video.height, video.width):
                high, wide = hint.mask.shape
                raise ValidationError(f"the mask of frame {hint.frame} is {wide} x {high} pixels: {size}")

    def _check_frames(self, video: Video) -> None:
        count = video.frame_count
        for frame in self.prompted_frames():
            if count is not None and frame >= count:
                raise ValidationError(f"a prompt is on frame {frame}, but the video has {count} frames")


def check_objects(video: Video, objects: Sequence[Prompts], takes: Iterable[str]) -> int:
    """Return how many frames a video has, if a segmenter that `takes` these kinds can follow the objects in it.

    Raises:
        ValidationError: there is no object, or its prompts can't be used (`Prompts.check`); a video that
            does not know its length is read for it.
    """
    if not objects:
        raise ValidationError("there is no object to segment, expected prompts of one at least")
    for prompts in objects:
        prompts.check(video, takes)
    count = count_frames(video)
    for prompts in objects:
        prompts.check(attrs.evolve(video, frame_count=count), takes)
    return count


@attrs.frozen
class Doubt:
    """Where a segmenter is not sure, so that more prompts there would help most.

    Attributes:
        index: of the object, from 0.
        frame: the frame to look at.
        reason: what is wrong, for people.
    """

    index: int
    frame: int
    reason: str


@attrs.frozen(eq=False)
class Segmentation:
    """Which pixels belong to each object.

    Attributes:
        masks: one for each object in the order of the prompts; 255 inside, 0 outside, soft edges between.
        confidence: `[O, T]`, 0 to 1: how sure it is of each object in each frame.
        doubts: where more prompts would help, the most needed first; empty where it is sure.
    """

    masks: tuple[Mask, ...] = attrs.field(converter=_several)
    confidence: Array
    doubts: tuple[Doubt, ...] = attrs.field(default=(), converter=_several)

    def __attrs_post_init__(self) -> None:
        held = np.ascontiguousarray(self.confidence, np.float32)
        if held.ndim != 2 or len(held) != len(self.masks):
            raise ValidationError(
                f"Segmentation.confidence has shape {list(held.shape)}, expected [{len(self.masks)}, T]"
            )
        if not ((held >= 0) & (held <= 1)).all():
            raise ValidationError("Segmentation.confidence holds numbers outside 0 to 1")
        held.flags.writeable = False
        object.__setattr__(self, "confidence", held)


@runtime_checkable
class Segmenter(Protocol):
    """Follows objects through a video from prompts on any of its frames, forward and backward.

    What callers rely on: the video is only read; an object is followed to both ends of the video from
    every frame that was prompted; objects don't disturb each other; the same prompts give the same masks.
    """

    takes: frozenset[str]
    """Which prompts it can use: of `points`, `boxes`, `masks` and `text`."""

    def segment(
        self, video: Video, objects: Sequence[Prompts], *, progress: Progress | None = None, **options: Any
    ) -> Segmentation:
        """Return a mask for each of `objects`, of the video's size, rate and number of frames.

        Raises:
            ValidationError: there is no object, or its prompts can't be used (`Prompts.check`).
            Cancelled: `progress` returned False.
        """
        ...

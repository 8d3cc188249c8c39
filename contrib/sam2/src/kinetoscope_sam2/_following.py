"""Following objects with a network that goes frame by frame: what both providers share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kinetoscope_quadmask.hooks import Doubt, MaskStore, Prompts, Segmentation, check_objects
from kinetoscope_spec import Cancelled, Progress, Video

__all__ = ["TAKES", "Track", "both_ways", "followed", "forget", "merged_box", "merged_mask"]

Array = NDArray[Any]

TAKES: Final = frozenset({"points", "boxes", "masks"})
SURE: Final = 0.5
"""Of the network's own belief that the object is there, below which it is a doubt."""


class Track(Protocol):
    """One object in one video."""

    def prompt(self, frame: int, prompts: Prompts) -> None:
        """Take the prompts of one frame."""
        ...

    def step(self, frame: int, *, reverse: bool) -> tuple[Array, float]:
        """Return bool `[H, W]`, and how sure the network is that the object is there, 0 to 1."""
        ...


Way = Callable[[Video, int, Prompts, Callable[[Video, int], Track]], Iterator[tuple[int, Array, float]]]
"""Goes through a video for one object: each frame once, its mask, and how sure the network is."""


def followed(
    video: Video,
    objects: Sequence[Prompts],
    begin: Callable[[Video, int], Track],
    progress: Progress | None,
    *,
    takes: frozenset[str] = TAKES,
    way: Way | None = None,
) -> Segmentation:
    """Follow each object by itself through the whole video, by `way` (`both_ways` unless given).

    Raises:
        ValidationError: there is no object, or its prompts can't be used.
        Cancelled: `progress` returned False.
    """
    count = check_objects(video, objects, takes)
    way = way or both_ways
    confidence = np.zeros((len(objects), count), np.float32)
    stores = []
    for index, prompts in enumerate(objects):
        store = MaskStore(video.width, video.height)
        for done, (frame, mask, sure) in enumerate(way(video, count, prompts, begin)):
            store.set(frame, mask)
            confidence[index, frame] = sure
            _tell(progress, index * count + done + 1, len(objects) * count)
        stores.append(store)
    masks = [store.mask(video.rate, count) for store in stores]
    return Segmentation(masks, confidence, _doubts(confidence))


def both_ways(
    video: Video, count: int, prompts: Prompts, begin: Callable[[Video, int], Track]
) -> Iterator[tuple[int, Array, float]]:
    """Yield each frame once: from the first prompted one to the end, then back to the beginning.

    On the way forward every prompted frame is a memory that the network looks at, the later ones too.
    """
    track = begin(video, count)
    prompted = prompts.prompted_frames()
    for frame in prompted:
        track.prompt(frame, prompts.on(frame))
    for frame in range(prompted[0], count):
        yield (frame, *track.step(frame, reverse=False))
    for frame in range(prompted[0] - 1, -1, -1):
        yield (frame, *track.step(frame, reverse=True))


def _doubts(confidence: Array) -> list[Doubt]:
    """Return the least sure frame of each stretch in which an object is likely lost, the worst first."""
    found: list[tuple[float, Doubt]] = []
    for index, sure in enumerate(confidence):
        low = np.flatnonzero(np.diff(np.concatenate([[False], sure < SURE, [False]]).astype(int)))
        for start, stop in low.reshape(-1, 2):
            frame = int(start + np.argmin(sure[start:stop]))
            reason = f"the object is likely hidden or lost in frames {start} to {stop - 1}"
            found.append((float(sure[frame]), Doubt(index, frame, reason)))
    return [doubt for _, doubt in sorted(found, key=lambda held: held[0])]


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None and progress(done, total, "segmenting") is False:
        raise Cancelled(f"cancelled after {done} of {total} frames")


def merged_box(prompts: Prompts) -> tuple[float, float, float, float] | None:
    """Return the box around all boxes of a frame (left, top, right, bottom): the network takes one."""
    if not prompts.boxes:
        return None
    return (
        min(box.left for box in prompts.boxes),
        min(box.top for box in prompts.boxes),
        max(box.right for box in prompts.boxes),
        max(box.bottom for box in prompts.boxes),
    )


def merged_mask(prompts: Prompts) -> Array | None:
    """Return all masks of a frame as one, bool `[H, W]`."""
    if not prompts.masks:
        return None
    inside: Array = np.any([hint.mask > 0 for hint in prompts.masks], axis=0)
    return inside


def forget(outputs: dict[int, Any], frame: int, start: int, reach: int) -> None:
    """Drop memories of frames that are not looked at again: what bounds memory.

    Those within `reach` of `frame` are kept, and those about `start`, the first prompted frame, from where
    it goes back to the beginning and looks at the frames after it.
    """
    for index in [index for index in outputs if min(abs(index - frame), abs(index - start)) > reach]:
        del outputs[index]

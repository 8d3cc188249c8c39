"""The provider `void`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Mask, Progress, ValidationError, Video
from kinetoscope_void._settings import Settings

if TYPE_CHECKING:
    from kinetoscope_void._network import Network

__all__ = ["VoidInpainter"]

Array = NDArray[Any]


class VoidInpainter:
    """Takes things, and what they did to the scene, out of films: Netflix's VOID (arXiv 2604.02296).

    A video diffusion network makes the whole shot anew, told by the mask what goes (0, 63), what was affected
    by it (127) and what stays; of what it makes, only what the mask covers is taken. It works at 384 x 672.
    A second pass begins from noise that moves as the first one's picture does, and is steadier in time.

    Where `torch.distributed` runs (`accelerate launch`, `torchrun`), each process calls `inpaint` with the same
    arguments, and the windows of a long shot are shared among them. One call at a time is at work.
    """

    whole_first_frame: Final = False
    """Trained on clips whose first frame names the object alone (see `Inpainter`)."""

    def __init__(self, **settings: Any) -> None:
        """Take settings by the names of `Settings`; nothing heavy is imported yet.

        Raises:
            ValidationError: an unknown name, or a value that is none.
        """
        self.settings = Settings.of(settings)
        self._lock = threading.Lock()
        self._network: Network | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Take settings from a table."""
        return cls(**settings)

    def inpaint(
        self,
        video: Video,
        mask: Mask,
        *,
        prompt: str | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Video:
        """Return the video without what the mask covers; see `kinetoscope_spec.protocols.Inpainter`.

        `prompt` says what the scene looks like afterwards: "an empty table". Never say what is removed. The
        work is done when the first frame is read, and kept. A fourth channel stays as it is.

        Raises:
            ValidationError: the mask has another size or length, or the shot is too long.
            ProviderUnavailable: there are no weights; says what to download and where to put it.
        """
        if (mask.width, mask.height) != (video.width, video.height):
            raise ValidationError(
                f"the mask is {mask.width} x {mask.height} pixels, the video {video.width} x {video.height}"
            )
        counts = video.frame_count, mask.frame_count
        if None not in counts and counts[0] != counts[1]:
            raise ValidationError(f"the mask has {counts[1]} frames, the video {counts[0]}")
        from kinetoscope_void._weights import find_folder

        find_folder(self.settings.folder, self.settings.passes)
        return attrs.evolve(video, source=_Source(self, video, mask, prompt or "", seed % 2**63, progress))

    def _made(self, source: _Source) -> Array | None:
        """Return `[T, h, w, 3]` uint8 at the working size, or None where the mask covers nothing."""
        from kinetoscope_void._clip import Clip, read_clip
        from kinetoscope_void._network import Network
        from kinetoscope_void._passes import Steps, inpainted

        with self._lock:
            network = self._network
            if network is None:
                network = self._network = Network.find(self.settings)
            steps = Steps(source.progress, network.device)
            clip: Clip | None = None
            for told in read_clip(source.video, source.mask, self.settings.size):
                if isinstance(told, Clip):
                    clip = told
                else:
                    steps.tell("reading", 0)
            assert clip is not None, "the clip comes last"
            if not clip.hidden:
                steps.tell("nothing to take out")
                return None
            return inpainted(network, clip, source.prompt, source.seed, self.settings, steps)


@attrs.define(eq=False)
class _Source:
    """The frames of a video, made anew where a mask covers them."""

    inpainter: VoidInpainter
    video: Video
    mask: Mask
    prompt: str
    seed: int
    progress: Progress | None
    _made: list[Array | None] = attrs.field(factory=list, init=False)

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        if not self._made:
            self._made.append(self.inpainter._made(self))
        made = self._made[0]
        if made is None:
            yield from self.video.frames(start, stop)
            return
        pairs = zip(self.video.frames(start, stop), self.mask.frames(start, stop), strict=True)
        for number, (frame, held) in enumerate(pairs, start):
            yield _composite(frame, self.mask, held, made[number])


def _composite(frame: Array, mask: Mask, held: Array, made: Array) -> Array:
    """Return the frame with what was made where the mask covers it."""
    import cv2

    from kinetoscope_void._clip import covered

    hole = covered(mask, held)
    if not hole.any():
        return frame
    height, width = hole.shape
    smaller = height < made.shape[0] and width < made.shape[1]
    filter_ = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    result = np.array(frame)
    result[..., :3][hole] = cv2.resize(made, (width, height), interpolation=filter_)[hole]
    return result

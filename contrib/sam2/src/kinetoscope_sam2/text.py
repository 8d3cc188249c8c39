"""The provider `sam3-transformers`: things by what they are called, with transformers' `Sam3VideoModel`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from kinetoscope_quadmask.hooks import Prompts, Segmentation
from kinetoscope_sam2._following import TAKES, Array, Track, both_ways, followed, forget
from kinetoscope_sam2._frames import HALF, Frames
from kinetoscope_sam2._weights import TEXT_FOLDER, device_of, loaded, weights_path
from kinetoscope_sam2.port import SessionTrack
from kinetoscope_spec import Progress, Video

__all__ = ["Sam3TransformersSegmenter"]

TOKENS: Final = 32
"""Of a noun, as the text encoder was trained: what is longer is cut off."""


class Sam3TransformersSegmenter:
    """Follows objects with SAM 3 (arXiv 2511.16719) on transformers. Building one costs nothing.

    An object that has points, boxes or masks is followed as SAM 2 follows it, by SAM 3's tracker; its noun
    is left alone then. One that has a noun alone is everything in the video that the noun fits: all of it is
    one mask, and the confidence that of the surest thing in the frame. Objects don't change each other.

    Args:
        folder: a folder of `facebook/sam3`, with `config.json`, `model.safetensors` and the tokenizer's
            files; `KINETOSCOPE_SAM3_FOLDER` unless given. Nothing is downloaded, nothing unpickled.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
    """

    takes: ClassVar[frozenset[str]] = TAKES | {"text"}

    def __init__(self, folder: str | Path | None = None, *, device: str = "auto") -> None:
        self._folder, self._device = folder, device
        self._held: dict[str, Any] = {}
        self._lock = threading.Lock()

    def segment(
        self, video: Video, objects: Sequence[Prompts], *, progress: Progress | None = None
    ) -> Segmentation:
        """Return a mask for each object; see the hook's protocol.

        Raises:
            ProviderUnavailable: there are no weights; says what to download and where to put it.
        """
        return followed(video, objects, self._begin, progress, takes=self.takes, way=self._way)

    def _way(
        self, video: Video, count: int, prompts: Prompts, begin: Callable[[Video, int], Track]
    ) -> Iterator[tuple[int, Array, float]]:
        if prompts.kinds() != {"text"}:
            return both_ways(video, count, prompts, begin)
        network = self._network("Sam3VideoModel")
        frames = Frames(video, count, network.config.image_size, normal=(HALF, HALF), smooth=False)
        return _found(network, self._tokenizer(), prompts.noun.strip(), video, frames)

    def _begin(self, video: Video, count: int) -> Track:
        from transformers.models.sam3_tracker_video.modeling_sam3_tracker_video import (
            Sam3TrackerVideoInferenceSession,
        )

        network = self._network("Sam3TrackerVideoModel")
        frames = Frames(video, count, network.image_size, normal=(HALF, HALF), smooth=False)
        return SessionTrack(network, Sam3TrackerVideoInferenceSession, video, frames)

    def _network(self, kind: str) -> Any:
        """Return a model of transformers', made of the folder's weights when it is first asked for."""
        with self._lock:
            if kind not in self._held:
                path = self._path()
                import transformers

                model = loaded(getattr(transformers, kind), path)
                self._held[kind] = model.to(device_of(self._device)).eval()
        return self._held[kind]

    def _tokenizer(self) -> Any:
        path = self._path()
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(path, local_files_only=True)

    def _path(self) -> Path:
        return weights_path(self._folder, variable=TEXT_FOLDER)


def _found(
    network: Any, tokenizer: Any, noun: str, video: Video, frames: Frames
) -> Iterator[tuple[int, Array, float]]:
    """Yield each frame with all that fits the noun, and how sure the network is that there is something.

    The network holds outputs back for some frames, to take back what turns out to be nothing.
    """
    session = _session(network, tokenizer, noun, video, frames)
    tracker = network.tracker_model
    reach = max(tracker.num_maskmem, tracker.config.max_object_pointers_in_encoder) + 1
    for out in network.propagate_in_video_iterator(session):
        hidden = {*(out.suppressed_obj_ids or ()), *session.hotstart_removed_obj_ids}
        mask, sure = np.zeros((video.height, video.width), bool), 0.0
        for thing in sorted({*out.obj_id_to_mask} - hidden):
            seen = _at_video_size(out.obj_id_to_mask[thing], video)
            if seen.any():
                mask |= seen
                score = out.obj_id_to_tracker_score.get(thing, out.obj_id_to_score[thing])
                sure = max(sure, float(score))
        yield out.frame_idx, mask, min(sure, 1.0)
        # What was tracked so far is ahead of what is given out.
        for outputs in session.output_dict_per_obj.values():
            held = outputs["non_cond_frame_outputs"]
            newest = max(held, default=0)
            forget(held, newest, newest, reach)


def _session(network: Any, tokenizer: Any, noun: str, video: Video, frames: Frames) -> Any:
    """Return what the processor's `init_video_session` and `add_text_prompt` make, over frames of a video."""
    from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoInferenceSession

    session = Sam3VideoInferenceSession(
        video_height=video.height,
        video_width=video.width,
        inference_device=network.device,
        inference_state_device=network.device,
        video_storage_device=network.device,
        dtype=network.dtype,
    )
    session.processed_frames = frames  # a mapping by number, of which it asks length and items
    number = session.add_prompt(noun)
    told = tokenizer(noun, return_tensors="pt", padding="max_length", max_length=TOKENS, truncation=True)
    session.prompt_input_ids[number] = told.input_ids.to(network.device)
    session.prompt_attention_masks[number] = told.attention_mask.to(network.device)
    return session


def _at_video_size(scores: Any, video: Video) -> Array:
    """Return bool `[H, W]` of an instance's scores `[1, h, w]`."""
    import torch

    with torch.inference_mode():
        whole = torch.nn.functional.interpolate(
            scores[None].float(), size=(video.height, video.width), mode="bilinear", align_corners=False
        )
    inside: Array = (whole[0, 0] > 0).cpu().numpy()
    return inside

"""The provider `sam2-transformers`: the same network as transformers' `Sam2VideoModel`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from kinetoscope_quadmask.hooks import Prompts, Segmentation
from kinetoscope_sam2._following import TAKES, Array, Track, followed, forget, merged_box, merged_mask
from kinetoscope_sam2._frames import Frames
from kinetoscope_sam2._weights import FOLDER, device_of, loaded, weights_path
from kinetoscope_spec import Progress, Video

__all__ = ["Sam2TransformersSegmenter", "SessionTrack"]

OBJECT: Final = 1
"""Number of the one object that a session holds here."""

BOX_LABELS: Final = (2, 3)
"""By which the prompt encoder knows the corners of a box."""


class Sam2TransformersSegmenter:
    """Follows objects with SAM 2 (arXiv 2408.00714) on transformers. Building one costs nothing.

    Otherwise as `kinetoscope_sam2.package.Sam2Segmenter`.

    Args:
        folder: with `config.json` and `model.safetensors`; `KINETOSCOPE_SAM2_FOLDER` unless given. Nothing
            is downloaded, nothing unpickled.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
        network: makes the model, in place of the folder's.
    """

    takes: ClassVar[frozenset[str]] = TAKES

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        device: str = "auto",
        network: Callable[[], Any] | None = None,
    ) -> None:
        self._folder, self._device = folder, device
        self._make = network or self._loaded
        self._network: Any = None
        self._lock = threading.Lock()

    def segment(
        self, video: Video, objects: Sequence[Prompts], *, progress: Progress | None = None
    ) -> Segmentation:
        """Return a mask for each object; see the hook's protocol.

        Raises:
            ProviderUnavailable: there are no weights; says what to download and where to put it.
        """
        return followed(video, objects, self._begin, progress)

    def _begin(self, video: Video, count: int) -> Track:
        with self._lock:
            if self._network is None:
                self._network = self._make().to(device_of(self._device)).eval()
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        frames = Frames(video, count, self._network.image_size)
        return SessionTrack(self._network, Sam2VideoInferenceSession, video, frames)

    def _loaded(self) -> Any:
        path = weights_path(self._folder, variable=FOLDER)
        from transformers import Sam2VideoModel

        return loaded(Sam2VideoModel, path)


class SessionTrack:
    """One object in one video, with a session of the model's: SAM 2's, or SAM 3's tracker, which is its heir."""

    def __init__(self, network: Any, session: Callable[..., Any], video: Video, frames: Any) -> None:
        self._network, self._video = network, video
        self._session = session(
            video_height=video.height,
            video_width=video.width,
            inference_device=network.device,
            inference_state_device=network.device,
            dtype=network.dtype,
        )
        self._session.processed_frames = frames  # a mapping by number, of which it asks length and items
        self._session.obj_id_to_idx(OBJECT)
        self._start = len(frames)
        self._reach = max(network.num_maskmem, network.config.max_object_pointers_in_encoder) + 1

    def prompt(self, frame: int, prompts: Prompts) -> None:
        """Take the prompts of one frame; a mask counts for more than points."""
        self._start = min(self._start, frame)
        mask = merged_mask(prompts)
        if mask is not None:
            self._session.add_mask_inputs(0, frame, self._at_network_size(mask))
        else:
            self._session.add_point_inputs(0, frame, self._points(prompts))
        self._session.obj_with_new_inputs = [OBJECT]
        self._network(inference_session=self._session, frame_idx=frame)

    def step(self, frame: int, *, reverse: bool) -> tuple[Array, float]:
        """Return bool `[H, W]`, and how sure the network is that the object is there, 0 to 1."""
        import torch

        with torch.inference_mode():
            made = self._network(inference_session=self._session, frame_idx=frame, reverse=reverse)
            scores = torch.nn.functional.interpolate(
                made.pred_masks.float(),
                size=(self._video.height, self._video.width),
                mode="bilinear",
                align_corners=False,
            )
            mask: Array = (scores[0, 0] > 0).cpu().numpy()
            sure = float(torch.sigmoid(made.object_score_logits.float()).max())
        forget(
            self._session.output_dict_per_obj[0]["non_cond_frame_outputs"], frame, self._start, self._reach
        )
        return mask, sure

    def _points(self, prompts: Prompts) -> dict[str, Any]:
        """Return points and the corners of the box in the network's pixels, as the prompt encoder takes them."""
        import torch

        places = [(p.x, p.y) for p in prompts.points]
        labels = [int(p.positive) for p in prompts.points]
        box = merged_box(prompts)
        if box is not None:  # its corners come before any point, as in training
            places = [box[:2], box[2:], *places]
            labels = [*BOX_LABELS, *labels]
        size = self._network.image_size
        scale = torch.tensor([size / self._video.width, size / self._video.height])
        return {
            "point_coords": (torch.tensor(places) * scale)[None, None].to(self._network.dtype),
            "point_labels": torch.tensor(labels, dtype=torch.int32)[None, None],
        }

    def _at_network_size(self, mask: Array) -> Any:
        import torch

        size = self._network.image_size
        whole = torch.from_numpy(mask)[None, None].float()
        resized = torch.nn.functional.interpolate(
            whole, size=(size, size), mode="bilinear", align_corners=False, antialias=True
        )
        return (resized >= 0.5).float()

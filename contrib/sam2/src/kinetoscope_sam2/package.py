"""The provider `sam2`: the network of the package `sam2`, which takes official checkpoints."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from kinetoscope_quadmask.hooks import Prompts, Segmentation
from kinetoscope_sam2._following import TAKES, Array, followed, forget, merged_box, merged_mask
from kinetoscope_sam2._frames import Frames
from kinetoscope_sam2._weights import CHECKPOINT, config_of, device_of, weights_path
from kinetoscope_spec import Progress, Video

__all__ = ["Sam2Segmenter", "build_network"]

OBJECT: Final = 1
"""Number of the one object that a state of the package holds here."""


class Sam2Segmenter:
    """Follows objects with SAM 2 (arXiv 2408.00714) on its package. Building one costs nothing.

    Frames come from the video as they are needed; what the network remembers of frames out of its reach is
    dropped. Each object is followed by itself, so that objects don't change each other. Where a frame has
    a mask and points, the mask counts.

    Args:
        checkpoint: file of weights; `KINETOSCOPE_SAM2_CHECKPOINT` unless given.
        config: of the package; found by the checkpoint's published name unless given.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
        network: makes the predictor, in place of the checkpoint's.
    """

    takes: ClassVar[frozenset[str]] = TAKES

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        *,
        config: str | None = None,
        device: str = "auto",
        network: Callable[[], Any] | None = None,
    ) -> None:
        self._checkpoint, self._config, self._device = checkpoint, config, device
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

    def _begin(self, video: Video, count: int) -> _Track:
        with self._lock:
            if self._network is None:
                self._network = self._make()
        return _Track(self._network, video, count)

    def _loaded(self) -> Any:
        path = weights_path(self._checkpoint, variable=CHECKPOINT)
        return build_network(self._config or config_of(path), path, self._device)


def build_network(config: str, checkpoint: Path | None, device: str, overrides: Sequence[str] = ()) -> Any:
    """Return the package's video predictor; without a checkpoint its weights are random.

    Checkpoints are read as weights alone: nothing in them is run.
    """
    from sam2.build_sam import build_sam2_video_predictor

    network = build_sam2_video_predictor(
        config,
        None if checkpoint is None else str(checkpoint),
        device=device_of(device),
        hydra_overrides_extra=list(overrides),
    )
    if network.device.type == "cpu":
        network.fill_hole_area = 0  # it is done by a CUDA extension, or not at all with a warning
    return network


class _Track:
    """One object in one video, with a state of the package's predictor."""

    def __init__(self, network: Any, video: Video, count: int) -> None:
        self._network = network
        self._state = _state(network, Frames(video, count, network.image_size), video)
        self._ready = False
        self._start = count
        self._reach = max(network.num_maskmem, network.max_obj_ptrs_in_encoder) + 1

    def prompt(self, frame: int, prompts: Prompts) -> None:
        self._start = min(self._start, frame)
        mask = merged_mask(prompts)
        if mask is not None:
            self._network.add_new_mask(self._state, frame, OBJECT, np.array(mask))
            return
        points = np.array([(p.x, p.y) for p in prompts.points], np.float32).reshape(-1, 2)
        labels = np.array([int(p.positive) for p in prompts.points], np.int32)
        box = merged_box(prompts)
        self._network.add_new_points_or_box(
            self._state,
            frame,
            OBJECT,
            points=points,
            labels=labels,
            box=None if box is None else np.array(box, np.float32),
        )

    def step(self, frame: int, *, reverse: bool) -> tuple[Array, float]:
        import torch

        network, state = self._network, self._state
        with torch.inference_mode():
            if not self._ready:
                network.propagate_in_video_preflight(state)
                self._ready = True
            outputs = state["output_dict_per_obj"][0]
            made = outputs["cond_frame_outputs"].get(frame)
            if made is None:
                # What `propagate_in_video` does for a frame, without its bar on standard error.
                made, _ = network._run_single_frame_inference(
                    inference_state=state,
                    output_dict=outputs,
                    frame_idx=frame,
                    batch_size=1,
                    is_init_cond_frame=False,
                    point_inputs=None,
                    mask_inputs=None,
                    reverse=reverse,
                    run_mem_encoder=True,
                )
                outputs["non_cond_frame_outputs"][frame] = made
                forget(outputs["non_cond_frame_outputs"], frame, self._start, self._reach)
            _, scores = network._get_orig_video_res_output(state, made["pred_masks"])
            sure = float(torch.sigmoid(made["object_score_logits"].float()).max())
            mask: Array = (scores[0, 0] > 0).cpu().numpy()
        return mask, sure


def _state(network: Any, frames: Frames, video: Video) -> dict[str, Any]:
    """Return what the predictor's `init_state` makes of a folder of JPEGs, over frames of a video."""
    return {
        "images": frames,
        "num_frames": len(frames),
        "offload_video_to_cpu": True,
        "offload_state_to_cpu": False,
        "video_height": video.height,
        "video_width": video.width,
        "device": network.device,
        "storage_device": network.device,
        "point_inputs_per_obj": {},
        "mask_inputs_per_obj": {},
        "cached_features": {},
        "constants": {},
        "obj_id_to_idx": OrderedDict(),
        "obj_idx_to_id": OrderedDict(),
        "obj_ids": [],
        "output_dict_per_obj": {},
        "temp_output_dict_per_obj": {},
        "frames_tracked_per_obj": {},
    }

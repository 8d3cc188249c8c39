"""SAM 3 with random weights, read from a folder, against what its makers' own loop and processor give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sam2_networks
import torch

from kinetoscope_quadmask.hooks import Box, Point, Prompts, SegmenterContract
from kinetoscope_sam2._frames import HALF, Frames
from kinetoscope_sam2._weights import TEXT_FOLDER
from kinetoscope_sam2.text import Sam3TransformersSegmenter
from kinetoscope_spec import Cancelled, Mask, ProviderUnavailable, Video
from kinetoscope_spec.contracts import check

COUNT, HIGH, WIDE = 14, 60, 80
UNTRAINED = dict.fromkeys(
    ("the_object_is_followed_both_ways", "points_are_kept"), "its weights are random: it sees nothing"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sam2_networks.finder_folder(tmp_path_factory.mktemp("sam3"))


@pytest.fixture(scope="module")
def segmenter(folder: Path) -> Sam3TransformersSegmenter:
    return Sam3TransformersSegmenter(folder, device="cpu")


@pytest.fixture(scope="module")
def video() -> Video:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (COUNT, HIGH // 10, WIDE // 10, 3))
    return Video.from_frames(np.kron(coarse, np.ones((1, 10, 10, 1))).astype(np.uint8), 12)


def stacked(mask: Mask) -> np.ndarray:
    return np.stack([frame > 0 for frame in mask.frames()])


def makers(folder: Path, video: Video, noun: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the makers' processor makes of each frame: all masks together, how many, the surest's score.

    The score is the tracker's, or the detector's where the tracker has not seen the thing before.
    """
    from transformers import AutoTokenizer, Sam3ImageProcessor, Sam3VideoModel, Sam3VideoProcessor
    from transformers.models.sam2_video.video_processing_sam2_video import Sam2VideoVideoProcessor

    size = sam2_networks.TEXT_SIZE
    processor = Sam3VideoProcessor(
        Sam3ImageProcessor(),
        Sam2VideoVideoProcessor(),
        AutoTokenizer.from_pretrained(folder),
        target_size=size,
    )
    model = Sam3VideoModel.from_pretrained(folder).eval()
    session = processor.init_video_session()
    frames = Frames(video, COUNT, size, normal=(HALF, HALF), smooth=False)
    session.processed_frames = {i: frames[i] for i in range(COUNT)}
    session.video_height, session.video_width = HIGH, WIDE
    processor.add_text_prompt(session, noun)
    inside = np.zeros((COUNT, HIGH, WIDE), bool)
    things, scores = np.zeros(COUNT, int), np.zeros(COUNT)
    for out in model.propagate_in_video_iterator(session):
        made = processor.postprocess_outputs(session, out)
        inside[out.frame_idx] = made["masks"].numpy().any(axis=0)
        things[out.frame_idx] = len(made["object_ids"])
        of_thing = dict(zip(made["object_ids"].tolist(), made["scores"].tolist(), strict=True))
        scores[out.frame_idx] = max(
            (out.obj_id_to_tracker_score.get(thing, found) for thing, found in of_thing.items()), default=0
        )
    return inside, things, scores


@pytest.mark.parametrize("noun", sam2_networks.WORDS)
def test_a_noun_finds_what_the_makers_loop_finds(
    noun: str, folder: Path, segmenter: Sam3TransformersSegmenter, video: Video
) -> None:
    """Bit for bit, though the makers keep every memory: the network looks back 4 frames here."""
    found = segmenter.segment(video, [Prompts(noun=noun)])
    wanted, things, scores = makers(folder, video, noun)
    assert things.max() > 1, "several things fit"
    assert 0 < wanted.mean() < 1
    np.testing.assert_array_equal(stacked(found.masks[0]), wanted)
    np.testing.assert_allclose(found.confidence[0], scores, atol=1e-6)
    assert np.ptp(scores) > 0.01


def test_another_noun_is_another_mask(segmenter: Sam3TransformersSegmenter, video: Video) -> None:
    """Objects don't change each other, in either order; those with a point are followed from it."""
    ball, dog = (Prompts(noun=word) for word in sam2_networks.WORDS)
    point = Prompts([Point(40, 30, 4)], [Box(20, 10, 60, 50, 4)], noun="dog")
    together = [stacked(mask) for mask in segmenter.segment(video, [ball, dog, point]).masks]
    alone = [stacked(segmenter.segment(video, [held]).masks[0]) for held in (ball, dog, point)]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (together[0] != together[1]).any()
    assert (together[1] != together[2]).any()


def test_points_go_to_the_tracker_of_the_same_weights(
    folder: Path, segmenter: Sam3TransformersSegmenter, video: Video
) -> None:
    """Bit for bit what the makers' tracker gives with a session of all frames."""
    from transformers import Sam3TrackerVideoModel
    from transformers.models.sam3_tracker_video.modeling_sam3_tracker_video import (
        Sam3TrackerVideoInferenceSession,
    )

    model = Sam3TrackerVideoModel.from_pretrained(folder).eval()
    size = sam2_networks.TEXT_SIZE
    frames = Frames(video, COUNT, size, normal=(HALF, HALF), smooth=False)
    session = Sam3TrackerVideoInferenceSession(
        torch.stack([frames[i] for i in range(COUNT)]), HIGH, WIDE, dtype=torch.float32
    )
    session.obj_id_to_idx(1)
    places = torch.tensor([[[[20 * size / WIDE, 10 * size / HIGH], [50 * size / WIDE, 40 * size / HIGH]]]])
    session.add_point_inputs(0, 0, {"point_coords": places, "point_labels": torch.tensor([[[1, 0]]])})
    session.obj_with_new_inputs = [1]
    with torch.inference_mode():
        model(inference_session=session, frame_idx=0)
        scores = [
            out.pred_masks[0, 0] for out in model.propagate_in_video_iterator(session, start_frame_idx=0)
        ]
    wanted = torch.nn.functional.interpolate(
        torch.stack(scores)[:, None], size=(HIGH, WIDE), mode="bilinear", align_corners=False
    )
    prompts = Prompts([Point(20, 10), Point(50, 40, positive=False)], noun="ball")
    found = stacked(segmenter.segment(video, [prompts]).masks[0])
    np.testing.assert_array_equal(found, (wanted[:, 0] > 0).numpy())


def test_the_contract_is_kept(segmenter: Sam3TransformersSegmenter) -> None:
    contract = SegmenterContract.of(segmenter, name="sam3-transformers", omits=UNTRAINED)
    report = check(contract, examples=2, seed=1, shrink=False)
    assert not report.broken, [str(result) for result in report.broken]
    assert len(report.results) >= 7


def test_a_noun_is_cancelled(segmenter: Sam3TransformersSegmenter, video: Video) -> None:
    told: list[int] = []

    def listen(done: int, _total: int, _message: str) -> bool:
        told.append(done)
        return len(told) < 3

    with pytest.raises(Cancelled, match=f"after 3 of {COUNT} frames"):
        segmenter.segment(video, [Prompts(noun="ball")], progress=listen)
    assert told == [1, 2, 3]


def test_weights_that_are_not_whole_are_refused(folder: Path, video: Video, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    kept: dict[str, Any] = load_file(folder / "model.safetensors")
    for held in folder.iterdir():
        (tmp_path / held.name).write_bytes(held.read_bytes())
    gone = next(name for name in kept if "detr_decoder" in name)
    save_file({name: held for name, held in kept.items() if name != gone}, tmp_path / "model.safetensors")
    with pytest.raises(ProviderUnavailable, match="lacks 1 of the weights of Sam3VideoModel"):
        Sam3TransformersSegmenter(tmp_path).segment(video, [Prompts(noun="ball")])


def test_missing_weights_say_what_to_download(
    video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TEXT_FOLDER, raising=False)
    with pytest.raises(ProviderUnavailable, match=f"facebook/sam3.*{TEXT_FOLDER}"):
        Sam3TransformersSegmenter().segment(video, [Prompts(noun="ball")])
    with pytest.raises(ProviderUnavailable, match="are not a folder"):
        Sam3TransformersSegmenter(tmp_path / "nowhere").segment(video, [Prompts(noun="ball")])

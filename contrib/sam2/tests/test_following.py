"""Both segmenters with random weights, against what their makers' own loops give for the same frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sam2_networks
import torch
from PIL import Image

from kinetoscope_quadmask.hooks import Box, Hint, Point, Prompts, SegmenterContract
from kinetoscope_sam2._following import _doubts, forget
from kinetoscope_sam2._frames import DEVIATION, MEAN, Frames
from kinetoscope_sam2.package import Sam2Segmenter
from kinetoscope_sam2.port import Sam2TransformersSegmenter
from kinetoscope_spec import Mask, Video
from kinetoscope_spec.contracts import check

COUNT, HIGH, WIDE = 12, 60, 80
UNTRAINED = dict.fromkeys(
    ("the_object_is_followed_both_ways", "points_are_kept"), "its weights are random: it sees nothing"
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums are added in one order, so that two runs can be compared bit for bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(kind: str) -> Any:
    if kind == "package":
        sam2_networks.package()
        return Sam2Segmenter(network=sam2_networks.package, device="cpu")
    return Sam2TransformersSegmenter(network=sam2_networks.port, device="cpu")


def pictures(folder: Path) -> Video:
    """Frames as a JPEG decoder gives them, and the folder of them that the package reads."""
    rng = np.random.default_rng(3)
    held = np.kron(rng.integers(0, 256, (COUNT, HIGH // 10, WIDE // 10, 3)), np.ones((1, 10, 10, 1)))
    frames = []
    for i, frame in enumerate(held.astype(np.uint8)):
        Image.fromarray(frame).save(folder / f"{i:05d}.jpg", quality=95)
        frames.append(np.array(Image.open(folder / f"{i:05d}.jpg").convert("RGB")))
    return Video.from_frames(np.stack(frames), 12)


def stacked(mask: Mask) -> np.ndarray:
    return np.stack([frame > 0 for frame in mask.frames()])


PROMPTS = Prompts([Point(40, 30, 4), Point(5, 5, 4, positive=False)], [Box(20, 10, 60, 50, 4)])


@pytest.mark.slow
def test_the_package_goes_the_packages_own_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit what `init_state`, `add_new_points_or_box` and `propagate_in_video` give for a folder.

    The network looks back 4 frames here, so that what is forgotten on the way would be missed.
    """
    segmenter, network = made("package"), sam2_networks.package()
    video = pictures(tmp_path)
    monkeypatch.setattr(network, "max_obj_ptrs_in_encoder", 4)
    monkeypatch.setattr(network, "num_maskmem", 4)
    found = stacked(segmenter.segment(video, [PROMPTS]).masks[0])
    assert capfd.readouterr().err == ""  # no bars
    state = network.init_state(str(tmp_path))
    points = np.array([[p.x, p.y] for p in PROMPTS.points], np.float32)
    network.add_new_points_or_box(
        state, 4, 1, points=points, labels=np.array([1, 0], np.int32), box=np.array([20, 10, 60, 50])
    )
    wanted = np.zeros((COUNT, HIGH, WIDE), bool)
    for reverse in (False, True):
        for frame, _, scores in network.propagate_in_video(state, 4, reverse=reverse):
            wanted[frame] = (scores[0, 0] > 0).numpy()
    assert 0 < wanted.mean() < 1
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.slow
def test_the_port_goes_the_ports_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit what a session with all frames and `propagate_in_video_iterator` give; prompts by its processor."""
    from transformers import Sam2ImageProcessor, Sam2VideoProcessor, Sam2VideoVideoProcessor
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    video, model = pictures(tmp_path), sam2_networks.port()
    monkeypatch.setattr(model, "num_maskmem", 4)
    monkeypatch.setattr(model.config, "max_object_pointers_in_encoder", 4)
    scores: dict[int, np.ndarray] = {}
    frames = Frames(video, COUNT, sam2_networks.SIZE)
    whole = torch.stack([frames[i] for i in range(COUNT)])
    session = Sam2VideoInferenceSession(whole, HIGH, WIDE, dtype=torch.float32)
    processor = Sam2VideoProcessor(
        Sam2ImageProcessor(), Sam2VideoVideoProcessor(), target_size=sam2_networks.SIZE
    )
    processor.add_inputs_to_inference_session(
        session,
        frame_idx=4,
        obj_ids=1,
        input_points=[[[[p.x, p.y] for p in PROMPTS.points]]],
        input_labels=[[[1, 0]]],
        input_boxes=[[[20.0, 10.0, 60.0, 50.0]]],
    )
    model(inference_session=session, frame_idx=4)
    for reverse in (False, True):
        for out in model.propagate_in_video_iterator(session, start_frame_idx=4, reverse=reverse):
            scores[out.frame_idx] = out.pred_masks.numpy()
    track = made("port")._begin(video, COUNT)
    track.prompt(4, PROMPTS)
    seen: dict[int, np.ndarray] = {}

    def listen(_module: Any, _given: Any, out: Any) -> None:
        seen[out.frame_idx] = out.pred_masks.numpy()

    held = model.register_forward_hook(listen)
    try:
        for frame in range(4, COUNT):
            track.step(frame, reverse=False)
        for frame in range(3, -1, -1):
            track.step(frame, reverse=True)
    finally:
        held.remove()
    for i in range(COUNT):
        np.testing.assert_array_equal(seen[i], scores[i])
        assert np.unique(scores[i]).size > 100  # something is seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["package", "port"])
def test_the_contract_is_kept(kind: str) -> None:
    """All laws that random weights can keep, on two examples each."""
    contract = SegmenterContract.of(made(kind), name=kind, omits=UNTRAINED)
    report = check(contract, examples=2, seed=1, shrink=False)
    assert not report.broken, [str(result) for result in report.broken]
    assert len(report.results) >= 7


@pytest.mark.parametrize("kind", ["package", "port"])
def test_a_mask_is_a_prompt(kind: str) -> None:
    """The frame whose mask is given keeps it: it is what the network remembers."""
    video = Video.from_frames(np.random.default_rng(1).integers(0, 256, (2, HIGH, WIDE, 3), np.uint8), 12)
    inside = np.zeros((HIGH, WIDE), bool)
    inside[15:40, 20:50] = True
    found = stacked(made(kind).segment(video, [Prompts(masks=[Hint(inside, 1)])]).masks[0])
    iou = (found[1] & inside).sum() / (found[1] | inside).sum()
    assert iou > 0.85


@pytest.mark.parametrize("kind", ["package", "port"])
def test_a_box_alone_is_a_prompt(kind: str) -> None:
    """Two boxes of a frame are one around both."""
    video = Video.from_frames(np.random.default_rng(1).integers(0, 256, (1, HIGH, WIDE, 3), np.uint8), 12)
    whole, parts = [Box(10, 10, 70, 50)], [Box(10, 10, 40, 30), Box(30, 20, 70, 50)]
    one, other = (
        stacked(made(kind).segment(video, [Prompts(boxes=boxes)]).masks[0]) for boxes in (whole, parts)
    )
    np.testing.assert_array_equal(one, other)


def test_frames_are_normalised() -> None:
    held = np.random.default_rng(2).integers(0, 256, (3, 9, 9, 3), np.uint8)
    frames = Frames(Video.from_frames(held, 12), 3, 9)
    assert len(frames) == 3
    wanted = (held[2] / 255 - np.array(MEAN)) / np.array(DEVIATION)
    np.testing.assert_allclose(frames[2].numpy().transpose(1, 2, 0), wanted, atol=1e-5)


def test_what_is_out_of_reach_is_forgotten() -> None:
    held: dict[int, Any] = dict.fromkeys(range(40))
    forget(held, 30, 10, 5)
    assert sorted(held) == [*range(5, 16), *range(25, 36)]


def test_doubts_name_the_worst_frame_of_each_stretch() -> None:
    sure = np.array([[0.9, 0.4, 0.2, 0.9, 0.1], [0.9] * 5], np.float32)
    assert [(d.index, d.frame) for d in _doubts(sure)] == [(0, 4), (0, 2)]

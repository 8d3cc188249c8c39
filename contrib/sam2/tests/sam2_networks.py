"""The smallest networks with random weights, at a small size: the way is real, what they see is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

SIZE = 128
"""px of the network's pictures; 1024 with real weights, at 64 times the cost."""

OVERRIDES = (f"++model.image_size={SIZE}",)
CONFIG = "configs/sam2.1/sam2.1_hiera_t.yaml"


def seeded(make: Callable[[], Any]) -> Any:
    """Make a network whose random weights are the same each time, and leave the generator alone."""
    with torch.random.fork_rng():
        torch.manual_seed(2)  # one by whose weights they believe that something is there
        return make()


@cache
def package() -> Any:
    pytest.importorskip("sam2", reason="the package sam2 is not installed")
    from kinetoscope_sam2.package import build_network

    return seeded(lambda: build_network(CONFIG, None, "cpu", OVERRIDES))


@cache
def port() -> Any:
    from transformers import Sam2VideoConfig, Sam2VideoModel

    backbone = {"model_type": "sam2_hiera_det_model", "image_size": [SIZE, SIZE]}
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_feature_sizes": [[SIZE // part] * 2 for part in (4, 8, 16)],
    }
    config = Sam2VideoConfig(
        image_size=SIZE,
        vision_config=vision,
        prompt_encoder_config={"image_size": SIZE},
        memory_attention_rope_feat_sizes=[SIZE // 16] * 2,
    )
    return seeded(lambda: Sam2VideoModel(config)).eval()


WORDS = ("ball", "dog")
TEXT_SIZE = 112
"""px of SAM 3's pictures here, of patches of 14; 1008 with real weights."""


@cache
def finder() -> Any:
    """A SAM 3 of some million weights that takes for a thing what it is a tenth sure of."""
    from transformers import Sam3VideoConfig, Sam3VideoModel

    config = Sam3VideoConfig(
        detector_config=_detector(),
        tracker_config=_tracker(),
        low_res_mask_size=32,
        score_threshold_detection=0.1,
        new_det_thresh=0.1,
        max_num_objects=24,
        hotstart_delay=3,
        hotstart_unmatch_thresh=3,
        hotstart_dup_thresh=3,
        recondition_every_nth_frame=4,
    )
    return seeded(lambda: Sam3VideoModel(config)).eval()


def finder_folder(folder: Path) -> Path:
    """Write it with a tokenizer, as `facebook/sam3` lies in a folder."""
    finder().save_pretrained(folder)
    tokenizer(folder).save_pretrained(folder)
    return folder


def tokenizer(folder: Path) -> Any:
    """A CLIP tokenizer of the letters of `WORDS`, each of which ends a word or does not."""
    from transformers import CLIPTokenizer

    letters = sorted({letter for word in WORDS for letter in word})
    vocabulary = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({text: i for i, text in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder)


def _vision() -> dict[str, Any]:
    backbone = {
        "model_type": "sam3_vit_model",
        "image_size": TEXT_SIZE,
        "pretrain_image_size": TEXT_SIZE,
        "num_hidden_layers": 2,
        "window_size": 4,
        "global_attn_indexes": [1],
        **_SMALL,
    }
    return {
        "model_type": "sam3_vision_model",
        "backbone_config": backbone,
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        "fpn_hidden_size": 128,
    }


_SMALL = {"hidden_size": 128, "intermediate_size": 64, "num_attention_heads": 2}


def _detector() -> dict[str, Any]:
    text = {
        "model_type": "clip_text_model",
        "vocab_size": 64,
        "num_hidden_layers": 2,
        "max_position_embeddings": 32,
        "projection_dim": 128,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
        **_SMALL,
    }
    return {
        "model_type": "sam3",
        "vision_config": _vision(),
        "text_config": text,
        "geometry_encoder_config": {"num_layers": 1, **_SMALL},
        "detr_encoder_config": {"num_layers": 1, **_SMALL},
        "detr_decoder_config": {"num_layers": 1, "num_queries": 5, **_SMALL},
        "mask_decoder_config": {"hidden_size": 128, "num_attention_heads": 2},
    }


def _tracker() -> dict[str, Any]:
    return {
        "model_type": "sam3_tracker_video",
        "image_size": TEXT_SIZE,
        "vision_config": _vision(),
        "prompt_encoder_config": {"hidden_size": 128, "image_size": TEXT_SIZE, "patch_size": 14},
        "mask_decoder_config": {
            "hidden_size": 128,
            "mlp_dim": 64,
            "iou_head_hidden_dim": 128,
            "num_attention_heads": 2,
        },
        "num_maskmem": 4,
        "max_object_pointers_in_encoder": 4,
        "memory_attention_hidden_size": 128,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 64,
        "memory_attention_rope_feat_sizes": [8, 8],
        "memory_encoder_hidden_size": 128,
        "memory_encoder_output_channels": 64,
        "mask_downsampler_embed_dim": 128,
        "memory_fuser_num_layers": 1,
        "memory_fuser_embed_dim": 128,
        "memory_fuser_intermediate_dim": 64,
    }

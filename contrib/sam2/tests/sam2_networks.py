"""The smallest networks with random weights, at a small size: the way is real, what they see is not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
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

"""Tiny random weights in the layout in which VOID's are published, and settings that fit them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import sentencepiece
import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXTransformer3DModel
from safetensors.torch import save_file
from transformers import T5Config, T5EncoderModel

BASE = "CogVideoX-Fun-V1.5-5b-InP"
WIDTH = 16
LATENT = 16

TRANSFORMER = {
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "in_channels": 33,
    "out_channels": LATENT,
    "time_embed_dim": 8,
    "text_embed_dim": WIDTH,
    "num_layers": 2,
    "sample_width": 24,
    "sample_height": 24,
    "sample_frames": 21,
    "patch_size": 2,
    "patch_size_t": 2,
    "max_text_seq_length": 12,
    "use_rotary_positional_embeddings": True,
    "use_learned_positional_embeddings": False,
    "patch_bias": True,
}

SMALL = {"size": (32, 48), "least_frames": 5, "window": 13, "overlap": 2, "steps": (2, 2), "noise_detail": 2}
"""Settings with which a clip of a few frames takes a moment."""


def publish(folder: Path, *, seed: int = 0, adds_noise: bool = False) -> Path:
    """Write everything that VOID needs to `folder`, and return it."""
    torch.manual_seed(seed)
    base = folder / BASE
    (base / "transformer").mkdir(parents=True)
    told = {"_class_name": "CogVideoXTransformer3DModel", "add_noise_in_inpaint_model": adds_noise}
    (base / "transformer" / "config.json").write_text(json.dumps({**TRANSFORMER, **told}))
    for number in (1, 2):
        network = CogVideoXTransformer3DModel(**{**TRANSFORMER, "in_channels": 48})
        # Zeros where training begins would hide mistakes: every number is drawn.
        held = {name: torch.randn_like(tensor) * 0.2 for name, tensor in network.state_dict().items()}
        save_file(held, folder / f"void_pass{number}.safetensors")
    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        norm_num_groups=2,
        latent_channels=LATENT,
        scaling_factor=0.7,
    )
    vae.save_pretrained(base / "vae")
    CogVideoXDDIMScheduler(
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        snr_shift_scale=1.0,
        clip_sample=False,
        set_alpha_to_one=True,
    ).save_pretrained(base / "scheduler")
    _words(base)
    return folder


def _words(base: Path) -> None:
    """Write a tokenizer of SentencePiece and a T5 that knows its words."""
    (base / "tokenizer").mkdir()
    model = io.BytesIO()
    text = ["an empty table in a quiet room", "a wall of red bricks and a lawn", "the sea under clouds"] * 4
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_writer=model,
        vocab_size=30,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (base / "tokenizer" / "spiece.model").write_bytes(model.getvalue())
    options = {"extra_ids": 0, "tokenizer_class": "T5Tokenizer", "model_max_length": 226}
    (base / "tokenizer" / "tokenizer_config.json").write_text(json.dumps(options))
    config = T5Config(
        vocab_size=64,
        d_model=WIDTH,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    T5EncoderModel(config).save_pretrained(base / "text_encoder")

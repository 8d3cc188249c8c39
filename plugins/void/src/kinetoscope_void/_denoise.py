"""One pass: from noise to latents, on diffusers' transformer and scheduler."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import torch

from kinetoscope_void._spread import shared
from kinetoscope_void._windows import Span, blended, spans

__all__ = ["Conditions", "denoised", "rotary", "velocity"]


@attrs.frozen(eq=False)
class Conditions:
    """What the transformer is told beside the noisy latents.

    Attributes:
        mask: `[1, T, C, h, w]` latents of the picture 1 - mask.
        video: `[1, T, C, h, w]` latents of the film, with the object.
        text: `[1, N, D]` the prompt; or `[2, N, D]`, the empty one before it.
        guidance: how far to go from the empty prompt's answer to the prompt's and beyond.
    """

    mask: torch.Tensor
    video: torch.Tensor
    text: torch.Tensor
    guidance: float


def denoised(
    transformer: Any,
    scheduler: Any,
    noise: torch.Tensor,
    given: Conditions,
    *,
    steps: int,
    window: int,
    overlap: int,
    tell: Callable[[], None] = lambda: None,
) -> torch.Tensor:
    """Return latents `[1, T, C, h, w]` float32; `tell` is called after each step.

    What windows answer is blended before the scheduler's step, which is linear: it is the same as
    blending after it.
    """
    where = spans(noise.shape[1], window, overlap)
    shapes = [(1, stop - start, *noise.shape[2:]) for start, stop in where]
    scheduler.set_timesteps(steps, device=noise.device)
    latents: torch.Tensor = noise.float() * scheduler.init_noise_sigma
    like = noise.new_empty(0, dtype=torch.float32)
    for time in scheduler.timesteps:
        scaled = scheduler.scale_model_input(latents, time)
        work = [partial(velocity, transformer, scaled, time, given, span) for span in where]
        answer = blended(shared(work, shapes, like), where, overlap)
        latents = scheduler.step(answer, time, latents, return_dict=False)[0]
        tell()
    return latents


def velocity(
    transformer: Any, latents: torch.Tensor, time: Any, given: Conditions, span: Span
) -> torch.Tensor:
    """Return the transformer's answer for one window, `[1, t, C, h, w]` float32.

    Its input is the noisy latents, the mask's and the film's, in this order.
    """
    part = slice(*span)
    kind = given.text.dtype
    stacked = torch.cat([latents[:, part].to(kind), given.mask[:, part], given.video[:, part]], dim=2)
    batch = given.text.shape[0]
    (answer,) = transformer(
        hidden_states=stacked.expand(batch, -1, -1, -1, -1),
        encoder_hidden_states=given.text,
        timestep=torch.as_tensor(time, device=latents.device).expand(batch),
        image_rotary_emb=rotary(
            transformer.config, stacked.shape[1], *stacked.shape[3:], device=latents.device
        ),
        return_dict=False,
    )
    answer = answer.float()
    if batch == 1:
        return answer  # type: ignore[no-any-return]
    without, told = answer.chunk(2)
    return without + given.guidance * (told - without)  # type: ignore[no-any-return]


def rotary(
    config: Any, latents: int, height: int, width: int, *, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosines and sines of the places of a window's patches; time begins at 0 in each window."""
    from diffusers.models.embeddings import get_3d_rotary_pos_embed

    patch, long = config.patch_size, config.patch_size_t
    cosines, sines = get_3d_rotary_pos_embed(
        embed_dim=config.attention_head_dim,
        crops_coords=None,
        grid_size=(height // patch, width // patch),
        temporal_size=(latents + long - 1) // long,
        grid_type="slice",
        max_size=(config.sample_height // patch, config.sample_width // patch),
        device=device,
    )
    return cosines, sines

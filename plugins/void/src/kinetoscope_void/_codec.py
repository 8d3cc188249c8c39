"""The autoencoder of CogVideoX, a few frames at a time, with as many frames out as went in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

__all__ = ["decoded", "encoded", "encoding_spans"]

Tell = Callable[[], None]


def encoding_spans(frames: int, at_once: int = 8) -> list[tuple[int, int]]:
    """Return from where to where frames are encoded together; what does not fit goes with the first."""
    first = at_once + frames % at_once if frames >= at_once else frames
    return [(0, first), *((start, start + at_once) for start in range(first, frames, at_once))]


def encoded(
    vae: Any, frames: int, part: Callable[[int, int], torch.Tensor], tell: Tell = lambda: None
) -> torch.Tensor:
    """Return the scaled mode of the latents, `[1, (T - 1) / 4 + 1, C, h, w]`.

    `part(a, b)` gives the frames from a to b, `[1, 3, b - a, H, W]`; `tell` is called after each part.
    """
    cache: Any = None
    latents = []
    for span in encoding_spans(frames):
        moments, cache = vae.encoder(part(*span), conv_cache=cache)
        if vae.quant_conv is not None:
            moments = vae.quant_conv(moments)
        latents.append(moments.chunk(2, dim=1)[0] * vae.config.scaling_factor)
        tell()
    return torch.cat(latents, dim=2).transpose(1, 2)


def decoded(vae: Any, latents: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield the pictures of latents `[1, T, C, h, w]`, 4 T - 3 in all: `[3, n, H, W]` in [0, 1].

    diffusers decodes the first two latents together when there is an even number of them, which makes
    four frames of the first instead of one. Here the first is decoded alone, and a last one that has no
    partner is doubled.
    """
    held = latents.transpose(1, 2) / vae.config.scaling_factor
    if vae.post_quant_conv is not None:
        held = vae.post_quant_conv(held)
    cache: Any = None
    starts = [0, *range(1, held.shape[2], 2)]
    for start in starts:
        part = held[:, :, start : start + (2 if start else 1)]
        lonely = start > 0 and part.shape[2] == 1
        made, cache = vae.decoder(torch.cat([part, part], dim=2) if lonely else part, conv_cache=cache)
        yield (made[0, :, : 4 if lonely else None].float() / 2 + 0.5).clamp(0, 1)

"""Windows in time: clips that are too long to be denoised at once are, window by window, and blended."""

from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["blended", "ramp", "spans"]

Span = tuple[int, int]


def spans(latents: int, window: int, overlap: int) -> list[Span]:
    """Return from where to where each window goes; each begins `overlap` before the last one's end."""
    found = [(0, min(window, latents))]
    while found[-1][1] < latents:
        start = found[-1][1] - overlap
        found.append((start, min(start + window, latents)))
    return found


def ramp(span: Span, latents: int, overlap: int) -> torch.Tensor:
    """Return `[stop - start]` the weight of a window: it rises and falls where it meets another."""
    weight = torch.ones(span[1] - span[0])
    rise = torch.linspace(0, 1, overlap + 2)[1:-1]
    if span[0] > 0:
        weight[:overlap] *= rise
    if span[1] < latents:
        weight[len(weight) - overlap :] *= rise.flip(0)
    return weight


def blended(windows: Sequence[torch.Tensor], where: Sequence[Span], overlap: int) -> torch.Tensor:
    """Return `[1, T, ...]` float32 of windows `[1, t, ...]`, each at its span."""
    latents = where[-1][1]
    canvas = torch.zeros((1, latents, *windows[0].shape[2:]), device=windows[0].device)
    total = torch.zeros(latents, device=canvas.device)
    for window, span in zip(windows, where, strict=True):
        weight = ramp(span, latents, overlap).to(canvas.device)
        canvas[:, slice(*span)] += window.float() * weight.view(1, -1, *[1] * (canvas.ndim - 2))
        total[slice(*span)] += weight
    return canvas / total.view(1, -1, *[1] * (canvas.ndim - 2))

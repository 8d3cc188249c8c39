"""The two passes over a clip, from pictures to pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from kinetoscope_spec import Cancelled, Progress
from kinetoscope_void._clip import Clip, back_and_forth, padded_length
from kinetoscope_void._codec import decoded, encoded, encoding_spans
from kinetoscope_void._denoise import Conditions, denoised
from kinetoscope_void._levels import binary, three_levels
from kinetoscope_void._network import Network
from kinetoscope_void._noise import degraded, sampled_frames, warped_noise
from kinetoscope_void._settings import Settings
from kinetoscope_void._spread import any_of

__all__ = ["Steps", "inpainted"]

Array = NDArray[Any]

_PIXEL_NOISE = 0.0563
"""Deviation of the noise on the film's pixels in [-1, 1], where the base was trained with it."""


@attrs.define
class Steps:
    """Tells how far the work is, and ends it where it is to end."""

    progress: Progress | None
    device: torch.device
    total: int = 1
    done: int = 0

    def tell(self, message: str, more: int = 1) -> None:
        """Say that `more` is done.

        Raises:
            Cancelled: the progress callback returned False, here or in another process.
        """
        self.done = min(self.done + more, self.total)
        stopped = self.progress is not None and self.progress(self.done, self.total, message) is False
        if any_of(stopped, self.device):
            raise Cancelled(f"cancelled while {message}")


@torch.inference_mode()
def inpainted(
    network: Network, clip: Clip, prompt: str, seed: int, settings: Settings, steps: Steps
) -> Array:
    """Return `[T, h, w, 3]` uint8 at the working size: the whole picture, made anew."""
    count = len(clip.quad)
    length = padded_length(count, settings.least_frames)
    order = back_and_forth(count, length)
    latents = (length - 1) // 4 + 1
    steps.total = _total(length, settings)
    asked = settings.guidance[: settings.passes]
    texts = {told: network.text(told) for told in ([prompt, ""] if max(asked) > 1 else [prompt])}
    film = _film_latents(network, clip, order, seed, steps)
    made = np.empty(0)
    for number in range(1, settings.passes + 1):
        noise = _fresh(film.shape, seed)
        if number == 2:
            noise = _carried(made, latents, film.shape, seed, settings, steps)
        guidance = settings.guidance[number - 1]
        text = torch.cat([texts[""], texts[prompt]]) if guidance > 1 else texts[prompt]
        levels = three_levels if number == 1 else binary
        mask = _mask_latents(network, levels, clip.quad, order, steps)
        given = Conditions(mask, film, text, guidance)
        with network.transformer(number) as transformer:
            clean = denoised(
                transformer,
                network.scheduler(number),
                noise.to(network.device),
                given,
                steps=settings.steps[number - 1],
                window=settings.window_latents,
                overlap=settings.overlap,
                tell=partial(steps.tell, f"pass {number}: denoising"),
            )
        made = _pictures(network, clean, steps, number)
    return made[:count]


def _total(length: int, settings: Settings) -> int:
    parts = len(encoding_spans(length)) * (1 + settings.passes)
    decoding = ((length - 1) // 4 // 2 + 2) * settings.passes
    return parts + decoding + sum(settings.steps[: settings.passes]) + length * (settings.passes - 1)


def _film_latents(network: Network, clip: Clip, order: Array, seed: int, steps: Steps) -> torch.Tensor:
    """Return `[1, T, C, h, w]` latents of the whole film, with the object in it."""
    rng = np.random.default_rng([seed, 1])

    def part(start: int, stop: int) -> torch.Tensor:
        pictures = clip.pictures[order[start:stop]].transpose(0, 1)[None] * 2 - 1
        if network.adds_noise:
            noise = torch.from_numpy(rng.standard_normal(pictures.shape, dtype=np.float32)) * _PIXEL_NOISE
            pictures = torch.where(pictures == -1, pictures, pictures + noise)
        return pictures.to(network.device, network.kind)

    with network.vae() as vae:
        return encoded(vae, len(order), part, lambda: steps.tell("encoding the film"))


def _mask_latents(
    network: Network, levels: Callable[[Array], Array], quad: Array, order: Array, steps: Steps
) -> torch.Tensor:
    """Return `[1, T, C, h, w]` latents of 1 - mask, whose pixels are in [0, 1] and not in [-1, 1]."""

    def part(start: int, stop: int) -> torch.Tensor:
        kept = torch.from_numpy(1 - levels(quad[order[start:stop]]))
        return kept.expand(1, 3, -1, -1, -1).to(network.device, network.kind)

    with network.vae() as vae:
        return encoded(vae, len(order), part, lambda: steps.tell("encoding the mask"))


def _fresh(shape: torch.Size, seed: int) -> torch.Tensor:
    # Drawn on the CPU, so that a seed is the same film on any device.
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _carried(
    pictures: Array, latents: int, shape: torch.Size, seed: int, settings: Settings, steps: Steps
) -> torch.Tensor:
    """Return `[1, T, C, h, w]` noise that moves as the first pass's pictures do."""
    wanted = set(sampled_frames(len(pictures), latents).tolist())
    moving = warped_noise(
        pictures,
        channels=shape[2],
        shape=(shape[3], shape[4]),
        detail=settings.noise_detail,
        seed=seed,
    )
    kept = []
    for number, noise in enumerate(moving):
        if number in wanted:
            kept.append(noise)
        steps.tell("carrying noise along")
    rng = np.random.default_rng([seed, 3])
    return torch.from_numpy(degraded(np.stack(kept), settings.degradation, rng))[None]


def _pictures(network: Network, latents: torch.Tensor, steps: Steps, number: int) -> Array:
    """Return `[T, H, W, 3]` uint8."""
    parts = []
    with network.vae() as vae:
        for part in decoded(vae, latents.to(network.kind)):
            parts.append((part * 255).round().to(torch.uint8).permute(1, 2, 3, 0).cpu().numpy())
            steps.tell(f"pass {number}: decoding")
    return np.concatenate(parts)

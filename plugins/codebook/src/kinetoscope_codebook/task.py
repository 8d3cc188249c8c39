"""A network and what it learns from: all that the training loop knows of either."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from kinetoscope_codebook.network import Losses, Network, Noise

__all__ = ["Task"]

_COUNTED = 8192
"""Rows by which the codebook's usage is measured, at most."""


@attrs.frozen(eq=False, kw_only=True)
class Task:
    """A network, its training rows, and how they are disturbed.

    Attributes:
        x, z: `[N, X]` normalised inputs and `[N, P]` components of the outputs.
        clips: `[N]`, the clip of each row.
    """

    network: Network
    x: Tensor
    z: Tensor
    clips: Tensor
    input_noise: float
    drift_noise: float

    def noise(self, count: int, rows: Tensor, generator: torch.Generator) -> Noise:
        """Return what one step over a batch of `count` draws; the data's noise is made of `rows`."""
        noise = self.network.training_noise(count, generator)
        if self.input_noise > 0:
            shape = (count, self.x.shape[1])
            noise["inputs"] = self.input_noise * torch.randn(shape, generator=generator)
        if self.drift_noise > 0:
            pick = rows[torch.randint(len(rows), (2, count), generator=generator)]
            strength = self.drift_noise * torch.randn((count, 1), generator=generator)
            noise["drift"] = strength * (self.x[pick[0]] - self.x[pick[1]])
        return noise

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the losses of these rows, disturbed."""
        for name in ("inputs", "drift"):
            if name in noise:
                x = x + noise[name]
        return self.network.losses(x, z, noise)

    @torch.no_grad()
    def usage(self) -> Tensor | None:
        """Return `[C, K]`, how often each class is used on the training set; None without a codebook."""
        step = max(1, len(self.x) // _COUNTED)
        device = self.network.input_mean.device
        used = self.network.usage(self.x[::step].to(device), self.z[::step].to(device))
        return None if used is None else used.cpu()

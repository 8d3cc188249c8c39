"""A codebook without vectors: every number of the latent is rounded to one of a few steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from kinetoscope_codebook.learner import Learner
from kinetoscope_codebook.network import Architecture, Losses, Network, Noise, block
from kinetoscope_codebook.options import whole
from kinetoscope_spec.errors import ValidationError

__all__ = ["Fsq", "FsqNetwork"]

_SLACK = 1e-3
"""By how much the outermost steps are widened, so that they can be reached."""


class FsqNetwork(Network):
    """X → C groups of numbers, each rounded to one of its levels → Y.

    Buffers, `[D]` for D numbers in a group: `half_width` the range's half-width, `offset` half a step where
    the number of levels is even, `shift` what centres the range then, `half_levels` what the levels are
    divided by, so that codes lie within [-1, 1].
    """

    half_width: Tensor
    offset: Tensor
    shift: Tensor
    half_levels: Tensor

    def __init__(self, architecture: Architecture, dropout: float = 0.0) -> None:
        super().__init__(architecture)
        a = architecture
        levels = torch.tensor(a.levels, dtype=torch.float32, device="cpu")
        half = (levels - 1) * (1 + _SLACK) / 2
        offset = torch.where(levels % 2 == 0, 0.5, 0.0)
        for name, value in (
            ("half_width", half),
            ("offset", offset),
            ("shift", torch.atanh(offset / half)),
            ("half_levels", torch.div(levels, 2, rounding_mode="floor")),
        ):
            self.register_buffer(name, value)
        size = a.channels * len(a.levels)
        self.encoder = block(a.inputs, a.hidden, size, dropout)
        self.decoder = block(size, a.hidden, a.components, dropout)

    def _bounded(self, x: Tensor) -> Tensor:
        """Return the latent `[N, C, D]`, within the range of its levels."""
        a = self.architecture
        encoded = self.encoder(x).reshape(-1, a.channels, len(a.levels))
        bounded: Tensor = (encoded + self.shift).tanh() * self.half_width - self.offset
        return bounded

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        a = self.architecture
        codes = self._bounded(self.normalized(x)).round() / self.half_levels
        return self.physical(self.decoder(codes.reshape(-1, a.channels * len(a.levels))))

    def latent(self, x: Tensor) -> Tensor:
        """Return the class of each channel, int64 `[N, C]`: the levels as digits of one number."""
        return self._classes(self._bounded(self.normalized(x)).round())

    def _classes(self, rounded: Tensor) -> Tensor:
        levels = self.architecture.levels
        places = [math.prod(levels[:i]) for i in range(len(levels))]
        digits = (rounded + self.half_levels).long()
        return (digits * torch.tensor(places, device=digits.device)).sum(-1)

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the squared error; rounding passes gradients on as if it were not there."""
        bounded = self._bounded(x)
        rounded = bounded + (bounded.round() - bounded).detach()
        return {
            "reconstruction": functional.mse_loss(self.decoder((rounded / self.half_levels).flatten(1)), z)
        }

    def usage(self, x: Tensor, z: Tensor) -> Tensor:
        """Return `[C, K]`, how often each class is used by these rows; K is the product of the levels."""
        classes, count = self._classes(self._bounded(x).round()), math.prod(self.architecture.levels)
        used = [torch.bincount(channel, minlength=count).float() / len(x) for channel in classes.T]
        return torch.stack(used)


def _levels(_: object, __: object, value: Sequence[Any]) -> None:
    fits = all(isinstance(n, int) and not isinstance(n, bool) and 3 <= n <= 256 for n in value)
    if not value or not fits or math.prod(value) > 65_536:
        raise ValidationError(
            f"levels is {value!r}, expected numbers from 3 to 256, their product at most 65536"
        )


@attrs.frozen(kw_only=True)
class Fsq(Learner):
    """Encoder, finite scalar quantisation, decoder: Mentzer, Minnen, Agustsson and Tschannen 2024,
    "Finite Scalar Quantization: VQ-VAE Made Simple". C groups side by side, beyond the paper.

    Options, beside those of every model here:
        channels: groups of numbers, each a code of its own.
        levels: steps of each number of a group; a channel has as many classes as their product.
    """

    network = FsqNetwork
    kind = "fsq"
    channels: int = attrs.field(default=8, validator=whole(1, 1024))
    levels: tuple[int, ...] = attrs.field(default=(8, 5, 5), converter=tuple, validator=_levels)

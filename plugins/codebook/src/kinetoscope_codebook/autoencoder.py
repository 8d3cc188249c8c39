"""Autoencoders: what goes through a narrow place in the middle, plain or as a Gaussian."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from kinetoscope_codebook.learner import Learner
from kinetoscope_codebook.network import Architecture, Losses, Network, Noise, block
from kinetoscope_codebook.options import share, whole

__all__ = ["Autoencoder", "AutoencoderNetwork"]

_LOG_DEVIATION = 8.0
"""Logarithms of deviations are cut off here, so that no weight can make them infinite."""


class AutoencoderNetwork(Network):
    """X → latent → Y; a variational latent is a mean and the logarithm of a deviation."""

    def __init__(self, architecture: Architecture, dropout: float = 0.0, kl_weight: float = 0.0) -> None:
        super().__init__(architecture)
        a = architecture
        self.kl_weight = kl_weight
        self.encoder = block(a.inputs, a.hidden, a.latent * (2 if a.variational else 1), dropout)
        self.decoder = block(a.latent, a.hidden, a.components, dropout)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        encoded, size = self.encoder(x), self.architecture.latent
        return encoded[:, :size], encoded[:, size:].clamp(-_LOG_DEVIATION, _LOG_DEVIATION)

    def draw(self, rows: int, generator: torch.Generator) -> Tensor | None:
        """Return standard normal noise `[N, L]`, of a variational latent."""
        a = self.architecture
        return torch.randn((rows, a.latent), generator=generator) if a.variational else None

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`: of the latent's mean, or of a draw."""
        if not self.architecture.variational:
            return self.physical(self.decoder(self.encoder(self.normalized(x))))
        mean, log_deviation = self._split(self.normalized(x))
        drawn = mean if noise is None else mean + log_deviation.exp() * noise
        return self.physical(self.decoder(drawn))

    def latent(self, x: Tensor) -> Tensor:
        """Return the latent `[N, L]`, of a variational one the mean."""
        encoded: Tensor = self.encoder(self.normalized(x))
        return encoded[:, : self.architecture.latent]

    def training_noise(self, rows: int, generator: torch.Generator) -> Noise:
        """Return the noise of a variational latent."""
        noise = self.draw(rows, generator)
        return {} if noise is None else {"latent": noise}

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the squared error; of a variational latent also its distance from a standard normal."""
        if not self.architecture.variational:
            return {"reconstruction": functional.mse_loss(self.decoder(self.encoder(x)), z)}
        mean, log_deviation = self._split(x)
        decoded = self.decoder(mean + log_deviation.exp() * noise["latent"])
        divergence = 0.5 * (mean**2 + (2 * log_deviation).exp() - 1) - log_deviation
        return {
            "reconstruction": functional.mse_loss(decoded, z),
            "divergence": self.kl_weight * divergence.sum(-1).mean(),
        }


@attrs.frozen(kw_only=True)
class Autoencoder(Learner):
    """Encoder, narrow latent, decoder. Where a training set's outputs are its inputs, an autoencoder.

    Hinton and Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks". With
    `variational=True` the latent is a Gaussian near the standard one, and a seed draws from it: Kingma
    and Welling 2014, "Auto-Encoding Variational Bayes", the squared error in place of their likelihood.

    Options, beside those of every model here:
        latent: numbers in the middle.
        variational: whether they are drawn.
        kl_weight: weight of the latent's divergence from the standard normal; the beta of Higgins et al.
            2017 divided by the number of components, as the squared error is a mean over these.
    """

    network = AutoencoderNetwork
    kind = "autoencoder"
    latent: int = attrs.field(default=32, validator=whole(1, 65_536))
    variational: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    kl_weight: float = attrs.field(default=1e-3, validator=share(1e3))

    def _extra(self) -> dict[str, float]:
        return {"kl_weight": self.kl_weight}

"""A codebook of vectors: the encoder's answer is replaced by the nearest of K learned ones."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from kinetoscope_codebook.learner import Learner
from kinetoscope_codebook.network import Architecture, Losses, Network, Noise, block
from kinetoscope_codebook.options import share, whole

__all__ = ["Vq", "VqNetwork"]


class VqNetwork(Network):
    """X → C vectors of `latent` numbers, each replaced by its channel's nearest of K → Y."""

    def __init__(self, architecture: Architecture, dropout: float = 0.0, commitment: float = 0.25) -> None:
        super().__init__(architecture)
        a = architecture
        self.commitment = commitment
        self.encoder = block(a.inputs, a.hidden, a.channels * a.latent, dropout)
        self.decoder = block(a.channels * a.latent, a.hidden, a.components, dropout)
        self.codebook = nn.Parameter(torch.empty(a.channels, a.classes, a.latent).normal_())

    def _encoded(self, x: Tensor) -> Tensor:
        a = self.architecture
        encoded: Tensor = self.encoder(x)
        return encoded.reshape(-1, a.channels, 1, a.latent)

    def _chosen(self, encoded: Tensor) -> Tensor:
        """Return the nearest class of each channel, int64 `[N, C]`."""
        apart = encoded - self.codebook
        return (-(apart * apart).sum(-1)).argmax(-1)

    def quantised(self, encoded: Tensor) -> Tensor:
        """Return the nearest vectors `[N, C, L]` of `encoded [N, C, 1, L]`."""
        a = self.architecture
        one_hot = functional.one_hot(self._chosen(encoded), a.classes).type_as(self.codebook)
        nearest = one_hot.reshape(-1, a.channels, 1, a.classes) @ self.codebook
        return nearest.reshape(-1, a.channels, a.latent)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        a = self.architecture
        nearest = self.quantised(self._encoded(self.normalized(x)))
        return self.physical(self.decoder(nearest.reshape(-1, a.channels * a.latent)))

    def latent(self, x: Tensor) -> Tensor:
        """Return the classes, int64 `[N, C]`."""
        return self._chosen(self._encoded(self.normalized(x)))

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the squared errors of the decoder, of the codebook and of the encoder (commitment)."""
        encoded = self._encoded(x)
        nearest, free = self.quantised(encoded), encoded.squeeze(2)
        # The decoder is given the nearest vector, the encoder its gradient: the straight-through estimator.
        passed = free + (nearest - free).detach()
        return {
            "reconstruction": functional.mse_loss(self.decoder(passed.flatten(1)), z),
            "codebook": functional.mse_loss(nearest, free.detach()),
            "commitment": self.commitment * functional.mse_loss(free, nearest.detach()),
        }

    def usage(self, x: Tensor, z: Tensor) -> Tensor:
        """Return `[C, K]`, how often each class is used by these rows."""
        chosen = self._chosen(self._encoded(x))
        return functional.one_hot(chosen, self.architecture.classes).float().mean(0)

    def revive(self, x: Tensor, z: Tensor, generator: torch.Generator) -> None:
        """Move the classes that no row uses onto what the encoder says of rows drawn at random."""
        encoded = self._encoded(x).squeeze(2)
        for channel, used in enumerate(self.usage(x, z)):
            dead = torch.nonzero(used == 0).flatten()
            rows = torch.randint(len(encoded), (len(dead),), generator=generator)
            self.codebook[channel, dead] = encoded[rows.to(encoded.device), channel]


@attrs.frozen(kw_only=True)
class Vq(Learner):
    """Encoder, codebook of vectors, decoder: van den Oord, Vinyals and Kavukcuoglu 2017, "Neural
    Discrete Representation Learning".

    The codebook learns by their equation 3 (squared distance, not moving averages), so that many
    processes learn as one. What differs: C codebooks side by side, and classes that none of 4,096 rows
    uses are moved onto encoded rows, some times in the first half of training (Zheng and Vedaldi 2023,
    "Online Clustered Codebook", has more of it).

    Options, beside those of every model here:
        channels, classes: C codebooks of K vectors.
        latent: numbers in a vector.
        commitment: weight of the encoder's distance from the nearest vectors.
    """

    network = VqNetwork
    kind = "vq"
    channels: int = attrs.field(default=8, validator=whole(1, 1024))
    classes: int = attrs.field(default=64, validator=whole(2, 65_536))
    latent: int = attrs.field(default=8, validator=whole(1, 65_536))
    commitment: float = attrs.field(default=0.25, validator=share(1e3))

    def _extra(self) -> dict[str, float]:
        return {"commitment": self.commitment}

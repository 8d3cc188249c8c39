"""A plain feed-forward network, the baseline: it averages what is ambiguous."""

from __future__ import annotations

import attrs
from torch import Tensor
from torch.nn import functional

from kinetoscope_codebook.learner import Learner
from kinetoscope_codebook.network import Architecture, Losses, Network, Noise, block

__all__ = ["Mlp", "MlpNetwork"]


class MlpNetwork(Network):
    """X → hidden → hidden → Y."""

    def __init__(self, architecture: Architecture, dropout: float = 0.0) -> None:
        super().__init__(architecture)
        self.body = block(architecture.inputs, architecture.hidden, architecture.components, dropout)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        return self.physical(self.body(self.normalized(x)))

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the squared error."""
        return {"reconstruction": functional.mse_loss(self.body(x), z)}


@attrs.frozen(kw_only=True)
class Mlp(Learner):
    """A plain feed-forward network that minimises the squared error: it averages what is ambiguous.

    Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors".
    """

    network = MlpNetwork
    kind = "mlp"

"""The networks. All of them take and give physical units: normalisation is part of the network."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor, nn

from kinetoscope_spec.errors import ValidationError

__all__ = ["Architecture", "MatchingNetwork", "MlpNetwork", "Network", "build"]

INPUT_RANGE = 8.0
"""Standard deviations at which normalised inputs are cut off: what lies further out was never seen."""

_MOST = 65_536
"""The widest layer that a description may ask for."""


_MOST_REFINEMENTS = 64
"""How often a description may have the denoiser applied: it is what one prediction costs."""


def _positive(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    most = _MOST_REFINEMENTS if attribute.name == "refinements" else _MOST
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValidationError(f"Architecture.{attribute.name} is {value!r}, expected 1 to {most}")


@attrs.frozen(kw_only=True)
class Architecture:
    """The sizes of a network, from which it can be built empty.

    Attributes:
        kind: `codebook-matching` or `mlp`.
        inputs, outputs: columns of X and Y.
        components: principal components of Y that the network works on.
        hidden: width of every hidden layer.
        channels, classes: size of the codebook; 1 and 1 for `mlp`.
        refinements: how often the denoiser is applied when predicting, at most 64.
    """

    kind: str = attrs.field(validator=attrs.validators.in_(("codebook-matching", "mlp")))
    inputs: int = attrs.field(validator=_positive)
    outputs: int = attrs.field(validator=_positive)
    components: int = attrs.field(validator=_positive)
    hidden: int = attrs.field(validator=_positive)
    channels: int = attrs.field(default=1, validator=_positive)
    classes: int = attrs.field(default=1, validator=_positive)
    refinements: int = attrs.field(default=3, validator=_positive)


def _block(inputs: int, hidden: int, outputs: int, dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(inputs, hidden),
        nn.ELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, outputs),
    )


class Network(nn.Module):
    """What both networks share: normalisation of X, and Y as principal components.

    Buffers:
        input_mean, input_deviation: `[X]`.
        output_mean, output_scale: `[Y]`; Y is `mean + scale · (basis · components)`.
        basis: `[Y, P]`, orthonormal columns.
    """

    input_mean: Tensor
    input_deviation: Tensor
    output_mean: Tensor
    output_scale: Tensor
    basis: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        for name, shape in (
            ("input_mean", (a.inputs,)),
            ("input_deviation", (a.inputs,)),
            ("output_mean", (a.outputs,)),
            ("output_scale", (a.outputs,)),
            ("basis", (a.outputs, a.components)),
        ):
            self.register_buffer(name, torch.zeros(shape))

    def normalized(self, x: Tensor) -> Tensor:
        """Return inputs in standard deviations, cut off far outside of what training saw."""
        return ((x - self.input_mean) / self.input_deviation).clamp(-INPUT_RANGE, INPUT_RANGE)

    def components(self, y: Tensor) -> Tensor:
        """Return the principal components `[N, P]` of outputs `[N, Y]`."""
        return ((y - self.output_mean) / self.output_scale) @ self.basis

    def physical(self, z: Tensor) -> Tensor:
        """Return outputs `[N, Y]` of principal components `[N, P]`."""
        return (z @ self.basis.T) * self.output_scale + self.output_mean


class MlpNetwork(Network):
    """X → hidden → hidden → Y."""

    def __init__(self, architecture: Architecture, dropout: float = 0.0) -> None:
        super().__init__(architecture)
        self.body = _block(architecture.inputs, architecture.hidden, architecture.components, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        return self.physical(self.body(self.normalized(x)))


class MatchingNetwork(Network):
    """Prior (encoder, codebook, decoder) and sampler (estimator, denoiser).

    Logits and codes have shape `[N, C, K]`: C channels that each choose among K classes.
    """

    def __init__(self, architecture: Architecture, dropout: float = 0.0) -> None:
        super().__init__(architecture)
        a = architecture
        codes = a.channels * a.classes
        self.encoder = _block(a.components, a.hidden, codes)
        self.decoder = _block(codes, a.hidden, a.components)
        self.estimator = _block(a.inputs, a.hidden, codes, dropout)
        self.denoiser = _block(codes + a.inputs, a.hidden, codes, dropout)

    def _channels(self, flat: Tensor) -> Tensor:
        return flat.reshape(*flat.shape[:-1], self.architecture.channels, self.architecture.classes)

    def encode(self, z: Tensor) -> Tensor:
        """Return the logits of principal components `z [N, P]`."""
        return self._channels(self.encoder(z))

    def decode(self, codes: Tensor) -> Tensor:
        """Return the principal components `[N, P]` that `codes` stand for."""
        decoded: Tensor = self.decoder(codes.flatten(-2))
        return decoded

    def estimate(self, x: Tensor) -> Tensor:
        """Return the logits that normalised inputs `x [N, X]` suggest."""
        return self._channels(self.estimator(x))

    def denoise(self, codes: Tensor, x: Tensor) -> Tensor:
        """Return the logits that `codes` under normalised inputs `x` should have had."""
        return self._channels(self.denoiser(torch.cat([codes.flatten(-2), x], dim=-1)))

    def codes(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the codes for normalised inputs; Gumbel `noise [N, C, K]` draws a sample."""
        logits = self.estimate(x)
        codes = (logits if noise is None else logits + noise).softmax(-1)
        for _ in range(self.architecture.refinements):
            codes = self.denoise(codes, x).softmax(-1)
        return codes

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        return self.physical(self.decode(self.codes(self.normalized(x), noise)))


def build(architecture: Architecture, dropout: float = 0.0) -> Network:
    """Return an untrained network of this architecture."""
    kind = MatchingNetwork if architecture.kind == "codebook-matching" else MlpNetwork
    return kind(architecture, dropout)

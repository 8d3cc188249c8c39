"""What all networks share: their sizes, normalisation, and outputs as principal components.

All of them take and give physical units: normalisation is part of the network.
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor, nn

from kinetoscope_spec.errors import ValidationError

__all__ = ["INPUT_RANGE", "KINDS", "Architecture", "Losses", "Network", "Noise", "block"]

INPUT_RANGE = 8.0
"""Standard deviations at which normalised inputs are cut off: what lies further out was never seen."""

KINDS = ("codebook-matching", "mlp", "autoencoder", "periodic-autoencoder", "vq", "fsq")

Losses = dict[str, Tensor]
"""The parts of a loss by name, each the mean over a batch's rows; their sum is minimised."""

Noise = dict[str, Tensor]
"""What one training step draws at random, by name: each `[N, …]`, a row for each row of the batch."""

_MOST = 65_536
"""The widest layer that a description may ask for."""

_LIMITS = {"refinements": 64, "window": 1_024, "classes": 65_536}
"""What one prediction may cost: how often the denoiser is applied, and how long a window is."""


def _positive(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    most = _LIMITS.get(attribute.name, _MOST)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValidationError(f"Architecture.{attribute.name} is {value!r}, expected 1 to {most}")


def _level_counts(_: object, __: object, value: Any) -> None:
    fits = len(value) <= 16 and all(isinstance(n, int) and 3 <= n <= 256 for n in value)
    if not fits:
        raise ValidationError(f"Architecture.levels is {value!r}, expected up to 16 numbers from 3 to 256")


@attrs.frozen(kw_only=True)
class Architecture:
    """The sizes of a network, from which it can be built empty.

    Attributes:
        kind: one of `KINDS`.
        inputs, outputs: columns of X and Y.
        components: principal components of Y that the network works on.
        hidden: width of every hidden layer.
        channels, classes: size of the codebook: C channels that each choose among K classes.
        refinements: how often the denoiser is applied when predicting, at most 64.
        redraw: by how much noise a draw is drawn once more after that, at most 10; 0 is not.
        latent: numbers between encoder and decoder; of `vq` those that stand for one class.
        variational: whether they are drawn from a Gaussian.
        levels: of `fsq`, into how many steps each number of a channel is rounded.
        window: of `periodic-autoencoder`, frames in a row.
        window_s: how long they last, s.
    """

    kind: str = attrs.field(validator=attrs.validators.in_(KINDS))
    inputs: int = attrs.field(validator=_positive)
    outputs: int = attrs.field(validator=_positive)
    components: int = attrs.field(validator=_positive)
    hidden: int = attrs.field(validator=_positive)
    channels: int = attrs.field(default=1, validator=_positive)
    classes: int = attrs.field(default=1, validator=_positive)
    refinements: int = attrs.field(default=3, validator=_positive)
    redraw: float = attrs.field(
        default=0.0,
        converter=float,
        validator=attrs.validators.and_(attrs.validators.ge(0.0), attrs.validators.le(10.0)),
    )
    latent: int = attrs.field(default=1, validator=_positive)
    variational: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    levels: tuple[int, ...] = attrs.field(default=(), converter=tuple, validator=_level_counts)
    window: int = attrs.field(default=1, validator=_positive)
    window_s: float = attrs.field(
        default=1.0,
        validator=attrs.validators.and_(
            attrs.validators.instance_of((int, float)), attrs.validators.gt(1e-6), attrs.validators.lt(1e6)
        ),
    )


def block(inputs: int, hidden: int, outputs: int, dropout: float = 0.0) -> nn.Sequential:
    """Return three linear layers with ELU between them; `dropout` is the share of inputs left out."""
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
    """Normalisation of X, and Y as principal components.

    `forward` and what it calls keep to the operations that `walk` knows: by them the ONNX file is
    written and the bounds of a stranger's weights are found.

    Buffers:
        input_mean, input_deviation: `[X]`.
        output_mean, output_scale: `[Y]`; Y is `mean + scale · (basis · components)`.
        basis: `[Y, P]`, orthonormal columns.
    """

    projected: ClassVar[bool] = True
    """Whether outputs go through `basis`."""

    input_mean: Tensor
    input_deviation: Tensor
    output_mean: Tensor
    output_scale: Tensor
    basis: Tensor

    def __init__(self, architecture: Architecture, dropout: float = 0.0, **options: Any) -> None:
        super().__init__()
        a = self.architecture = architecture
        for name, size in (
            ("input_mean", a.inputs),
            ("input_deviation", a.inputs),
            ("output_mean", a.outputs),
            ("output_scale", a.outputs),
        ):
            self.register_buffer(name, torch.zeros(size))
        if self.projected:
            self.register_buffer("basis", torch.zeros(a.outputs, a.components))

    def normalized(self, x: Tensor) -> Tensor:
        """Return inputs in standard deviations, cut off far outside of what training saw."""
        return ((x - self.input_mean) / self.input_deviation).clamp(-INPUT_RANGE, INPUT_RANGE)

    def components(self, y: Tensor) -> Tensor:
        """Return the principal components `[N, P]` of outputs `[N, Y]`."""
        normal = (y - self.output_mean) / self.output_scale
        return normal @ self.basis if self.projected else normal

    def physical(self, z: Tensor) -> Tensor:
        """Return outputs `[N, Y]` of principal components `[N, P]`."""
        normal = z @ self.basis.transpose(0, 1) if self.projected else z
        return normal * self.output_scale + self.output_mean

    # -- what each kind says of itself

    def draw(self, rows: int, generator: torch.Generator) -> Tensor | None:
        """Return the noise `[N, …]` by which `forward` draws one of several answers; None if it has one."""
        return None

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        raise NotImplementedError

    def latent(self, x: Tensor) -> Tensor:
        """Return what stands between encoder and decoder for inputs `x [N, X]`.

        Raises:
            ValidationError: this network has nothing of the kind.
        """
        raise ValidationError(f"a network of kind {self.architecture.kind!r} has no latent")

    def training_noise(self, rows: int, generator: torch.Generator) -> Noise:
        """Return what a training step draws at random for `rows` rows."""
        return {}

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the losses of normalised inputs `x` and components `z`, each a mean over rows."""
        raise NotImplementedError

    def usage(self, x: Tensor, z: Tensor) -> Tensor | None:
        """Return `[C, K]`, how often each class is used by these rows; None without a codebook."""
        return None

    def revive(self, x: Tensor, z: Tensor, generator: torch.Generator) -> None:
        """Give classes that no row uses a new place; called a few times in the first half of training."""

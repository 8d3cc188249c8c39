"""The periodic autoencoder: a window of motion as a few sinusoids, whose phases tell its rhythm."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from kinetoscope_codebook.learner import Learner
from kinetoscope_codebook.network import Architecture, Losses, Network, Noise
from kinetoscope_codebook.options import whole
from kinetoscope_spec import FeatureSchema, TrainingSet
from kinetoscope_spec.errors import ValidationError

__all__ = ["PeriodicAutoencoder", "PeriodicNetwork"]

_LEAST = 1e-6
"""Added to powers and lengths before dividing: where nothing moves, there is no frequency."""


class PeriodicNetwork(Network):
    """Window → C curves → C sinusoids → window. Convolutions run along time, as long as the window.

    Buffers, for T frames and F frequencies above zero: `cosines, sines [T, F]`, the discrete Fourier
    transform as matrices (so that the ONNX file needs no operator for it); `frequencies [F]` Hz;
    `times [T]` s, 0 in the middle.
    """

    projected = False
    cosines: Tensor
    sines: Tensor
    frequencies: Tensor
    times: Tensor

    def __init__(self, architecture: Architecture, dropout: float = 0.0) -> None:
        super().__init__(architecture)
        a, frames = architecture, architecture.window
        for name, size in (("inputs", a.inputs), ("outputs", a.outputs)):
            if frames % 2 == 0 or size % frames:
                raise ValidationError(
                    f"{name} are {size} columns, expected a multiple of an odd window ({frames})"
                )
        count = torch.arange(frames, dtype=torch.float64, device="cpu")
        order = torch.arange(1, frames // 2 + 1, dtype=torch.float64, device="cpu")
        angles = 2 * math.pi / frames * count[:, None] * order
        step = a.window_s / max(frames - 1, 1)
        for name, value in (
            ("cosines", torch.cos(angles)),
            ("sines", torch.sin(angles)),
            ("frequencies", order / (frames * step)),
            ("times", (count - frames // 2) * step),
        ):
            self.register_buffer(name, value.float())

        def along(given: int, made: int) -> nn.Conv1d:
            return nn.Conv1d(given, made, frames, padding=frames // 2)

        self.encoder = nn.Sequential(
            along(a.inputs // frames, a.hidden), nn.Tanh(), along(a.hidden, a.channels)
        )
        self.phase = nn.Conv1d(a.channels, 2 * a.channels, frames, groups=a.channels)
        self.decoder = nn.Sequential(
            along(a.channels, a.hidden), nn.Tanh(), along(a.hidden, a.outputs // frames)
        )

    def _wave(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return cosine and sine of the phase, amplitude, frequency in Hz and offset, `[N, C, 1]` each."""
        a = self.architecture
        curves = self.encoder(x.reshape(-1, a.window, a.inputs // a.window).transpose(1, 2))
        real, imaginary = curves @ self.cosines, curves @ self.sines
        power = real * real + imaginary * imaginary
        total = power.sum(-1, keepdim=True) + _LEAST
        frequency = (power @ self.frequencies.reshape(-1, 1)) / total
        amplitude = total.sqrt() * (2.0 / a.window)
        offset = curves.mean(-1, keepdim=True)
        pointing = self.phase(curves).reshape(-1, a.channels, 2)
        length = ((pointing * pointing).sum(-1, keepdim=True) + _LEAST).sqrt()
        pointing = pointing / length
        return pointing[:, :, :1], pointing[:, :, 1:], amplitude, frequency, offset

    def _decoded(self, x: Tensor) -> Tensor:
        a = self.architecture
        cosine, sine, amplitude, frequency, offset = self._wave(x)
        turned = frequency * self.times.reshape(1, 1, -1) * (2 * math.pi)
        # sin(turned + phase), without an arc tangent whose gradient breaks where phases wrap.
        curves = amplitude * (turned.sin() * cosine + turned.cos() * sine) + offset
        decoded: Tensor = self.decoder(curves)
        return decoded.transpose(1, 2).reshape(-1, a.outputs)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        return self.physical(self._decoded(self.normalized(x)))

    def latent(self, x: Tensor) -> Tensor:
        """Return phase at the window's middle in turns [-0.5, 0.5], frequency Hz, amplitude, offset: `[N, C, 4]`."""
        cosine, sine, amplitude, frequency, offset = self._wave(self.normalized(x))
        phase = torch.atan2(sine, cosine) / (2 * math.pi)
        return torch.cat([phase, frequency, amplitude, offset], dim=-1)

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the squared error."""
        return {"reconstruction": functional.mse_loss(self._decoded(x), z)}


@attrs.frozen(kw_only=True)
class PeriodicAutoencoder(Learner):
    """The periodic autoencoder: what a window's rhythms are, as phase, frequency, amplitude and offset.

    Starke, Mason and Komura 2022, "DeepPhase: Periodic Autoencoders for Learning Motion Phase
    Manifolds", ACM TOG 41(4), equations 2 to 7. `fitted.latent(inputs)` gives the phases. What differs:
    no batch normalisation (a row's phase must not hang on its neighbours), `hidden` curves between where
    the paper has a third of the input's, and no use of the arc tangent while training.

    Columns come frame by frame: those of one time offset together, in the same order for each of an odd
    number of offsets, evenly spaced; outputs have the same offsets. Where outputs are the inputs it is
    the paper's.

    Options, beside those of every model here (`components`, `variance`, `balance` and `dropout` do
    nothing): channels: sinusoids.
    """

    network = PeriodicNetwork
    kind = "periodic-autoencoder"
    hidden: int = attrs.field(default=32, validator=whole(1, 65_536))
    channels: int = attrs.field(default=5, validator=whole(1, 1024))

    def _sizes(self, dataset: TrainingSet) -> dict[str, Any]:
        frames, seconds = _window(dataset.input_schema, "inputs")
        if _window(dataset.output_schema, "outputs") != (frames, seconds):
            raise ValidationError("outputs have other time offsets than the inputs, expected the same window")
        return {"window": frames, "window_s": seconds}


def _window(schema: FeatureSchema, what: str) -> tuple[int, float]:
    """Return how many frames the columns are of, and the seconds from first to last.

    Raises:
        ValidationError: they are not the frames of one window.
    """
    expected = "columns frame by frame: an odd number of evenly spaced offsets, the same columns for each"
    offsets = sorted({column.offset for column in schema.columns})
    frames, columns = len(offsets), schema.columns
    width = len(columns) // frames
    first = [(c.name, c.joint, c.component) for c in columns[:width]]
    for i, column in enumerate(columns):
        place = i // width
        fits = place < frames and column.offset == offsets[place]
        if not fits or (column.name, column.joint, column.component) != first[i % width]:
            raise ValidationError(
                f"column {i} of the {what} is {column.name!r} at {column.offset:g} s, expected {expected}"
            )
    steps = [after - before for before, after in pairwise(offsets)]
    uneven = frames < 3 or frames % 2 == 0 or max(steps) - min(steps) > 0.01 * max(steps)
    if uneven or len(columns) != frames * width:
        raise ValidationError(f"the {what} have {frames} time offsets, expected {expected}")
    return frames, float(offsets[-1] - offsets[0])

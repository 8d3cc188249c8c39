"""The models: how a training set becomes a trained network."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kinetoscope_codebook.fitted import FittedNetwork, load
from kinetoscope_codebook.network import Architecture, MatchingNetwork, MlpNetwork, Network, build
from kinetoscope_codebook.sampling import gumbel
from kinetoscope_codebook.training import Losses, borrowed_torch, train
from kinetoscope_spec import TrainingSet
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.protocols import Budget, Progress

__all__ = ["CodebookMatching", "Mlp"]

_STILL = 1e-4
"""Deviation below which a column counts as constant."""


@attrs.frozen(kw_only=True)
class _Model:
    """What both models share.

    Options:
        hidden: width of the hidden layers.
        components: at most so many principal components of the outputs are modelled.
        variance: share of the normalised outputs' variance that the components must keep.
        balance: how far the kinds of output (columns of one name) share the loss evenly: 0 counts
            columns, so that many rotations drown the few numbers of the root; 1 counts kinds.
        batch, rate, decay: rows in a batch, AdamW's learning rate and weight decay.
        dropout: share of a layer's inputs left out while training.
        input_noise: standard deviation of noise on every normalised input: independent in each
            column, so that a model played on its own output forgives its errors.
        drift_noise: the same along the directions in which rows differ from each other.
    """

    hidden: int = 256
    components: int = 256
    variance: float = 0.998
    balance: float = 0.2
    batch: int = 128
    rate: float = 1e-3
    decay: float = 1e-4
    dropout: float = 0.0
    input_noise: float = 0.05
    drift_noise: float = 0.05

    def _architecture(self, inputs: int, outputs: int, components: int) -> Architecture:
        raise NotImplementedError

    def _loss(self, network: Any, x: Tensor, z: Tensor, generator: torch.Generator) -> Losses:
        raise NotImplementedError

    def fit(
        self, dataset: TrainingSet, *, seed: int = 0, budget: Any = None, progress: Progress | None = None
    ) -> FittedNetwork:
        """Train on `dataset`.

        The same seed and the same number of steps give the same weights on one machine; a budget in
        seconds does as many steps as fit, so give `{"steps": n}` where runs must agree.

        Args:
            dataset: rows to learn from, at least two.
            seed: of weights, shuffling and noise.
            budget: seconds, `{"epochs": n}`, `{"steps": n}` or a `Budget`; None is 100 epochs.
            progress: told up to 200 times.

        Raises:
            ValidationError: fewer than two rows.
            Cancelled: `progress` returned False.
        """
        if len(dataset) < 2:
            raise ValidationError(f"the training set has {len(dataset)} rows, expected at least 2")
        with borrowed_torch(seed) as generator:
            x = torch.from_numpy(np.array(dataset.inputs, np.float32))
            y = torch.from_numpy(np.array(dataset.outputs, np.float32))
            scale = _scale(dataset, y, self.balance)
            basis, mean, scale = _principal(y, scale, self.components, self.variance)
            network = build(self._architecture(x.shape[1], y.shape[1], basis.shape[1]), self.dropout)
            _set_buffers(network, dataset, basis, mean, scale)
            z = network.components(y)
            x = network.normalized(x)

            def loss(indices: Tensor) -> Losses:
                rows = x[indices]
                return self._loss(network, self._disturbed(rows, x, generator), z[indices], generator)

            history = train(
                network,
                loss,
                len(x),
                generator=generator,
                budget=Budget.of(budget),
                batch=self.batch,
                rate=self.rate,
                decay=self.decay,
                progress=progress,
            )
            perplexity = _perplexity(network, z)
        return FittedNetwork(
            network=network,
            input_schema=dataset.input_schema,
            output_schema=dataset.output_schema,
            losses=tuple(history),
            perplexity=perplexity,
            metadata=dict(dataset.metadata),
            training={"seed": seed, "rows": len(dataset), **attrs.asdict(self)},
        )

    def load(self, path: str | Path) -> FittedNetwork:
        """Read a checkpoint; never runs code from it.

        Raises:
            FormatError: it is not one.
        """
        return load(path)

    def _disturbed(self, rows: Tensor, all_rows: Tensor, generator: torch.Generator) -> Tensor:
        if self.input_noise > 0:
            rows = rows + self.input_noise * torch.randn(rows.shape, generator=generator)
        if self.drift_noise > 0:
            pick = torch.randint(len(all_rows), (2, len(rows)), generator=generator)
            strength = self.drift_noise * torch.randn((len(rows), 1), generator=generator)
            rows = rows + strength * (all_rows[pick[0]] - all_rows[pick[1]])
        return rows


@attrs.frozen(kw_only=True)
class CodebookMatching(_Model):
    """Categorical codebook matching: learns which codes the outputs have, then to guess them.

    The *prior* encodes outputs Y into C channels that each choose one of K classes (Gumbel-softmax),
    and decodes codes into outputs. The *sampler* guesses the codes from inputs X alone: an estimator
    gives a first distribution, a denoiser turns codes that do not fit together into codes that do.
    Several answers to one X stay several: a draw falls into one of them, never between.

    Losses, all summed: `reconstruction` of Y through drawn codes; `match` of the estimator's codes
    and `denoise` of the denoiser's with the prior's, squared, the prior being pulled too.

    Starke, Starke, He, Komura and Ye 2024, "Categorical Codebook Matching for Embodied Character
    Controllers", ACM TOG 43(4). What differs from it:

    - The networks model the leading principal components of the normalised outputs, not the columns:
      neighbouring frames say nearly the same, and this makes training ten times cheaper.
    - The losses on codes are summed over classes, not averaged, so that they weigh as much as the
      reconstruction whatever K is.
    - The denoiser's seeds mix the *true* codes with the estimator's draws, by a share of their own
      for each row. Seeds that hold no trace of the truth would teach it the average code.
    - Two more losses, `prediction` and `refinement`, compare what is decoded from the estimator's and
      from the denoiser's codes with Y: the decoder learns from the codes that it will be given, and
      small data is learned in minutes.
    - Noise is added to the inputs while training (`input_noise`, `drift_noise`), for playing the model
      on its own output; dropout is off by default.
    - Learning rate 1e-3 with three cosine cycles fitted into the budget, instead of 1e-4 and epochs.

    Options, beside those of every model here:
        channels, classes: C and K of the codebook.
        refinements: how often the denoiser is applied when predicting. More settle on a branch more
            firmly; 3 suits motion.
    """

    channels: int = 32
    classes: int = 8
    refinements: int = 3

    def _architecture(self, inputs: int, outputs: int, components: int) -> Architecture:
        return Architecture(
            kind="codebook-matching",
            inputs=inputs,
            outputs=outputs,
            components=components,
            hidden=self.hidden,
            channels=self.channels,
            classes=self.classes,
            refinements=self.refinements,
        )

    def _loss(self, network: MatchingNetwork, x: Tensor, z: Tensor, generator: torch.Generator) -> Losses:
        logits = network.encode(z)
        truth = logits.softmax(-1)
        drawn = (logits + gumbel(logits.shape, generator)).softmax(-1)
        estimated = network.estimate(x)
        guess = estimated.softmax(-1)
        sample = (estimated + gumbel(logits.shape, generator)).softmax(-1)
        share = torch.rand((len(x), 1, 1), generator=generator)
        seeds = (1 - share) * truth + share * sample
        refined = network.denoise(seeds.detach(), x).softmax(-1)
        decoded = network.decode(torch.cat([drawn, guess, refined])).reshape(3, *z.shape)
        errors = ((decoded - z) ** 2).mean((1, 2))
        return {
            "reconstruction": errors[0],
            "match": functional.mse_loss(guess, truth) * self.classes,
            "denoise": functional.mse_loss(refined, truth) * self.classes,
            "prediction": errors[1],
            "refinement": errors[2],
        }


@attrs.frozen(kw_only=True)
class Mlp(_Model):
    """A plain feed-forward network that minimises the squared error: it averages what is ambiguous."""

    def _architecture(self, inputs: int, outputs: int, components: int) -> Architecture:
        return Architecture(
            kind="mlp", inputs=inputs, outputs=outputs, components=components, hidden=self.hidden
        )

    def _loss(self, network: MlpNetwork, x: Tensor, z: Tensor, generator: torch.Generator) -> Losses:
        return {"reconstruction": functional.mse_loss(network.body(x), z)}


def _scale(dataset: TrainingSet, y: Tensor, balance: float) -> Tensor:
    """Return by what `[Y]` the outputs' columns are divided: deviation, and more where a kind has many."""
    deviation = y.std(0)
    deviation = torch.where(deviation < _STILL, torch.ones_like(deviation), deviation)
    names = [column.name for column in dataset.output_schema.columns]
    count = Counter(names)
    return deviation * torch.tensor([count[name] ** (balance / 2) for name in names])


def _principal(y: Tensor, scale: Tensor, most: int, variance: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return basis `[Y, P]`, mean `[Y]` and scale `[Y]` of the outputs."""
    mean = y.mean(0)
    normal = (y - mean) / scale
    covariance = (normal.T @ normal).double() / len(y)
    values, vectors = torch.linalg.eigh(covariance)
    order = torch.flip(torch.arange(len(values)), (0,))
    values, vectors = values[order].clamp_min(0), vectors[:, order]
    share = torch.cumsum(values, 0) / values.sum().clamp_min(1e-12)
    count = min(int((share < variance).sum()) + 1, most, len(values))
    kept = vectors[:, :count]
    signs = torch.sign(kept.gather(0, kept.abs().argmax(0, keepdim=True)))
    # Divided by the root of the components' mean variance, a component's loss is of order one.
    size = torch.sqrt(values[:count].mean()).clamp_min(1e-6)
    return (kept * signs).float(), mean, scale * float(size)


def _set_buffers(network: Network, dataset: TrainingSet, basis: Tensor, mean: Tensor, scale: Tensor) -> None:
    schema = dataset.input_schema
    inputs = np.asarray(dataset.inputs, np.float64)
    input_mean = inputs.mean(0) if schema.mean is None else schema.mean
    deviation = inputs.std(0) if schema.deviation is None else schema.deviation
    deviation = np.where(deviation < _STILL, 1.0, deviation)
    for name, value in (
        ("input_mean", torch.from_numpy(np.asarray(input_mean, np.float32))),
        ("input_deviation", torch.from_numpy(np.asarray(deviation, np.float32))),
        ("output_mean", mean),
        ("output_scale", scale),
        ("basis", basis),
    ):
        getattr(network, name).copy_(value)


@torch.no_grad()
def _perplexity(network: Network, z: Tensor) -> float | None:
    """Return the mean over channels of exp(entropy) of how often each class is used: 1 to K."""
    if not isinstance(network, MatchingNetwork):
        return None
    used = network.encode(z[:: max(1, len(z) // 8192)]).softmax(-1).mean(0)
    return float(torch.exp(-(used * torch.log(used + 1e-12)).sum(-1)).mean())

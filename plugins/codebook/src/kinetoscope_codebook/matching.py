"""Categorical codebook matching: learns which codes the outputs have, then to guess them."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from kinetoscope_codebook.learner import Learner
from kinetoscope_codebook.network import Architecture, Losses, Network, Noise, block
from kinetoscope_codebook.options import share, whole
from kinetoscope_codebook.sampling import gumbel

__all__ = ["CodebookMatching", "MatchingNetwork"]


@attrs.frozen(kw_only=True)
class _Weights:
    """Which of the losses are the paper's and which are ours; see `CodebookMatching`."""

    code_weight: float
    decoded_weight: float
    true_seeds: bool


class MatchingNetwork(Network):
    """Prior (encoder, codebook, decoder) and sampler (estimator, denoiser).

    Logits and codes have shape `[N, C, K]`: C channels that each choose among K classes.
    """

    def __init__(
        self, architecture: Architecture, dropout: float = 0.0, weights: _Weights | None = None
    ) -> None:
        super().__init__(architecture)
        a = architecture
        codes = a.channels * a.classes
        self.weights = weights
        self.encoder = block(a.components, a.hidden, codes)
        self.decoder = block(codes, a.hidden, a.components)
        self.estimator = block(a.inputs, a.hidden, codes, dropout)
        self.denoiser = block(codes + a.inputs, a.hidden, codes, dropout)

    def _channels(self, flat: Tensor) -> Tensor:
        return flat.reshape(-1, self.architecture.channels, self.architecture.classes)

    def _flat(self, codes: Tensor) -> Tensor:
        return codes.reshape(-1, self.architecture.channels * self.architecture.classes)

    def encode(self, z: Tensor) -> Tensor:
        """Return the logits of principal components `z [N, P]`."""
        return self._channels(self.encoder(z))

    def decode(self, codes: Tensor) -> Tensor:
        """Return the principal components `[N, P]` that `codes` stand for."""
        decoded: Tensor = self.decoder(self._flat(codes))
        return decoded

    def estimate(self, x: Tensor) -> Tensor:
        """Return the logits that normalised inputs `x [N, X]` suggest."""
        return self._channels(self.estimator(x))

    def denoise(self, codes: Tensor, x: Tensor) -> Tensor:
        """Return the logits that `codes` under normalised inputs `x` should have had."""
        return self._channels(self.denoiser(torch.cat([self._flat(codes), x], dim=-1)))

    def codes(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the codes for normalised inputs; Gumbel `noise [N, C, K]` draws a sample.

        Drawn before the denoiser, which makes one answer of it; with `redraw` once more from what the
        denoiser leaves open.
        """
        logits = self.estimate(x)
        codes = (logits if noise is None else logits + noise).softmax(-1)
        for _ in range(self.architecture.refinements):
            logits = self.denoise(codes, x)
            codes = logits.softmax(-1)
        if noise is not None and self.architecture.redraw:
            codes = (logits + self.architecture.redraw * noise).softmax(-1)
        return codes

    def draw(self, rows: int, generator: torch.Generator) -> Tensor | None:
        """Return Gumbel noise `[N, C, K]`."""
        a = self.architecture
        return gumbel((rows, a.channels, a.classes), generator)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return outputs `[N, Y]` for inputs `[N, X]`."""
        return self.physical(self.decode(self.codes(self.normalized(x), noise)))

    def latent(self, x: Tensor) -> Tensor:
        """Return the likeliest codes `[N, C, K]`, each channel a distribution."""
        return self.codes(self.normalized(x))

    def training_noise(self, rows: int, generator: torch.Generator) -> Noise:
        """Return Gumbel noise for the prior's and the sampler's draws, and the share of the latter."""
        a = self.architecture
        noise = {name: gumbel((rows, a.channels, a.classes), generator) for name in ("prior", "sampler")}
        once = self.weights is not None and not self.weights.true_seeds
        shares = torch.rand((1 if once else rows, 1, 1), generator=generator)
        return {**noise, "share": shares.expand(rows, 1, 1)}

    def losses(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        """Return the losses of prior and sampler."""
        assert self.weights is not None
        logits, estimated = self.encode(z), self.estimate(x)
        truth, guess = logits.softmax(-1), estimated.softmax(-1)
        sample = (estimated + noise["sampler"]).softmax(-1)
        firm = truth if self.weights.true_seeds else guess
        seeds = (1 - noise["share"]) * firm + noise["share"] * sample
        refined = self.denoise(seeds.detach() if self.weights.true_seeds else seeds, x).softmax(-1)
        drawn = (logits + noise["prior"]).softmax(-1)
        losses = {
            "match": self.weights.code_weight * functional.mse_loss(guess, truth),
            "denoise": self.weights.code_weight * functional.mse_loss(refined, truth),
        }
        if self.weights.decoded_weight == 0:
            return {"reconstruction": functional.mse_loss(self.decode(drawn), z), **losses}
        decoded = self.decode(torch.cat([drawn, guess, refined])).reshape(3, *z.shape)
        errors = ((decoded - z) ** 2).mean((1, 2))
        return {
            "reconstruction": errors[0],
            **losses,
            "prediction": self.weights.decoded_weight * errors[1],
            "refinement": self.weights.decoded_weight * errors[2],
        }

    def usage(self, x: Tensor, z: Tensor) -> Tensor:
        """Return `[C, K]`, how often the prior uses each class for these rows."""
        return self.encode(z).softmax(-1).mean(0)


@attrs.frozen(kw_only=True)
class CodebookMatching(Learner):
    """Categorical codebook matching: learns which codes the outputs have, then to guess them.

    The *prior* encodes outputs Y into C channels that each choose one of K classes (Gumbel-softmax at
    temperature 1), and decodes codes into outputs. The *sampler* guesses the codes from inputs X alone:
    an estimator gives a first distribution, a denoiser turns codes that do not fit together into codes
    that do. Several answers to one X stay several: a draw falls into one of them, never between.

    Losses, all summed: `reconstruction` of Y through drawn codes; `match` of the estimator's codes
    and `denoise` of the denoiser's with the prior's, squared, the prior being pulled too.

    Starke, Starke, He, Komura and Ye 2024, "Categorical Codebook Matching for Embodied Character
    Controllers", ACM TOG 43(4). `CodebookMatching().as_published()` has the paper's losses, seeds and
    learning rate on all normalised columns. What the default does otherwise, and the option for each:

    - The networks model the leading principal components of the normalised outputs, not the columns:
      neighbouring frames say nearly the same, and this makes training ten times cheaper (`variance`,
      `components`, `balance`).
    - The losses on codes are summed over classes, not averaged, so that they weigh as much as the
      reconstruction whatever K is (`code_weight`).
    - The denoiser's seeds mix the *true* codes with the estimator's draws, by a share of their own
      for each row. Seeds that hold no trace of the truth would teach it the average code (`true_seeds`).
    - Two more losses, `prediction` and `refinement`, compare what is decoded from the estimator's and
      from the denoiser's codes with Y: the decoder learns from the codes that it will be given, and
      small data is learned in minutes (`decoded_weight`).
    - Noise is added to the inputs while training (`input_noise`, `drift_noise`), for playing the model
      on its own output; dropout is off by default.
    - Learning rate 1e-3 with three cosine cycles fitted into the budget, instead of 1e-4 and epochs.

    In both, one network takes the place of the paper's space and time blocks (outputs of all frames are
    one row), and inputs are normalised by the training set's statistics, not by running ones.

    Options, beside those of every model here:
        channels, classes: C and K of the codebook.
        refinements: how often the denoiser is applied when predicting. More settle on a branch more
            firmly; 3 suits motion.
        redraw: by how much noise codes are drawn after the denoiser too, channel by channel: 0 not at all, 1
            as often as it takes them to be right, more draws bolder. Futures of a seed then differ visibly
            where inputs leave little open, as in motion along a path (1.4 suits it); where they leave two
            branches open, some of the draws fall beside both.
        code_weight: weight of the losses on codes, averaged over classes; None is K.
        decoded_weight: weight of the losses of what is decoded from the sampler's codes.
        true_seeds: mix the prior's codes into the denoiser's seeds; False mixes the estimator's own, with
            one share for the whole batch, and lets gradients pass through them.
    """

    network = MatchingNetwork
    kind = "codebook-matching"
    channels: int = attrs.field(default=32, validator=whole(1, 1024))
    classes: int = attrs.field(default=8, validator=whole(2, 65_536))
    refinements: int = attrs.field(default=3, validator=whole(1, 64))
    redraw: float = attrs.field(default=0.0, converter=float, validator=share(10.0))
    code_weight: float | None = attrs.field(default=None, validator=attrs.validators.optional(share(1e6)))
    decoded_weight: float = attrs.field(default=1.0, validator=share(1e6))
    true_seeds: bool = attrs.field(default=True, validator=attrs.validators.instance_of(bool))

    def as_published(self) -> CodebookMatching:
        """Return this model without our departures; sizes, batch and budget stay as they are."""
        return attrs.evolve(
            self,
            components=65_536,
            variance=1.0,
            balance=0.0,
            code_weight=1.0,
            decoded_weight=0.0,
            true_seeds=False,
            input_noise=0.0,
            drift_noise=0.0,
            dropout=0.1,
            rate=1e-4,
        )

    def _extra(self) -> dict[str, Any]:
        weight = self.classes if self.code_weight is None else self.code_weight
        return {
            "weights": _Weights(
                code_weight=weight, decoded_weight=self.decoded_weight, true_seeds=self.true_seeds
            )
        }

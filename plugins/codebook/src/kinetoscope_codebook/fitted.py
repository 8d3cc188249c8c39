"""A trained network: predicts, and writes itself to a file that can't run anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from kinetoscope_codebook.checkpoint import read_checkpoint, write_checkpoint
from kinetoscope_codebook.network import Network
from kinetoscope_spec import FeatureSchema, Skeleton
from kinetoscope_spec.errors import ValidationError

if TYPE_CHECKING:
    from kinetoscope_codebook.predictor import Predictor

__all__ = ["FittedNetwork", "load"]

Array = NDArray[np.float32]

_CHUNK = 1024
"""Rows predicted at a time: bounds memory."""


@attrs.frozen(eq=False, kw_only=True)
class FittedNetwork:
    """A trained network.

    Attributes:
        network: the network, in evaluation mode.
        input_schema, output_schema: meaning, mean and deviation of the columns of X and Y.
        losses: the history: `step`, `total` and each part of the loss, averaged between reports.
        perplexity: how many of its K classes a channel of the codebook uses, on average over
            channels, on the training set: 1 is a collapsed codebook. None for `mlp`.
        metadata: what the training set said of itself; features build themselves again from it.
        training: seed, rows and options; hash of the data and a note on its licence; skeleton and
            frame rate; perplexity and classes of the codebook, channel by channel.
    """

    network: Network
    input_schema: FeatureSchema
    output_schema: FeatureSchema
    losses: tuple[Mapping[str, float], ...]
    perplexity: float | None
    metadata: Mapping[str, Any]
    training: Mapping[str, Any]

    def predict(self, inputs: Any, *, seed: int | None = None) -> Array:
        """Return outputs `[N, Y]` for `inputs [N, X]`, both in the units of their schemas.

        Inputs far outside of the training set's range are cut off at its edge.

        Args:
            inputs: one row for each prediction.
            seed: draws the codes at random where the model has several answers, each row its own;
                None takes the likeliest. A row's draw depends on the seed and its place in `inputs`.

        Raises:
            ValidationError: another width than the input schema's, or a number that is not finite.
        """
        x = torch.from_numpy(self._checked(inputs))
        noise = self._noise(len(x), seed)
        # Nothing of torch's global state is touched: threads may predict side by side.
        with torch.inference_mode():
            parts = [
                self._rows(x[i : i + _CHUNK], None if noise is None else noise[i : i + _CHUNK])
                for i in range(0, len(x), _CHUNK)
            ]
            return torch.cat(parts).numpy() if parts else np.zeros((0, len(self.output_schema)), np.float32)

    def _rows(self, x: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        y: torch.Tensor = self.network(x) if noise is None else self.network(x, noise)
        return y

    def _checked(self, inputs: Any) -> Array:
        rows = np.array(inputs, np.float32)
        wanted = len(self.input_schema)
        if rows.ndim != 2 or rows.shape[1] != wanted:
            first, last = (self.input_schema.columns[i] for i in (0, -1))
            raise ValidationError(
                f"inputs have shape {list(rows.shape)}, expected [N, {wanted}]: the input schema has {wanted} "
                f"columns, from {first.name!r} to {last.name!r} ({last.component or last.joint or 'last'})"
            )
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            name = self.input_schema.columns[column].name
            raise ValidationError(f"inputs[{row}, {column}] ({name}) is not finite, expected a number")
        return rows

    def _noise(self, rows: int, seed: int | None) -> torch.Tensor | None:
        return None if seed is None else self.network.draw(rows, torch.Generator().manual_seed(seed))

    def predict_tensor(self, inputs: torch.Tensor, *, seed: int | None = None) -> torch.Tensor:
        """Return outputs `[N, Y]` for torch's `inputs [N, X]`: as `predict`, and gradients flow back.

        Weights are computed with in the inputs' dtype and on their device. Codes of `vq` and `fsq` are
        steps, so nothing flows through them.

        Raises:
            ValidationError: another width than the input schema's.
        """
        wanted = len(self.input_schema)
        if inputs.ndim != 2 or inputs.shape[1] != wanted:
            raise ValidationError(
                f"inputs have shape {list(inputs.shape)}, expected [N, {wanted}] by the schema"
            )
        noise = self._noise(len(inputs), seed)
        given = (inputs,) if noise is None else (inputs, noise.to(inputs))
        # The module stays as it is: other threads predict with it.
        weights = {name: t.to(inputs) for name, t in self.network.state_dict().items()}
        y: torch.Tensor = torch.func.functional_call(self.network, weights, given)
        return y

    def latent(self, inputs: Any) -> NDArray[Any]:
        """Return what stands between encoder and decoder for `inputs [N, X]`.

        Of `autoencoder` the latent `[N, L]`; of `vq` and `fsq` the classes `[N, C]`; of
        `codebook-matching` the codes `[N, C, K]`; of `periodic-autoencoder` phase at the window's middle
        in turns, frequency Hz, amplitude and offset `[N, C, 4]`.

        Raises:
            ValidationError: as `predict` does, or this kind has none.
        """
        with torch.inference_mode():
            return self.network.latent(torch.from_numpy(self._checked(inputs))).numpy()

    @property
    def skeleton(self) -> Skeleton | None:
        """The skeleton whose motion was learned, or None."""
        found = self.training.get("skeleton")
        return None if found is None else Skeleton(**found)

    @property
    def collapsed(self) -> tuple[int, ...]:
        """The channels of the codebook that are hardly used: perplexity at most 5 % of the classes or 1.05."""
        found, classes = self.training.get("perplexities") or (), self.training.get("classes") or 1
        return tuple(i for i, p in enumerate(found) if p <= max(1.05, 0.05 * classes))

    def predictor(self, engine: str = "onnx") -> Predictor:
        """Return what predicts in real time: `engine` is `onnx`, `torch` or `compile`; see `Predictor`."""
        from kinetoscope_codebook.predictor import Predictor

        return Predictor(self, engine=engine)

    def save(self, path: str | Path) -> None:
        """Write the checkpoint: safetensors, with a JSON description in its header."""
        write_checkpoint(
            path,
            {name: tensor.numpy() for name, tensor in self.network.state_dict().items()},
            {
                "architecture": attrs.asdict(self.network.architecture),
                "input_schema": self.input_schema.to_json(),
                "output_schema": self.output_schema.to_json(),
                "losses": [dict(entry) for entry in self.losses],
                "perplexity": self.perplexity,
                "metadata": dict(self.metadata),
                "training": dict(self.training),
            },
        )

    def export_onnx(self, path: str | Path) -> None:
        """Write an ONNX file whose output `outputs` equals `predict` of its input `inputs` to 1e-5.

        Raises:
            ProviderUnavailable: the package `onnx` is missing.
        """
        from kinetoscope_codebook.onnx_export import write_onnx

        write_onnx(self.network, path)


def load(path: str | Path) -> FittedNetwork:
    """Read a checkpoint that `FittedNetwork.save` wrote.

    Raises:
        FormatError: it is not one.
        OSError: it can't be read.
    """
    network, description = read_checkpoint(path)
    description["losses"] = tuple(description["losses"])
    return FittedNetwork(network=network, **description)

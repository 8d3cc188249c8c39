"""How a training set becomes a trained network, whatever the network."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
import torch
from torch import Tensor

from kinetoscope_codebook.fitted import FittedNetwork, load
from kinetoscope_codebook.network import Architecture, Network
from kinetoscope_codebook.options import TrainingOptions, share, whole
from kinetoscope_codebook.processes import borrowed_torch
from kinetoscope_codebook.task import Task
from kinetoscope_codebook.training import train
from kinetoscope_spec import TrainingSet
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.protocols import Budget, Progress

__all__ = ["Learner"]

_STILL = 1e-4
"""Deviation below which a column counts as constant."""


@attrs.frozen(kw_only=True)
class Learner(TrainingOptions):
    """What all models share.

    Options, beside those of the training:
        hidden: width of the hidden layers.
        components: at most so many principal components of the outputs are modelled.
        variance: share of the normalised outputs' variance that the components must keep.
        balance: how far the kinds of output (columns of one name) share the loss evenly: 0 counts
            columns, so that many rotations drown the few numbers of the root; 1 counts kinds.
        dropout: share of a layer's inputs left out while training.
        input_noise: standard deviation of noise on every normalised input: independent in each
            column, so that a model played on its own output forgives its errors.
        drift_noise: the same along the directions in which rows differ from each other.
    """

    network: ClassVar[type[Network]]
    kind: ClassVar[str]

    hidden: int = attrs.field(default=256, validator=whole(1, 65_536))
    components: int = attrs.field(default=256, validator=whole(1, 65_536))
    variance: float = attrs.field(default=0.998, validator=share())
    balance: float = attrs.field(default=0.2, validator=share())
    dropout: float = attrs.field(default=0.0, validator=share(0.99))
    input_noise: float = attrs.field(default=0.05, validator=share(100.0))
    drift_noise: float = attrs.field(default=0.05, validator=share(100.0))

    def _sizes(self, dataset: TrainingSet) -> dict[str, Any]:
        """Return the sizes of the architecture that not every kind has."""
        names = {field.name for field in attrs.fields(Architecture)} - {
            "kind",
            "inputs",
            "outputs",
            "components",
        }
        return {
            field.name: getattr(self, field.name) for field in attrs.fields(type(self)) if field.name in names
        }

    def _extra(self) -> dict[str, Any]:
        """Return what the network needs for its losses, besides its sizes."""
        return {}

    def fit(
        self, dataset: TrainingSet, *, seed: int = 0, budget: Any = None, progress: Progress | None = None
    ) -> FittedNetwork:
        """Train on `dataset`.

        The same seed and the same number of steps give the same weights on one machine; a budget in
        seconds does as many steps as fit, so give `{"steps": n}` where runs must agree. Started by
        `torchrun`, all processes train one network together.

        Args:
            dataset: rows to learn from, at least two.
            seed: of weights, shuffling and noise.
            budget: seconds, `{"epochs": n}`, `{"steps": n}` or a `Budget`; None is 100 epochs.
            progress: told up to 200 times.

        Raises:
            ValidationError: fewer than two rows, an option that doesn't fit, or a training state of
                another training.
            FormatError: the file of `checkpoint` is damaged.
            Cancelled: `progress` returned False.
        """
        if len(dataset) < 2:
            raise ValidationError(f"the training set has {len(dataset)} rows, expected at least 2")
        with borrowed_torch(seed, self.threads):
            task = self._task(dataset)
            record = {"seed": seed, "rows": len(dataset), **self.recorded(), "data_sha256": _digest(dataset)}
            history = train(task, self, record, Budget.of(budget), progress)
            task.network.eval()
            used = task.usage()
        perplexities = None if used is None else torch.exp(-(used * torch.log(used + 1e-12)).sum(-1))
        return FittedNetwork(
            network=task.network,
            input_schema=dataset.input_schema,
            output_schema=dataset.output_schema,
            losses=tuple(history),
            perplexity=None if perplexities is None else float(perplexities.mean()),
            metadata=dict(dataset.metadata),
            training={
                **record,
                "classes": None if used is None else used.shape[1],
                "perplexities": None if perplexities is None else [float(p) for p in perplexities],
                "framerate": float(dataset.framerate),
                "skeleton": _skeleton(dataset),
            },
        )

    def load(self, path: str | Path) -> FittedNetwork:
        """Read a checkpoint; never runs code from it.

        Raises:
            FormatError: it is not one.
        """
        return load(path)

    def _task(self, dataset: TrainingSet) -> Task:
        x = torch.from_numpy(np.array(dataset.inputs, np.float32))
        y = torch.from_numpy(np.array(dataset.outputs, np.float32))
        basis, mean, scale = None, y.mean(0), _deviation(y)
        if self.network.projected:
            scale = scale * _balanced(dataset, self.balance)
            basis, mean, scale = _principal(y, scale, self.components, self.variance)
        architecture = Architecture(
            kind=self.kind,
            inputs=x.shape[1],
            outputs=y.shape[1],
            components=y.shape[1] if basis is None else basis.shape[1],
            **{"hidden": self.hidden, **self._sizes(dataset)},
        )
        network = self.network(architecture, self.dropout, **self._extra())
        _set_buffers(network, dataset, basis, mean, scale)
        return Task(
            network=network,
            x=network.normalized(x),
            z=network.components(y),
            clips=torch.from_numpy(np.array(dataset.clips)),
            input_noise=self.input_noise,
            drift_noise=self.drift_noise,
        )


def _digest(dataset: TrainingSet) -> str:
    """Return a hash of the rows, by which a checkpoint knows its data again."""
    found = hashlib.sha256()
    for rows in (dataset.inputs, dataset.outputs):
        found.update(str(rows.shape).encode())
        found.update(np.ascontiguousarray(rows, np.float32).data)
    return found.hexdigest()


def _skeleton(dataset: TrainingSet) -> dict[str, Any] | None:
    s = dataset.skeleton
    if s is None:
        return None
    return {
        "names": list(s.names),
        "parents": np.asarray(s.parents).tolist(),
        "rest_positions": np.asarray(s.rest_positions, np.float64).tolist(),
        "rest_rotations": np.asarray(s.rest_rotations, np.float64).tolist(),
        "rest_scales": np.asarray(s.rest_scales, np.float64).tolist(),
    }


def _deviation(y: Tensor) -> Tensor:
    deviation = y.std(0)
    return torch.where(deviation < _STILL, torch.ones_like(deviation), deviation)


def _balanced(dataset: TrainingSet, balance: float) -> Tensor:
    """Return by what more `[Y]` columns are divided where there are many of their kind."""
    names = [column.name for column in dataset.output_schema.columns]
    count = Counter(names)
    return torch.tensor([count[name] ** (balance / 2) for name in names])


def _principal(y: Tensor, scale: Tensor, most: int, variance: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return basis `[Y, P]`, mean `[Y]` and scale `[Y]` of the outputs."""
    mean = y.mean(0)
    normal = (y - mean) / scale
    covariance = (normal.T @ normal).double() / len(y)
    values, vectors = torch.linalg.eigh(covariance)
    order = torch.flip(torch.arange(len(values)), (0,))
    values, vectors = values[order].clamp_min(0), vectors[:, order]
    explained = torch.cumsum(values, 0) / values.sum().clamp_min(1e-12)
    count = min(int((explained < variance).sum()) + 1, most, len(values))
    kept = vectors[:, :count]
    signs = torch.sign(kept.gather(0, kept.abs().argmax(0, keepdim=True)))
    # Divided by the root of the components' mean variance, a component's loss is of order one.
    size = torch.sqrt(values[:count].mean()).clamp_min(1e-6)
    return (kept * signs).float(), mean, scale * float(size)


def _set_buffers(
    network: Network, dataset: TrainingSet, basis: Tensor | None, mean: Tensor, scale: Tensor
) -> None:
    schema = dataset.input_schema
    inputs = np.asarray(dataset.inputs, np.float64)
    input_mean = inputs.mean(0) if schema.mean is None else schema.mean
    deviation = inputs.std(0) if schema.deviation is None else schema.deviation
    deviation = np.where(deviation < _STILL, 1.0, deviation)
    network.input_mean.copy_(torch.from_numpy(np.asarray(input_mean, np.float32)))
    network.input_deviation.copy_(torch.from_numpy(np.asarray(deviation, np.float32)))
    network.output_mean.copy_(mean)
    network.output_scale.copy_(scale)
    if basis is not None:
        network.basis.copy_(basis)

"""Optimisers and schedulers by their names, and the moving average of weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from kinetoscope_codebook.options import TrainingOptions
from kinetoscope_spec.errors import ValidationError, nearest

__all__ = ["Schedule", "averaged", "cosine_restarts", "optimiser_of"]

_CYCLES = (1, 2, 4)
"""Relative lengths of the learning rate's cycles: each restart lasts twice as long."""


def cosine_restarts(done: float) -> float:
    """Return the factor on the learning rate when the share `done` in [0, 1] of training is over.

    Cyclic cosine with warm restarts, every cycle twice as long as the one before (Loshchilov and
    Hutter 2017, "SGDR"), fitted into the budget so that the last cycle ends with it.
    """
    total, begin = sum(_CYCLES), 0.0
    for length in _CYCLES:
        end = begin + length / total
        if done < end or length == _CYCLES[-1]:
            inside = min((done - begin) / (end - begin), 1.0)
            return 0.5 * (1 + math.cos(math.pi * inside)) * 0.99 + 0.01
        begin = end
    return 0.01


def _named(home: Any, parent: type, name: str, what: str) -> Any:
    kind = getattr(home, name, None)
    if isinstance(kind, type) and issubclass(kind, parent) and kind is not parent:
        return kind
    known = [n for n, k in vars(home).items() if isinstance(k, type) and issubclass(k, parent)]
    raise ValidationError(f"{what} is {name!r}, expected a class of {home.__name__}{nearest(name, known)}")


def optimiser_of(options: TrainingOptions, network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimiser that `options` name.

    Raises:
        ValidationError: none has this name, or it doesn't take these options.
    """
    kind = _named(torch.optim, torch.optim.Optimizer, options.optimiser, "optimiser")
    if kind is torch.optim.LBFGS:
        raise ValidationError("optimiser is 'LBFGS', expected one that takes a step from one gradient")
    given: dict[str, Any] = {"lr": options.rate, "weight_decay": options.decay}
    if options.optimiser == "AdamW":
        given["betas"] = (0.9, 0.99)
    try:
        made: torch.optim.Optimizer = kind(network.parameters(), **(given | dict(options.optimiser_options)))
    except (TypeError, ValueError) as error:
        raise ValidationError(f"optimiser {options.optimiser!r} refuses its options: {error}") from None
    return made


class Schedule:
    """The learning rate of every step: ours by the share of the budget, or one of torch's by steps."""

    def __init__(self, options: TrainingOptions, optimiser: torch.optim.Optimizer) -> None:
        self._optimiser, self._inner = optimiser, None
        self._rates = [group["lr"] for group in optimiser.param_groups]
        if options.scheduler == "cosine-restarts":
            return
        kind = _named(lr_scheduler, lr_scheduler.LRScheduler, options.scheduler, "scheduler")
        try:
            self._inner = kind(optimiser, **options.scheduler_options)
        except (TypeError, ValueError) as error:
            raise ValidationError(f"scheduler {options.scheduler!r} refuses its options: {error}") from None

    def before(self, done: float) -> None:
        """Set the rate of the step that comes, when the share `done` of the budget is over."""
        if self._inner is None:
            for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
                group["lr"] = rate * cosine_restarts(done)

    def after(self) -> None:
        """Tell torch's scheduler that a step was taken."""
        if self._inner is not None and not isinstance(self._inner, lr_scheduler.ReduceLROnPlateau):
            self._inner.step()

    def reported(self, loss: float) -> None:
        """Tell a scheduler that waits for plateaus what the loss is."""
        if isinstance(self._inner, lr_scheduler.ReduceLROnPlateau):
            self._inner.step(loss)

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as plain JSON values."""
        if self._inner is None:
            return {}
        kept = (int, float, str, list, type(None))
        return {k: v for k, v in self._inner.state_dict().items() if isinstance(v, kept)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        if self._inner is not None:
            self._inner.load_state_dict(state)


@torch.no_grad()
def averaged(average: dict[str, Tensor], network: nn.Module, decay: float, step: int) -> None:
    """Move `average` towards the network's weights; the first steps count for more, as in the mean."""
    decay = min(decay, (1 + step) / (10 + step))
    for name, weight in network.named_parameters():
        average[name].lerp_(weight.detach(), 1 - decay)

"""Which rows are learned from and which are held out, and how many steps a budget allows."""

from __future__ import annotations

import torch
from torch import Tensor

from kinetoscope_codebook.sampling import HELD, stream
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.protocols import Budget

__all__ = ["LOOKED_AT", "split", "steps_of"]

LOOKED_AT = 4096
"""Rows that revivals and the loss of held-out clips look at, at most."""


def split(clips: Tensor, validation: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return the rows to learn from and those of the clips that are held out.

    Raises:
        ValidationError: clips are to be held out, but there is only one.
    """
    if validation <= 0:
        return torch.arange(len(clips)), torch.arange(0)
    known = torch.unique(clips)
    if len(known) < 2:
        raise ValidationError(
            "validation holds clips out, but the training set has one clip, expected two or more"
        )
    count = min(max(round(validation * len(known)), 1), len(known) - 1)
    out = known[torch.randperm(len(known), generator=stream(seed, HELD))[:count]]
    away = torch.isin(clips, out)
    held = torch.nonzero(away).flatten()
    return torch.nonzero(~away).flatten(), held[:: max(1, len(held) // LOOKED_AT)]


def steps_of(budget: Budget, rows: int, batch: int) -> int | None:
    """Return the number of steps that epochs and steps allow; None if only time limits."""
    limits = [] if budget.steps is None else [budget.steps]
    if budget.epochs is not None:
        limits.append(budget.epochs * max(rows // batch, 1))
    if not limits and budget.seconds is None:
        limits.append(100 * max(rows // batch, 1))
    return min(limits) if limits else None

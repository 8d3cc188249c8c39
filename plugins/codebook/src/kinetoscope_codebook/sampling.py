"""Gumbel noise, by which categorical codes are drawn, and random streams that need no memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["EPOCH", "HELD", "REVIVAL", "STEP", "gumbel", "stream"]

STEP, EPOCH, HELD, REVIVAL = range(4)
"""What a random stream is for: the first number of its place."""


def gumbel(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Return standard Gumbel noise: the greatest of `logits + noise` is a draw from softmax(logits).

    Jang, Gu and Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", section 2.
    """
    uniform = torch.rand(tuple(shape), generator=generator).clamp(1e-10, 1 - 1e-7)
    return -torch.log(-torch.log(uniform))


def stream(seed: int, *place: int) -> torch.Generator:
    """Return the generator that belongs to `place` (a step, an epoch) of the training with `seed`.

    Each step draws from a stream of its own, so a training that goes on after a kill, or in another
    process, knows what it would have drawn without anybody having written it down.
    """
    mixed = np.random.SeedSequence([seed % 2**64, *place]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed) & (2**63 - 1))

"""Gumbel noise, by which categorical codes are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["gumbel"]


def gumbel(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Return standard Gumbel noise: the greatest of `logits + noise` is a draw from softmax(logits).

    Jang, Gu and Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", section 2.
    """
    uniform = torch.rand(tuple(shape), generator=generator).clamp(1e-10, 1 - 1e-7)
    return -torch.log(-torch.log(uniform))

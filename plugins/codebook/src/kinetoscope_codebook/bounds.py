"""How large what a network computes can get: known of its weights, without running it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kinetoscope_codebook.network import INPUT_RANGE, MatchingNetwork, Network

__all__ = ["overflow"]

_LARGEST = float(torch.finfo(torch.float32).max) / 2
_NOISE = 32.0
"""More than Gumbel noise ever is in float32."""


def overflow(network: Network) -> str | None:
    """Say where inputs exist for which the network may leave float32's range; None if nowhere.

    Normalised inputs are cut off at `INPUT_RANGE` and codes lie in [0, 1], so each block's values
    are bounded by the row sums of its absolute weights. Trained networks stay below by thirty
    orders of magnitude.
    """
    if not bool((network.input_deviation > 0).all()):
        return "input_deviation"
    a = network.architecture
    x = torch.full((a.inputs,), INPUT_RANGE, dtype=torch.float64)
    if isinstance(network, MatchingNetwork):
        codes = torch.ones(a.channels * a.classes, dtype=torch.float64)
        for name, given in (("estimator", x), ("denoiser", torch.cat([codes, x]))):
            if _above(_bound(getattr(network, name), given) + _NOISE):
                return name
        name, z = "decoder", _bound(network.decoder, codes)
    else:
        name, z = "body", _bound(network.get_submodule("body"), x)
    if _above(z):
        return name
    wide = _size(network.basis) @ z
    return (
        "basis"
        if _above(wide * _size(network.output_scale).clamp_min(1) + _size(network.output_mean))
        else None
    )


def _bound(block: nn.Module, values: Tensor) -> Tensor:
    """Return what the values of a block's layers cannot exceed; infinite once a layer is out of range."""
    for layer in block.children():
        if isinstance(layer, nn.Linear):
            values = _size(layer.weight) @ values + _size(layer.bias)
            if _above(values):
                return torch.full_like(values, torch.inf)
        elif isinstance(layer, nn.ELU):
            values = values.clamp_min(1.0)
    return values


def _size(tensor: Tensor) -> Tensor:
    return tensor.detach().double().abs()


def _above(values: Tensor) -> bool:
    return not bool((values < _LARGEST).all())

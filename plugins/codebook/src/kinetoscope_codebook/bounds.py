"""How large what a network computes can get: known of its weights, without running it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from kinetoscope_codebook.network import Network
from kinetoscope_codebook.walk import Walker, operations

__all__ = ["overflow"]

_LARGEST = float(torch.finfo(torch.float32).max) / 2

_NOISE = 32.0
"""More than Gumbel or normal noise ever is in float32."""

_LEAST_DIVISOR = 1e-6
"""What networks add to what they compute before dividing by it."""


def overflow(network: Network) -> str | None:
    """Say where inputs exist for which the network may leave float32's range; None if nowhere.

    Normalised inputs are cut off at `INPUT_RANGE`, and from there on each operation's values are
    bounded by those before it: a linear layer's by the row sums of its absolute weights. Trained
    networks stay below by thirty orders of magnitude.
    """
    if not bool((network.input_deviation > 0).all()):
        return "input_deviation"
    noise = network.draw(1, torch.Generator().manual_seed(0))
    x = torch.full((1, network.architecture.inputs), torch.inf, dtype=torch.float64)
    given = [x] if noise is None else [x, torch.full(noise.shape, _NOISE, dtype=torch.float64)]
    walker = _Bounds(operations(network, drawn=noise is not None))
    try:
        with torch.no_grad():
            walker.walk(*given)
    except _TooLargeError as error:
        return str(error)
    return None


class _TooLargeError(Exception):
    """Names the operation after which a value may be too large."""


def _sum_of_sizes(a: Any, b: Any) -> Any:
    return abs(a) + abs(b)


def _quotient(a: Tensor, b: Any) -> Tensor:
    # Computed divisors are sums of squares and something; given ones are as they are.
    return a / (b if isinstance(b, float | int | _Given) else _LEAST_DIVISOR)


class _Given(Tensor):
    """A weight or buffer, by its size: no computed value."""


def _ones(a: Tensor, *_: Any, **__: Any) -> Tensor:
    return torch.ones_like(a)


def _same(a: Tensor, *_: Any, **__: Any) -> Tensor:
    return a


_FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    operator.add: _sum_of_sizes,
    operator.sub: _sum_of_sizes,
    operator.mul: lambda a, b: abs(a) * abs(b),
    operator.matmul: operator.matmul,
    operator.truediv: _quotient,
    operator.neg: _same,
    operator.getitem: operator.getitem,
    torch.cat: torch.cat,
    functional.one_hot: lambda a, classes: torch.ones((*a.shape, classes), dtype=torch.float64),
}

_METHODS: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(("softmax", "sin", "cos", "tanh"), _ones),
    "clamp": lambda a, low, high: a.clamp_max(max(abs(low), abs(high))),
    "exp": lambda a: a.exp(),
    "round": lambda a: a + 0.5,
    "sqrt": lambda a: a.sqrt(),
    "argmax": lambda a, axis: a.sum(axis),
    "type_as": _same,
    **{name: getattr(Tensor, name) for name in ("reshape", "transpose", "sum", "mean")},
}


def _module(layer: nn.Module, a: Tensor) -> Tensor:
    if isinstance(layer, nn.Linear):
        return functional.linear(a, _size(layer.weight), _size(layer.bias))
    if isinstance(layer, nn.Conv1d):
        assert layer.bias is not None
        return functional.conv1d(
            a, _size(layer.weight), _size(layer.bias), padding=layer.padding, groups=layer.groups
        )
    if isinstance(layer, nn.ELU):
        return a.clamp_min(1.0)
    if isinstance(layer, nn.Tanh):
        return _ones(a)
    if isinstance(layer, nn.Dropout):
        return a
    raise NotImplementedError(f"bounds of {type(layer).__name__}")


class _Bounds(Walker):
    """Runs operations on what their values cannot exceed, instead of on values."""

    def run_node(self, n: fx.Node) -> Any:
        found = super().run_node(n)
        # Inputs may be anything until they are cut off.
        if n.op in ("call_function", "call_method", "call_module") and n.target != "clamp":
            open_ended = any(bool(torch.isinf(self.env[a]).any()) for a in n.all_input_nodes)
            if not open_ended and not bool((found < _LARGEST).all()):
                raise _TooLargeError(str(n.target))
        return found

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _size(super().get_attr(target, args, kwargs)).as_subclass(_Given)

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _module(self.fetch_attr(target), *args)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _value(_FUNCTIONS[target](*args, **kwargs))

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        given = isinstance(args[0], _Given)
        found = _METHODS[target](*args, **kwargs)
        return found if given else _value(found)


def _value(tensor: Tensor) -> Tensor:
    return tensor.as_subclass(Tensor)


def _size(tensor: Tensor | None) -> Tensor:
    assert tensor is not None
    return tensor.detach().double().abs()

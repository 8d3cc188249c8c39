"""Networks as ONNX: each operation of the forward pass is a node, so that no tracing exporter is needed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from kinetoscope_codebook.checkpoint import write_whole
from kinetoscope_codebook.network import Network
from kinetoscope_codebook.walk import Walker, operations, slices
from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["onnx_bytes", "write_onnx"]

_OPSET = 17
_IR_VERSION = 9
"""Of ONNX 1.14 (2023): readable by every runtime since."""


def _onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise ProviderUnavailable(
            "exporting to ONNX needs the package onnx: pip install 'kinetoscope-codebook[onnx]'"
        ) from None
    return onnx


@attrs.define
class _Graph:
    """Nodes and constants as they are added; every value gets a name."""

    onnx: Any
    nodes: list[Any] = attrs.field(factory=list)
    constants: list[Any] = attrs.field(factory=list)

    def constant(self, array: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def tensor(self, tensor: Any) -> str:
        return self.constant(tensor.detach().numpy().astype(np.float32))

    def numbers(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64))

    def value(self, given: Any) -> str:
        """Return the name of an argument: a value's own, or a constant for a number."""
        return given if isinstance(given, str) else self.constant(np.array(given, np.float32))

    def add(self, kind: str, *inputs: Any, **options: Any) -> str:
        name = f"v{len(self.nodes)}"
        made = self.onnx.helper.make_node(kind, [self.value(i) for i in inputs], [name], **options)
        self.nodes.append(made)
        return name


def _one_hot(graph: _Graph, given: str, classes: int) -> str:
    return graph.add("OneHot", given, graph.numbers(classes), graph.constant(np.array([0, 1], np.float32)))


def _sliced(graph: _Graph, given: str, index: Any) -> str:
    axes, starts, stops = zip(*slices(index), strict=True)
    return graph.add("Slice", given, graph.numbers(*starts), graph.numbers(*stops), graph.numbers(*axes))


def _transposed(graph: _Graph, given: str, first: int, second: int) -> str:
    order = list(range(max(first, second) + 1))  # the last two axes, wherever networks transpose
    order[first], order[second] = second, first
    return graph.add("Transpose", given, perm=order)


def _reshaped(graph: _Graph, given: str, *shape: int) -> str:
    return graph.add("Reshape", given, graph.numbers(*shape))


def _summed(graph: _Graph, given: str, axis: int, keepdim: bool = False) -> str:
    return graph.add("ReduceSum", given, graph.numbers(axis), keepdims=int(keepdim))


def _node(kind: str, **options: Any) -> Callable[..., str]:
    return lambda graph, *given: graph.add(kind, *given, **options)


_FUNCTIONS: Mapping[Any, Callable[..., str]] = {
    operator.add: _node("Add"),
    operator.sub: _node("Sub"),
    operator.mul: _node("Mul"),
    operator.truediv: _node("Div"),
    operator.matmul: _node("MatMul"),
    operator.neg: _node("Neg"),
    operator.getitem: _sliced,
    torch.cat: lambda graph, parts, dim: graph.add("Concat", *parts, axis=dim),
    functional.one_hot: _one_hot,
}

_METHODS: Mapping[str, Callable[..., str]] = {
    **{name: _node(name.capitalize()) for name in ("exp", "round", "tanh", "sin", "cos", "sqrt")},
    "clamp": _node("Clip"),
    "softmax": lambda graph, given, axis: graph.add("Softmax", given, axis=axis),
    "argmax": lambda graph, given, axis: graph.add("ArgMax", given, axis=axis, keepdims=0),
    "mean": lambda graph, given, axis, keepdim: graph.add(
        "ReduceMean", given, axes=[axis], keepdims=int(keepdim)
    ),
    "sum": _summed,
    "reshape": _reshaped,
    "transpose": _transposed,
    "type_as": lambda graph, given, _: given,
}


def _layer(graph: _Graph, layer: nn.Module, given: str) -> str:
    if isinstance(layer, nn.Linear):
        return graph.add("Gemm", given, graph.tensor(layer.weight), graph.tensor(layer.bias), transB=1)
    if isinstance(layer, nn.Conv1d):
        pads = [int(layer.padding[0])] * 2
        weight, bias = graph.tensor(layer.weight), graph.tensor(layer.bias)
        return graph.add("Conv", given, weight, bias, pads=pads, group=layer.groups)
    if isinstance(layer, nn.ELU):
        return graph.add("Elu", given, alpha=float(layer.alpha))
    if isinstance(layer, nn.Tanh):
        return graph.add("Tanh", given)
    if isinstance(layer, nn.Dropout):
        return given
    raise NotImplementedError(f"ONNX of {type(layer).__name__}")


class _Exported(Walker):
    """Adds a node for each operation; a value is its name in the graph."""

    def __init__(self, graph: _Graph, module: fx.GraphModule) -> None:
        super().__init__(module)
        self._graph = graph

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        return self._graph.tensor(super().get_attr(target, args, kwargs))

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _layer(self._graph, self.fetch_attr(target), *args)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _FUNCTIONS[target](self._graph, *args, **kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _METHODS[target](self._graph, *args, **kwargs)


def onnx_bytes(network: Network, *, drawn: bool = False) -> bytes:
    """Return an ONNX file: input `inputs [N, X]`, output `outputs [N, Y]`, any N.

    `drawn` adds the input `noise [N, …]` that draws one of several answers.
    """
    onnx = _onnx()
    graph, a = _Graph(onnx), network.architecture
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    inputs = {"inputs": [a.inputs]}
    if drawn and (noise := network.draw(1, torch.Generator().manual_seed(0))) is not None:
        inputs["noise"] = list(noise.shape[1:])
    walker = _Exported(graph, operations(network, drawn="noise" in inputs))
    walker.walk(*inputs)
    graph.nodes[-1].output[0] = "outputs"
    described = helper.make_graph(
        graph.nodes,
        a.kind,
        [helper.make_tensor_value_info(name, floats, ["N", *shape]) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("outputs", floats, ["N", a.outputs])],
        graph.constants,
    )
    model = helper.make_model(
        described,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="kinetoscope-codebook",
    )
    onnx.checker.check_model(model)
    written: bytes = model.SerializeToString()
    return written


def write_onnx(network: Network, path: str | Path) -> None:
    """Write `network` to `path`; see `onnx_bytes`."""
    write_whole(path, onnx_bytes(network))

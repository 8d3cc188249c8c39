"""Networks as ONNX: the graph is written node by node, so that no tracing exporter is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch import nn

from kinetoscope_codebook.checkpoint import write_whole
from kinetoscope_codebook.network import INPUT_RANGE, MatchingNetwork, MlpNetwork, Network
from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["write_onnx"]

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

    def tensor(self, tensor: torch.Tensor) -> str:
        return self.constant(tensor.detach().numpy().astype(np.float32))

    def add(self, kind: str, *inputs: str, **options: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [name], **options))
        return name

    def block(self, layers: nn.Sequential, value: str) -> str:
        for layer in layers:
            if isinstance(layer, nn.Linear):
                weight, bias = self.tensor(layer.weight), self.tensor(layer.bias)
                value = self.add("Gemm", value, weight, bias, transB=1)
            elif isinstance(layer, nn.ELU):
                value = self.add("Elu", value, alpha=float(layer.alpha))
        return value


def _normalized(graph: _Graph, network: Network) -> str:
    centred = graph.add("Sub", "inputs", graph.tensor(network.input_mean))
    scaled = graph.add("Div", centred, graph.tensor(network.input_deviation))
    limits = (graph.constant(np.array(limit, np.float32)) for limit in (-INPUT_RANGE, INPUT_RANGE))
    return graph.add("Clip", scaled, *limits)


def _components(graph: _Graph, network: Network, x: str) -> str:
    """Add the nodes between normalised inputs and principal components."""
    if isinstance(network, MlpNetwork):
        return graph.block(network.body, x)
    assert isinstance(network, MatchingNetwork)
    a = network.architecture
    channels = graph.constant(np.array([-1, a.channels, a.classes], np.int64))
    flat = graph.constant(np.array([-1, a.channels * a.classes], np.int64))

    def softmax(logits: str) -> str:
        codes = graph.add("Softmax", graph.add("Reshape", logits, channels), axis=-1)
        return graph.add("Reshape", codes, flat)

    codes = softmax(graph.block(network.estimator, x))
    for _ in range(a.refinements):
        codes = softmax(graph.block(network.denoiser, graph.add("Concat", codes, x, axis=1)))
    return graph.block(network.decoder, codes)


def write_onnx(network: Network, path: str | Path) -> None:
    """Write `network` to `path`: input `inputs [N, X]`, output `outputs [N, Y]`, any N."""
    onnx = _onnx()
    graph, a = _Graph(onnx), network.architecture
    z = _components(graph, network, _normalized(graph, network))
    y = graph.add("MatMul", z, graph.tensor(network.basis.T))
    y = graph.add("Mul", y, graph.tensor(network.output_scale))
    y = graph.add("Add", y, graph.tensor(network.output_mean))
    graph.nodes[-1].output[0] = "outputs"
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    described = helper.make_graph(
        graph.nodes,
        a.kind,
        [helper.make_tensor_value_info("inputs", floats, ["N", a.inputs])],
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
    write_whole(path, model.SerializeToString())

"""A network's forward pass as a list of operations, read off it by `torch.fx`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn

from kinetoscope_codebook.network import Network

__all__ = ["Walker", "operations", "slices"]


class _Plain(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Any:
        return self.network(inputs)


class _Drawn(_Plain):
    def forward(self, inputs: Tensor, noise: Tensor) -> Any:  # type: ignore[override]
        return self.network(inputs, noise)


def operations(network: Network, *, drawn: bool = False) -> fx.GraphModule:
    """Return the operations between `inputs` (and the `noise` that draws a sample) and outputs.

    They are linear layers, convolutions, ELU, tanh and dropout, and tensors' own operations; who reads
    them refuses what it doesn't know.
    """
    module = (_Drawn if drawn else _Plain)(network).eval()
    return fx.GraphModule(module, fx.Tracer().trace(module))


class Walker(fx.Interpreter):
    """Interprets operations, one after the other, by what a subclass makes of each.

    `run` would do it, too, and where tqdm is installed start its thread, which stays.
    """

    def walk(self, *given: Any) -> None:
        """Interpret all operations on `given`, the inputs."""
        self.env = {}
        self.args_iter = iter(given)
        for node in self.graph.nodes:
            self.env[node] = self.run_node(node)


def slices(index: Any) -> list[tuple[int, int, int]]:
    """Return axis, start and stop of the slices in an index such as `[:, :3]`, whole axes left out."""
    found = []
    for axis, part in enumerate(index):
        if not isinstance(part, slice) or part.step is not None:
            raise NotImplementedError(f"index {index!r}")
        if part != slice(None):
            found.append(
                (axis, part.start or 0, torch.iinfo(torch.int64).max if part.stop is None else part.stop)
            )
    return found

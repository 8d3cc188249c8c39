"""What a training borrows of the machine: torch's global state, and the processes that share the work."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from kinetoscope_codebook.options import TrainingOptions

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["borrowed_torch", "fabric_of"]

_TRAINING = threading.RLock()
"""Held by whoever has changed what torch keeps for the whole process."""


@contextmanager
def borrowed_torch(seed: int, threads: int = 1) -> Iterator[None]:
    """Set torch up for one training and put everything back: threads, and the global generator.

    Weights and dropout draw from the global generator, so one thread trains at a time: of two that
    overlap, the second would put back what the first had set.
    """
    with _TRAINING, torch.random.fork_rng(devices=[]):
        before = torch.get_num_threads()
        torch.default_generator.manual_seed(seed)  # the CPU's alone: `torch.manual_seed` sows on every device
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def fabric_of(options: TrainingOptions) -> Fabric:
    """Return Fabric for the processes that `torchrun` has started, or for this one."""
    from lightning_fabric import Fabric

    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    everywhere = int(os.environ.get("WORLD_SIZE", "1"))
    # A strategy for many processes only where there are many: one process must open no port.
    many = {"strategy": "ddp", "num_nodes": max(everywhere // here, 1)} if everywhere > 1 else {}
    fabric = Fabric(accelerator=options.accelerator, devices=here, precision=options.precision, **many)  # type: ignore[arg-type]
    if everywhere > 1:
        fabric.launch()
    return fabric

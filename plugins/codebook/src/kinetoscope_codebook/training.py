"""The training loop: batches, budget, learning rate, progress; nothing of any one model."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kinetoscope_spec.errors import Cancelled
from kinetoscope_spec.protocols import Budget, Progress

__all__ = ["Losses", "borrowed_torch", "cosine_restarts", "train"]

Losses = dict[str, Tensor]
"""The parts of a loss by name; their sum is minimised."""

_CYCLES = (1, 2, 4)
"""Relative lengths of the learning rate's cycles: each restart lasts twice as long."""

_REPORTS = 200
"""How often progress is told and losses are kept, at most."""


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


_TRAINING = threading.RLock()
"""Held by whoever has changed what torch keeps for the whole process."""


@contextmanager
def borrowed_torch(seed: int, threads: int = 1) -> Iterator[torch.Generator]:
    """Set torch up for one training and put everything back: threads, and the global generator.

    Weights and dropout draw from the global generator, so one thread trains at a time: of two that
    overlap, the second would put back what the first had set.
    """
    generator = torch.Generator().manual_seed(seed)
    with _TRAINING, torch.random.fork_rng(devices=[]):
        before = torch.get_num_threads()
        torch.default_generator.manual_seed(seed)  # the CPU's alone: `torch.manual_seed` sows on every device
        torch.set_num_threads(threads)
        try:
            yield generator
        finally:
            torch.set_num_threads(before)


def train(
    network: nn.Module,
    loss: Callable[[Tensor], Losses],
    rows: int,
    *,
    generator: torch.Generator,
    budget: Budget,
    batch: int,
    rate: float,
    decay: float,
    progress: Progress | None,
) -> list[dict[str, float]]:
    """Minimise `loss(indices)` over shuffled batches of row indices with AdamW.

    Returns:
        The history: `step`, `total` and every part of the loss, averaged between reports.

    Raises:
        Cancelled: `progress` returned False.
    """
    batch = min(batch, rows)
    steps = _steps(budget, rows, batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay, betas=(0.9, 0.99))
    started = time.monotonic()
    history: list[dict[str, float]] = []
    sums: dict[str, float] = {}
    counted, told = 0, -1
    network.train()
    for step, indices in enumerate(_batches(rows, batch, generator)):
        done = _share(step, steps, time.monotonic() - started, budget.seconds)
        report = int(done * _REPORTS)
        if report > told or done >= 1:
            told = report
            if counted:
                history.append({"step": float(step), **{k: v / counted for k, v in sums.items()}})
                sums, counted = {}, 0
            _tell(progress, done, step, history)
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * cosine_restarts(done)
        parts = loss(indices)
        total = torch.stack(list(parts.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        for name, value in {**parts, "total": total}.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        counted += 1
    network.eval()
    return history


def _steps(budget: Budget, rows: int, batch: int) -> int | None:
    """Return the number of steps that epochs and steps allow; None if only time limits."""
    limits = [] if budget.steps is None else [budget.steps]
    if budget.epochs is not None:
        limits.append(budget.epochs * max(rows // batch, 1))
    if not limits and budget.seconds is None:
        limits.append(100 * max(rows // batch, 1))
    return min(limits) if limits else None


def _share(step: int, steps: int | None, elapsed: float, seconds: float | None) -> float:
    by_step = 0.0 if steps is None else step / max(steps, 1)
    by_time = 0.0 if seconds is None else elapsed / max(seconds, 1e-9)
    return min(max(by_step, by_time), 1.0)


def _batches(rows: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield shuffled batches for ever: every row once before any comes again."""
    while True:
        order = torch.randperm(rows, generator=generator)
        for begin in range(0, rows - batch + 1, batch):
            yield order[begin : begin + batch]


def _tell(progress: Progress | None, done: float, step: int, history: list[dict[str, float]]) -> None:
    if progress is None:
        return
    loss = f", loss {history[-1]['total']:.4f}" if history else ""
    if progress(min(int(done * _REPORTS), _REPORTS), _REPORTS, f"step {step}{loss}") is False:
        raise Cancelled(f"training cancelled at step {step}")

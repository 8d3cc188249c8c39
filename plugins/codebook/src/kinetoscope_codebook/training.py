"""The training loop: batches, budget, learning rate, progress; nothing of any one model.

It runs on Lightning Fabric, so that one process or many, on CPUs or GPUs, are one path. Each step draws
from a random stream of its own for the whole batch, and every process takes its rows of it: many
processes, or a batch in pieces, give what one does, up to rounding.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from kinetoscope_codebook.logs import Logs
from kinetoscope_codebook.network import Losses, Noise
from kinetoscope_codebook.optimisers import Schedule, averaged, optimiser_of
from kinetoscope_codebook.options import TrainingOptions
from kinetoscope_codebook.processes import fabric_of
from kinetoscope_codebook.sampling import EPOCH, HELD, REVIVAL, STEP, stream
from kinetoscope_codebook.shares import LOOKED_AT, split, steps_of
from kinetoscope_codebook.task import Task
from kinetoscope_codebook.training_state import Run, keep, recipe, taken_up
from kinetoscope_spec.errors import Cancelled, ValidationError
from kinetoscope_spec.protocols import Budget, Progress

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["train"]

_REPORTS = 200
"""How often progress is told and losses are kept, at most."""

_REVIVALS = 10
"""How often classes that nothing uses are moved, in the first half of training."""


def train(
    task: Task,
    options: TrainingOptions,
    record: Mapping[str, Any],
    budget: Budget,
    progress: Progress | None,
) -> list[dict[str, float]]:
    """Minimise the losses of `task` over shuffled batches; its network holds the result.

    Args:
        record: all that decides the result besides the budget: `seed`, options, hash of the data.

    Returns:
        The history: `step`, `total` and every part of the loss, averaged between reports, and
        `validation` where clips are held out.

    Raises:
        Cancelled: `progress` returned False.
        ValidationError: options that don't fit, or a loss that is no number any more.
    """
    return _Loop(task, options, record, budget, progress).run()


class _Stepper(nn.Module):
    """Losses as a module's output: what Fabric wraps for many processes and for mixed precision."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network = task.network
        self._losses = task.losses

    def forward(self, x: Tensor, z: Tensor, noise: Noise) -> Losses:
        return self._losses(x, z, noise)


class _Loop:
    """One training: see `train`."""

    def __init__(
        self,
        task: Task,
        options: TrainingOptions,
        record: Mapping[str, Any],
        budget: Budget,
        progress: Progress | None,
    ) -> None:
        self.task, self.options, self.budget, self.progress = task, options, budget, progress
        self.seed = int(record["seed"])
        self.rows, self.held = split(task.clips, options.validation, self.seed)
        self.batch = min(options.batch, len(self.rows))
        self.steps = steps_of(budget, len(self.rows), self.batch)
        self.fabric = fabric_of(options)
        self.shards = self.fabric.world_size * options.accumulate
        if self.batch < self.shards:
            raise ValidationError(
                f"a batch of {self.batch} rows in {self.shards} pieces (processes times 'accumulate'), expected "
                "a row for each at least"
            )
        plain = optimiser_of(options, task.network)
        self.schedule = Schedule(options, plain)
        self.stepper, self.optimiser = self.fabric.setup(_Stepper(task), plain)
        self.stepper.train()
        self.dropout = any(isinstance(m, nn.Dropout) and m.p > 0 for m in task.network.modules())
        self.x, self.z = (self.fabric.to_device(rows) for rows in (task.x, task.z))
        self.state = Run()
        weights = dict(task.network.named_parameters())
        self.weights: dict[str, dict[str, Tensor]] = {"network": weights}  # type: ignore[dict-item]
        if options.ema > 0:
            self.weights["average"] = {name: w.detach().clone() for name, w in weights.items()}
        if options.patience > 0:
            self.weights["best"] = {name: w.detach().clone() for name, w in weights.items()}
        self.key = recipe(record, budget)
        self.order: tuple[int, Tensor] = (-1, self.rows)
        self.started, self.logs = time.monotonic(), _logs(options, self.fabric)

    def run(self) -> list[dict[str, float]]:
        self._take_up()
        self.started = time.monotonic() - self.state.elapsed
        while True:
            done = self._done()
            self._report(done)
            if done >= 1 or self.state.stopped:
                break
            if self.state.step and self.state.step % self.options.checkpoint_every == 0:
                self._keep()
            self._revive(done)
            self._step(done)
        self._keep()
        self._finish()
        return self.state.history

    # -- one step

    def _step(self, done: float) -> None:
        task, step = self.task, self.state.step
        indices = self._indices(step)
        noise = task.noise(len(indices), self.rows, stream(self.seed, STEP, step))
        if self.dropout:
            torch.default_generator.manual_seed(stream(self.seed, STEP, step, 1).initial_seed())
        self.schedule.before(done)
        pieces = torch.arange(len(indices)).tensor_split(self.shards)
        mine = pieces[self.fabric.global_rank :: self.fabric.world_size]
        for i, piece in enumerate(mine):
            rows = indices[piece].to(self.x.device)
            given = {name: self.fabric.to_device(value[piece]) for name, value in noise.items()}
            with self.fabric.no_backward_sync(self.stepper, enabled=i < len(mine) - 1):
                parts = self.stepper(self.x[rows], self.z[rows], given)
                # Gradients are averaged over processes: what a piece weighs is its share of the batch.
                weight = len(piece) * self.fabric.world_size / len(indices)
                total = torch.stack(list(parts.values())).sum()
                self.fabric.backward(total * weight)
            self._count({**parts, "total": total}, weight / self.fabric.world_size)
        if self.options.clip > 0:
            self.fabric.clip_gradients(
                self.stepper, self.optimiser, max_norm=self.options.clip, error_if_nonfinite=False
            )
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.schedule.after()
        if self.options.ema > 0:
            averaged(self.weights["average"], task.network, self.options.ema, step)
        self.state.step += 1
        self.state.counted += 1

    def _count(self, parts: Losses, weight: float) -> None:
        for name, value in parts.items():
            self.state.sums[name] = self.state.sums.get(name, 0.0) + weight * float(value.detach())

    def _indices(self, step: int) -> Tensor:
        """Return the rows of a batch: shuffled, every row once in an epoch but for what is left over."""
        epoch, place = divmod(step, len(self.rows) // self.batch)
        if self.order[0] != epoch:
            shuffled = torch.randperm(len(self.rows), generator=stream(self.seed, EPOCH, epoch))
            self.order = (epoch, self.rows[shuffled])
        return self.order[1][place * self.batch : (place + 1) * self.batch]

    @torch.no_grad()
    def _revive(self, done: float) -> None:
        every = max((self.steps or 1000) // (2 * _REVIVALS), 10)
        if done < 0.5 and self.state.step and self.state.step % every == 0:
            generator = stream(self.seed, REVIVAL, self.state.step)
            rows = self.rows[torch.randperm(len(self.rows), generator=generator)[:LOOKED_AT]].to(
                self.x.device
            )
            self.task.network.revive(self.x[rows], self.z[rows], generator)

    # -- between steps

    def _done(self) -> float:
        """Return the share of the budget that is over, the same in every process."""
        self.state.elapsed = time.monotonic() - self.started
        by_step = 0.0 if self.steps is None else self.state.step / max(self.steps, 1)
        if self.budget.seconds is None:
            return min(by_step, 1.0)
        done = min(max(by_step, self.state.elapsed / max(self.budget.seconds, 1e-9)), 1.0)
        return self.fabric.broadcast(done) if self.fabric.world_size > 1 else done

    def _report(self, done: float) -> None:
        state, report = self.state, int(done * _REPORTS)
        if report <= state.told and done < 1:
            return
        state.told = report
        if state.counted:
            entry = {"step": float(state.step), **self._averages()}
            if not math.isfinite(entry["total"]):
                raise ValidationError(
                    f"training diverged at step {state.step}: the loss is {entry['total']}, expected a number; "
                    f"'rate' is {self.options.rate:g}, a tenth of it may do"
                )
            if len(self.held):
                entry["validation"] = self._held_loss()
            state.history.append(entry)
            state.sums, state.counted = {}, 0
            self.logs(entry, self.optimiser.param_groups[0]["lr"])
            self.schedule.reported(entry.get("validation", entry["total"]))
            self._watch(entry.get("validation", entry["total"]))
        self._tell(1.0 if state.stopped else done)

    def _averages(self) -> dict[str, float]:
        sums = self.state.sums
        if self.fabric.world_size > 1:
            found: Any = self.fabric.all_reduce(
                torch.tensor(list(sums.values()), dtype=torch.float64), reduce_op="sum"
            )
            sums = dict(zip(sums, found.tolist(), strict=True))
        return {name: value / self.state.counted for name, value in sums.items()}

    @torch.no_grad()
    def _held_loss(self) -> float:
        network, before = self.task.network, {}
        if self.options.ema > 0:
            before = {name: w.detach().clone() for name, w in network.named_parameters()}
            _set(network, self.weights["average"])
        network.eval()
        rows = self.held.to(self.x.device)
        noise = self.task.network.training_noise(len(rows), stream(self.seed, HELD, 1))
        given = {name: self.fabric.to_device(value) for name, value in noise.items()}
        parts = self.task.losses(self.x[rows], self.z[rows], given)
        network.train()
        _set(network, before)
        return float(torch.stack(list(parts.values())).sum())

    def _watch(self, loss: float) -> None:
        """Keep the weights if they are the best so far; stop if they were not for too long."""
        state = self.state
        if self.options.patience == 0:
            return
        if state.best is None or loss < state.best:
            state.best, state.waited = loss, 0
            kept = self.weights["average" if self.options.ema > 0 else "network"]
            for name, weight in self.weights["best"].items():
                weight.copy_(kept[name].detach())
        else:
            state.waited += 1
            state.stopped = state.waited >= self.options.patience

    def _tell(self, done: float) -> None:
        state, told = self.state, True
        loss = f", loss {state.history[-1]['total']:.4f}" if state.history else ""
        if self.progress is not None and self.fabric.is_global_zero:
            share = min(int(done * _REPORTS), _REPORTS)
            told = self.progress(share, _REPORTS, f"step {state.step}{loss}") is not False
        if self.fabric.world_size > 1:
            told = self.fabric.broadcast(told)
        if not told:
            raise Cancelled(f"training cancelled at step {state.step}")

    # -- taking up and finishing

    def _take_up(self) -> None:
        path = self.options.checkpoint
        if path is not None and Path(path).exists():
            self.state, schedule = taken_up(path, self.key, self.weights, self.optimiser.optimizer)
            self.schedule.restore(schedule)

    def _keep(self) -> None:
        if self.options.checkpoint is not None and self.fabric.is_global_zero:
            keep(
                self.options.checkpoint,
                self.key,
                self.state,
                self.weights,
                self.optimiser.optimizer,
                self.schedule.state(),
            )

    def _finish(self) -> None:
        self.logs.close()
        if self.options.patience > 0 and self.state.best is not None:
            _set(self.task.network, self.weights["best"])
        elif self.options.ema > 0:
            _set(self.task.network, self.weights["average"])
        self.task.network.cpu().eval()


def _logs(options: TrainingOptions, fabric: Fabric) -> Logs:
    return Logs(options.logs if fabric.is_global_zero else None)


@torch.no_grad()
def _set(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    for name, weight in network.named_parameters():
        if name in weights:
            weight.copy_(weights[name])

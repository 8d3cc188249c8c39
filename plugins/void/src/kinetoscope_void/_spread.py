"""Several GPUs: where `torch.distributed` runs, every process denoises some of the windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.distributed as dist

__all__ = ["any_of", "shared"]


def _world() -> tuple[int, int]:
    """Return (this process, how many there are)."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def shared(
    work: Sequence[Callable[[], torch.Tensor]], shapes: Sequence[Sequence[int]], like: torch.Tensor
) -> list[torch.Tensor]:
    """Return what each piece of `work` returns, of these shapes; every process does its share.

    Results are handed round as they are and not summed, so that they are the same bits for any number of
    processes of the same device. `like` says on which device and of which type they are.
    """
    rank, world = _world()
    made = [piece() if number % world == rank else None for number, piece in enumerate(work)]
    results = []
    for number, (held, shape) in enumerate(zip(made, shapes, strict=True)):
        result = like.new_empty(tuple(shape)) if held is None else held.to(like.dtype).contiguous()
        if world > 1:
            dist.broadcast(result, src=number % world)
        results.append(result)
    return results


def any_of(flag: bool, device: torch.device) -> bool:
    """Return whether any process says so: if one is cancelled, none waits for it in vain."""
    if _world()[1] == 1:
        return flag
    told = torch.tensor([int(flag)], device=device)
    dist.all_reduce(told, op=dist.ReduceOp.MAX)
    return bool(told.item())

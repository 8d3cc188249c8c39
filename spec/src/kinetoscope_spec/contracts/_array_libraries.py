"""The same rows by several array libraries, each imported where it is used."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.motion import Motion

__all__ = ["computed", "gradients", "installed"]

Rows = Callable[..., Any]
"""`rows(skeleton, positions, rotations, framerate)` of an `ArrayFeature`."""


def installed() -> tuple[str, ...]:
    """Return which of `torch` and `jax` can be imported."""
    return tuple(name for name in ("torch", "jax") if importlib.util.find_spec(name))


def computed(rows: Rows, motion: Motion, library: str) -> Array:
    """Return the rows that `rows` gives for arrays of `library`, in float64, as a NumPy array."""
    arrays = [np.array(held, np.float64) for held in (motion.positions, motion.rotations)]
    if library == "torch":
        import torch

        made = rows(motion.skeleton, *map(torch.from_numpy, arrays), motion.framerate)
        return np.asarray(made.detach().cpu().numpy())
    if library == "jax":
        import jax

        home: Any = jax if hasattr(jax, "enable_x64") else jax.experimental  # it moved in 0.8
        with home.enable_x64(True):  # in float32 it would be rounding that is judged
            made = rows(motion.skeleton, *map(jax.numpy.asarray, arrays), motion.framerate)
            return np.asarray(made)
    return np.asarray(rows(motion.skeleton, *arrays, motion.framerate))


def gradients(rows: Rows, motion: Motion, weights: Array) -> dict[str, Array]:
    """Return the gradients of the sum of `weights * rows` by positions and rotations, by PyTorch.

    One is absent where rows do not hang together with what they are of.
    """
    import torch

    leaves = {
        "positions": torch.tensor(np.array(motion.positions, np.float64), requires_grad=True),
        "rotations": torch.tensor(np.array(motion.rotations, np.float64), requires_grad=True),
    }
    total = (rows(motion.skeleton, *leaves.values(), motion.framerate) * torch.from_numpy(weights)).sum()
    if not total.requires_grad:
        return {}
    found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    return {name: held.numpy() for name, held in zip(leaves, found, strict=True) if held is not None}

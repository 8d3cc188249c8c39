"""A training that can be gone on with: everything it knows, in one safetensors file.

Nothing is unpickled. Random streams need no place in it: each step has its own (see `sampling.stream`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialised
from torch import Tensor

from kinetoscope_codebook.checkpoint import finite_json, header_of, write_whole
from kinetoscope_spec.errors import FormatError, ValidationError

__all__ = ["FORMAT", "Run", "keep", "recipe", "taken_up"]

FORMAT = "kinetoscope-training/1"


def _count(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    least = -1 if attribute.name == "told" else 0
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**53:
        raise ValueError(f"{attribute.name} is {value!r}, expected a whole number from {least}")


def _losses(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    entries = value if isinstance(value, list) else [value]
    numbers = (v for entry in entries for v in entry.values())
    if not all(isinstance(v, float | int) for v in numbers):
        raise ValueError(f"{attribute.name} holds what is no number")


@attrs.define(kw_only=True)
class Run:
    """What changes as a training goes on, besides weights.

    Attributes:
        step: steps done.
        elapsed: seconds they took.
        told: the last report, of 200.
        counted: steps since, and `sums` of their losses.
        history: the losses, averaged between reports.
        best: the lowest loss that early stopping has seen; `waited` reports ago.
        stopped: whether it ended before its budget.
    """

    step: int = attrs.field(default=0, validator=_count)
    elapsed: float = attrs.field(default=0.0, converter=float)
    told: int = attrs.field(default=-1, validator=_count)
    counted: int = attrs.field(default=0, validator=_count)
    sums: dict[str, float] = attrs.field(factory=dict, validator=_losses)
    history: list[dict[str, float]] = attrs.field(factory=list, validator=_losses)
    best: float | None = None
    waited: int = attrs.field(default=0, validator=_count)
    stopped: bool = False


def recipe(record: Mapping[str, Any], budget: Any) -> str:
    """Return a hash of all that decides what a training gives."""
    text = json.dumps([record, attrs.asdict(budget)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def keep(
    path: str | Path,
    key: str,
    run: Run,
    weights: Mapping[str, Mapping[str, Tensor]],
    optimiser: torch.optim.Optimizer,
    schedule: Mapping[str, Any],
) -> None:
    """Write the training's state to `path`, whole or not at all; `weights` by group (`network`, `average` …)."""
    state = optimiser.state_dict()
    tensors = {f"{group}/{name}": t for group, named in weights.items() for name, t in named.items()}
    scalars: dict[str, dict[str, Any]] = {}
    for number, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser/{number}/{name}"] = value
            else:
                scalars.setdefault(str(number), {})[name] = value
    about = {
        "format": FORMAT,
        "recipe": key,
        "run": attrs.asdict(run),
        "optimiser": scalars,
        "groups": state["param_groups"],
        "schedule": dict(schedule),
    }
    data = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_whole(path, serialised(data, metadata={"kinetoscope": json.dumps(about, allow_nan=False)}))


def taken_up(
    path: str | Path, key: str, weights: Mapping[str, Mapping[str, Tensor]], optimiser: torch.optim.Optimizer
) -> tuple[Run, dict[str, Any]]:
    """Read the state at `path` into `weights` and `optimiser`; return the rest of it, and the schedule's.

    Raises:
        FormatError: the file is none, or damaged.
        ValidationError: it is of another training.
        OSError: it can't be read.
    """
    path = Path(path)
    about = _about(path)
    if about.get("recipe") != key:
        raise ValidationError(
            f"{path} is the state of another training (other data, seed, options or budget), expected this "
            "one's: name another file, or remove it"
        )
    try:
        tensors = parse_tensors(path.read_bytes())
        run, schedule = Run(**about["run"]), about["schedule"]
        _fill(path, weights, tensors)
        _fill_optimiser(about, tensors, optimiser)
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"the training's state can't be read: {error}", path=path) from None
    return run, schedule


def _about(path: Path) -> dict[str, Any]:
    metadata = header_of(path).get("__metadata__")
    text = metadata.get("kinetoscope") if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise FormatError("no 'kinetoscope' in the metadata", path=path, expected="the state of a training")
    about = finite_json(path, text, "description")
    if about.get("format") != FORMAT:
        raise FormatError(f"the format is {about.get('format')!r}", path=path, expected=FORMAT)
    return about


@torch.no_grad()
def _fill(path: Path, weights: Mapping[str, Mapping[str, Tensor]], tensors: Mapping[str, Tensor]) -> None:
    for group, named in weights.items():
        for name, target in named.items():
            tensor = tensors[f"{group}/{name}"]
            if (
                tensor.shape != target.shape
                or tensor.dtype != target.dtype
                or not torch.isfinite(tensor).all()
            ):
                raise FormatError(
                    f"tensor {group}/{name} is {tensor.dtype} {list(tensor.shape)} or not finite",
                    path=path,
                    expected=f"finite numbers, {target.dtype} {list(target.shape)}",
                )
            target.copy_(tensor)


def _fill_optimiser(
    about: Mapping[str, Any], tensors: Mapping[str, Tensor], optimiser: torch.optim.Optimizer
) -> None:
    fresh = optimiser.state_dict()["param_groups"]
    groups = [{**new, **_as(old, new)} for old, new in zip(about["groups"], fresh, strict=True)]
    state: dict[int, dict[str, Any]] = {int(n): dict(values) for n, values in about["optimiser"].items()}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "optimiser":
            number, _, what = rest.partition("/")
            state.setdefault(int(number), {})[what] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    for parameter, values in optimiser.state.items():
        for name, value in values.items():
            fits = not isinstance(value, Tensor) or value.numel() == 1 or value.shape == parameter.shape
            if not fits or (isinstance(value, Tensor) and not torch.isfinite(value).all()):
                raise ValueError(
                    f"the optimiser's {name} has another shape than its weights, or is not finite"
                )


def _as(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group's values from JSON, tuples being tuples again; parameters are this training's."""
    known = {name: value for name, value in old.items() if name in new and name != "params"}
    return {name: tuple(v) if isinstance(new[name], tuple) else v for name, v in known.items()}

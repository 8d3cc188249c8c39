"""How training goes, the same for every model: what decides the result, and what only says where."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from kinetoscope_spec.errors import ValidationError, nearest

__all__ = ["TrainingOptions", "share", "whole"]

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")

_WHERE = ("accelerator", "threads", "checkpoint", "checkpoint_every", "logs")
"""Options that leave the result as it is, up to rounding: no part of a checkpoint's record."""


def share(most: float = 1.0) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """Return a validator of numbers from 0 to `most`."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or not 0 <= value <= most:
            raise ValidationError(f"{attribute.name} is {value!r}, expected a number from 0 to {most:g}")

    return check


def whole(least: int, most: int) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """Return a validator of whole numbers."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValidationError(
                f"{attribute.name} is {value!r}, expected a whole number from {least} to {most}"
            )

    return check


@attrs.frozen(kw_only=True)
class TrainingOptions:
    """Options of the training loop.

    Options:
        batch: rows in a batch, over all processes.
        rate, decay: learning rate and weight decay.
        optimiser: a class of `torch.optim` by name, and `optimiser_options` for it.
        scheduler: `cosine-restarts` (Loshchilov and Hutter 2017, three cycles fitted into the budget), or
            a class of `torch.optim.lr_scheduler` by name, stepped once an optimiser step, and
            `scheduler_options` for it.
        clip: norm to which gradients are cut; 0 leaves them.
        accumulate: in how many pieces a batch is computed, for batches larger than memory.
        precision: `32-true`, `bf16-mixed` or `16-mixed`.
        ema: decay of the moving average of weights that is kept in the end; 0 keeps the last weights.
        validation: share of the clips that is held out, to stop early by.
        patience: stop after so many reports (of 200 in a budget) without a lower loss and keep the best
            weights; of the clips held out, or of training if none are; 0 never stops.
        licence: a note on the licence of the data, kept in the checkpoint.
        accelerator: of Lightning Fabric: `cpu`, `cuda`, `mps`, or `auto` for the best there is.
        threads: of torch, while training.
        checkpoint: a file that training is written to as it goes, and taken up from if it is there.
        checkpoint_every: steps between.
        logs: a folder for TensorBoard's logs (needs the extra `tensorboard`).
    """

    batch: int = attrs.field(default=128, validator=whole(1, 2**24))
    rate: float = attrs.field(default=1e-3, validator=share(100.0))
    decay: float = attrs.field(default=1e-4, validator=share(100.0))
    optimiser: str = "AdamW"
    optimiser_options: Mapping[str, Any] = attrs.field(factory=dict)
    scheduler: str = "cosine-restarts"
    scheduler_options: Mapping[str, Any] = attrs.field(factory=dict)
    clip: float = attrs.field(default=1.0, validator=share(1e9))
    accumulate: int = attrs.field(default=1, validator=whole(1, 2**16))
    precision: str = attrs.field(default="32-true", validator=attrs.validators.in_(PRECISIONS))
    ema: float = attrs.field(default=0.0, validator=share())
    validation: float = attrs.field(default=0.0, validator=share(0.9))
    patience: int = attrs.field(default=0, validator=whole(0, 200))
    licence: str = ""
    accelerator: str = attrs.field(
        default="auto", validator=attrs.validators.in_(("auto", "cpu", "cuda", "mps"))
    )
    threads: int = attrs.field(default=1, validator=whole(1, 1024))
    checkpoint: str | None = attrs.field(default=None, converter=attrs.converters.optional(str))
    checkpoint_every: int = attrs.field(default=500, validator=whole(1, 2**31))
    logs: str | None = attrs.field(default=None, converter=attrs.converters.optional(str))

    def configured(self, **options: Any) -> Any:
        """Return a new model with these options; this one stays as it is.

        Raises:
            ValidationError: an unknown option (naming the nearest) or a value out of range.
        """
        known = [field.name for field in attrs.fields(type(self))]
        for name in options:
            if name not in known:
                raise ValidationError(f"{type(self).__name__} has no option {name!r}{nearest(name, known)}")
        try:
            return attrs.evolve(self, **options)
        except (TypeError, ValueError) as error:
            if isinstance(error, ValidationError):
                raise
            raise ValidationError(f"options of {type(self).__name__}: {error}") from None

    def recorded(self) -> dict[str, Any]:
        """Return the options that decide what a training gives, as plain JSON values."""
        values = attrs.asdict(self, filter=lambda field, _: field.name not in _WHERE)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

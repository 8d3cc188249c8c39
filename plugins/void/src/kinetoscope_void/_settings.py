"""What can be set, and what of it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import attrs

from kinetoscope_spec import ValidationError

__all__ = ["MEMORY", "Settings"]

MEMORY: Final = ("full", "model-offload", "sequential-offload", "float8")
"""What is kept on the GPU: all; the network at work; a layer at a time; the network at work, in 8 bits."""


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value).expanduser()


def _whole(least: int, *, odd: bool = False) -> Any:
    """Return a validator of whole numbers from `least` on; `odd` asks for 4 k + 1 with an odd k."""

    def check(_: object, attribute: attrs.Attribute[int], value: object) -> None:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
        if not fits or (odd and int(str(value)) % 8 != 5):
            kind = "a whole number that is 5 more than a multiple of 8" if odd else "a whole number"
            raise ValidationError(f"void: {attribute.name} is {value!r}, expected {kind}, at least {least}")

    return check


def _two(least: float, *, step: int = 0) -> Any:
    """Return a validator of two numbers of at least `least`; `step` asks for multiples of it."""

    def check(_: object, attribute: attrs.Attribute[Any], value: Sequence[Any]) -> None:
        numbers = all(isinstance(n, int if step else (int, float)) for n in value)
        if len(value) != 2 or not numbers or any(n < least or (step and n % step) for n in value):
            kind = f"multiples of {step}" if step else "numbers"
            raise ValidationError(
                f"void: {attribute.name} is {list(value)!r}, expected two {kind}, at least {least}"
            )

    return check


def _one_of(*known: Any) -> Any:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value not in known:
            listed = ", ".join(str(each) for each in known)
            raise ValidationError(f"void: {attribute.name} is {value!r}, expected one of {listed}")

    return check


def _share(_: object, attribute: attrs.Attribute[float], value: Any) -> None:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValidationError(f"void: {attribute.name} is {value!r}, expected a number from 0 to 1")


@attrs.frozen(kw_only=True)
class Settings:
    """How VOID is run; as it was published, unless set.

    Attributes:
        folder: what holds `CogVideoX-Fun-V1.5-5b-InP` and `void_pass1.safetensors`, and
            `void_pass2.safetensors` for the second pass; `KINETOSCOPE_VOID_FOLDER` unless given.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        memory: one of `MEMORY`.
        passes: 1, or 2 to begin again from noise that moves as the first pass's picture does.
        size: height and width at which the networks work, multiples of 16.
        least_frames: shorter clips are played back and forth to as many.
        window: frames that are denoised together.
        overlap: latents by which windows overlap, four frames each.
        steps: of each pass.
        guidance: of each pass; 1 asks the network once a step, more asks it twice.
        degradation: share of fresh noise in the noise that moves.
        noise_detail: how much finer than half the picture the noise that moves is.
    """

    folder: Path | None = attrs.field(default=None, converter=_path)
    device: str = "auto"
    memory: str = attrs.field(default="model-offload", validator=_one_of(*MEMORY))
    passes: int = attrs.field(default=2, validator=_one_of(1, 2))
    size: tuple[int, int] = attrs.field(default=(384, 672), converter=tuple, validator=_two(16, step=16))
    least_frames: int = attrs.field(default=85, validator=_whole(5, odd=True))
    window: int = attrs.field(default=85, validator=_whole(5, odd=True))
    overlap: int = attrs.field(default=4, validator=_whole(0))
    steps: tuple[int, int] = attrs.field(default=(30, 50), converter=tuple, validator=_two(1, step=1))
    guidance: tuple[float, float] = attrs.field(default=(1.0, 6.0), converter=tuple, validator=_two(1))
    degradation: float = attrs.field(default=0.0, validator=_share)
    noise_detail: int = attrs.field(default=8, validator=_whole(1))

    def __attrs_post_init__(self) -> None:
        # A patch is two latents long: windows begin and end between patches.
        if self.overlap % 2 or self.overlap * 2 > self.window_latents:
            raise ValidationError(
                f"void: overlap is {self.overlap}, expected an even number of at most half of the "
                f"{self.window_latents} latents of a window"
            )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Read settings from a table.

        Raises:
            ValidationError: an unknown name, or a value that is none.
        """
        known = [field.name for field in attrs.fields(cls)]
        for name in given:
            if name not in known:
                raise ValidationError(f"void has no setting {name!r}, expected one of {', '.join(known)}")
        try:
            return cls(**given)
        except TypeError as error:  # what no converter takes: a number for a list
            raise ValidationError(f"void: a setting has the wrong type: {error}") from error

    @property
    def window_latents(self) -> int:
        """Latents of a window."""
        return (self.window - 1) // 4 + 1

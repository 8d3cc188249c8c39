"""What renderers share: names of passes and buffers, the check of what `open` is asked for, who watches a picture.

A picture is made in passes. A session with an attribute `watch` runs each of them within it:

    session.watch = stopwatch = Stopwatch()
    session.render(scene, camera)
    stopwatch.seconds  # {"shadow": 0.004, "geometry": 0.009, ...}

`watch` is None until it is set, and then costs nothing. The passes of a picture follow each other, none runs
within another, one may run in several parts. What a picture takes beside them, such as carrying it to where
NumPy has it, is watched by nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import attrs

from kinetoscope_spec.errors import ConfigError, nearest

__all__ = [
    "ALWAYS",
    "BUFFERS",
    "PASSES",
    "STANDARD",
    "Stopwatch",
    "Watch",
    "check_names",
    "check_size",
    "chosen",
    "switched",
]

PASSES = (
    "shadow",
    "ground",
    "ssao",
    "transparent",
    "ghosts",
    "bloom",
    "tonemap",
    "taa",
    "fxaa",
    "annotations",
    "lod",
)
"""Passes that can be switched, and `lod`, levels of detail (`kinetoscope_spec.detail`), which is no pass to watch."""

ALWAYS = frozenset({"geometry", "lighting", "tonemap"})
"""Passes without which there is no picture; `tonemap` off leaves its curve out, not the pass."""

STANDARD = frozenset(PASSES) - {"taa"}
"""Passes that are on unless a preset or a switch says otherwise. With `taa` pictures depend on those before: who
wants that says so."""

BUFFERS = ("depth", "normal", "albedo", "material", "motion", "id", "hdr", "final")
"""Buffers that `Frame.buffers` can hold."""

Watch = Callable[[str], AbstractContextManager[Any]]
"""Given the name of a pass, returns the context within which it is drawn, from its first step to its last."""

_LARGEST = 16384
"""The side of the largest texture that drivers have in common."""

_Preset = TypeVar("_Preset")


@attrs.define
class Stopwatch:
    """A `Watch` that adds up what each pass takes, over all pictures.

    Attributes:
        clock: tells seconds; that of the processor's work for this process, in all its threads, if nothing is said.
        seconds: what each pass took so far, by its name.
    """

    clock: Callable[[], float] = time.process_time
    seconds: dict[str, float] = attrs.field(factory=dict, init=False)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count what is done within it as the pass `name`."""
        begun = self.clock()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self.clock() - begun


def chosen(presets: Mapping[str, _Preset], name: str) -> _Preset:
    """Return the preset `name`.

    Raises:
        ConfigError: there is none; names those there are.
    """
    if name not in presets:
        raise ConfigError(
            f"quality is {name!r}, expected one of {', '.join(presets)}{nearest(name, list(presets))}"
        )
    return presets[name]


def switched(
    on: Iterable[str], switches: Mapping[str, bool] | None, known: Sequence[str] = PASSES
) -> frozenset[str]:
    """Return the passes that run: those of `on`, with those in `switches` turned on or off.

    Raises:
        ConfigError: a switch is none of `known`.
    """
    switches = switches or {}
    check_names("passes", switches, known)
    wanted = {name for name, is_on in switches.items() if is_on}
    return (frozenset(on) | wanted) - (set(switches) - wanted)


def check_names(option: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse names that are not known.

    Raises:
        ConfigError: naming the first unknown one, and the nearest known ones.
    """
    for name in given:
        if name not in known:
            raise ConfigError(
                f"{option} names {name!r}, expected some of {', '.join(known)}{nearest(str(name), known)}"
            )


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return width and height as whole numbers of pixels.

    Raises:
        ConfigError: `size` is not two numbers from 1 to 16,384.
    """
    try:
        width, height = (int(n) for n in size)
    except (TypeError, ValueError):
        width = height = 0
    if not (1 <= width <= _LARGEST and 1 <= height <= _LARGEST):
        raise ConfigError(f"size is {size!r}, expected width and height from 1 to {_LARGEST} pixels")
    return width, height

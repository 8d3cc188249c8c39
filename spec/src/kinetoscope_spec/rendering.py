"""What renderers share: presets, names of passes and buffers, the check of what `open` is asked for, who watches a picture.

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
from typing import Any

import attrs

from kinetoscope_spec.errors import ConfigError, nearest

__all__ = [
    "ALWAYS",
    "BUFFERS",
    "PASSES",
    "PRESETS",
    "STANDARD",
    "Quality",
    "Stopwatch",
    "Watch",
    "check_names",
    "check_size",
    "quality",
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


@attrs.frozen(kw_only=True)
class Quality:
    """What one preset spends.

    Attributes:
        shadow_size: texels along an edge of each square of the sun's shadow map.
        shadow_taps: taps along an edge of the shadow filter (1, 2 or 3).
        cascades: squares of the shadow map at most, for parts of the view from near to far.
        ssao_samples: occlusion samples a half-resolution pixel takes.
        layers: transparent surfaces behind each other that a pixel shows at most.
        bloom_levels: mips of the bloom chain.
        fxaa_steps: pixels that the search along an edge goes at most.
        detail_px: pixels that coarser meshes may be off, where triangles outnumber pixels.
        passes: names of the passes that run.
    """

    shadow_size: int
    shadow_taps: int
    cascades: int
    ssao_samples: int
    layers: int
    bloom_levels: int
    fxaa_steps: int
    detail_px: float
    passes: frozenset[str]

    def runs(self, name: str) -> bool:
        """Tell whether the pass `name` is switched on."""
        return name in self.passes


PRESETS: Mapping[str, Quality] = {
    "draft": Quality(
        shadow_size=512,
        shadow_taps=1,
        cascades=2,
        ssao_samples=4,
        layers=3,
        bloom_levels=3,
        fxaa_steps=2,
        detail_px=2.0,
        passes=STANDARD - {"ssao", "bloom", "fxaa"},
    ),
    "medium": Quality(
        shadow_size=1024,
        shadow_taps=2,
        cascades=3,
        ssao_samples=8,
        layers=5,
        bloom_levels=5,
        fxaa_steps=3,
        detail_px=1.0,
        passes=STANDARD,
    ),
    "high": Quality(
        shadow_size=2048,
        shadow_taps=3,
        cascades=4,
        ssao_samples=16,
        layers=8,
        bloom_levels=6,
        fxaa_steps=8,
        detail_px=0.5,
        passes=STANDARD,
    ),
}
"""The presets by name."""


def quality(name: str, switches: Mapping[str, bool] | None = None) -> Quality:
    """Return the preset `name` with the passes in `switches` turned on or off.

    Raises:
        ConfigError: no such preset, or no such pass.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"quality is {name!r}, expected one of {', '.join(PRESETS)}{nearest(name, list(PRESETS))}"
        )
    preset = PRESETS[name]
    return attrs.evolve(preset, passes=switched(preset.passes, switches))


def switched(on: Iterable[str], switches: Mapping[str, bool] | None) -> frozenset[str]:
    """Return the passes that run: those of `on`, with those in `switches` turned on or off.

    Raises:
        ConfigError: a switch is no pass.
    """
    switches = switches or {}
    check_names("passes", switches, PASSES)
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

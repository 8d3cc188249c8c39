"""Passes with one thing wrong: what shows that the laws of `RenderPassContract` have teeth."""

from __future__ import annotations

import itertools
from typing import Any

from kinetoscope_deferred.device import Device
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


@mutant(MUTANTS, "any_size_is_drawn")
class Populated(Wrapper):
    """counts on something being there to draw"""

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        return {**self.real.draw(device, view, quality), "first": min(draw.actor_id for draw in view.draws)}


@mutant(MUTANTS, "what_it_does_not_say_it_writes_stays")
class Paints(Wrapper):
    """paints a corner of the albedo, too"""

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        work = dict(self.real.draw(device, view, quality))
        texel = device.textures["albedo"].read(alignment=1)[:4]
        device.textures["albedo"].write(bytes(255 - n for n in texel), viewport=(0, 0, 1, 1))
        return work


@mutant(MUTANTS, "the_same_frame_is_the_same_picture")
class Flickers(Wrapper):
    """inverts a corner of what it writes in every second frame"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.calls = itertools.count()

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        work = dict(self.real.draw(device, view, quality))
        if next(self.calls) % 4 >= 2:  # frames are compared that are two apart, or three
            target = device.textures[self.real.writes[0]]
            texel = target.read(alignment=1)[
                : len(target.read(alignment=1)) // (target.size[0] * target.size[1])
            ]
            target.write(bytes(n ^ 64 for n in texel), viewport=(0, 0, 1, 1))
        return work

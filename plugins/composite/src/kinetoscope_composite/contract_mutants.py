"""Compositors with one thing wrong: what shows that the laws of `CompositorContract` have teeth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import attrs
import numpy as np

from kinetoscope_composite.layer import Layer
from kinetoscope_composite.protocol import CameraSolve
from kinetoscope_spec import Video
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Films(Wrapper):
    """A compositor whose frames are changed."""

    def composite(self, plate: Video, layers: Any, **options: Any) -> Video:
        made: Video = self.real.composite(plate, layers, **options)

        def source(start: int, stop: int | None) -> Iterator[Any]:
            below = plate.frames(start, stop)
            for number, (frame, was) in enumerate(zip(made.frames(start, stop), below, strict=False), start):
                layer = next(_from(layers, number))
                yield self.changed(np.array(frame), was, layer, number - start, options)
            # What the real one raises at the end is raised.
            list(made.frames(start, stop))

        return attrs.evolve(made, source=source)

    def changed(self, frame: Any, was: Any, layer: Layer, place: int, options: Any) -> Any:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


def _from(layers: Any, start: int) -> Iterator[Layer]:
    """Return the layers from `start` on; those before are not made where one can begin anywhere."""
    if hasattr(layers, "__getitem__"):
        return iter(layers[start:])
    return islice(iter(layers), start, None)


@mutant(MUTANTS, "what_nothing_lies_over_stays_as_it_is")
class GrainEverywhere(_Films):
    """lays a level over what no layer touches"""

    def changed(self, frame: Any, was: Any, layer: Layer, place: int, options: Any) -> Any:
        if options.get("grain", True) and not np.asarray(layer.alpha).any():
            frame[0, 0, 0] ^= 1
        return frame


@mutant(MUTANTS, "what_hides_all_is_what_is_seen")
class ShinesThrough(_Films):
    """lets a tenth of the plate shine through what hides it"""

    def changed(self, frame: Any, was: Any, layer: Layer, place: int, options: Any) -> Any:
        if np.asarray(layer.alpha).min() == 1:
            frame[..., :3] = np.rint(0.9 * frame[..., :3] + 0.1 * (255.0 - frame[..., :3]))
        return frame


@mutant(MUTANTS, "light_adds_up_as_light_does")
class BlendsLevels(_Films):
    """blends levels instead of light"""

    def changed(self, frame: Any, was: Any, layer: Layer, place: int, options: Any) -> Any:
        alpha = np.asarray(layer.alpha)[..., None]
        if options.get("grain", True) or alpha.min() == 1 or not alpha.any():
            return frame
        frame[..., :3] = np.rint(was[..., :3] * (1 - alpha) + 255 * np.asarray(layer.light)).clip(0, 255)
        return frame


@mutant(MUTANTS, "the_plate_keeps_what_it_is")
class AnotherRate(Wrapper):
    """plays at twice the rate"""

    def composite(self, plate: Video, layers: Any, **options: Any) -> Video:
        made: Video = self.real.composite(plate, layers, **options)
        return attrs.evolve(made, rate=2 * made.rate)


@mutant(MUTANTS, "the_same_seed_gives_the_same_frames_from_any_to_any")
class CountsFromWhereItStarts(_Films):
    """changes the first frame that is read, whichever it is"""

    def changed(self, frame: Any, was: Any, layer: Layer, place: int, options: Any) -> Any:
        if place == 0 and "seed" in options and np.asarray(layer.alpha).any() and options["seed"] != 3:
            frame[0, 0, 0] ^= 1
        return frame


@mutant(MUTANTS, "no_layer_is_made_that_is_not_read")
class BeginsWithTheFirst(Wrapper):
    """goes through all layers from the first on, wherever it is read from"""

    def composite(self, plate: Video, layers: Any, **options: Any) -> Video:
        made: Video = self.real.composite(plate, _OnceThrough(layers), **options)
        return made


class _OnceThrough:
    def __init__(self, layers: Any) -> None:
        self._layers = layers

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)


@mutant(MUTANTS, "layers_that_do_not_fit_are_an_error")
class TakesWhatFits(Wrapper):
    """takes as many layers as there are frames, and repeats the last one"""

    def composite(self, plate: Video, layers: Any, **options: Any) -> Video:
        if not hasattr(layers, "__getitem__"):
            layers = list(layers)
        made: Video = self.real.composite(
            plate, _Fitting(layers, plate) if len(layers) > 0 else layers, **options
        )
        return made


class _Fitting:
    """As many layers as a plate has frames: those that there are, then the last one again and again."""

    def __init__(self, layers: Any, plate: Video) -> None:
        self._layers = layers
        self._count = sum(1 for _ in plate.frames())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Layer]:
        return self[0:]

    def __getitem__(self, part: slice) -> Iterator[Layer]:
        last = len(self._layers) - 1
        held = _from(self._layers, min(part.start, last))
        layer = next(held)
        yield layer
        for _ in range(part.start + 1, self._count):
            layer = next(held, layer)
            yield layer


@mutant(MUTANTS, "it_can_be_cancelled")
class GoesOn(Wrapper):
    """does not listen to progress"""

    def composite(self, plate: Video, layers: Any, **options: Any) -> Video:
        options.pop("progress", None)
        made: Video = self.real.composite(plate, layers, **options)
        return made


@mutant(MUTANTS, "a_camera_that_turns_is_found")
class TurnsTheOtherWay(Wrapper):
    """turns the other way"""

    def solve(self, plate: Video, **options: Any) -> CameraSolve:
        solved: CameraSolve = self.real.solve(plate, **options)
        return attrs.evolve(solved, rotations=np.asarray(solved.rotations).transpose(0, 2, 1))


@mutant(MUTANTS, "a_camera_that_stands_still_does")
class Drifts(Wrapper):
    """lets a still camera drift by what noise says"""

    def solve(self, plate: Video, **options: Any) -> CameraSolve:
        solved: CameraSolve = self.real.solve(plate, **options)
        if not solved.still:
            return solved
        drift = np.array(solved.rotations)
        drift[-1, 0, 1] += 1e-6
        return attrs.evolve(solved, rotations=drift)

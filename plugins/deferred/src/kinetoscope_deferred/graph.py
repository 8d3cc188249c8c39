"""The frame graph with passes of others in it: where each stands, and whose fault it is if one fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import moderngl

from kinetoscope_deferred.device import Device
from kinetoscope_deferred.passes.base import Pass
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.render_pass import PLACES, RenderPass
from kinetoscope_deferred.view import View
from kinetoscope_spec.errors import ConfigError, PluginError, nearest
from kinetoscope_spec.rendering import ALWAYS

__all__ = ["Guest", "arrange", "check_inputs", "with_guests"]

_OPTIONAL = ("emission", "motion")
"""Textures of the G-buffer that some frames have."""

_LINES = 8
"""Of what a compiler says: the first mistakes, not all that follow from them."""


@attrs.frozen(eq=False)
class Guest:
    """A pass of somebody else's in the frame graph. It takes the name, and the switch, of what it replaces."""

    step: RenderPass
    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw it, and leave the context as the next pass expects it.

        Raises:
            PluginError: it failed, left an OpenGL error, or did not make what it said; names it.
        """
        try:
            work = dict(self.step.draw(device, view, quality) or {})
        except Exception as error:
            told = "\n".join(str(error).splitlines()[:_LINES])
            said = PluginError(f"render pass {self.step.name!r} failed: {type(error).__name__}: {told}")
            for note in getattr(error, "__notes__", ()):
                said.add_note(note)
            raise said from error
        finally:
            _tidy(device.context)
        left = device.context.error
        if left != "GL_NO_ERROR":
            raise PluginError(f"render pass {self.step.name!r} left the OpenGL error {left}")
        for name in self.writes:
            if name not in device.textures:
                raise PluginError(
                    f"render pass {self.step.name!r} says it writes {name!r}, but made no such texture"
                )
        return work


def _tidy(context: moderngl.Context) -> None:
    context.enable_only(moderngl.NOTHING)
    context.front_face = "ccw"
    context.cull_face = "back"
    context.depth_func = "<"
    context.blend_func = moderngl.DEFAULT_BLENDING
    context.wireframe = False


def arrange(passes: Sequence[Pass], added: Iterable[RenderPass]) -> tuple[Pass, ...]:
    """Return `passes` with those of others in their places.

    Of several at one place, those that are given first stand nearer to the place they name.

    Raises:
        ConfigError: a pass is not what `RenderPass` says, or there is no such place for it.
    """
    graph: list[Pass] = list(passes)
    waiting = [_checked(step) for step in added]
    own = {step.name for step in passes}
    taken: dict[str, str] = {}
    for step in waiting:
        if step.name in own or step.name in taken:
            raise ConfigError(f"render pass {step.name!r} has the name of another pass; call it otherwise")
        taken[step.name] = step.name
    while waiting:
        # Passes may stand before or after each other: each turn places those whose neighbour is there.
        placed = [step for step in waiting if _place(graph, step)]
        if not placed:
            raise _no_place(waiting[0], graph, waiting)
        waiting = [step for step in waiting if step not in placed]
    _check_order(graph)
    return tuple(graph)


def _checked(step: Any) -> RenderPass:
    name = getattr(step, "name", None)
    if not isinstance(name, str) or not name:
        raise ConfigError(f"a render pass has the name {name!r}, expected a word ({type(step).__name__})")
    for field in ("reads", "writes"):
        given = getattr(step, field, None)
        if (
            isinstance(given, str)
            or not isinstance(given, Sequence)
            or not all(isinstance(n, str) for n in given)
        ):
            raise ConfigError(
                f"render pass {name!r}: {field} is {given!r}, expected names of textures such as ('picture',)"
            )
    if not step.writes:
        raise ConfigError(
            f"render pass {name!r}: writes is empty, expected what it draws into, such as ('picture',)"
        )
    places = [place for place in PLACES if getattr(step, place, None) is not None]
    if len(places) != 1:
        given = " and ".join(places) or "none"
        raise ConfigError(f"render pass {name!r} names {given} of {', '.join(PLACES)}, expected one of them")
    if not callable(getattr(step, "draw", None)):
        raise ConfigError(f"render pass {name!r} has no method draw(device, view, quality)")
    checked: RenderPass = step
    return checked


def _place(graph: list[Pass], step: RenderPass) -> bool:
    """Put `step` into `graph` if its neighbour stands there."""
    relation, neighbour = _relation(step)
    names = [held.name for held in graph]
    if neighbour not in names:
        return False
    at = names.index(neighbour)
    guest = Guest(
        step, neighbour if relation == "replaces" else step.name, tuple(step.reads), tuple(step.writes)
    )
    if relation == "replaces":
        _check_replaced(graph[at], step)
        graph[at] = guest
    elif relation == "before":
        graph.insert(at, guest)
    else:
        behind = at + 1
        while behind < len(graph) and _stands_after(graph[behind], neighbour):
            behind += 1
        graph.insert(behind, guest)
    return True


def _stands_after(held: Pass, neighbour: str) -> bool:
    return isinstance(held, Guest) and _relation(held.step) == ("after", neighbour)


def _relation(step: RenderPass) -> tuple[str, str]:
    return next((place, getattr(step, place)) for place in PLACES if getattr(step, place, None) is not None)


def _check_replaced(held: Pass, step: RenderPass) -> None:
    if isinstance(held, Guest):
        raise ConfigError(f"render passes {held.step.name!r} and {step.name!r} both replace {held.name!r}")
    missing = [name for name in held.writes if name not in step.writes]
    if missing:
        raise ConfigError(
            f"render pass {step.name!r} replaces {held.name!r} but does not write {', '.join(missing)}, "
            "which later passes read"
        )


def _no_place(step: RenderPass, graph: Sequence[Pass], waiting: Sequence[RenderPass]) -> ConfigError:
    relation, neighbour = _relation(step)
    if neighbour in [other.name for other in waiting]:
        return ConfigError(f"render passes wait for each other: {', '.join(repr(s.name) for s in waiting)}")
    names = [held.name for held in graph]
    return ConfigError(
        f"render pass {step.name!r}: {relation} is {neighbour!r}, expected one of "
        f"{', '.join(names)}{nearest(str(neighbour), names)}"
    )


def _check_order(graph: Sequence[Pass]) -> None:
    """Refuse a guest that reads what nothing before it writes."""
    made: dict[str, str] = dict.fromkeys(_OPTIONAL, "geometry")
    for step in graph:
        if isinstance(step, Guest):
            for name in step.reads:
                if name not in made:
                    raise ConfigError(
                        f"render pass {step.step.name!r} reads {name!r}, which no pass before it writes; "
                        f"there are {', '.join(made)}{nearest(name, list(made))}"
                    )
        made |= dict.fromkeys(step.writes, step.name)


def with_guests(preset: Quality, guests: Iterable[RenderPass]) -> Quality:
    """Switch on what was asked for: a pass by its own name, or by that of the one it replaces."""
    names = {getattr(guest, "replaces", None) or getattr(guest, "name", "") for guest in guests}
    return attrs.evolve(preset, passes=preset.passes | names)


def check_inputs(graph: Sequence[Pass], quality: Quality) -> None:
    """Refuse a guest that is on and reads what only passes write that are switched off.

    Raises:
        ConfigError: names both passes.
    """
    running = [step for step in graph if step.name in ALWAYS or quality.runs(step.name)]
    made = {*_OPTIONAL, *(name for step in running for name in step.writes)}
    for step in running:
        for name in step.reads if isinstance(step, Guest) else ():
            if name not in made:
                writers = [other.name for other in graph if name in other.writes]
                raise ConfigError(
                    f"render pass {step.name!r} reads {name!r}, which {' or '.join(writers)} writes, "
                    "and that is switched off"
                )

"""What moves right now: the newest state of everything, handed over without waiting."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from itertools import chain, count
from typing import Any

import numpy as np
import viser
from numpy.typing import NDArray

from kinetoscope_spec import Actor, Character, Scene
from kinetoscope_viser._bake import Baked, bake
from kinetoscope_viser._figure import Figure

__all__ = ["Latest", "Stage"]

Array = NDArray[Any]


class Latest:
    """The newest value of each key. Who puts one never waits for who takes it: the older one is dropped.

    Attributes:
        dropped: how many nobody took.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Hashable, Any] = {}
        self.dropped = 0

    def put(self, key: Hashable, value: Any) -> None:
        """Hand over a value."""
        with self._lock:  # held for the length of two lines, never while anything is sent
            self.dropped += key in self._held
            self._held[key] = value

    def take(self) -> dict[Hashable, Any]:
        """Take what there is."""
        with self._lock:
            held, self._held = self._held, {}
        return held


class Stage:
    """The figures of a `Scene`'s actors, by their ids."""

    def __init__(self, server: viser.ViserServer) -> None:
        self._server = server
        self._figures: dict[int, Figure] = {}
        self._gone: list[Figure] = []
        self._baked: dict[int, tuple[Character, Baked]] = {}
        self._seen = {"body": True, "skeleton": False}

    @property
    def figures(self) -> Mapping[int, Figure]:
        """Who is there."""
        return self._figures

    def show(self, *, body: bool, skeleton: bool) -> None:
        """Say what of them is seen, and of those who come."""
        self._seen = {"body": body, "skeleton": skeleton}
        for figure in self._figures.values():
            figure.show(visible=True, **self._seen)

    def draw(self, scene: Scene) -> None:
        """Show a scene's actors; who is not among them any more is not seen any more."""
        actors = {actor.id: actor for actor in scene.actors}
        for number, figure in list(self._figures.items()):
            if number not in actors or actors[number].character is not figure.character:
                figure.show(visible=False, **self._seen)
                self._gone.append(self._figures.pop(number))
        for number, actor in actors.items():
            if number not in self._figures:
                self._figures[number] = self._figure(number, actor)
                self._figures[number].show(visible=True, **self._seen)
            self._figures[number].pose(actor.pose)

    def _figure(self, number: int, actor: Actor) -> Figure:
        """Return a figure of the actor's character: one that has gone, or a new one.

        viser's page fails when a skinned mesh is taken off it, so they are hidden, and come back.
        """
        for held in self._gone:
            if held.character is actor.character:
                self._gone.remove(held)
                return held
        key = id(actor.character)
        if key not in self._baked:
            self._baked[key] = (actor.character, bake(actor.character, actor.pose))
        taken = {held.name for held in (*self._figures.values(), *self._gone)}
        names = chain([f"actor{number}"], (f"actor{number}-{i}" for i in count()))
        name = next(name for name in names if name not in taken)
        return Figure(self._server, name, actor.character, self._baked[key][1], number=number)

    def middle(self) -> Array | None:
        """Return the middle of all actors' joints, `[3]` m; None without any."""
        middles = [figure.middle() for figure in self._figures.values()]
        return np.mean(middles, axis=0) if middles else None

"""What moves right now: the newest state of everything, handed over without waiting."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from itertools import chain, count
from typing import Any, Final

import attrs
import numpy as np
import viser
from numpy.typing import NDArray

from kinetoscope_spec import Actor, Camera, Character, Mesh, Scene
from kinetoscope_spec.ghosts import Ghost, ghosts_in
from kinetoscope_viser._bake import Baked, bake
from kinetoscope_viser._figure import Figure
from kinetoscope_viser._ghosts import Haunt

__all__ = ["Latest", "Stage", "same_body"]

Array = NDArray[Any]

_LOOKS: Final = tuple(
    field.name for field in attrs.fields(Mesh) if field.name not in ("name", "skin", "morph_weights")
)
"""All of a mesh but what it is called, who carries it, and the shape in which it rests."""
_WAIT_S: Final = 5.0
"""Who has gone may come back for so long: a crowd changes all the time."""


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


def same_body(one: Character, other: Character) -> bool:
    """Tell whether two characters differ in nothing but the shape in which they rest.

    Who speaks is another `Character` in each frame, of the same arrays (`film.morphed` makes them).
    """
    return one is other or (
        one.skeleton is other.skeleton
        and len(one.meshes) == len(other.meshes)
        and len(one.materials) == len(other.materials)
        and all(a is b for a, b in zip(one.materials, other.materials, strict=True))
        and all(_same_mesh(a, b) for a, b in zip(one.meshes, other.meshes, strict=True))
    )


def _same_mesh(one: Mesh, other: Mesh) -> bool:
    return one is other or (
        one.skin is other.skin and all(_same(getattr(one, name), getattr(other, name)) for name in _LOOKS)
    )


def _same(one: Any, other: Any) -> bool:
    """Tell whether two arrays are one in memory, as values hold views, which nobody writes to; or others alike."""
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return one is other or (type(one) is type(other) and bool(one == other))
    held = one.__array_interface__, other.__array_interface__
    return all(held[0][key] == held[1][key] for key in ("data", "shape", "strides", "typestr"))


class Stage:
    """The figures of a `Scene`'s actors, by their ids, and the ghosts that it holds.

    Who is not among the actors any more is hidden, for the next of the same body, and taken off the page
    when none has come in `_WAIT_S` seconds.
    """

    def __init__(self, server: viser.ViserServer) -> None:
        self._server = server
        self._figures: dict[int, Figure] = {}
        self._gone: list[tuple[float, Figure]] = []
        self._baked: list[tuple[Character, Baked]] = []
        self._haunt = Haunt(server, "/stage", self._known)
        self._haunting: tuple[Ghost, ...] = ()
        self._seen = {"body": True, "skeleton": False}
        self._names: set[str] = set()

    @property
    def figures(self) -> Mapping[int, Figure]:
        """Who is there."""
        return self._figures

    def show(self, *, body: bool, skeleton: bool) -> None:
        """Say what of them is seen, and of those who come."""
        self._seen = {"body": body, "skeleton": skeleton}
        for figure in self._figures.values():
            figure.show(visible=True, **self._seen)

    def draw(self, scene: Scene, camera: Camera, now: float) -> None:
        """Show a scene's actors, at `now` s; who is not among them any more is not seen any more.

        Raises:
            ValidationError: the scene's ghosts are something else.
        """
        actors = {actor.id: actor for actor in scene.actors}
        for number, figure in list(self._figures.items()):
            if number not in actors or not same_body(actors[number].character, figure.character):
                figure.show(visible=False, **self._seen)
                self._gone.append((now, self._figures.pop(number)))
        for number, actor in actors.items():
            if number not in self._figures:
                self._figures[number] = self._figure(number, actor)
                self._figures[number].show(visible=True, **self._seen)
            figure = self._figures[number]
            factors = figure.baked.factors(meshes=actor.character.meshes) if figure.baked.shapes else None
            figure.pose(actor.pose, factors)
        self._haunting = ghosts_in(scene, camera)
        self._haunt.draw(self._haunting)

    def sweep(self, now: float) -> None:
        """Take off the page who has been gone for long, and forget characters that nobody is any more."""
        late = [figure for since, figure in self._gone if now - since >= _WAIT_S]
        if not late:
            return
        for figure in late:
            figure.remove()
        self._gone = [(since, figure) for since, figure in self._gone if now - since < _WAIT_S]
        here = [figure.character for figure in (*self._figures.values(), *(held for _, held in self._gone))]
        here += [ghost.character for ghost in self._haunting]
        for _, baked in [pair for pair in self._baked if not any(same_body(pair[0], h) for h in here)]:
            self._haunt.forget(baked)
            self._baked = [pair for pair in self._baked if pair[1] is not baked]

    def _known(self, character: Character, pose: Array | None = None) -> Baked:
        """Return what the page has of a character; it is baked by `pose`, or as it rests."""
        for known, baked in self._baked:
            if same_body(known, character):
                return baked
        baked = bake(character, character.skeleton.rest_matrices() if pose is None else pose)
        self._baked.append((character, baked))
        return baked

    def _figure(self, number: int, actor: Actor) -> Figure:
        """Return a figure of the actor's body: one that has gone, or a new one."""
        for pair in self._gone:
            if same_body(pair[1].character, actor.character):
                self._gone.remove(pair)
                return pair[1]
        baked = self._known(actor.character, actor.pose)
        # A name is not used twice: a page may still be about to let go of who had it.
        names = chain([f"actor{number}"], (f"actor{number}-{i}" for i in count()))
        name = next(name for name in names if name not in self._names)
        self._names.add(name)
        return Figure(self._server, name, actor.character, baked, number=number)

    def middle(self) -> Array | None:
        """Return the middle of all actors' joints, `[3]` m; None without any."""
        middles = [figure.middle() for figure in self._figures.values()]
        return np.mean(middles, axis=0) if middles else None

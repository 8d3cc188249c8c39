"""What a system is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

if TYPE_CHECKING:
    from kinetoscope_stage.view import View

__all__ = ["FunctionSystem", "System", "system"]


@runtime_checkable
class System(Protocol):
    """Moves all entities that have what it reads and writes, in one go.

    A system declares the components that it reads and those that it writes; it gets to see no
    others, and those that it only reads are read-only. It keeps no state of its own that the next
    step depends on: state lives in components, so that a world can be hashed and replayed. The
    order of entities does not matter to what becomes of each.

    Attributes:
        name: unique in its schedule.
        reads: components that it needs as they are when it runs.
        writes: components that it sets; those in `reads` too are changed, the others made anew.
        after, before: names of systems that it runs after and before, beyond what `reads` and
            `writes` say (optional).
        phase: `fixed`, once every fixed step, or `frame`, once every rendered frame (optional).
    """

    name: str
    reads: Sequence[type]
    writes: Sequence[type]

    def step(self, world: View, dt: float) -> None:
        """Move everything on by `dt` seconds, 0 or more."""
        ...


@attrs.frozen
class FunctionSystem:
    """A system made of a function; see `system`."""

    name: str
    function: Callable[[Any, float], None]
    reads: tuple[type, ...] = ()
    writes: tuple[type, ...] = ()
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    phase: str = "fixed"

    def step(self, world: View, dt: float) -> None:
        """Call the function."""
        self.function(world, dt)


def system(
    *,
    reads: Sequence[type] = (),
    writes: Sequence[type] = (),
    after: Sequence[str] = (),
    before: Sequence[str] = (),
    phase: str = "fixed",
    name: str | None = None,
) -> Callable[[Callable[[Any, float], None]], FunctionSystem]:
    """Make a system of a function `(world, dt)`, called as the function is unless `name` says otherwise.

    @system(reads=[Velocity], writes=[Transform])
    def drift(world, dt):
        for chunk in world.query(Velocity, Transform):
            chunk[Transform].position[:] += chunk[Velocity].linear * dt
    """

    def made(function: Callable[[Any, float], None]) -> FunctionSystem:
        return FunctionSystem(
            name or function.__name__,
            function,
            tuple(reads),
            tuple(writes),
            tuple(after),
            tuple(before),
            phase,
        )

    return made

"""A stage: a world of entities in columns, systems that move them, and loops that run the systems."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kinetoscope_spec import Provider, hookimpl

if TYPE_CHECKING:
    from kinetoscope_stage._component import Numbers, column, component
    from kinetoscope_stage.loop import Loop
    from kinetoscope_stage.prefab import Prefab
    from kinetoscope_stage.protocol import System, system
    from kinetoscope_stage.recording import Recording
    from kinetoscope_stage.schedule import Schedule
    from kinetoscope_stage.transforms import GlobalTransform, PreviousTransform, Transform
    from kinetoscope_stage.world import NOBODY, DeadEntity, Parent, World, WorldLocked

__all__ = [
    "NOBODY",
    "DeadEntity",
    "GlobalTransform",
    "Loop",
    "Numbers",
    "Parent",
    "Prefab",
    "PreviousTransform",
    "Recording",
    "Schedule",
    "System",
    "Transform",
    "World",
    "WorldLocked",
    "column",
    "component",
    "providers",
    "system",
]

_HOMES = {
    **dict.fromkeys(("Numbers", "column", "component"), "_component"),
    **dict.fromkeys(("System", "system"), "protocol"),
    "Loop": "loop",
    "Prefab": "prefab",
    "Recording": "recording",
    "Schedule": "schedule",
    **dict.fromkeys(("GlobalTransform", "PreviousTransform", "Transform"), "transforms"),
    **dict.fromkeys(("NOBODY", "DeadEntity", "Parent", "World", "WorldLocked"), "world"),
}


@hookimpl(specname="system")
def providers() -> Sequence[Provider]:
    """Offer the systems of this distribution."""
    return [
        Provider(
            "transforms",
            "global transforms of entities that hang on each other",
            load="kinetoscope_stage.transforms:TransformSystem",
        )
    ]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_stage.{_HOMES[name]}"), name)

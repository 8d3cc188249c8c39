"""Rigid bodies and capsules on the stage, by MuJoCo."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kinetoscope_spec import Provider, hookimpl

if TYPE_CHECKING:
    from kinetoscope_mujoco.bodies import BOX, CAPSULE, SPHERE, Body, Physics

__all__ = ["BOX", "CAPSULE", "SPHERE", "Body", "Physics", "providers"]


@hookimpl(specname="system")
def providers() -> Sequence[Provider]:
    """Offer the system of this distribution."""
    return [
        Provider(
            "rigid-bodies",
            "boxes, spheres and capsules that fall, slide and are pushed",
            load="kinetoscope_mujoco.system:RigidBodySystem",
            requires=("module:mujoco",),
        )
    ]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("kinetoscope_mujoco.bodies"), name)

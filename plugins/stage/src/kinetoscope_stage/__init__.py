"""A stage: a world of entities in columns, systems that move them, and loops that run the systems."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kinetoscope_spec import Provider, hookimpl

if TYPE_CHECKING:
    from kinetoscope_stage._component import Numbers, column, component, reference
    from kinetoscope_stage.library import Library
    from kinetoscope_stage.loop import Loop
    from kinetoscope_stage.poses import (
        Animator,
        BlendValues,
        GlobalPose,
        Inertia,
        LookAt,
        Pose,
        PreviousPose,
        Rig,
        RootMotion,
    )
    from kinetoscope_stage.prefab import Prefab
    from kinetoscope_stage.protocol import System, system
    from kinetoscope_stage.recording import Recording
    from kinetoscope_stage.schedule import Schedule
    from kinetoscope_stage.springs import Spring
    from kinetoscope_stage.systems.animation import play
    from kinetoscope_stage.systems.cameras import CameraRig, camera
    from kinetoscope_stage.systems.controller import Controlled, Models
    from kinetoscope_stage.systems.movement import Follower
    from kinetoscope_stage.systems.reach import Reach
    from kinetoscope_stage.systems.recorder import Take
    from kinetoscope_stage.systems.sway import Sway, sway
    from kinetoscope_stage.transforms import GlobalTransform, PreviousTransform, Transform
    from kinetoscope_stage.trees import Across, Along
    from kinetoscope_stage.world import NOBODY, DeadEntity, Parent, World, WorldLocked

__all__ = [
    "NOBODY",
    "Across",
    "Along",
    "Animator",
    "BlendValues",
    "CameraRig",
    "Controlled",
    "DeadEntity",
    "Follower",
    "GlobalPose",
    "GlobalTransform",
    "Inertia",
    "Library",
    "LookAt",
    "Loop",
    "Models",
    "Numbers",
    "Parent",
    "Pose",
    "Prefab",
    "PreviousPose",
    "PreviousTransform",
    "Reach",
    "Recording",
    "Rig",
    "RootMotion",
    "Schedule",
    "Skin",
    "Spring",
    "Sway",
    "System",
    "Take",
    "Transform",
    "World",
    "WorldLocked",
    "camera",
    "column",
    "component",
    "play",
    "providers",
    "reference",
    "sway",
    "system",
]

_HOMES = {
    **dict.fromkeys(("Numbers", "column", "component", "reference"), "_component"),
    **dict.fromkeys(("System", "system"), "protocol"),
    "Library": "library",
    "BlendValues": "poses",
    **dict.fromkeys(("Across", "Along"), "trees"),
    "Loop": "loop",
    **dict.fromkeys(
        ("Animator", "GlobalPose", "Inertia", "LookAt", "Pose", "PreviousPose", "Rig", "RootMotion", "Skin"),
        "poses",
    ),
    "Spring": "springs",
    "play": "systems.animation",
    **dict.fromkeys(("CameraRig", "camera"), "systems.cameras"),
    **dict.fromkeys(("Controlled", "Models"), "systems.controller"),
    "Follower": "systems.movement",
    **dict.fromkeys(("Sway", "sway"), "systems.sway"),
    "Reach": "systems.reach",
    "Take": "systems.recorder",
    "Prefab": "prefab",
    "Recording": "recording",
    "Schedule": "schedule",
    **dict.fromkeys(("GlobalTransform", "PreviousTransform", "Transform"), "transforms"),
    **dict.fromkeys(("NOBODY", "DeadEntity", "Parent", "World", "WorldLocked"), "world"),
}


_SYSTEMS: dict[str, tuple[str, ...]] = {
    "animation": (
        "clips, blend trees, cross-fades, root motion, inertia",
        "systems.animation:AnimationSystem",
    ),
    "cameras": ("fixed, free, orbiting and third-person cameras", "systems.cameras:CameraSystem"),
    "controller": ("characters that a trained model moves", "systems.controller:ControllerSystem"),
    "follow": ("entities that go along paths", "systems.movement:FollowSystem"),
    "look-at": ("joints that look at things", "systems.poses:LookAtSystem"),
    "poses": ("joints in the world", "systems.poses:PoseSystem"),
    "reach": ("chains of joints that reach for targets", "systems.reach:ReachSystem", "solver"),
    "recorder": ("what characters do, as clips", "systems.recorder:RecorderSystem"),
    "springs": ("critically damped springs", "springs:SpringSystem"),
    "sway": ("secondary motion: joints that swing after", "systems.sway:SwaySystem"),
    "transforms": ("entities that hang on each other", "transforms:TransformSystem"),
}


_OMITS = {
    "recorder": tuple(
        f"{law}: it writes no component, and what it keeps is no state"
        for law in ("runs_repeat", "state_lives_in_the_world", "numbers_stay_finite")
    )
}


@hookimpl(specname="system")
def providers() -> Sequence[Provider]:
    """Offer the systems of this distribution."""
    return [
        Provider(
            name,
            told,
            load=f"kinetoscope_stage.{place}",
            needs=needs,
            omits=_OMITS.get(name, ()),
            contract="kinetoscope_stage.contract_crowd:CrowdContract",
        )
        for name, (told, place, *needs) in _SYSTEMS.items()
    ]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_stage.{_HOMES[name]}"), name)

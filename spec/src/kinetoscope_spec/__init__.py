"""What a Kinetoscope plugin needs: value types, hook specifications, conventions, contracts.

Conventions: metres, seconds, radians; right-handed, Y up, +Z forward; quaternions `xyzw`;
matrices multiply column vectors; colours linear inside, sRGB at the edges; images `uint8
[H, W, 3|4]`, top row first; audio `float32 [N, C]` in [-1, 1].
"""

from typing import TYPE_CHECKING

from kinetoscope_spec._lazy import lazy_attributes

if TYPE_CHECKING:
    from kinetoscope_spec import anatomy, body, kinematics, rotation
    from kinetoscope_spec._version import SPEC_VERSION
    from kinetoscope_spec.character import Asset, Character, Material, Mesh, Skin
    from kinetoscope_spec.detection import Detection
    from kinetoscope_spec.errors import (
        Cancelled,
        ConfigError,
        ContractError,
        FormatError,
        KinetoscopeError,
        PluginError,
        ProviderNotFound,
        ProviderUnavailable,
        ValidationError,
    )
    from kinetoscope_spec.hooks import HOOKS, Hook, hookimpl, hookspec
    from kinetoscope_spec.learning import Column, FeatureSchema, TrainingSet
    from kinetoscope_spec.limits import JointLimits
    from kinetoscope_spec.motion import Motion, Skeleton
    from kinetoscope_spec.path import Path
    from kinetoscope_spec.protocols import (
        ArrayFeature,
        Control,
        Detector,
        Feature,
        Fitted,
        Importer,
        Inpainter,
        Locomotion,
        MirroredFeature,
        Model,
        Progress,
        Renderer,
        Session,
        Voice,
    )
    from kinetoscope_spec.provider import Provider, Services, Signature
    from kinetoscope_spec.scene import Actor, Camera, Frame, Ground, Light, Scene
    from kinetoscope_spec.video import Mask, Quadmask, Video
    from kinetoscope_spec.voice import Audio, Cue, Line, Provenance, Script, VoiceInfo

_HOMES = {
    "anatomy": "anatomy",
    "body": "body",
    "kinematics": "kinematics",
    "rotation": "rotation",
    "SPEC_VERSION": "_version",
    **dict.fromkeys(("Asset", "Character", "Material", "Mesh", "Skin"), "character"),
    "Detection": "detection",
    **dict.fromkeys(
        (
            "Cancelled",
            "ConfigError",
            "ContractError",
            "FormatError",
            "KinetoscopeError",
            "PluginError",
            "ProviderNotFound",
            "ProviderUnavailable",
            "ValidationError",
        ),
        "errors",
    ),
    **dict.fromkeys(("HOOKS", "Hook", "hookimpl", "hookspec"), "hooks"),
    **dict.fromkeys(("Column", "FeatureSchema", "TrainingSet"), "learning"),
    "JointLimits": "limits",
    **dict.fromkeys(("Motion", "Skeleton"), "motion"),
    "Path": "path",
    **dict.fromkeys(
        (
            "ArrayFeature",
            "Control",
            "Detector",
            "Feature",
            "Fitted",
            "Importer",
            "Inpainter",
            "Locomotion",
            "MirroredFeature",
            "Model",
            "Progress",
            "Renderer",
            "Session",
            "Voice",
        ),
        "protocols",
    ),
    **dict.fromkeys(("Provider", "Services", "Signature"), "provider"),
    **dict.fromkeys(("Actor", "Camera", "Frame", "Ground", "Light", "Scene"), "scene"),
    **dict.fromkeys(("Mask", "Quadmask", "Video"), "video"),
    **dict.fromkeys(("Audio", "Cue", "Line", "Provenance", "Script", "VoiceInfo"), "voice"),
}

__all__ = [
    "HOOKS",
    "SPEC_VERSION",
    "Actor",
    "ArrayFeature",
    "Asset",
    "Audio",
    "Camera",
    "Cancelled",
    "Character",
    "Column",
    "ConfigError",
    "ContractError",
    "Control",
    "Cue",
    "Detection",
    "Detector",
    "Feature",
    "FeatureSchema",
    "Fitted",
    "FormatError",
    "Frame",
    "Ground",
    "Hook",
    "Importer",
    "Inpainter",
    "JointLimits",
    "KinetoscopeError",
    "Light",
    "Line",
    "Locomotion",
    "Mask",
    "Material",
    "Mesh",
    "MirroredFeature",
    "Model",
    "Motion",
    "Path",
    "PluginError",
    "Progress",
    "Provenance",
    "Provider",
    "ProviderNotFound",
    "ProviderUnavailable",
    "Quadmask",
    "Renderer",
    "Scene",
    "Script",
    "Services",
    "Session",
    "Signature",
    "Skeleton",
    "Skin",
    "TrainingSet",
    "ValidationError",
    "Video",
    "Voice",
    "VoiceInfo",
    "anatomy",
    "body",
    "hookimpl",
    "hookspec",
    "kinematics",
    "rotation",
]

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)

"""Hypothesis strategies for every value type: valid values, the awkward among them.

Whole numbers and choices are drawn by hypothesis, so that examples shrink to one joint, one frame
and a rest pose; the bulk of coordinates comes from a drawn seed.
"""

from kinetoscope_spec.contracts.strategies._bodies import bodies, mirrored_walks, still_body, walks
from kinetoscope_spec.contracts.strategies._learning import schemas, training_sets
from kinetoscope_spec.contracts.strategies._motion import assets, motions, quaternions, skeletons
from kinetoscope_spec.contracts.strategies._scene import (
    actors,
    cameras,
    characters,
    lights,
    materials,
    meshes,
    scenes,
    skins,
)
from kinetoscope_spec.contracts.strategies._text import file_bytes, names
from kinetoscope_spec.contracts.strategies._video import masked_videos, masks, quadmasks, videos
from kinetoscope_spec.contracts.strategies._voice import audios, cues, scripts, texts, voice_infos

__all__ = [
    "actors",
    "assets",
    "audios",
    "bodies",
    "cameras",
    "characters",
    "cues",
    "file_bytes",
    "lights",
    "masked_videos",
    "masks",
    "materials",
    "meshes",
    "mirrored_walks",
    "motions",
    "names",
    "quadmasks",
    "quaternions",
    "scenes",
    "schemas",
    "scripts",
    "skeletons",
    "skins",
    "still_body",
    "texts",
    "training_sets",
    "videos",
    "voice_infos",
    "walks",
]

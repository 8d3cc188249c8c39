"""The contact sheet of `kinetoscope inspect`: what a file shows, at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.cli import _strokes
from kinetoscope.cli._poses import Pose, Row, aspect, cameras, row
from kinetoscope.shot import film, settings
from kinetoscope_spec import Actor, Asset, Camera, anatomy
from kinetoscope_spec.body import capsule_character
from kinetoscope_spec.errors import ProviderNotFound, ProviderUnavailable
from kinetoscope_spec.motion import rest_motion

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["MOST_ROWS", "Sheet", "contact_sheet"]

MOST_ROWS = 6
"""Motions on one sheet; a file may hold hundreds."""

_HEIGHT = 300
_CAPTION = 24
_GAP = 2
_DIGIT = 11
_PAPER = (24, 25, 28)
_INK = (205, 208, 214)
_BACKGROUND = (128, 131, 137)
_FLOOR = (112, 114, 119)
_SUN_ASIDE_DEG = 50.0
_SIDES = 24
"""Vertices around a thigh: two thirds of a film's look the same at this size, in half the time."""

_BONES = {"left": (235, 150, 70), "right": (90, 160, 235), None: (240, 240, 240)}
"""Colours of bones where no renderer is at hand."""

Picture = _strokes.Picture


@attrs.frozen(eq=False)
class Sheet:
    """A contact sheet.

    Attributes:
        picture: `[H, W, 3]`.
        provider: who rendered it; None for stick figures.
        motions: how many of the asset's motions it shows, a row each.
    """

    picture: Picture
    provider: str | None
    motions: int


def contact_sheet(host: Host, asset: Asset, *, provider: str | None = None) -> Sheet:
    """Return pictures of `asset`: a row of frames for each motion, a still seen from all around.

    Drawn by the renderer `provider`, or the one the host chooses; as stick figures if none works
    here. A bare skeleton gets a body.

    Raises:
        ProviderNotFound, ProviderUnavailable: `provider` can't draw.
    """
    motions = asset.motions[:MOST_ROWS] or (rest_motion(asset.skeleton),)
    character = asset.character()
    if not asset.meshes:
        character = capsule_character(asset.skeleton, motion=motions[0], sides=_SIDES)
    rows = [row(character, motion) for motion in motions]
    ratio = aspect(rows)
    size = (2 * round(0.5 * _HEIGHT * ratio), _HEIGHT)
    with _artist(host, provider, size, bool(asset.meshes)) as (drawn_by, draw):
        pictures = [
            [draw(pose, camera, line) for pose, camera in zip(line.poses, cameras(line, ratio), strict=True)]
            for line in rows
        ]
    captions = [[pose.caption for pose in line.poses] for line in rows]
    return Sheet(_laid_out(pictures, captions, size), drawn_by, len(asset.motions[:MOST_ROWS]))


@contextmanager
def _artist(host: Host, provider: str | None, size: tuple[int, int], meshes: bool) -> Iterator[Any]:
    """Yield the name of the renderer and a function that draws a pose."""
    try:
        session = host.provider("renderer", provider).open(size, "medium")
    except (ProviderNotFound, ProviderUnavailable):
        if provider is not None:
            raise
        yield None, lambda pose, camera, _line: _sticks(pose, camera, size, meshes)
        return
    with session:
        name = provider or host.explain("renderer").chosen
        yield name, lambda pose, camera, line: _rendered(session, pose, camera, line)


def _rendered(session: Any, pose: Pose, camera: Camera, line: Row) -> Picture:
    light = settings.Light(azimuth=float(np.degrees(pose.yaw)) + _SUN_ASIDE_DEG)
    stage = film.light_scene(light)
    scene = attrs.evolve(
        stage,
        actors=(Actor(pose.character, pose.matrices),),
        lights=(*stage.lights, film.rim_light(light, camera.target)),
        ground=stage.ground and attrs.evolve(stage.ground, spacing=line.spacing),
    )
    picture: Picture = session.render(scene, camera).color[..., :3]
    return picture


def _sticks(pose: Pose, camera: Camera, size: tuple[int, int], meshes: bool) -> Picture:
    """Draw bones, the left ones warm and the right ones cold, and the vertices of meshes as dots."""
    picture = np.full((size[1], size[0], 3), _BACKGROUND, np.uint8)
    horizon = camera.project(np.array([camera.target * (1, 0, 1)]), size)[0, 1]
    picture[int(np.clip(horizon, 0, size[1])) :] = _FLOOR
    if meshes:
        _strokes.dots(picture, camera.project(pose.points, size)[:, :2], _INK)
    places = camera.project(pose.matrices[:, :3, 3], size)[:, :2]
    skeleton = pose.character.skeleton
    for joint, parent in enumerate(skeleton.parents.tolist()):
        color = _BONES[anatomy.read_name(skeleton.names[joint]).side]
        begin = places[parent] if parent >= 0 else places[joint]
        _strokes.strokes(picture, [[begin, places[joint]]], color, 3.0)
    return picture


def _laid_out(
    pictures: Sequence[Sequence[Picture]], captions: Sequence[Sequence[str]], size: tuple[int, int]
) -> Picture:
    width, height = size[0] + _GAP, size[1] + _CAPTION + _GAP
    columns = max(map(len, pictures))
    sheet = np.full((len(pictures) * height + _GAP, columns * width + _GAP, 3), _PAPER, np.uint8)
    for i, (line, texts) in enumerate(zip(pictures, captions, strict=True)):
        for j, (picture, text) in enumerate(zip(line, texts, strict=True)):
            y, x = i * height + _GAP, j * width + _GAP
            sheet[y : y + size[1], x : x + size[0]] = picture
            label = f"{i + 1}: {text}" if len(pictures) > 1 and j == 0 else text
            _strokes.write(sheet, label, (x + 8, y + size[1] + 7), _DIGIT, _INK)
    return sheet

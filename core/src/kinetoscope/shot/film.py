"""From a motion to a film: the stage it stands on, the camera that follows, the frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot import measure, settings
from kinetoscope.shot.marks import Marks
from kinetoscope.shot.ranges import drawn
from kinetoscope.shot.surroundings import Surroundings
from kinetoscope_spec import (
    Actor,
    Asset,
    Camera,
    Character,
    Frame,
    Ground,
    Light,
    Mesh,
    Motion,
    Path,
    Scene,
    anatomy,
)
from kinetoscope_spec.errors import Cancelled, ConfigError
from kinetoscope_spec.ghosts import Ghosts
from kinetoscope_spec.protocols import Progress, Renderer, Session
from kinetoscope_spec.viewpoint import Viewpoint, subjects

__all__ = ["cameras", "draw", "frames", "light_scene", "morphed", "rim_light", "stand_in"]

Array = NDArray[Any]

LOOK_AT_M = 0.86
"""Height of the point that a following camera looks at: the middle of a standing adult."""
ADULT_M = 1.75
HEIGHT_M = 1.25
"""Of a following camera over the ground."""
FIELD_OF_VIEW_DEG = 36.0
ANGLE_DEG = 130.0
"""Of a following camera, from straight behind."""
SUN_W_M2 = 3.6
TRAIL_COLOR = (0.80, 0.22, 0.04)
"""Linear RGB of the path on the ground."""


def _smooth(values: Array, framerate: float, seconds: float) -> Array:
    """Return `values [T, N]` averaged by a Gaussian of standard deviation `seconds`."""
    if seconds <= 0 or len(values) < 2:
        return values
    reach = int(np.ceil(3 * seconds * framerate))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (seconds * framerate)) ** 2)
    # Ends are continued straight on, so that the camera neither starts nor stops with a jerk.
    ahead, behind = values[-1] - values[-2], values[0] - values[1]
    steps = np.arange(1, reach + 1)[:, None]
    padded = np.concatenate([(values[0] + steps * behind)[::-1], values, values[-1] + steps * ahead])
    return np.stack([np.convolve(column, weights / weights.sum(), "valid") for column in padded.T], axis=1)


def cameras(
    given: settings.Camera, motion: Motion, path: Path | None, *, aspect: float = 16 / 9
) -> list[Camera]:
    """Return the camera of every frame of a picture whose width over height is `aspect`."""
    fov = float(np.radians(given.field_of_view or FIELD_OF_VIEW_DEG))
    if given.kind == "fixed":
        try:
            return [Camera(given.position, given.target, field_of_view=fov)] * motion.frame_count
        except ValueError as error:
            raise ConfigError(str(error), place="camera") from None
    centre, height = _subject(motion)
    centre = _smooth(centre, motion.framerate, given.smoothing)
    first = path.direction(0.0) if path is not None else np.array([0.0, 1.0])
    begun = ANGLE_DEG if given.angle is None else given.angle
    angle = np.arctan2(first[0], first[1]) + np.pi + np.radians(begun)
    # What the settings say suits an adult; what is larger or smaller is seen from as much farther.
    scale = height / ADULT_M
    if given.kind in ("orbit", "third-person"):
        return _moved(given, motion, scale, angle - np.pi, aspect)
    offset = scale * given.distance * np.array([np.sin(angle), 0.0, np.cos(angle)])
    rise = np.array([0.0, scale * ((HEIGHT_M if given.height is None else given.height) - LOOK_AT_M), 0.0])
    return [Camera(point + offset + rise, point, field_of_view=fov) for point in centre]


def _moved(given: settings.Camera, motion: Motion, scale: float, yaw: float, aspect: float) -> list[Camera]:
    """Return the cameras of the kinds that hold all of what they show in frame."""
    shown, step = subjects(motion), 1 / motion.framerate
    third = given.kind == "third-person"
    rise = (HEIGHT_M if given.height is None else given.height) - LOOK_AT_M
    far = float(np.hypot(given.distance, rise))
    view = Viewpoint.begin(
        "third-person" if third else "follow",
        shown[0],
        yaw=float(np.radians(given.angle or 0.0)) if third else yaw,
        pitch=float(np.arctan2(rise, given.distance)),
        distance=scale * far,
        halflife=max(given.smoothing, 1e-3),
        field_of_view=float(np.radians(given.field_of_view or FIELD_OF_VIEW_DEG)),
    )
    views = [view.camera(shown[0], aspect)]
    for before, now in pairwise(shown):
        view = view if third else view.turned(np.radians(given.turn) * step, 0.0)
        view = view.advanced(step, now, before)
        views.append(view.camera(now, aspect))
    return views


def _subject(motion: Motion) -> tuple[Array, float]:
    """Return what a camera follows, `[T, 3]` m, and how tall it is.

    A person's pelvis, at the height of its middle; the middle of all joints of anything else.
    """
    if "hips" in anatomy.roles(motion.skeleton):
        ground = measure.pelvis(motion)
        return np.insert(ground, 1, LOOK_AT_M, axis=1), ADULT_M
    positions = motion.global_transforms()[0].astype(np.float64)
    low, high = positions.min(axis=1), positions.max(axis=1)
    return 0.5 * (low + high), max(float(np.linalg.norm(high - low, axis=1).max()), 0.05)


def light_scene(given: settings.Light, around: Surroundings | None = None) -> Scene:
    """Return the empty stage: a warm sun over a dark floor, or the light of the surroundings with their own sun."""
    azimuth, elevation = np.radians(given.azimuth), np.radians(given.elevation)
    level = np.array([np.sin(azimuth), 0.0, np.cos(azimuth)]) * np.cos(elevation)
    towards = level + np.array([0.0, np.sin(elevation), 0.0])
    sun = Light("sun", given.color, intensity=SUN_W_M2 * given.intensity, direction=-towards)
    return Scene(
        lights=(sun,) if around is None else around.lights(given.intensity),
        environment=None if around is None else around.environment,
        ground=Ground(color=(0.105, 0.11, 0.12), line_color=(0.19, 0.20, 0.215)),
        sky=np.array([0.20, 0.25, 0.33]) * given.ambient,
        earth=np.array([0.08, 0.075, 0.07]) * given.ambient,
        background=(0.215, 0.226, 0.248, 1.0),
        exposure=1.05,
        tone=given.tone,
    )


def rim_light(given: settings.Light, target: Array) -> Light:
    """Return the cool light that stands behind what the camera looks at, across from the sun."""
    azimuth = np.radians(given.azimuth)
    aside = np.array([np.sin(azimuth), 0.0, np.cos(azimuth)])
    position = target + np.array([0.0, 1.6, 0.0]) - 3.9 * aside
    return Light("point", (0.45, 0.68, 1.0), intensity=26.0 * given.intensity, position=position, radius=10.0)


def draw(*given: Any, **options: Any) -> Iterator[Array]:
    """Yield the colours of `frames`, `uint8 [H, W, 3]`."""
    return (frame.color[..., :3] for frame in frames(*given, **options))


def frames(
    renderer: Renderer,
    output: settings.Output,
    light: settings.Light,
    character: Character,
    motion: Motion | Sequence[Motion],
    views: list[Camera],
    *,
    path: Path | None = None,
    buffers: Sequence[str] = (),
    progress: Progress | None = None,
    start: int = 0,
    stop: int | None = None,
    poses: Sequence[Array] | None = None,
    ghosts: Ghosts | None = None,
    marks: Marks | None = None,
    around: Surroundings | None = None,
) -> Iterator[Frame]:
    """Yield the frames of the film, one at a time, with `buffers`; or those from `start` to `stop` alone.

    Of several motions each moves a figure of its own; one that is over stands still. `poses` are their
    `global_matrices()`, for who has them already. Each has its `ghosts` and `marks`, if there are any, and all
    are lit by what is `around`.

    Raises:
        Cancelled: `progress` returned False.
    """
    motions = [motion] if isinstance(motion, Motion) else motion
    poses = poses or [played.global_matrices() for played in motions]
    trail = {} if path is None else {"trajectory": _trail(path)}
    stage = light_scene(light, around)

    def picture(session: Session, frame: int) -> Frame:
        if progress and progress(frame, len(views), "rendering") is False:
            raise Cancelled(f"cancelled after {frame} of {len(views)} frames")
        actors = tuple(
            Actor(morphed(character, played, now), pose[now], id=number, previous_pose=pose[max(now - 1, 0)])
            for number, (played, pose) in enumerate(zip(motions, poses, strict=True), 1)
            for now in (min(frame, len(pose) - 1),)
        )
        rim = (rim_light(light, views[frame].target),) if around is None else ()
        drawn_too = _beside(marks, motions, poses, frame, trail)
        if ghosts is not None:
            drawn_too["ghosts"] = [
                ghost
                for actor, played, pose in zip(actors, motions, poses, strict=True)
                for ghost in ghosts.of(actor.character, pose, played.framerate, frame)
            ]
        scene = attrs.evolve(stage, actors=actors, lights=(*stage.lights, *rim), annotations=drawn_too)
        return session.render(scene, views[frame])

    opened = partial(renderer.open, output.size, output.quality, buffers=buffers, **output.drawing())
    yield from drawn(opened, picture, len(views), start, stop)


def _beside(
    marks: Marks | None, motions: Sequence[Motion], poses: Sequence[Array], frame: int, trail: dict[str, Any]
) -> dict[str, Any]:
    """Return the annotations of a frame: `marks`, and the `trail` on the ground."""
    found: dict[str, Any] = {} if marks is None else dict(marks.of(motions, poses, frame))
    if trail:
        found["trajectory"] = [*trail.values(), *found.get("trajectory", ())]
    return found


def morphed(character: Character, motion: Motion, frame: int) -> Character:
    """Return `character` in the shape that its face has in a frame: renderers know the rest pose's alone."""
    weights = {name: float(curve[frame]) for name, curve in motion.morph_weights.items()}
    moving = [bool(weights.keys() & mesh.morph_names) for mesh in character.meshes]
    if not any(moving):
        return character
    # A mesh without shapes stays the same object: renderers keep on the device what comes back. One with
    # shapes keeps them, so that levels of detail are known again.
    meshes = [
        attrs.evolve(mesh, morph_weights={**mesh.morph_weights, **_named(weights, mesh)}) if moves else mesh
        for mesh, moves in zip(character.meshes, moving, strict=True)
    ]
    return attrs.evolve(character, meshes=meshes)


def _named(weights: Mapping[str, float], mesh: Mesh) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if name in mesh.morph_names}


def _trail(path: Path) -> dict[str, Any]:
    points = path.at(np.linspace(0, path.length, 200))
    return {"points": points, "color": TRAIL_COLOR, "width": 0.025}


def stand_in(asset: Asset, motion: int) -> tuple[Motion, Character]:
    """Return a motion of `asset` (its rest pose if it has none) and who is to show it.

    The asset's own meshes, or a body of capsules on a bare skeleton: nobody wants a black film.
    """
    from kinetoscope_spec.body import capsule_character
    from kinetoscope_spec.motion import rest_motion

    shown = asset.motions[motion] if asset.motions else rest_motion(asset.skeleton)
    if asset.meshes:
        return shown, asset.character()
    return shown, capsule_character(asset.skeleton, motion=shown)

"""A biped that walks, jogs, turns and idles: gait by planned footsteps and solved legs.

The root's path comes first, footsteps are planned along it, feet roll and swing between them, and
the body follows its feet: the pelvis sways over the loaded foot, bobs, turns with the stride, chest
and arms counter it. So stance feet stand still by construction, at any speed and in any turn.
"""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_samples import _body
from kinetoscope_samples._curves import Noise
from kinetoscope_samples._feet import foot_track
from kinetoscope_samples._path import root_path
from kinetoscope_samples._skeleton import Body, body_of
from kinetoscope_samples._steps import plan
from kinetoscope_samples.recipe import Recipe
from kinetoscope_spec import Motion, rotation

__all__ = ["Generated", "generate", "generate_with_feet"]

_OVERSAMPLING = 4
_MARGIN_S = 1.0
"""s before and after the clip in which smoothing may look."""


@attrs.frozen
class Generated:
    """A motion and what is known of its making.

    Attributes:
        motion: the clip.
        planted: bool `[T, 2]`, whether the left and right toe joint stand still.
        speeds: `[T]` m/s, of the root's path; turns: `[T]` rad/s to the left.
    """

    motion: Motion
    planted: np.ndarray
    speeds: np.ndarray
    turns: np.ndarray


def generate(recipe: Recipe | None = None, *, name: str | None = None, **options: object) -> Motion:
    """Return the motion of a recipe; `options` replace its attributes.

    The clip has `seconds * framerate + 1` frames, starts at the origin facing +Z, and is the same
    for the same recipe.
    """
    return generate_with_feet(recipe, name=name, **options).motion


def generate_with_feet(
    recipe: Recipe | None = None, *, name: str | None = None, **options: object
) -> Generated:
    """Return the motion of a recipe together with the contacts it was planned with."""
    recipe = attrs.evolve(recipe or Recipe(), **options)  # type: ignore[arg-type]
    random = np.random.default_rng([recipe.seed, *recipe.action.encode()])
    body = body_of(recipe.height)
    path = root_path(recipe, random)
    stances, steps = plan(path, body, recipe, random)
    frames = round(recipe.seconds * recipe.framerate) + 1
    rate = recipe.framerate * _OVERSAMPLING
    margin = int(np.ceil(_MARGIN_S * recipe.framerate)) * _OVERSAMPLING
    times = (np.arange((frames - 1) * _OVERSAMPLING + 1 + 2 * margin) - margin) / rate
    feet = (foot_track(stances[0], times, path, body), foot_track(stances[1], times, path, body))
    drive = _body.drive(times, path, feet, steps, recipe, body)
    noises = [Noise(random, 0.03, 0.16) for _ in range(5)]
    lopsided = float(random.uniform(-0.08, 0.08))
    positions, hips = _body.pelvis(drive, feet, recipe, body, (noises[0], noises[1]), times)
    rotations = {"Hips": hips}
    rotations |= _body.trunk(drive, hips, recipe, (noises[2], noises[3]), path, times)
    rotations |= _body.arms(drive, rotations["Chest"], recipe, lopsided, noises[4], times)
    rotations |= _body.legs(positions, hips, feet, body)
    chosen = slice(margin, len(times) - margin, _OVERSAMPLING)
    motion = _motion(body, positions[chosen], {k: v[chosen] for k, v in rotations.items()}, recipe, name)
    planted = np.stack([foot.planted[chosen] for foot in feet], 1)
    return Generated(motion, planted, drive.speed[chosen], drive.turn[chosen])


def _motion(
    body: Body, hips: np.ndarray, rotations: dict[str, np.ndarray], recipe: Recipe, name: str | None
) -> Motion:
    skeleton = body.skeleton
    turned = np.stack([rotations[joint] for joint in skeleton.names], axis=1)
    above = np.maximum(skeleton.parents, 0)
    local = rotation.multiply(rotation.conjugate(turned[:, above]), turned)
    local = np.where((skeleton.parents < 0)[None, :, None], turned, local)
    local = rotation.unroll(rotation.normalize(local))
    positions = np.repeat(skeleton.rest_positions[None], len(hips), axis=0)
    positions[:, 0] = hips
    title = name or f"{recipe.action}-{recipe.seed}"
    return Motion(skeleton, positions.astype(np.float32), local.astype(np.float32), recipe.framerate, title)

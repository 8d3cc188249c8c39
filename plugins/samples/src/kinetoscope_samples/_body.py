"""The body over the feet: pelvis, spine, head and arms follow from what the feet do."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_samples._curves import Noise, smooth, widened
from kinetoscope_samples._feet import Foot
from kinetoscope_samples._path import RootPath
from kinetoscope_samples._skeleton import Body
from kinetoscope_samples._steps import Step, jogging
from kinetoscope_samples.recipe import Recipe
from kinetoscope_spec import rotation

__all__ = ["Drive", "arms", "drive", "legs", "pelvis", "trunk"]

_STRETCH = 0.9965
"""Share of the leg's length that is never exceeded: the knee keeps 10 degrees."""


@attrs.frozen
class Drive:
    """What the upper body listens to, sampled at N times.

    Attributes:
        where: `[N, 2]` m, root on the ground; heading: `[N]` rad; speed: `[N]` m/s; turn: `[N]` rad/s.
        ahead: `[N]` m, how far the left foot is in front of the right one.
        load: `[N]`, -1 all weight on the right foot to 1 on the left, smooth.
        support: `[N]` m, how far to the left of the root the loaded foot stands.
        bob: `[N]` m, height of the pelvis against its mean.
        jog: `[N]`, 0 to 1.
        moving: `[N]`, 0 standing to 1.
    """

    where: np.ndarray
    heading: np.ndarray
    speed: np.ndarray
    turn: np.ndarray
    ahead: np.ndarray
    load: np.ndarray
    support: np.ndarray
    bob: np.ndarray
    jog: np.ndarray
    moving: np.ndarray


def drive(
    times: np.ndarray, path: RootPath, feet: tuple[Foot, Foot], steps: list[Step], recipe: Recipe, body: Body
) -> Drive:
    """Work out the drive from feet and path; `times [N]` are evenly spaced."""
    rate = 1 / (times[1] - times[0])
    where, heading = path.at(times)
    forward = np.stack([np.sin(heading), np.cos(heading)], 1)
    left = np.stack([np.cos(heading), -np.sin(heading)], 1)
    apart = (feet[0].ankle - feet[1].ankle)[:, [0, 2]]
    ahead = (apart * forward).sum(1)
    total = feet[0].load + feet[1].load + 0.05
    load = (feet[0].load - feet[1].load) / total
    aside = [((f.ankle[:, [0, 2]] - where) * left).sum(1) for f in feet]
    support = (aside[0] * (feet[0].load + 0.025) + aside[1] * (feet[1].load + 0.025)) / total
    speed = path.speed(times)
    jog = jogging(speed)
    bob, moving = _bob(times, steps, recipe, body)
    return Drive(
        where,
        heading,
        speed,
        path.turn(times),
        smooth(ahead, 0.02 * rate),
        smooth(load, 0.07 * rate),
        smooth(support, 0.10 * rate),
        smooth(bob, 0.035 * rate),
        jog,
        smooth(moving, 0.15 * rate),
    )


def _bob(times: np.ndarray, steps: list[Step], recipe: Recipe, body: Body) -> tuple[np.ndarray, np.ndarray]:
    bob, moving = np.zeros(len(times)), np.zeros(len(times))
    for step in steps:
        now = (times >= step.start) & (times < step.start + step.seconds)
        phase = (times[now] - step.start) / step.seconds
        share = min(step.length / (0.72 * body.height / 1.75), 1.3)
        # Walking vaults over the straight leg: lowest with both feet down. Jogging flies: highest in the air.
        walk = -0.021 * share**2 * np.cos(2 * np.pi * (phase - 0.10))
        run = 0.036 * np.cos(2 * np.pi * (phase - 0.84))
        bob[now] = recipe.bounce * (walk + (run - walk) * step.jog)
        moving[now] = min(share / 0.35, 1)
    return bob, moving


def _turned(axis: tuple[float, float, float], radians: np.ndarray) -> np.ndarray:
    return np.asarray(rotation.from_axis_angle(np.broadcast_to(np.array(axis), (len(radians), 3)), radians))


def _x(radians: np.ndarray) -> np.ndarray:
    return _turned((1.0, 0.0, 0.0), radians)


def _y(radians: np.ndarray) -> np.ndarray:
    return _turned((0.0, 1.0, 0.0), radians)


def _z(radians: np.ndarray) -> np.ndarray:
    return _turned((0.0, 0.0, 1.0), radians)


def _product(*turns: np.ndarray) -> np.ndarray:
    result = turns[0]
    for turn in turns[1:]:
        result = rotation.multiply(result, turn)
    return result


def pelvis(
    d: Drive,
    feet: tuple[Foot, Foot],
    recipe: Recipe,
    body: Body,
    idle: tuple[Noise, Noise],
    times: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the hips' positions `[N, 3]` and global rotations `[N, 4]`."""
    rate = 1 / (times[1] - times[0])
    still = 1 - d.moving
    shift = np.tanh(1.6 * idle[0](times)) * still
    yaw = -0.13 * np.tanh(d.ahead / 0.7) + 0.05 * idle[1](times) * still
    roll = np.deg2rad(4.0) * d.load * d.moving * (1 - 0.4 * d.jog) * recipe.sway
    roll = roll + np.deg2rad(3.0) * shift
    bank = -0.5 * np.arctan(d.speed * d.turn / 9.81)
    pitch = np.deg2rad(3 + 3 * d.jog + 0.25 * recipe.lean) * (0.5 + 0.5 * d.moving)
    turns = _product(_y(d.heading + yaw), _z(roll + bank), _x(pitch))
    sway = recipe.sway * (0.34 - 0.14 * d.jog) * d.support * d.moving + 0.035 * shift
    left = np.stack([np.cos(d.heading), np.zeros(len(times)), -np.sin(d.heading)], 1)
    standing = body.ankle + body.leg * (0.991 - 0.006 * d.moving - 0.062 * d.jog)
    positions = left * sway[:, None]
    positions[:, [0, 2]] += d.where
    positions[:, 1] = standing + d.bob - 0.012 * shift**2
    room = _room(positions, turns, feet, body)
    # Lowered early and raised late, never in a jerk: the widest dip nearby, then smoothed.
    positions[:, 1] -= smooth(widened(np.maximum(-room, 0), int(0.05 * rate)), 0.022 * rate)
    positions[:, 1] += np.minimum(_room(positions, turns, feet, body), 0)
    return positions, turns


def _room(positions: np.ndarray, turns: np.ndarray, feet: tuple[Foot, Foot], body: Body) -> np.ndarray:
    """Return how far, `[N]` m, the pelvis could rise before a leg is stretched; below 0 it is already."""
    room = np.full(len(positions), np.inf)
    for side, foot in enumerate(feet):
        hip = positions + rotation.rotate(turns, _hip(side, body))
        flat = np.hypot(hip[:, 0] - foot.ankle[:, 0], hip[:, 2] - foot.ankle[:, 2])
        height = np.sqrt(np.maximum((_STRETCH * body.leg) ** 2 - flat**2, 0))
        room = np.minimum(room, foot.ankle[:, 1] + height - hip[:, 1])
    return room


def _hip(side: int, body: Body) -> np.ndarray:
    return np.array([body.hip_half if side == 0 else -body.hip_half, 0.0, 0.0])


def trunk(
    d: Drive, hips: np.ndarray, recipe: Recipe, noises: tuple[Noise, Noise], path: RootPath, times: np.ndarray
) -> dict[str, np.ndarray]:
    """Return global rotations of spine, chest, neck and head, by joint name."""
    still = 1 - d.moving
    counter = (0.13 + 0.07 * d.jog) * recipe.arm_swing**0.5 * np.tanh(d.ahead / 0.7)
    bank = -0.35 * np.arctan(d.speed * d.turn / 9.81)
    breath = np.deg2rad(0.8) * np.sin(2 * np.pi * 0.24 * times)
    lean = np.deg2rad(1.5 + 1.8 * np.minimum(d.speed, 1.6) + 4.5 * d.jog + recipe.lean)
    list_ = -np.deg2rad(1.2) * d.load * d.moving * recipe.sway
    look = np.interp(times + 0.35, times, d.heading) - d.heading
    chest = _product(_y(d.heading + counter + 0.35 * look), _z(bank + list_), _x(lean - breath))
    spine = rotation.slerp(hips, chest, np.full(len(times), 0.5))
    glance = np.deg2rad(4 + 13 * still) * noises[0](times)
    nod = np.deg2rad(2.0) * noises[1](times) + np.deg2rad(2) + 0.3 * lean
    head = _product(_y(d.heading + 0.9 * look + glance + 0.1 * counter), _z(0.4 * bank), _x(nod))
    neck = rotation.slerp(chest, head, np.full(len(times), 0.45))
    return {"Spine": spine, "Chest": chest, "Neck": neck, "Head": head, "HeadTop": head}


def arms(
    d: Drive, chest: np.ndarray, recipe: Recipe, lopsided: float, noise: Noise, times: np.ndarray
) -> dict[str, np.ndarray]:
    """Return global rotations of the arms' joints, by name: each swings with the other side's leg."""
    rate = 1 / (times[1] - times[0])
    late = smooth(np.interp(times - 0.03, times, d.ahead), 0.04 * rate)
    stride = np.tanh(late / 0.75) * 0.75 / 0.7
    out: dict[str, np.ndarray] = {}
    for name, side in (("Left", 1.0), ("Right", -1.0)):
        swing = recipe.arm_swing * (1 + side * lopsided) * (23 + 9 * d.jog)
        forward = np.deg2rad(1 - 4 * d.jog - side * swing * stride + 2.5 * noise(times + 7 * side))
        elbow = np.deg2rad(16 + 66 * d.jog) + (0.55 - 0.25 * d.jog) * np.maximum(forward + 0.35, 0)
        apart = np.deg2rad(9 + 7 * d.jog)
        shrug = np.deg2rad(0.7) * np.sin(2 * np.pi * 0.24 * times) + np.deg2rad(-4)
        shoulder = _product(chest, _y(-0.08 * side * forward), _z(side * shrug))
        hang = _product(
            _x(-forward), _z(-side * (np.pi / 2 - apart)), _x(-side * np.deg2rad(14 + 14 * d.jog))
        )
        # Against the chest, not the raised shoulder: the arm hangs from it.
        upper = rotation.multiply(chest, hang)
        lower = rotation.multiply(upper, _y(-side * elbow))
        hand = _product(
            lower, _z(side * np.deg2rad(6) * np.ones(len(times))), _y(-side * 0.12 * np.ones(len(times)))
        )
        out |= {f"{name}Shoulder": shoulder, f"{name}Arm": upper, f"{name}ForeArm": lower}
        out |= {f"{name}Hand": hand, f"{name}HandEnd": hand}
    return out


def legs(
    positions: np.ndarray, hips: np.ndarray, feet: tuple[Foot, Foot], body: Body
) -> dict[str, np.ndarray]:
    """Return global rotations of the legs' joints, by name: two bones, solved by the law of cosines."""
    out: dict[str, np.ndarray] = {}
    for side, (name, foot) in enumerate(zip(("Left", "Right"), feet, strict=True)):
        hip = positions + rotation.rotate(hips, _hip(side, body))
        upper, lower = _two_bones(hip, foot, hips, body)
        sole = _product(_y(foot.heading), _x(-foot.pitch))
        toes = _product(_y(foot.heading), _x(-foot.toes))
        out |= {f"{name}UpLeg": upper, f"{name}Leg": lower, f"{name}Foot": sole}
        out |= {f"{name}ToeBase": toes, f"{name}ToeEnd": toes}
    return out


def _two_bones(hip: np.ndarray, foot: Foot, hips: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Return global rotations of thigh and shank that put the ankle in its place, knee to the front."""
    to_ankle = foot.ankle - hip
    length = np.linalg.norm(to_ankle, axis=1)
    reach = np.clip(length, abs(body.thigh - body.shank) * 1.01, body.leg * 0.9999)
    direction = to_ankle / length[:, None]
    cos = (body.thigh**2 + reach**2 - body.shank**2) / (2 * body.thigh * reach)
    bend = np.arccos(np.clip(cos, -1, 1))
    facing = np.stack([np.sin(foot.heading), np.zeros(len(hip)), np.cos(foot.heading)], 1)
    facing = 0.5 * facing + 0.5 * rotation.rotate(hips, np.array([0.0, 0.0, 1.0]))
    hinge = np.cross(-direction, facing)
    hinge /= np.linalg.norm(hinge, axis=1)[:, None]
    front = np.cross(hinge, -direction)
    thigh = direction * np.cos(bend)[:, None] + front * np.sin(bend)[:, None]
    knee = hip + body.thigh * thigh
    shank = foot.ankle - knee
    shank /= np.linalg.norm(shank, axis=1)[:, None]
    return _bone(thigh, hinge), _bone(shank, hinge)


def _bone(along: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """Return rotations that turn -Y to `along` and +X to `hinge`, both `[N, 3]` of length 1."""
    matrix = np.stack([hinge, -along, np.cross(hinge, -along)], axis=-1)
    return np.asarray(rotation.from_matrix(matrix))

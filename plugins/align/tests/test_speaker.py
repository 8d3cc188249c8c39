"""What a performer does while speaking, against sounds whose stresses are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_align.accents import accents, loudness
from kinetoscope_align.head import capsule_head
from kinetoscope_align.speaker import BEAT_DEG, NOD_DEG, Speaker
from kinetoscope_spec import Audio, Character, Cue, Motion, Skeleton
from kinetoscope_spec.motion import rest_motion

RATE = 16_000
BEATS = (0.5, 1.1, 1.9)


def bursts(
    times: tuple[float, ...] = BEATS, seconds: float = 2.6, gains: tuple[float, ...] = (1, 1, 1)
) -> Audio:
    """A tone that swells at each time, a bell of 60 ms, over silence."""
    t = np.arange(int(seconds * RATE)) / RATE
    bell = sum(g * np.exp(-0.5 * ((t - at) / 0.06) ** 2) for g, at in zip(gains, times, strict=True))
    return Audio((0.5 * bell * np.sin(2 * np.pi * 180 * t)).astype(np.float32)[:, None], RATE)


def person() -> Skeleton:
    names = ["Hips", "Spine", "Neck", "Head", "LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm",
             "RightHand", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot"]  # fmt: skip
    parents = [-1, 0, 1, 2, 1, 4, 5, 1, 7, 8, 0, 10, 11, 0, 13, 14]
    rest = np.zeros((16, 3))
    rest[:4, 1] = 0.9, 0.3, 0.25, 0.1
    rest[[4, 7], 0] = 0.2, -0.2
    rest[[5, 6, 8, 9, 11, 12, 14, 15], 1] = -0.27, -0.25, -0.27, -0.25, -0.4, -0.4, -0.4, -0.4
    rest[[10, 13], 0] = 0.1, -0.1
    return Skeleton(names, parents, rest)


def moved(audio: Audio, at: float = 0.0, seed: int = 0, seconds: float = 4.0) -> Motion:
    skeleton = person()
    still = rest_motion(skeleton, round(seconds * 100), 100.0)
    return Speaker().move(still, Character("p", skeleton), audio, at=at, seed=seed)


def pitch(motion: Motion, name: str) -> np.ndarray:
    """By how much a joint is turned about the left-right axis, degrees, by SciPy."""
    joint = motion.skeleton.names.index(name)
    return np.degrees(Rotation.from_quat(motion.rotations[:, joint]).as_rotvec()[:, 0])


def test_accents_are_where_it_is_loudest() -> None:
    found = accents(bursts(gains=(1.0, 0.5, 1.0)))
    assert [a.time for a in found] == pytest.approx(BEATS, abs=0.02)
    assert [a.strength for a in found] == pytest.approx((1.0, 0.5, 1.0), abs=0.06)
    assert loudness(bursts()).max() == 1.0


def test_neither_gain_nor_rate_moves_an_accent() -> None:
    audio = bursts()
    softer = Audio(audio.samples * np.float32(0.01), RATE)
    coarser = Audio(audio.samples[::2], RATE // 2)
    for other in (softer, coarser):
        assert [a.time for a in accents(other)] == pytest.approx([a.time for a in accents(audio)], abs=0.011)


def test_silence_and_hum_have_none() -> None:
    t = np.arange(2 * RATE) / RATE
    assert accents(Audio(np.zeros((2 * RATE, 1), np.float32), RATE)) == ()
    assert accents(Audio(np.zeros((0, 1), np.float32), RATE)) == ()
    hum = accents(Audio((0.3 * np.sin(2 * np.pi * 120 * t)).astype(np.float32)[:, None], RATE))
    assert len(hum) <= 1


def test_the_head_nods_down_at_each_accent() -> None:
    angles = pitch(moved(bursts(), at=0.7), "Head")
    for beat in BEATS:
        i = round((beat + 0.7) * 100)
        assert angles[i] == pytest.approx(NOD_DEG, abs=0.5)
        assert angles[i - 30] < 0.3 * NOD_DEG
    # Down is forward: the nose, at +Z of the head, goes to -Y when the turn about +X is above 0.
    assert Rotation.from_rotvec([0.1, 0, 0]).apply([0, 0, 1])[1] < 0


def test_forearms_rise_forward() -> None:
    motion = moved(bursts())
    positions = motion.global_transforms()[0]
    names = motion.skeleton.names
    for side in ("Left", "Right"):
        hand, elbow = (positions[:, names.index(side + part)] for part in ("Hand", "ForeArm"))
        ahead = (hand - elbow)[:, 2]
        assert ahead.min() > -1e-9
        assert ahead.max() == pytest.approx(0.25 * np.sin(np.radians(BEAT_DEG)), rel=0.02)


def test_moves_are_smooth() -> None:
    """No jump: head and hands stay below what people's reach (Graf 2002: some 100 degrees a second)."""
    motion = moved(bursts())
    for name in ("Head", "LeftForeArm", "RightForeArm"):
        turns = Rotation.from_quat(motion.rotations[:, motion.skeleton.names.index(name)])
        speed = np.degrees((turns[1:] * turns[:-1].inv()).magnitude()) * 100
        assert speed.max() < 250
        assert np.abs(np.diff(speed)).max() < 40


def test_seeds_differ_and_feet_stay() -> None:
    one, other = moved(bursts(), seed=1), moved(bursts(), seed=2)
    assert not np.array_equal(one.rotations, other.rotations)
    legs = [
        i for i, name in enumerate(one.skeleton.names) if "Leg" in name or "Foot" in name or name == "Hips"
    ]
    assert np.array_equal(one.rotations[:, legs], rest_motion(one.skeleton, 400, 100.0).rotations[:, legs])


def test_a_mouth_speaks() -> None:
    head = capsule_head()
    audio = bursts()
    cued = Audio(audio.samples, RATE, [Cue("viseme", "aa", 0.4, 0.7), Cue("viseme", "PP", 0.7, 0.8)])
    motion = Speaker().move(rest_motion(head.skeleton, 300, 100.0), head, cued, at=0.5)
    jaw = motion.morph_weights["jawOpen"]
    assert jaw[105] > 0.3
    assert jaw[125] < 0.05
    assert jaw[:30].max() == 0
    # Without visemes the head still nods.
    silent = Speaker().move(rest_motion(head.skeleton, 300, 100.0), head, audio)
    assert dict(silent.morph_weights) == {}
    assert pitch(silent, "head").max() == pytest.approx(NOD_DEG, abs=0.5)

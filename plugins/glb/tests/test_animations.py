"""Animations: interpolation against SciPy, time axes of their own, framerates, morph weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicHermiteSpline, interp1d
from scipy.spatial.transform import Rotation, Slerp

from kinetoscope_glb import _rate
from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, ConfigError, FormatError

Read = Callable[..., Asset]


START = 0.5
RATE = 30.0


def keys(rng: np.random.Generator, count: int) -> np.ndarray:
    """Random float32 times, none within a tenth of a frame of one that is counted from START."""
    frames = np.sort(rng.choice(40, count, replace=False)) + rng.uniform(0.1, 0.9, count)
    return (START + frames / RATE).astype(np.float32).astype(np.float64)


def units(rng: np.random.Generator, count: int) -> np.ndarray:
    found = rng.normal(size=(count, 4))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def spline(times: np.ndarray, values: np.ndarray, t: float) -> np.ndarray:
    """SciPy's spline over one interval: the in- and out-tangents of a key differ."""
    i = int(np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2))
    ends = values[[i, i + 1]].astype(np.float64)
    slopes = np.stack([ends[0, 2], ends[1, 0]])
    return np.asarray(CubicHermiteSpline(times[i : i + 2], ends[:, 1], slopes)(t))


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Radians between rotations."""
    return (Rotation.from_quat(a).inv() * Rotation.from_quat(b)).magnitude()


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 8))
@settings(deadline=None)
def test_every_interpolation_against_scipy(make: Any, tmp_path_factory: Any, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    held = make()
    a, b = held.node(), held.node()
    linear, cubic, slerp, step, spun = axes = [keys(rng, count) for _ in range(5)]
    moves = rng.normal(size=(count, 3)).astype(np.float32)
    curve = rng.normal(size=(count, 3, 3)).astype(np.float32)
    turns = units(rng, count)
    tangents = rng.normal(scale=0.1, size=(2, count, 4))
    spinning = np.stack([tangents[0], turns, tangents[1]], axis=1).astype(np.float32)
    held.animate(
        (a, "translation", linear, moves, "LINEAR"),
        (a, "scale", cubic, curve, "CUBICSPLINE"),
        (a, "rotation", slerp, turns, "LINEAR"),
        (b, "translation", step, moves, "STEP"),
        (b, "rotation", spun, spinning, "CUBICSPLINE"),
        (b, "scale", [START], [[1, 1, 1]], "STEP"),
    )
    path = tmp_path_factory.mktemp("keys") / "k.glb"
    path.write_bytes(held.glb())
    motion = GlbImporter().read(path, framerate=RATE).motions[0]
    assert motion.start_time == START
    at = START + np.arange(motion.frame_count) / RATE
    last = max(axis[-1] for axis in axes)
    assert at[-1] <= last < at[-1] + 1 / RATE
    within = [np.clip(at, axis[0], axis[-1]) for axis in axes]
    straight, held_on = (
        interp1d(times, moves, axis=0, kind=kind)(t)
        for times, kind, t in ((linear, "linear", within[0]), (step, "previous", within[3]))
    )
    np.testing.assert_allclose(motion.positions[:, 0], straight, atol=1e-5)
    np.testing.assert_array_equal(motion.positions[:, 1], held_on.astype(np.float32))
    np.testing.assert_allclose(motion.scales[:, 0], [spline(cubic, curve, t) for t in within[1]], atol=1e-5)
    assert (
        apart(Slerp(slerp, Rotation.from_quat(turns))(within[2]).as_quat(), motion.rotations[:, 0]).max()
        < 1e-5
    )
    raw = np.stack([spline(spun, spinning, t) for t in within[4]])
    long = np.linalg.norm(raw, axis=1) > 0.05  # nearer to 0 a spline's direction means nothing
    assert (apart(raw, motion.rotations[:, 1])[long] < 1e-4).all()


def test_step_holds_until_the_next_key(make: Any, read: Read) -> None:
    held = make()
    held.node()
    held.animate((0, "translation", [0, 0.1, 0.2], [[0, 0, 0], [1, 0, 0], [2, 0, 0]], "STEP"))
    motion = read(held).motions[0]
    assert motion.framerate == 30
    np.testing.assert_array_equal(motion.positions[:, 0, 0], [0, 0, 0, 1, 1, 1, 2])


def test_a_cubic_key_has_its_value_and_half_way_the_formulas(make: Any, read: Read) -> None:
    held = make()
    held.node()
    zero, out, value = [0, 0, 0], [3, 0, 0], [1, 0, 0]
    held.animate((0, "translation", [0, 2], [zero, zero, out, zero, value, zero], "CUBICSPLINE"))
    motion = read(held, framerate=1.0).motions[0]
    # h(1/2) = 1/8 of the tangent times the span of 2 s, and half of the value.
    np.testing.assert_allclose(motion.positions[:, 0, 0], [0, 3 * 2 / 8 + 0.5, 1])


def test_each_channel_on_its_own_axis_and_a_late_start(make: Any, read: Read) -> None:
    held = make()
    held.node()
    held.node()
    held.animate(
        (0, "translation", [1.0, 2.0], [[0, 0, 0], [1, 0, 0]], "LINEAR"),
        (1, "translation", [1.5, 1.75, 3.0], [[0, 0, 0], [1, 0, 0], [1, 5, 0]], "LINEAR"),
    )
    motion = read(held, framerate=4.0).motions[0]
    assert (motion.start_time, motion.frame_count) == (1.0, 9)
    np.testing.assert_allclose(motion.positions[:, 0, 0], [0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1])
    np.testing.assert_allclose(motion.positions[:, 1, 1], [0, 0, 0, 0, 1, 2, 3, 4, 5])


def test_several_animations(make: Any, read: Read) -> None:
    held = make()
    held.node()
    for name in ("walk", "run"):
        held.animate((0, "scale", [0, 1], [[1, 1, 1], [2, 2, 2]], "LINEAR"), name=name)
    held.push("animations", {"samplers": [], "channels": []})
    asset = read(held)
    assert [motion.name for motion in asset.motions] == ["walk", "run"]
    assert "animations[2] moves nothing" in asset.warnings[0]


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2"])
def test_normalised_rotations(make: Any, read: Read, dtype: str) -> None:
    held = make()
    held.node()
    most = np.iinfo(dtype).max
    values = held.array([[0, 0, 0, most], [most, 0, 0, 0]], dtype, normalized=True)
    sampler = {"input": held.array([0, 1]), "output": values}
    held.push(
        "animations",
        {"samplers": [sampler], "channels": [{"sampler": 0, "target": {"node": 0, "path": "rotation"}}]},
    )
    turns = read(held).motions[0].rotations[:, 0]
    angles = 2 * np.degrees(np.arccos(np.clip(turns[:, 3], -1, 1)))
    np.testing.assert_allclose(angles, np.linspace(0, 180, 31), atol=0.1)


@pytest.mark.parametrize(
    "rate", [24, 25, 30, 48, 50, 60, 90, 100, 120, 240, 24000 / 1001, 30000 / 1001, 17.3]
)
@pytest.mark.parametrize("start", [0.0, 3.7, 100.0])
def test_dense_keys_give_their_rate(rate: float, start: float) -> None:
    times = (start + np.arange(200) / rate).astype(np.float32).astype(np.float64)
    assert _rate.deduced(times) == pytest.approx(rate, rel=1e-4)


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([0.0], 30),
        ([0, 1.0], 30),
        ([0, 1e-4], 240),
        ([0, 1 / 24, 10], 24),
        ([0, 0.0333, 0.0667, 0.1], 30),
        ([0, 0.5, 0.5, 1.0], 30),
        ([1 / 60, 2 / 60, 5 / 60], 60),
        ([0, 0.0313, 0.0721, 0.0999, 0.1432], 30),
        ([0, 0.0113, 0.0221, 0.0299, 0.0432], 120),
    ],
)
def test_deduced_rates(times: list[float], rate: float) -> None:
    assert _rate.deduced(np.unique(np.array(times, np.float64))) == rate


def test_dense_keys_come_out_as_they_are(make: Any, read: Read) -> None:
    rng = np.random.default_rng(5)
    held = make()
    held.node()
    times = (np.arange(500) / 60 + 0.25).astype(np.float32)
    moves = rng.normal(size=(500, 3)).astype(np.float32)
    held.animate((0, "translation", times, moves, "LINEAR"))
    motion = read(held).motions[0]
    assert (motion.framerate, motion.frame_count) == (60, 500)
    np.testing.assert_array_equal(motion.positions[:, 0], moves)


def test_what_cannot_be_moved_is_left_out(make: Any, read: Read) -> None:
    held = make()
    held.node()
    held.animate((0, "weights", [0, 1], [0, 1], "LINEAR"), (0, "translation", [0], [[1, 2, 3]], "LINEAR"))
    held.json["animations"][0]["channels"].append({"sampler": 0, "target": {"path": "pointer"}})
    asset = read(held)
    assert asset.motions[0].frame_count == 1
    assert len(asset.warnings) == 2


@pytest.mark.parametrize(
    ("times", "values", "kind", "message"),
    [
        ([0, 1, 0.5], [[0, 0, 0]] * 3, "LINEAR", "goes from 1 s back to 0.5 s at key 2"),
        ([0, 1], [[0, 0, 0]] * 3, "LINEAR", "2 key times and 9 numbers"),
        ([0, 1], [[0, 0, 0]] * 2, "CUBICSPLINE", "2 key times and 6 numbers"),
        ([0, 1], [[0, 0, 0]] * 2, "BEZIER", "interpolation is 'BEZIER'"),
        ([0, np.nan], [[0, 0, 0]] * 2, "LINEAR", "key times"),
        ([0, 1], [[0, 0, 0], [0, 0, np.inf]], "LINEAR", "translation"),
        ([0, 1e9], [[0, 0, 0]] * 2, "LINEAR", r"30,000,000,001 frames.*read\(framerate"),
        ([0, 1e29], [[0, 0, 0]] * 2, "LINEAR", r"frames at"),
    ],
)
def test_bad_samplers(make: Any, read: Read, times: Any, values: Any, kind: str, message: str) -> None:
    held = make()
    held.node()
    held.animate((0, "translation", times, values, kind))
    with pytest.raises(FormatError, match=message):
        read(held)


def test_the_framerate_is_the_callers(make: Any, read: Read, tmp_path: Path) -> None:
    held = make()
    held.node()
    held.animate((0, "translation", [0, 1e4], [[0, 0, 0], [1, 0, 0]], "LINEAR"))
    assert read(held, framerate=0.01).motions[0].frame_count == 101
    with pytest.raises(ConfigError, match="framerate"):
        read(held, framerate=float("nan"))


def morphing(held: Any, **fields: Any) -> int:
    part = held.triangles(np.eye(3))
    part["targets"] = [{"POSITION": held.array(np.full((3, 3), i + 1.0))} for i in range(2)]
    node: int = held.shown(part, **fields)
    held.json["meshes"][-1]["extras"] = {"targetNames": ["smile", "blink"]}
    return node


def test_morph_weights(make: Any, read: Read) -> None:
    from kinetoscope_spec import kinematics

    held = make()
    node = morphing(held, weights=[0.25, 0])
    held.animate((node, "weights", [0, 1], [0, 1, 1, 0], "LINEAR"))
    asset = read(held, framerate=2.0)
    assert asset.meshes[0].morph_names == ("smile", "blink")
    assert asset.meshes[0].morph_weights == {"smile": 0.25}
    np.testing.assert_allclose(asset.motions[0].morph_weights["blink"], [1, 0.5, 0])
    np.testing.assert_allclose(kinematics.skinned_vertices(asset, 0, 0, 1), np.eye(3) + 0.5 + 1)


def test_equal_morphs_that_move_differently_part(make: Any, read: Read) -> None:
    held = make()
    first, second = morphing(held), morphing(held)
    held.animate(
        (first, "weights", [0, 1], [0, 0.5, 1, 0.5], "LINEAR"),
        (second, "weights", [0, 1], [0, 0.5, 0, 0.5], "LINEAR"),
    )
    asset = read(held)
    assert asset.meshes[0].morph_names == ("mesh_0/smile", "blink")
    assert asset.meshes[1].morph_names == ("mesh_1/smile", "blink")
    assert set(asset.motions[0].morph_weights) == {"mesh_0/smile", "mesh_1/smile", "blink"}
    assert "'smile' moves differently" in asset.warnings[-1]


def test_morph_weights_along_a_spline(make: Any, read: Read) -> None:
    """A key holds in-tangents, values and out-tangents, each of all targets."""
    held = make()
    node = morphing(held)
    keys = [[[0, 0], [0.25, 1], [1, 0]], [[0, 0], [0.5, 3], [0, 0]]]
    held.animate((node, "weights", [0, 2], keys, "CUBICSPLINE"))
    found = read(held, framerate=1.0).motions[0].morph_weights
    np.testing.assert_allclose(found["smile"], [0.25, 0.375 + 2 / 8, 0.5])
    np.testing.assert_allclose(found["blink"], [1, 2, 3])

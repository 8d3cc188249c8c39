"""Rotations against SciPy, and one formula on three array libraries."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import array_api_compat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from kinetoscope_spec import rotation

Array = NDArray[Any]
ORDERS = ["".join(order) for order in permutations("xyz")]
RNG = np.random.default_rng(7)

SPECIAL = np.array(
    [
        [0, 0, 0, 1],
        [0, 0, 0, -1],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0.6, 0.8, 0, 0],
        [0.5, 0.5, 0.5, 0.5],
        [0.5, -0.5, 0.5, -0.5],
        [1e-9, 0, 0, 1],
        [0, 1e-20, 0, -1],
        [1, 0, 0, 1e-9],
    ]
)
"""Identity both ways round, half turns about axes and between, and their close neighbours."""

MANY = np.concatenate(
    [SPECIAL / np.linalg.norm(SPECIAL, axis=1, keepdims=True), Rotation.random(200, rng=3).as_quat()]
)


def far(a: Array, b: Array) -> float:
    """The largest angle between rotations of two arrays of quaternions."""
    return float((Rotation.from_quat(a) * Rotation.from_quat(b).inv()).magnitude().max())


def test_products_and_turned_vectors() -> None:
    other = np.roll(MANY, 5, axis=0)
    wanted = Rotation.from_quat(MANY) * Rotation.from_quat(other)
    assert far(rotation.multiply(MANY, other), wanted.as_quat()) < 1e-14
    vectors = RNG.normal(size=(len(MANY), 3))
    np.testing.assert_allclose(
        rotation.rotate(MANY, vectors), Rotation.from_quat(MANY).apply(vectors), atol=1e-14
    )
    np.testing.assert_allclose(
        rotation.rotate(rotation.inverse(MANY), rotation.rotate(MANY, vectors)), vectors, atol=1e-13
    )


def test_matrices_there_and_back() -> None:
    matrices = Rotation.from_quat(MANY).as_matrix()
    np.testing.assert_allclose(rotation.to_matrix(MANY), matrices, atol=1e-14)
    back = rotation.from_matrix(matrices)
    assert far(back, MANY) < 1e-7
    assert (back[:, 3] >= 0).all()


def test_6d_there_and_back() -> None:
    six = rotation.to_6d(MANY)
    matrices = Rotation.from_quat(MANY).as_matrix()
    np.testing.assert_allclose(six, np.concatenate([matrices[..., 0], matrices[..., 1]], axis=-1), atol=1e-14)
    assert far(rotation.from_6d(six), MANY) < 1e-7
    assert far(rotation.from_6d(six * [3, 3, 3, 0.1, 0.1, 0.1]), MANY) < 1e-7


def test_from_6d_makes_a_rotation_of_any_two_vectors() -> None:
    q = rotation.from_6d(RNG.normal(size=(500, 6)))
    np.testing.assert_allclose(np.linalg.norm(q, axis=-1), 1, atol=1e-12)


@pytest.mark.parametrize("order", [*ORDERS, "x", "zy", "zxz", "yxy"])
def test_from_euler(order: str) -> None:
    angles = RNG.uniform(-7, 7, size=(100, len(order)))
    wanted = Rotation.from_euler(order.upper(), angles)
    assert far(rotation.from_euler(order, angles), wanted.as_quat()) < 1e-13


@pytest.mark.parametrize("order", ORDERS)
def test_to_euler(order: str) -> None:
    angles = RNG.uniform(-1, 1, size=(300, 3)) * [np.pi, np.pi / 2 - 1e-3, np.pi]
    wanted = Rotation.from_euler(order.upper(), angles).as_quat()
    np.testing.assert_allclose(rotation.to_euler(wanted, order), angles, atol=1e-10)
    assert far(rotation.from_euler(order, rotation.to_euler(MANY, order)), MANY) < 1e-6


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_to_euler_in_gimbal_lock_still_gives_the_rotation(order: str, dtype: type) -> None:
    first, last = (grid.ravel() for grid in np.meshgrid(np.linspace(-3, 3, 13), np.linspace(-3, 3, 13)))
    for middle in (np.pi / 2, -np.pi / 2, np.pi / 2 - 1e-5, -np.pi / 2 + 1e-9):
        angles = np.stack([first, np.full_like(first, middle), last], axis=-1)
        q = Rotation.from_euler(order.upper(), angles).as_quat().astype(dtype)
        back = rotation.from_euler(order, rotation.to_euler(q, order))
        assert far(back, q) < (5e-3 if dtype == np.float32 else 1e-6)


def test_wrong_orders() -> None:
    with pytest.raises(ValueError, match="permutation"):
        rotation.to_euler(MANY, "xyx")
    with pytest.raises(ValueError, match="empty"):
        rotation.from_euler("", MANY)


def test_rotation_vectors_and_axes() -> None:
    vectors = np.concatenate([RNG.normal(size=(100, 3)), np.zeros((1, 3)), 1e-6 * RNG.normal(size=(10, 3))])
    assert far(rotation.from_rotation_vector(vectors), Rotation.from_rotvec(vectors).as_quat()) < 1e-14
    found = rotation.from_rotation_vector(rotation.to_rotation_vector(MANY))
    assert far(found, MANY) < 1e-7
    assert np.linalg.norm(rotation.to_rotation_vector(MANY), axis=-1).max() <= np.pi + 1e-12
    axes, angles = rotation.normalize(RNG.normal(size=(50, 3))), RNG.uniform(-6, 6, 50)
    wanted = Rotation.from_rotvec(axes * angles[:, None]).as_quat()
    assert far(rotation.from_axis_angle(axes, angles), wanted) < 1e-14
    assert far(rotation.from_yaw(angles), Rotation.from_rotvec(angles[:, None] * [0, 1, 0]).as_quat()) < 1e-14


def test_angle() -> None:
    other = np.roll(MANY, 3, axis=0)
    wanted = (Rotation.from_quat(MANY) * Rotation.from_quat(other).inv()).magnitude()
    np.testing.assert_allclose(rotation.angle(MANY, other), wanted, atol=1e-7)


def test_between_turns_one_direction_into_the_other_even_opposite_ones() -> None:
    a = np.concatenate([RNG.normal(size=(200, 3)), np.eye(3), -np.eye(3), np.eye(3)])
    b = np.concatenate([RNG.normal(size=(200, 3)), -np.eye(3), np.eye(3), np.eye(3)])
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-5)):
        q = rotation.between(a.astype(dtype), b.astype(dtype))
        turned = rotation.rotate(q, rotation.normalize(a.astype(dtype)))
        np.testing.assert_allclose(turned, b / np.linalg.norm(b, axis=-1, keepdims=True), atol=tolerance)
        np.testing.assert_allclose(np.linalg.norm(q, axis=-1), 1, atol=tolerance)


def test_swing_twist() -> None:
    axis = rotation.normalize(RNG.normal(size=(len(MANY), 3)))
    swing, twist = rotation.swing_twist(MANY, axis)
    assert far(rotation.multiply(swing, twist), MANY) < 1e-7
    np.testing.assert_allclose(rotation.rotate(twist, axis), axis, atol=1e-12)
    np.testing.assert_allclose(np.sum(swing[:, :3] * axis, axis=-1), 0, atol=1e-12)


def test_slerp_and_nlerp() -> None:
    a, b = MANY, np.roll(MANY, 7, axis=0)
    for weight in (0.0, 0.25, 0.5, 1.0):
        found = rotation.slerp(a, b, np.full(len(a), weight))
        for i in range(11, len(a), 10):
            wanted = Slerp([0, 1], Rotation.from_quat([a[i], b[i]]))(weight)
            assert far(found[i : i + 1], wanted.as_quat()[None]) < 1e-7
    assert far(rotation.nlerp(a, b, np.zeros(len(a))), a) < 1e-7
    assert far(rotation.nlerp(a, b, np.ones(len(a))), b) < 1e-7
    half = rotation.nlerp(a[20:], b[20:], np.full(len(a) - 20, 0.5))
    assert far(half, rotation.slerp(a[20:], b[20:], np.full(len(a) - 20, 0.5))) < 1e-6


def test_unroll_keeps_rotations_and_signs_together() -> None:
    q = Rotation.from_rotvec(np.cumsum(RNG.normal(size=(300, 3)) * 0.1, axis=0)).as_quat()
    flipped = q * RNG.choice([-1, 1], size=(300, 1))
    unrolled = rotation.unroll(flipped)
    assert far(unrolled, q) < 1e-7
    assert (np.sum(unrolled[1:] * unrolled[:-1], axis=-1) > 0).all()


def test_normalize_leaves_zero() -> None:
    np.testing.assert_array_equal(rotation.normalize(np.zeros((2, 4))), 0)
    np.testing.assert_allclose(
        np.linalg.norm(rotation.normalize(RNG.normal(size=(9, 4)) * 1e-18), axis=-1), 1
    )


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "multiply": lambda q, p, v, s: rotation.multiply(q, p),
    "rotate": lambda q, p, v, s: rotation.rotate(q, v),
    "to_matrix": lambda q, p, v, s: rotation.to_matrix(q),
    "from_matrix": lambda q, p, v, s: rotation.from_matrix(rotation.to_matrix(q)),
    "to_6d": lambda q, p, v, s: rotation.to_6d(q),
    "from_6d": lambda q, p, v, s: rotation.from_6d(rotation.to_6d(q)),
    "from_euler": lambda q, p, v, s: rotation.from_euler("zxy", v),
    "to_euler": lambda q, p, v, s: rotation.to_euler(q, "zxy"),
    "from_rotation_vector": lambda q, p, v, s: rotation.from_rotation_vector(v),
    "to_rotation_vector": lambda q, p, v, s: rotation.to_rotation_vector(q),
    "from_axis_angle": lambda q, p, v, s: rotation.from_axis_angle(rotation.normalize(v), s),
    "angle": lambda q, p, v, s: rotation.angle(q, p),
    "between": lambda q, p, v, s: rotation.between(v, _rolled(v)),
    "swing_twist": lambda q, p, v, s: rotation.swing_twist(q, rotation.normalize(v))[1],
    "slerp": lambda q, p, v, s: rotation.slerp(q, p, s),
    "nlerp": lambda q, p, v, s: rotation.nlerp(q, p, s),
    "unroll": lambda q, p, v, s: rotation.unroll(q),
    "normalize": lambda q, p, v, s: rotation.normalize(3 * q),
    "conjugate": lambda q, p, v, s: rotation.conjugate(q),
    "identity": lambda q, p, v, s: rotation.identity(q),
    "from_yaw": lambda q, p, v, s: rotation.from_yaw(s),
}  # fmt: skip


def _rolled(v: Any) -> Any:
    xp = array_api_compat.array_namespace(v)
    return xp.concat((v[..., 1:], v[..., :1]), axis=-1)


def inputs() -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(11)
    q, p = (Rotation.random(60, rng=seed).as_quat().astype(np.float32) for seed in (1, 2))
    return q, p, rng.normal(size=(60, 3)).astype(np.float32), rng.uniform(0, 1, 60).astype(np.float32)


def same_rotation_or_value(name: str, found: Array, wanted: Array) -> None:
    assert found.dtype == np.float32
    assert found.shape == wanted.shape
    # The angle between nearly equal rotations loses half its digits; everything else rounds once.
    np.testing.assert_allclose(found, wanted, atol=2e-5 if name in ("to_euler", "angle") else 3e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_torch_gives_what_numpy_gives(name: str) -> None:
    torch = pytest.importorskip("torch")
    arrays = inputs()
    wanted = FUNCTIONS[name](*arrays)
    found = FUNCTIONS[name](*(torch.from_numpy(array) for array in arrays))
    same_rotation_or_value(name, found.numpy(), wanted)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jax_gives_what_numpy_gives_also_compiled(name: str) -> None:
    jax = pytest.importorskip("jax")
    arrays = inputs()
    wanted = FUNCTIONS[name](*arrays)
    given = tuple(jax.numpy.asarray(array) for array in arrays)
    same_rotation_or_value(name, np.asarray(FUNCTIONS[name](*given)), wanted)
    same_rotation_or_value(name, np.asarray(jax.jit(FUNCTIONS[name])(*given)), wanted)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"identity"}))
def test_torch_gradients_are_finite_also_at_identity_half_turns_and_zero(name: str) -> None:
    torch = pytest.importorskip("torch")
    q = np.concatenate([MANY[:11], MANY[:11]])
    p = np.concatenate([MANY[:11], MANY[10::-1]])
    v = np.concatenate([np.zeros((3, 3)), np.eye(3), -np.eye(3), RNG.normal(size=(13, 3))])
    s = np.linspace(0, 1, 22)
    given = [torch.tensor(array, requires_grad=True) for array in (q, p, v, s)]
    result = FUNCTIONS[name](*given)
    assert torch.isfinite(result).all()
    (
        result * torch.linspace(0.5, 1.5, result.numel(), dtype=result.dtype).reshape(result.shape)
    ).sum().backward()
    used = [tensor.grad for tensor in given if tensor.grad is not None]
    assert used
    assert all(torch.isfinite(gradient).all() for gradient in used)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.lists(st.floats(-3, 3), min_size=3, max_size=3))
@settings(deadline=None)
def test_turning_preserves_lengths_and_angles(turn: list[float], vector: list[float]) -> None:
    q = rotation.from_rotation_vector(np.array(turn))
    v = np.array(vector)
    turned = rotation.rotate(q, v)
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(v), abs=1e-12)
    np.testing.assert_allclose(rotation.rotate(rotation.conjugate(q), turned), v, atol=1e-12)
    np.testing.assert_allclose(rotation.rotate(-q, v), turned, atol=1e-12)

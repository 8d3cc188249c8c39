"""Forward kinematics and its inverse against plain 4x4 matrices; NumPy, compiled, torch and JAX alike."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from kinetoscope_spec import Asset, Mesh, Motion, Skeleton, Skin, _fast, kinematics

Array = NDArray[Any]
BIPED = (-1, 0, 1, 2, 3, 4, 3, 6, 7, 8, 3, 10, 11, 12, 1, 14, 15, 16, 1, 18, 19, 20)


def pose(
    parents: tuple[int, ...], frames: int, seed: int = 0, dtype: type = np.float32
) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(frames * len(parents), rng=rng).as_quat().reshape(frames, len(parents), 4)
    return rng.normal(size=(frames, len(parents), 3)).astype(dtype), rotations.astype(dtype)


def slow(parents: tuple[int, ...], positions: Array, rotations: Array, scales: Array | None = None) -> Array:
    """Global matrices `[T, J, 4, 4]` in float64, one product after the other."""
    frames, joints = positions.shape[:2]
    out = np.zeros((frames, joints, 4, 4))
    for t in range(frames):
        for j in range(joints):
            local = np.eye(4)
            local[:3, :3] = Rotation.from_quat(rotations[t, j]).as_matrix()
            if scales is not None:
                local[:3, :3] = local[:3, :3] @ np.diag(scales[t, j])
            local[:3, 3] = positions[t, j]
            out[t, j] = local if parents[j] < 0 else out[t, parents[j]] @ local
    return out


@st.composite
def hierarchies(draw: st.DrawFn) -> tuple[int, ...]:
    count = draw(st.integers(1, 12))
    return tuple(draw(st.integers(-1, joint - 1)) for joint in range(count))


def agree(parents: tuple[int, ...], found: tuple[Array, Array], wanted: Array, tolerance: float) -> None:
    positions, rotations = found
    np.testing.assert_allclose(positions, wanted[..., :3, 3], atol=tolerance)
    np.testing.assert_allclose(Rotation.from_quat(rotations.reshape(-1, 4)).as_matrix().reshape(*wanted.shape[:-2], 3, 3),
                               wanted[..., :3, :3], atol=tolerance)  # fmt: skip


@given(hierarchies(), st.integers(1, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_globals_are_products_of_matrices(parents: tuple[int, ...], frames: int, seed: int) -> None:
    positions, rotations = pose(parents, frames, seed)
    wanted = slow(parents, positions, rotations)
    agree(parents, kinematics.global_transforms(parents, positions, rotations), wanted, 2e-5)
    double = positions.astype(np.float64), rotations.astype(np.float64)
    double = double[0], double[1] / np.linalg.norm(double[1], axis=-1, keepdims=True)
    agree(parents, kinematics.global_transforms(parents, *double), wanted, 1e-6)


@given(hierarchies(), st.integers(1, 9), st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=60, deadline=None)
def test_compiled_code_gives_the_same_bits(
    parents: tuple[int, ...], frames: int, seed: int, dtype: type
) -> None:
    pytest.importorskip("numba")
    positions, rotations = pose(parents, frames, seed, dtype)
    wanted = plain(parents, positions, rotations)
    found = _fast.global_transforms(parents, positions, rotations)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == b.dtype == dtype
        assert a.tobytes() == np.ascontiguousarray(b).tobytes()


def plain(parents: tuple[int, ...], positions: Array, rotations: Array) -> tuple[Array, Array]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fast, "wanted", lambda count: False)
        result: tuple[Array, Array] = kinematics.global_transforms(parents, positions, rotations)
    return result


def test_compiled_code_takes_read_only_strided_and_batched_arrays() -> None:
    pytest.importorskip("numba")
    positions, rotations = pose(BIPED, 24)
    wanted = plain(BIPED, positions, rotations)
    frozen = positions.copy(), rotations.copy()
    for array in frozen:
        array.flags.writeable = False
    strided = np.repeat(positions, 2, axis=0)[::2], np.repeat(rotations, 2, axis=0)[::2]
    batched = positions.reshape(2, 3, 4, 22, 3), rotations.reshape(2, 3, 4, 22, 4)
    for given_ in (frozen, strided, batched):
        for a, b in zip(_fast.global_transforms(BIPED, *given_), wanted, strict=True):
            np.testing.assert_array_equal(a.reshape(b.shape), b)
    one = _fast.global_transforms(BIPED, positions[0], rotations[0])
    np.testing.assert_array_equal(one[0], wanted[0][0])


def test_numba_is_imported_once_plain_numpy_has_cost_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fast, "_spent_s", 0.0)
    assert not _fast.wanted(22)
    assert _fast.wanted(10**8) == _fast.available()
    assert _fast.wanted(22) == _fast.available()
    code = (
        "import sys, numpy as np; from kinetoscope_spec import kinematics;"
        "kinematics.global_transforms((-1, 0), np.zeros((50, 2, 3)), np.zeros((50, 2, 4)));"
        "print('numba' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


def test_torch_and_jax_give_what_numpy_gives() -> None:
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    positions, rotations = pose(BIPED, 6)
    wanted = plain(BIPED, positions, rotations)
    from_torch = kinematics.global_transforms(BIPED, torch.from_numpy(positions), torch.from_numpy(rotations))
    compiled = jax.jit(lambda p, q: kinematics.global_transforms(BIPED, p, q))
    from_jax = compiled(jax.numpy.asarray(positions), jax.numpy.asarray(rotations))
    for found in (from_torch, from_jax):
        for a, b in zip(found, wanted, strict=True):
            assert np.asarray(a).dtype == np.float32
            np.testing.assert_allclose(np.asarray(a), b, atol=5e-6)
    back = kinematics.local_transforms(BIPED, *from_torch)
    np.testing.assert_allclose(back[0].numpy(), positions, atol=2e-5)


def test_gradients_flow_to_every_joint_above() -> None:
    torch = pytest.importorskip("torch")
    positions, rotations = (
        torch.tensor(array, requires_grad=True) for array in pose(BIPED, 2, dtype=np.float64)
    )
    found, _ = kinematics.global_transforms(BIPED, positions, rotations)
    found[:, 5].sum().backward()
    moved = positions.grad.abs().sum(dim=(0, 2)) > 0
    assert [joint for joint in range(22) if moved[joint]] == [0, 1, 2, 3, 4, 5]
    assert torch.autograd.gradcheck(lambda q: kinematics.global_transforms(BIPED[:4], positions[:1, :4], q)[0],
                                    rotations.detach()[:1, :4].requires_grad_())  # fmt: skip


@given(hierarchies(), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_local_is_the_inverse_of_global(parents: tuple[int, ...], frames: int, seed: int) -> None:
    positions, rotations = pose(parents, frames, seed, np.float64)
    back = kinematics.local_transforms(parents, *kinematics.global_transforms(parents, positions, rotations))
    np.testing.assert_allclose(back[0], positions, atol=1e-10)
    np.testing.assert_allclose(back[1], rotations, atol=1e-10)
    forth = kinematics.global_transforms(parents, *kinematics.local_transforms(parents, positions, rotations))
    np.testing.assert_allclose(forth[0], positions, atol=1e-10)


def test_parents_must_come_first() -> None:
    positions, rotations = pose((-1, 0), 1)
    for wrong in ((1, -1), (-1, 1), (-2, 0)):
        with pytest.raises(ValueError, match="expected -1 or an earlier joint"):
            kinematics.global_transforms(wrong, positions, rotations)


@given(hierarchies(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_matrices_carry_scale_and_shear(parents: tuple[int, ...], seed: int) -> None:
    positions, rotations = pose(parents, 3, seed, np.float64)
    scales = np.random.default_rng(seed).uniform(0.3, 2, size=positions.shape)
    found = kinematics.global_matrices(parents, positions, rotations, scales)
    np.testing.assert_allclose(found, slow(parents, positions, rotations, scales), atol=1e-9)


def test_velocities() -> None:
    t = np.arange(20) / 30.0
    moved = np.stack([3 * t, t**2, np.zeros_like(t)], axis=-1)
    v = kinematics.velocities(moved, 30)
    np.testing.assert_allclose(v[:, 0], 3)
    np.testing.assert_allclose(v[1:-1, 1], 2 * t[1:-1], atol=1e-12)
    np.testing.assert_array_equal(kinematics.velocities(moved[:1], 30), 0)


def test_contacts() -> None:
    positions = np.zeros((30, 2, 3))
    positions[:, 0, 1] = 0.01
    positions[10:, 0, 0] = np.arange(20) * 0.05  # 1.5 m/s at 30 Hz
    positions[:, 1, 1] = 0.5
    touching = kinematics.contacts(positions, 30)
    assert touching[:9, 0].all()
    assert not touching[12:, 0].any()
    assert not touching[:, 1].any()
    assert kinematics.contacts(positions, 30, ground_m=np.array([0.0, 0.49]))[:, 1].all()


def test_skinned_vertices_follow_their_bones() -> None:
    skeleton = Skeleton(("a", "b"), np.array([-1, 0]), np.array([[0, 0, 0], [0, 1.0, 0]]))
    bind = skeleton.rest_matrices()
    skin = Skin(
        np.array([[0, 1]] * 3), np.array([[1, 0], [0, 1], [0.5, 0.5]]), np.array([0, 1]), np.linalg.inv(bind)
    )
    vertices = np.array([[0, 0.5, 0], [0, 2, 0], [0, 1, 0]])
    mesh = Mesh.from_triangles("m", vertices, np.array([[0, 1, 2]]), skin=skin)
    turn = Rotation.from_euler("Z", 90, degrees=True).as_quat()
    motion = Motion(skeleton, skeleton.rest_positions[None], np.array([[[0, 0, 0, 1], turn]]), 30)
    asset = Asset("x", skeleton, (motion,), (mesh,))
    np.testing.assert_allclose(
        kinematics.skinned_vertices(asset), [[0, 0.5, 0], [-1, 1, 0], [0, 1, 0]], atol=1e-12
    )
    np.testing.assert_allclose(kinematics.skinned_vertices(asset, motion=None), vertices, atol=1e-12)
    with pytest.raises(IndexError, match="frame 5"):
        kinematics.skinned_vertices(asset, frame=5)

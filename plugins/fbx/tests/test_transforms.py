"""Node transforms against the formulas of the FBX SDK's documentation, written out as products of matrices.

"Computing transformation matrices" for the local one; for scale inheritance the SDK's sample for global
transforms, where the global turn and the rest ("GRM", "GSM") of the parent are joined in one of three ways.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fbx_scenes import LINEAR, Key, Scene
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec import Asset

Matrix = NDArray[np.float64]
ORDERS = ("xyz", "xzy", "yzx", "yxz", "zxy", "zyx")
angles = st.tuples(*[st.floats(-360, 360)] * 3)
lengths = st.tuples(*[st.floats(-50, 50)] * 3)
sizes = st.tuples(*[st.floats(0.25, 4).flatmap(lambda size: st.sampled_from([size, -size]))] * 3)
placed = st.fixed_dictionaries(
    {"Lcl_Translation": lengths, "Lcl_Rotation": angles, "Lcl_Scaling": sizes},
    optional={
        "RotationOrder": st.integers(0, 5), "PreRotation": angles, "PostRotation": angles,
        "RotationPivot": lengths, "RotationOffset": lengths, "ScalingPivot": lengths, "ScalingOffset": lengths,
        "InheritType": st.integers(0, 2),
    },
)  # fmt: skip


def moved(vector: tuple[float, ...]) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, 3] = vector
    return matrix


def turned(degrees: tuple[float, ...], order: int = 0) -> Matrix:
    matrix = np.eye(4)
    axes = ORDERS[order]  # lower case: about fixed axes, in that sequence
    matrix[:3, :3] = Rotation.from_euler(
        axes, [degrees["xyz".index(a)] for a in axes], degrees=True
    ).as_matrix()
    return matrix


def local_parts(node: dict[str, Any]) -> tuple[Matrix, Matrix, Matrix]:
    """Return the local transform, and of it the turn and the scale."""
    none = (0.0, 0.0, 0.0)
    names = (
        "PreRotation",
        "PostRotation",
        "RotationPivot",
        "RotationOffset",
        "ScalingPivot",
        "ScalingOffset",
    )
    held = {name: node.get(name, none) for name in names}
    spin = (
        turned(held["PreRotation"])
        @ turned(node["Lcl_Rotation"], node.get("RotationOrder", 0))
        @ np.linalg.inv(turned(held["PostRotation"]))
    )
    size = np.diag([*node["Lcl_Scaling"], 1.0])
    about, within = moved(held["RotationPivot"]), moved(held["ScalingPivot"])
    whole = (
        moved(node["Lcl_Translation"]) @ moved(held["RotationOffset"]) @ about @ spin @ np.linalg.inv(about)
        @ moved(held["ScalingOffset"]) @ within @ size @ np.linalg.inv(within)
    )  # fmt: skip
    return whole, spin, size


def global_matrices(chain: list[dict[str, Any]]) -> list[Matrix]:
    """Return the global transforms of nodes of which each is the child of the one before."""
    found: list[Matrix] = []
    spins: list[Matrix] = []
    for i, node in enumerate(chain):
        local, spin, size = local_parts(node)
        if i == 0:
            found.append(local)
            spins.append(spin)
            continue
        above, parent_spin = found[-1], spins[-1]
        linear = np.eye(4)
        linear[:3, :3] = above[:3, :3]
        stretch = np.linalg.inv(parent_spin) @ linear
        kind = node.get("InheritType", 0)
        if kind == 0:
            made = parent_spin @ spin @ stretch @ size
        elif kind == 1:
            made = parent_spin @ stretch @ spin @ size
        else:
            made = (
                parent_spin
                @ spin
                @ (stretch @ np.linalg.inv(np.diag([*chain[i - 1]["Lcl_Scaling"], 1.0])))
                @ size
            )
        made[:3, 3] = (above @ local)[:3, 3]
        found.append(made)
        spins.append(parent_spin @ spin)
    return found


def written(tmp_path: Path, scene: Scene) -> Asset:
    path = tmp_path / "scene.fbx"
    path.write_bytes(scene.text())
    return FbxImporter().read(path)


def in_centimetres(matrices: NDArray[Any]) -> NDArray[np.float64]:
    found = np.array(matrices, np.float64)
    found[..., :3, 3] *= 100
    return found


@pytest.mark.filterwarnings("ignore:Gimbal lock:UserWarning")
@given(chain=st.lists(placed, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_global_transforms_are_those_of_the_sdk(tmp_path: Path, chain: list[dict[str, Any]]) -> None:
    scene, above = Scene(), 0
    for i, node in enumerate(chain):
        above = scene.node(f"node{i}", above, RotationActive=1, **node)
    layer = scene.layer(scene.stack("still", 0, 0.1))
    scene.curve(scene.channel(layer, above, "Visibility"), "X", [Key(0, 1, LINEAR), Key(0.1, 1, LINEAR)])
    asset = written(tmp_path, scene)
    places = [asset.skeleton.names.index(f"node{i}") for i in range(len(chain))]
    got = in_centimetres(asset.skeleton.rest_matrices())[places]
    want = np.array(global_matrices(chain))
    size = max(np.abs(want).max(), 1.0)
    np.testing.assert_allclose(got, want, atol=1e-9 * size)
    np.testing.assert_allclose(
        in_centimetres(asset.motions[0].global_matrices()[0])[places], want, atol=1e-5 * size
    )


@given(
    low=st.tuples(angles, lengths, st.tuples(*[st.floats(0.5, 2)] * 3)),
    high=st.tuples(angles, lengths, st.tuples(*[st.floats(0.5, 2)] * 3)),
    weight=st.floats(0, 100),
    mode=st.sampled_from([0, 1, 2]),
    by_channel=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_layers_join_as_the_sdk_says(
    tmp_path: Path, low: Any, high: Any, weight: float, mode: int, by_channel: bool
) -> None:
    """Additive, override and override-passthrough; turns by channel or as turns, scales multiplied."""
    scene = Scene()
    node = scene.node("node", RotationOrder=0)
    stack = scene.stack("clip", 0, 0.1)
    above = {"BlendMode": mode, "Weight": weight, "RotationAccumulationMode": int(by_channel)}
    for values, options in ((low, {}), (high, above)):
        layer = scene.layer(stack, **options)
        for prop, triple in zip(("Lcl Rotation", "Lcl Translation", "Lcl Scaling"), values, strict=True):
            channel = scene.channel(layer, node, prop, **dict(zip("XYZ", triple, strict=True)))
            for axis, value in zip("XYZ", triple, strict=True):
                scene.curve(channel, axis, [Key(0, value), Key(0.1, value)])
    motion = written(tmp_path, scene).motions[0]
    part = weight / 100
    turn, move, size = (np.array(values) for values in low)
    turn2, move2, size2 = (np.array(values) for values in high)
    spins = [Rotation.from_euler("xyz", held, degrees=True) for held in (turn, turn2)]
    if mode == 1:
        move, size, spin = move2, size2, spins[1]
    elif mode == 0:
        angles = turn + turn2 * part
        move, size, spin = move + move2 * part, size * size2**part, spins[0] * shorter(spins[1], part)
    else:
        angles = turn + (turn2 - turn) * part
        move, size = move + (move2 - move) * part, size ** (1 - part) * size2**part
        spin = spins[0] * shorter(spins[0].inv() * spins[1], part)
    if by_channel and mode != 1:
        spin = Rotation.from_euler("xyz", angles, degrees=True)
    np.testing.assert_allclose(motion.positions[0, 0] * 100, move, atol=1e-3)
    scales = np.ones(3) if motion.scales is None else motion.scales[0, 0]
    np.testing.assert_allclose(scales, size, atol=1e-5)
    if (
        abs((spins[0].inv() * spins[1]).magnitude() - np.pi) > 1e-2
        and abs(spins[1].magnitude() - np.pi) > 1e-2
    ):
        np.testing.assert_allclose(
            Rotation.from_quat(motion.rotations[0, 0]).as_matrix(), spin.as_matrix(), atol=2e-4
        )


def shorter(spin: Rotation, part: float) -> Rotation:
    """Return a part of a turn, the shorter way round."""
    return Rotation.from_rotvec(spin.as_rotvec() * part)


@pytest.mark.parametrize(
    ("axes", "vector"),
    [
        ((1, 1, 2, 1, 0, 1), (1.0, 2.0, 3.0)),
        ((2, 1, 1, -1, 0, 1), (1.0, 3.0, -2.0)),
        ((2, 1, 0, 1, 1, 1), (2.0, 3.0, 1.0)),
        ((0, 1, 1, 1, 2, 1), (3.0, 1.0, 2.0)),
        ((1, 1, 2, -1, 0, 1), (1.0, 2.0, -3.0)),
    ],
    ids=["y up", "z up", "z up, x to the right from y", "x up", "left-handed"],
)
def test_axes_and_units_become_ours(tmp_path: Path, axes: tuple[int, ...], vector: tuple[float, ...]) -> None:
    names = ("UpAxis", "UpAxisSign", "FrontAxis", "FrontAxisSign", "CoordAxis", "CoordAxisSign")
    scene = Scene(UnitScaleFactor=100.0, **dict(zip(names, axes, strict=True)))
    scene.node("node", Lcl_Translation=(1.0, 2.0, 3.0))
    np.testing.assert_allclose(written(tmp_path, scene).skeleton.rest_positions[0], vector)


@given(
    chain=st.lists(placed, min_size=1, max_size=3),
    axes=st.permutations([0, 1, 2]),
    signs=st.tuples(*[st.sampled_from([1, -1])] * 3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whole_transforms_are_seen_from_our_axes(
    tmp_path: Path, chain: list[dict[str, Any]], axes: list[int], signs: tuple[int, ...]
) -> None:
    """`K M K^-1`, with K of the file's right, up and front axes: left-handed files turn the other way round."""
    names = ("CoordAxis", "UpAxis", "FrontAxis")
    scene = Scene(
        **dict(zip(names, axes, strict=True)), **{f"{n}Sign": s for n, s in zip(names, signs, strict=True)}
    )
    above = 0
    for i, node in enumerate(chain):
        above = scene.node(f"node{i}", above, RotationActive=1, **node)
    asset = written(tmp_path, scene)
    to_ours = np.eye(4)
    to_ours[:3, :3] = np.diag(signs) @ np.eye(3)[list(axes)]
    want = to_ours @ np.array(global_matrices(chain)) @ np.linalg.inv(to_ours)
    got = in_centimetres(asset.skeleton.rest_matrices())
    places = [asset.skeleton.names.index(f"node{i}") for i in range(len(chain))]
    np.testing.assert_allclose(got[places], want, atol=1e-9 * max(np.abs(want).max(), 1.0))


@pytest.mark.parametrize("mode", [0, 2])
def test_an_uneven_scale_counts_for_all_below_it(tmp_path: Path, mode: int) -> None:
    rows = (
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1.0, 2.0, 3.0), 1),
        ((10.0, 20.0, 30.0), (1.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1),
        ((40.0, -50.0, 60.0), (1.0, 2.0, 3.0), (1.0, 1.0, 1.0), mode),
        ((0.0, 45.0, 5.0), (0.0, 1.0, 0.0), (1.0, 1.0, 1.0), mode),
    )
    names = ("Lcl_Rotation", "Lcl_Translation", "Lcl_Scaling", "InheritType")
    chain: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
    scene, above = Scene(), 0
    for i, node in enumerate(chain):
        above = scene.node(f"n{i}", above, **node)
    asset = written(tmp_path, scene)
    places = [asset.skeleton.names.index(f"n{i}") for i in range(len(chain))]
    got = in_centimetres(asset.skeleton.rest_matrices()[places])
    np.testing.assert_allclose(got, global_matrices(chain), atol=1e-9)

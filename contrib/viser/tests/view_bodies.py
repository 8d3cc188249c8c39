"""Characters made of numbers, and where their vertices are: loops over the definition, nothing of ours."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import Character, Material, Mesh, Motion, Skeleton, Skin

JOINTS, VERTICES, FRAMES = 7, 60, 12
PARENTS = (-1, 0, 1, 2, 1, 4, 0)


def skeleton() -> Skeleton:
    rng = np.random.default_rng(1)
    turns = rng.normal(size=(JOINTS, 4))
    return Skeleton(
        [f"joint{i}" for i in range(JOINTS)],
        PARENTS,
        rng.normal(size=(JOINTS, 3)) * 0.3 + [0, 0.3, 0],
        turns / np.linalg.norm(turns, axis=1, keepdims=True),
    )


def motion(scale: float = 1.0, seed: int = 2) -> Motion:
    """Joints that tumble; with a `scale`, the root is as many times as large as its mesh was modelled."""
    rng = np.random.default_rng(seed)
    held = skeleton()
    turns = np.asarray(held.rest_rotations)[None] + 0.3 * rng.normal(size=(FRAMES, JOINTS, 4))
    places = np.asarray(held.rest_positions)[None] + 0.1 * rng.normal(size=(FRAMES, JOINTS, 3))
    places[:, 0, 0] += 3.0  # off the origin, where a sloppy wire loses digits
    scales = np.ones((FRAMES, JOINTS, 3))
    scales[:, 0] = scale
    return Motion(
        held,
        places,
        turns / np.linalg.norm(turns, axis=-1, keepdims=True),
        10.0,
        name="tumble",
        scales=None if scale == 1 else scales,
    )


def character(influences: int = 4) -> Character:
    """A cloud of triangles, each vertex on `influences` bones, in two colours."""
    rng = np.random.default_rng(3)
    joints = np.stack([rng.permutation(JOINTS)[:influences] for _ in range(VERTICES)])
    weights = rng.dirichlet(np.ones(influences), size=VERTICES)
    bind = rng.normal(size=(JOINTS, 4))
    bind /= np.linalg.norm(bind, axis=1, keepdims=True)
    inverse = np.stack([matrix(rng.normal(size=3) * 0.2, q) for q in bind])
    mesh = Mesh.from_triangles(
        "cloud",
        rng.normal(size=(VERTICES, 3)) * 0.3,
        np.arange(VERTICES).reshape(-1, 3),
        face_material=np.arange(VERTICES // 3) % 2,
        skin=Skin(joints, weights, np.arange(JOINTS), inverse),
    )
    materials = (
        Material("red", base_color=np.array([0.6, 0.1, 0.1, 1.0]), double_sided=True),
        Material("blue", base_color=np.array([0.1, 0.1, 0.6, 1.0]), double_sided=True),
    )
    return Character("cloud", skeleton(), (mesh,), materials)


def matrix(position: np.ndarray, q: np.ndarray, scale: np.ndarray | float = 1.0) -> np.ndarray:
    """The 4x4 matrix of a place, a quaternion xyzw and a scale, written out."""
    x, y, z, w = q
    held = np.eye(4)
    held[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    held[:3, :3] *= scale
    held[:3, 3] = position
    return held


def globals_of(moved: Motion, frame: int) -> np.ndarray:
    held: list[np.ndarray] = []
    for joint, parent in enumerate(moved.skeleton.parents):
        scale = 1.0 if moved.scales is None else moved.scales[frame, joint]
        local = matrix(moved.positions[frame, joint], moved.rotations[frame, joint], scale)
        held.append(local if parent < 0 else held[parent] @ local)
    return np.stack(held)


def skinned(body: Character, pose: np.ndarray, most: int = 99) -> np.ndarray:
    """Vertices of the first mesh by the `most` heaviest of their bones, vertex by vertex."""
    mesh = body.meshes[0]
    skin = mesh.skin
    out = np.zeros((len(mesh.vertices), 3))
    for v, vertex in enumerate(mesh.vertices):
        heaviest = sorted(zip(skin.weights[v], skin.joints[v], strict=True), reverse=True)[:most]
        total = sum(weight for weight, _ in heaviest)
        for weight, bone in heaviest:
            carried = pose[skin.bones[bone]] @ skin.inverse_bind[bone] @ np.append(vertex, 1.0)
            out[v] += weight / total * carried[:3]
    return out

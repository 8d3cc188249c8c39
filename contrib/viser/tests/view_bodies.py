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


def dressed() -> Character:
    """A quad of four vertices a side on two bones, with a texture, normals of its own, a seam and two shapes."""
    rng = np.random.default_rng(5)
    side = np.linspace(0, 1, 4)
    x, y = (held.ravel() for held in np.meshgrid(side, side))
    points = np.stack([x, y, 0.2 * np.sin(3 * x)], axis=1)
    corner = np.concatenate([np.arange(16), np.arange(4)])  # the lowest row has corners of a second kind
    uvs = np.concatenate([np.stack([x, 1 - y], axis=1), np.stack([side, 0 * side + 0.5], axis=1)])
    normals = rng.normal(size=(20, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    at = np.arange(9) // 3 * 4 + np.arange(9) % 3
    faces = np.concatenate([np.stack([at, at + 1, at + 4], 1), np.stack([at + 1, at + 5, at + 4], 1)])
    faces[:3] += np.where(faces[:3] < 4, 16, 0)
    weights = np.stack([1 - y, y], axis=1)
    mesh = Mesh(
        "cloth",
        points,
        corner,
        faces,
        normals=normals,
        uvs=uvs,
        skin=Skin(np.tile([1, 4], (16, 1)), weights, np.arange(JOINTS), np.tile(np.eye(4), (JOINTS, 1, 1))),
        morphs=0.3 * rng.normal(size=(2, 16, 3)),
        morph_names=("smile", "frown"),
        morph_weights={"frown": 0.25},
    )
    image = rng.integers(0, 256, (6, 5, 3)).astype(np.uint8)
    material = Material("print", base_color=np.ones(4), base_color_image=image, wrap=("clamp", "mirror"))
    return Character("cloth", skeleton(), (mesh,), (material,))


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


def shaped(body: Character, **weights: float) -> np.ndarray:
    """Vertices of the first mesh in a shape, before bones carry them."""
    mesh = body.meshes[0]
    held = {**mesh.morph_weights, **weights}
    return mesh.vertices + sum(
        held.get(name, 0.0) * mesh.morphs[i] for i, name in enumerate(mesh.morph_names)
    )


def skinned(
    body: Character, pose: np.ndarray, most: int = 99, vertices: np.ndarray | None = None
) -> np.ndarray:
    """Vertices of the first mesh, or `vertices` in place of its own, by the `most` heaviest of their bones."""
    mesh = body.meshes[0]
    skin = mesh.skin
    out = np.zeros((len(mesh.vertices), 3))
    for v, vertex in enumerate(mesh.vertices if vertices is None else vertices):
        heaviest = sorted(zip(skin.weights[v], skin.joints[v], strict=True), reverse=True)[:most]
        total = sum(weight for weight, _ in heaviest)
        for weight, bone in heaviest:
            carried = pose[skin.bones[bone]] @ skin.inverse_bind[bone] @ np.append(vertex, 1.0)
            out[v] += weight / total * carried[:3]
    return out

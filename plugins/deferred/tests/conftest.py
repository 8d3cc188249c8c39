"""Shapes, sessions and a ray caster that the tests share; none of it uses the renderer's own code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kinetoscope_spec import Actor, Camera, Character, Material, Mesh, ProviderUnavailable, Scene, Skeleton

sys.path.insert(0, str(Path(__file__).parent))  # for golden_pictures, which stands beside the tests
SIZE = (160, 90)
WHITE = Material("white", base_color=np.array([0.8, 0.8, 0.8, 1.0]), roughness=1.0)


@pytest.fixture(scope="session")
def sessions():
    """Open a session for each set of options once; skip where there is no driver."""
    from kinetoscope_deferred.renderer import DeferredRenderer

    held = {}

    def get(quality="medium", *, size=SIZE, buffers=(), **passes):
        key = (quality, size, tuple(buffers), tuple(sorted(passes.items())))
        if key not in held:
            try:
                held[key] = DeferredRenderer().open(size, quality, passes=passes, buffers=buffers)
            except ProviderUnavailable as error:
                pytest.skip(f"no OpenGL driver: {error}")
        return held[key]

    yield get
    for session in held.values():
        session.close()


@pytest.fixture(scope="session")
def kit():
    return SimpleNamespace(
        character=character,
        actor=actor,
        sphere=sphere,
        quad=quad,
        scene=scene,
        rays=rays,
        cast=cast,
        SIZE=SIZE,
    )


def sphere(radius=1.0, rings=48):
    """Vertices and outward faces of a sphere around the origin."""
    theta, phi = np.meshgrid(
        np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, 2 * rings), indexing="ij"
    )
    points = np.stack([np.sin(theta) * np.cos(phi), np.cos(theta), np.sin(theta) * np.sin(phi)], -1)
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(2 * rings - 1), indexing="ij")
    a = (i * 2 * rings + j).ravel()
    b, c = a + 1, a + 2 * rings
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, c + 1, c], 1)])
    return points.reshape(-1, 3) * radius, faces


def quad(centre, right, up):
    """A rectangle that faces right x up, half as wide and high as the vectors' lengths say twice."""
    centre, right, up = (np.asarray(v, float) for v in (centre, right, up))
    points = np.array([centre - right - up, centre + right - up, centre + right + up, centre - right + up])
    return points, np.array([[0, 1, 2], [0, 2, 3]])


def character(points, faces, material=WHITE, **mesh):
    if "skin" not in mesh:
        mesh.setdefault("node", 0)
    part = Mesh.from_triangles("part", np.asarray(points, float), faces, **mesh)
    materials = material if isinstance(material, tuple) else (material,)
    return Character("thing", Skeleton(("node",), [-1], [(0, 0, 0)]), (part,), materials)


def actor(points, faces, *, at=(0, 0, 0), id=1, **kwargs):  # noqa: A002
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = at
    return Actor(character(points, faces, **kwargs), pose, id=id)


def scene(*actors, **kwargs):
    return Scene(actors=actors, **kwargs)


def rays(camera: Camera, size=SIZE):
    """Directions `[H, W, 3]` through the pixels' centres, one metre long along the axis."""
    width, height = size
    ahead = (camera.target - camera.position) / np.linalg.norm(camera.target - camera.position)
    right = np.cross(ahead, camera.up)
    right /= np.linalg.norm(right)
    up = np.cross(right, ahead)
    tangent = np.tan(0.5 * camera.field_of_view)
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * tangent * width / height
    y = (1 - (np.arange(height) + 0.5) / height * 2) * tangent
    return ahead + x[None, :, None] * right + y[:, None, None] * up


def cast(camera, things, size=SIZE):
    """Cast a ray through every pixel at triangles (Moeller and Trumbore 1997).

    `things` are (id, triangles [F, 3, 3], normals [F, 3, 3]). Returns id, depth along the axis and
    smooth normal of the nearest hit.
    """
    directions = rays(camera, size).reshape(-1, 3)
    best = np.full(len(directions), np.inf)
    ids = np.zeros(len(directions), int)
    normals = np.zeros((len(directions), 3))
    for thing, triangles, corners in things:
        for (a, b, c), n in zip(triangles, corners, strict=True):
            e1, e2 = b - a, c - a
            p = np.cross(directions, e2)
            det = p @ e1
            with np.errstate(divide="ignore", invalid="ignore"):
                s = camera.position - a
                u = p @ s / det
                q = np.cross(s, e1)
                v = directions @ q / det
                t = (e2 @ q) / det
            hit = (det > 1e-12) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > camera.near) & (t < best)
            best[hit], ids[hit] = t[hit], thing
            mixed = (1 - u - v)[hit, None] * n[0] + u[hit, None] * n[1] + v[hit, None] * n[2]
            normals[hit] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    height, width = size[1], size[0]
    return ids.reshape(height, width), best.reshape(height, width), normals.reshape(height, width, 3)

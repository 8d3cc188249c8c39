"""Shapes that the tests share; none of it uses the renderer's own code."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from kinetoscope_spec import Actor, Character, Material, Mesh, Skeleton

WHITE = Material("white", base_color=np.array([0.8, 0.8, 0.8, 1.0]), roughness=1.0)


def ball(radius=0.5, rings=48):
    """Vertices and outward faces of a sphere around the origin."""
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, 2 * rings), indexing="ij"
    )
    points = np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1
    )
    i, j = (n.ravel() for n in np.meshgrid(np.arange(rings - 1), np.arange(2 * rings - 1), indexing="ij"))
    a = i * 2 * rings + j
    faces = np.concatenate(
        [np.stack([a, a + 1, a + 2 * rings], 1), np.stack([a + 1, a + 2 * rings + 1, a + 2 * rings], 1)]
    )
    return points.reshape(-1, 3) * radius, faces


def sheet(half=2.0):
    """A level square that faces up."""
    points = np.array([[-half, 0, half], [half, 0, half], [half, 0, -half], [-half, 0, -half]])
    return points, np.array([[0, 1, 2], [0, 2, 3]])


def actor(shape, *, at=(0.0, 0.0, 0.0), number=1, material=WHITE, **mesh):
    points, faces = shape
    part = Mesh.from_triangles("part", points, faces, node=0, **mesh)
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = at
    skeleton = Skeleton(("node",), [-1], [(0, 0, 0)])
    return Actor(Character("thing", skeleton, (part,), (material,)), pose, id=number)


@pytest.fixture(scope="session")
def kit():
    return SimpleNamespace(ball=ball, sheet=sheet, actor=actor)

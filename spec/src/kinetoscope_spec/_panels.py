"""Cutting a skin into panels along planes, exactly, and giving the panels' edges a thickness."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec._flesh import Cut

__all__ = ["Skinned", "beyond_cuts", "near_cuts", "panels"]


@attrs.frozen(eq=False)
class Skinned:
    """A surface while it is being cut.

    Attributes:
        vertices, normals: `[V, 3]`.
        shares: `[V, L]`, how much of each lump a vertex is.
        faces: `[F, 3]`.
        owner: `[F]`, the lump that a face belongs to.
    """

    vertices: Array
    normals: Array
    shares: Array
    faces: Array
    owner: Array


def panels(skin: Skinned, cuts: Sequence[Cut], sides: Array, thickness: float) -> Skinned:
    """Take the gaps out of `skin` and fold its new edges inwards by `thickness` metres.

    `sides [L]` are the lumps' sides (1 left, -1 right, 0 neither): a gap cuts its own side alone.
    """
    edges = []
    for cut in cuts:
        for sign in (1.0, -1.0):
            skin = _split(skin, cut, sides, sign)
        gone = _inside(skin, cut, sides)
        edges.append(_rim(skin, gone, cut))
        skin = attrs.evolve(skin, faces=skin.faces[~gone], owner=skin.owner[~gone])
    return _fold(skin, edges, thickness)


def near_cuts(points: Array, cuts: Sequence[Cut], reach: float) -> Array:
    """Tell which `points [N, 3]` lie in a gap or within `reach` metres of one."""
    near = np.zeros(len(points), bool)
    for cut in cuts:
        away = points - cut.centre
        close = np.einsum("ij,ij->i", away, away) < (cut.radius + reach) ** 2
        near |= close & (np.abs(away @ cut.axis) < cut.half_width + reach)
    return near


def beyond_cuts(skin: Skinned, cuts: Sequence[Cut], sides: Array, reach: float) -> Array:
    """Tell which faces lie beyond a gap that says so: hands and feet, within `reach` metres."""
    middle = skin.vertices[skin.faces].mean(axis=1)
    beyond = np.zeros(len(middle), bool)
    for cut in cuts:
        if cut.dark_beyond:
            away = middle - cut.centre
            close = np.einsum("ij,ij->i", away, away) < reach**2
            beyond |= close & (away @ cut.axis > 0) & (sides[skin.owner] == cut.side)
    return beyond


def _touched(skin: Skinned, cut: Cut, sides: Array) -> Array:
    """Tell which faces a gap may cut: those near its centre and of its side."""
    away = skin.vertices - cut.centre
    close = np.einsum("ij,ij->i", away, away) < cut.radius**2
    return np.asarray(close[skin.faces].all(axis=1) & (sides[skin.owner] == cut.side))


def _split(skin: Skinned, cut: Cut, sides: Array, sign: float) -> Skinned:
    """Split faces along one of the two planes of a gap."""
    level = (skin.vertices - cut.centre) @ cut.axis - sign * cut.half_width
    level = np.where(np.abs(level) < 1e-7, 1e-7, level)
    above = level[skin.faces] > 0
    mixed = np.flatnonzero(_touched(skin, cut, sides) & (above.sum(axis=1) % 3 != 0))
    if not len(mixed):
        return skin
    faces, over = skin.faces[mixed], above[mixed]
    # Turn each face so that its first corner is alone on its side.
    lone = np.where(over.sum(axis=1) == 1, np.argmax(over, axis=1), np.argmin(over, axis=1))
    a, b, c = (np.take_along_axis(faces, ((lone + i) % 3)[:, None], axis=1)[:, 0] for i in range(3))
    pairs = np.concatenate([np.stack([a, b], axis=1), np.stack([a, c], axis=1)])
    unique, place = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    place = place.reshape(-1)
    share = (level[unique[:, 0]] / (level[unique[:, 0]] - level[unique[:, 1]]))[:, None]
    p, q = (len(skin.vertices) + part for part in (place[: len(mixed)], place[len(mixed) :]))
    parts = [np.stack(t, axis=1) for t in ((a, p, q), (p, b, c), (p, c, q))]
    keep = np.ones(len(skin.faces), bool)
    keep[mixed] = False

    def mixed_in(values: Array) -> Array:
        between = values[unique[:, 0]] * (1 - share) + values[unique[:, 1]] * share
        return np.concatenate([values, between])

    return Skinned(
        mixed_in(skin.vertices),
        mixed_in(skin.normals),
        mixed_in(skin.shares),
        np.concatenate([skin.faces[keep], *parts]),
        np.concatenate([skin.owner[keep], *[skin.owner[mixed]] * 3]),
    )


def _inside(skin: Skinned, cut: Cut, sides: Array) -> Array:
    middle = skin.vertices[skin.faces].mean(axis=1) - cut.centre
    return np.asarray(_touched(skin, cut, sides) & (np.abs(middle @ cut.axis) < cut.half_width))


def _rim(skin: Skinned, gone: Array, cut: Cut) -> tuple[Array, Array, Array]:
    """Return the edges between what stays and what goes: `[E, 2]`, their lumps and normals."""
    stays, goes = skin.faces[~gone], skin.faces[gone]
    edge = np.concatenate([stays[:, [0, 1]], stays[:, [1, 2]], stays[:, [2, 0]]])
    owner = np.tile(skin.owner[~gone], 3)
    back = np.concatenate([goes[:, [1, 0]], goes[:, [2, 1]], goes[:, [0, 2]]])
    count = len(skin.vertices)
    shared = np.isin(edge[:, 0] * count + edge[:, 1], back[:, 0] * count + back[:, 1])
    edge, owner = edge[shared], owner[shared]
    height = (skin.vertices[edge[:, 0]] - cut.centre) @ cut.axis
    return edge, owner, -np.sign(height)[:, None] * cut.axis


def _fold(skin: Skinned, edges: Sequence[tuple[Array, Array, Array]], thickness: float) -> Skinned:
    """Add a strip from each edge inwards, facing the gap."""
    parts = [edge for edge in edges if len(edge[0])]
    if not parts:
        return skin
    edge, owner, normal = (np.concatenate(each) for each in zip(*parts, strict=True))
    a, b = edge[:, 0], edge[:, 1]
    sunk = skin.vertices - thickness * skin.normals
    vertices = np.concatenate([skin.vertices[a], skin.vertices[b], sunk[b], sunk[a]])
    first = len(skin.vertices) + np.arange(len(edge))
    corner = [first + i * len(edge) for i in range(4)]
    faces = [
        np.stack([corner[1], corner[0], corner[3]], axis=1),
        np.stack([corner[1], corner[3], corner[2]], axis=1),
    ]
    return Skinned(
        np.concatenate([skin.vertices, vertices]),
        np.concatenate([skin.normals, *[normal] * 4]),
        np.concatenate([skin.shares, skin.shares[a], skin.shares[b], skin.shares[b], skin.shares[a]]),
        np.concatenate([skin.faces, *faces]),
        np.concatenate([skin.owner, owner, owner]),
    )

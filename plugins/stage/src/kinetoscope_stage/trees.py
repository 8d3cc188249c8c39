"""Blend trees: clips mixed by parameters, walking in step.

    library.tree(Along(0, {0.0: idle, 1.4: walk, 3.5: run}))             # by the first value, say m/s
    library.tree(Across((0, 1), {(0, 1): walk, (1, 1): right, (-1, 1): left}))
    library.tree(Along(2, {0.0: standing, 1.0: Along(0, {...})}))        # nodes hang below nodes

Leaves are numbers of clips in the `Library`. All of a tree's clips go through the same share of
their length at the same time, so that clips of one step each put the same foot down together; the
length is their weighted mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import numpy as np

from kinetoscope_spec import ValidationError, rotation
from kinetoscope_stage._component import Array
from kinetoscope_stage.clips import Clip, Moments, Source

__all__ = ["VALUES", "Across", "Along", "Node", "Tree"]

VALUES: Final = 4
"""How many values an entity has that trees may blend by."""


def _parameter(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < VALUES:
        raise ValidationError(f"a tree blends by value {value!r}, expected 0 to {VALUES - 1}")
    return value


def _sorted(nodes: Mapping[float, Any]) -> tuple[tuple[float, Any], ...]:
    return tuple(sorted((float(at), node) for at, node in nodes.items()))


@attrs.frozen
class Along:
    """Nodes along one value: between two of them it mixes them, beyond the ends it is the last one.

    Attributes:
        value: which of the entity's values.
        nodes: by where on it they stand.
    """

    value: int = attrs.field(converter=_parameter)
    nodes: tuple[tuple[float, Any], ...] = attrs.field(converter=_sorted)

    def shares(self, values: Array) -> Array:
        """Return the share `[n, K]` of each node at `values [n, 4]`."""
        at = np.array([place for place, _ in self.nodes])
        place = np.interp(values[:, self.value], at, np.arange(len(at)))
        held: Array = np.clip(1 - np.abs(place[:, None] - np.arange(len(at))), 0.0, 1.0)
        return held


def _parameters(pair: tuple[Any, Any]) -> tuple[int, int]:
    first, second = pair
    return _parameter(first), _parameter(second)


def _points(nodes: Mapping[tuple[float, float], Any]) -> tuple[tuple[tuple[float, float], Any], ...]:
    return tuple(((float(x), float(y)), node) for (x, y), node in nodes.items())


@attrs.frozen
class Across:
    """Nodes on the plane of two values, mixed by gradient bands.

    A node's share falls off from 1 at its own place to 0 at the place of each other one (Johansen
    2009, "Automated Semi-Procedural Animation for Character Locomotion", section 6.3), so shares
    are continuous and no node counts where another one stands.

    Attributes:
        values: which two of the entity's values.
        nodes: by where on their plane they stand.
    """

    values: tuple[int, int] = attrs.field(converter=_parameters)
    nodes: tuple[tuple[tuple[float, float], Any], ...] = attrs.field(converter=_points)

    def shares(self, values: Array) -> Array:
        """Return the share `[n, K]` of each node at `values [n, 4]`."""
        at = np.array([place for place, _ in self.nodes])
        way = at[None] - at[:, None]  # [K, K, 2], from i to j
        far = (way * way).sum(axis=-1)
        np.fill_diagonal(far, 1.0)
        off = values[:, list(self.values)][:, None] - at  # [n, K, 2]
        gone = (off[..., None, 0] * way[..., 0] + off[..., None, 1] * way[..., 1]) / far
        share = np.clip(1 - gone, 0.0, 1.0).min(axis=-1)
        held: Array = share / share.sum(axis=-1, keepdims=True)
        return held


Node: TypeAlias = int | Along | Across


@attrs.frozen(eq=False)
class Tree:
    """A tree made ready for playing; time counts rounds.

    Attributes:
        root: its topmost node.
        clips: its leaves, from left to right.
    """

    root: Along | Across
    clips: tuple[Clip, ...]

    @classmethod
    def of(cls, node: Node, sources: Sequence[Source]) -> Tree:
        """Make one whose leaves are numbers in `sources`.

        Raises:
            ValidationError: a leaf that is no clip, a node without nodes or with two of them in one
                place, clips of different numbers of joints.
        """
        if not isinstance(node, Along | Across):
            raise ValidationError(f"a tree begins with {node!r}, expected Along or Across")
        clips = tuple(_leaves(node, sources))
        counts = {clip.joints for clip in clips}
        if len(counts) > 1:
            raise ValidationError(f"a tree mixes clips of {sorted(counts)} joints, expected one number")
        return cls(node, clips)

    @property
    def joints(self) -> int:
        """How many it moves."""
        return self.clips[0].joints

    def weights(self, values: Array) -> Array:
        """Return the weight `[n, L]` of each leaf at `values [n, 4]`: 0 or more, 1 in all."""
        return np.stack(_weights(self.root, values, np.ones(len(values))), axis=-1)

    def advanced(self, time: Array, passed: Array, values: Array) -> Array:
        """Return the rounds `[n]` after `passed [n]` s more."""
        # Term by term, so that a crowd's sums are those of each of its members.
        length = np.zeros(len(time))
        for clip, weight in zip(self.clips, self.weights(values).T, strict=True):
            length += weight * clip.duration
        # Clips of a single frame have no length, and take no time.
        held: Array = time + np.where(length > 0, passed / np.where(length > 0, length, 1.0), 0.0)
        return held

    def round_begin(self, time: Array) -> Array:
        """Return the round `[n]` that `time [n]` lies in."""
        begun: Array = np.floor(time)
        return begun

    def play(self, now: Moments, rows: Array, out: tuple[Array, Array], *, moves: bool) -> Array:
        """Write poses into `rows` of `out` and return the root's steps; see `Source`."""
        weights = self.weights(now.values)
        p, q = np.zeros((len(rows), self.joints, 3)), np.zeros((len(rows), self.joints, 4))
        step = np.zeros((len(rows), 3))
        for clip, weight in zip(self.clips, weights.T, strict=True):
            who = np.flatnonzero(weight > 0)
            if not len(who):
                continue
            part = np.empty((len(who), self.joints, 3)), np.empty((len(who), self.joints, 4))
            moments = Moments(
                now.time[who] * clip.duration,
                now.before[who] * clip.duration,
                now.loop[who],
                now.values[who],
            )
            step[who] += weight[who, None] * clip.play(moments, np.arange(len(who)), part, moves=moves)
            share = weight[who, None, None]
            p[who] += share * part[0]
            # Of the two quaternions of a rotation, the one on the side of what is there already.
            side = (q[who] * part[1]).sum(axis=-1, keepdims=True) < 0
            q[who] += np.where(side, -share, share) * part[1]
        out[0][rows], out[1][rows] = p, rotation.normalize(q)
        return step


def _leaves(node: Node, sources: Sequence[Source]) -> list[Clip]:
    if isinstance(node, Along | Across):
        places = [place for place, _ in node.nodes]
        if not places or len(set(places)) < len(places) or not np.isfinite(places).all():
            raise ValidationError(
                f"a tree's node has nodes at {places}, expected some, each at a place of its own"
            )
        return [clip for _, below in node.nodes for clip in _leaves(below, sources)]
    known = isinstance(node, int) and 0 <= node < len(sources)
    source = sources[node] if known else None
    if not isinstance(source, Clip):
        raise ValidationError(f"a tree's leaf is {node!r}, expected the number of a clip in the library")
    return [source]


def _weights(node: Node, values: Array, weight: Array) -> list[Array]:
    if isinstance(node, Along | Across):
        shares = node.shares(values)
        return [
            held
            for i, (_, below) in enumerate(node.nodes)
            for held in _weights(below, values, weight * shares[:, i])
        ]
    return [weight]

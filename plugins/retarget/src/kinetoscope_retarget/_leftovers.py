"""Joints that have no partner, and why."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_retarget.protocol import LeftOut, Pair
from kinetoscope_spec.anatomy import Person, Tree, read_name

__all__ = ["left_out"]

_KINDS = {
    "end": "the tip of a bone",
    "twist": "a twist joint, which follows its bone",
    "auxiliary": "stands beside the body",
}


def left_out(
    bodies: tuple[Person, Person], pairs: Sequence[Pair]
) -> tuple[tuple[LeftOut, ...], tuple[LeftOut, ...]]:
    """Return the joints of source and target that are in no pair."""
    source, target = bodies
    moving = {pair.source for pair in pairs} | {pair.second for pair in pairs}
    moved = {pair.target for pair in pairs}
    return _of(source, moving, "target"), _of(target, moved, "source")


def _of(body: Person, paired: set[str | None] | set[str], other: str) -> tuple[LeftOut, ...]:
    roles = {joint: role for role, joint in body.roles().items()}
    tree = Tree(body.skeleton)
    above = set(tree.line(body.carrier)[1:]) if body.carrier is not None else set()
    found = []
    for joint, name in enumerate(body.skeleton.names):
        if name in paired:
            continue
        kind = read_name(name).kind
        if joint in above:
            reason = "above the hips"
        elif joint in roles:
            reason = f"the {other} has no such joint"
        elif kind in _KINDS:
            reason = _KINDS[kind]
        elif not tree.children[joint]:
            reason = f"a tip, or a joint that the {other} has not"
        else:
            reason = f"no joint of the {other} is like it"
        found.append(LeftOut(name, reason))
    return tuple(found)

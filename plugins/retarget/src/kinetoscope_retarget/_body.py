"""The person in a skeleton: by the names of its joints and, where they say nothing, by the rest pose."""

from __future__ import annotations

from functools import lru_cache

from kinetoscope_retarget._structure import limbs_by_shape
from kinetoscope_spec import Skeleton
from kinetoscope_spec.anatomy import SIDES, Person, person

__all__ = ["body_of"]


@lru_cache(maxsize=64)
def body_of(skeleton: Skeleton) -> Person:
    """Find the person in a skeleton."""
    named = person(skeleton)
    if any(named.limb(side, part) is not None for side in SIDES for part in ("upper_arm", "upper_leg")):
        return named
    return person(skeleton, limbs_by_shape(skeleton))

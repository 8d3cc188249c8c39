"""Which clips are learned from together."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from kinetoscope.shot.mocap import Clips, same_body
from kinetoscope_spec import Motion, Skeleton, rotation

NAMES = ("Root", "Hips", "Spine", "Head")


def clip(
    size: float = 1.0, *, hips_offset: float = 0.9, names: tuple[str, ...] = NAMES, name: str = "a"
) -> Motion:
    rest = np.array([[0, 0, 0], [0, hips_offset, 0], [0, 0.3 * size, 0], [0, 0.3 * size, 0]])
    positions = np.repeat(rest[None], 30, axis=0)
    positions[:, 1] = np.stack([np.zeros(30), np.full(30, 0.9 * size), np.linspace(0, 2, 30)], axis=1)
    return Motion(
        Skeleton(names, (-1, 0, 1, 2), rest), positions, rotation.identity(np.zeros((30, 4, 4))), 30.0, name
    )


def test_one_body_whatever_the_rest_offset_of_what_travels() -> None:
    assert same_body(clip(), clip(hips_offset=4.6))


@pytest.mark.parametrize("other", [clip(0.5), clip(1.1), clip(names=("Root", "Hips", "Spine", "Skull"))])
def test_another_body_is_another(other: Motion) -> None:
    assert not same_body(clip(), other)


def test_the_digest_knows_names_order_and_numbers() -> None:
    a, b = clip(name="a"), clip(name="b", hips_offset=0.8)
    moved = attrs.evolve(a, positions=a.positions + 1e-3)
    sets = [
        (a, b),
        (b, a),
        (a,),
        (moved, b),
        (attrs.evolve(a, name="c"), b),
        (attrs.evolve(a, framerate=60), b),
    ]
    assert len({Clips(motions, (), ()).digest() for motions in sets}) == len(sets)
    assert Clips((a, b), (), ()).digest() == Clips((clip(name="a"), b), (), ()).digest()

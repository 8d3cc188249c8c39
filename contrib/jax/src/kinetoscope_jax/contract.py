"""The contract of the hook `feature` on clips that JAX compiles for once, not for every example."""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from kinetoscope_spec import Motion
from kinetoscope_spec.contracts import FeatureContract
from kinetoscope_spec.contracts.strategies import mirrored_walks, walks

__all__ = ["JaxContract"]


class JaxContract(FeatureContract):
    """All laws, on clips of one skeleton, length and framerate; in the mirror, on a few skeletons."""

    def motions(self) -> st.SearchStrategy[Motion]:
        """Return motions that the feature accepts."""
        return walks(frames=st.just(8), framerates=st.just(30.0), plain=True)

    def mirrored_motions(self) -> st.SearchStrategy[tuple[Motion, Motion]]:
        """Return pairs of a motion that the feature accepts and its mirror image."""
        return st.sampled_from(_pairs())

    def same_sized_motions(self) -> st.SearchStrategy[Motion]:
        """Return motions of one skeleton and length."""
        return self.motions()


def _differ(motion: Motion, other: Motion) -> bool:
    """Whether a clip is another one in the mirror, as far as joints' places tell."""
    places, mirrored = (held.global_transforms()[0] for held in (motion, other))
    return bool(np.abs(places - mirrored).max() > 0.1)


@lru_cache(maxsize=1)
def _pairs() -> list[tuple[Motion, Motion]]:
    """Return three pairs, drawn once: of 15 joints at least, of 24, and of joints with axes of their own."""
    given = mirrored_walks(frames=st.just(8), framerates=st.just(30.0)).filter(lambda pair: _differ(*pair))
    settled = settings(database=None, deadline=None, phases=[Phase.generate], max_examples=500)
    return [
        find(given, held, settings=settled, random=random.Random(0))  # noqa: S311 - the same pairs every time
        for held in (
            lambda pair: len(pair[0].skeleton) >= 15,
            lambda pair: len(pair[0].skeleton) >= 24,
            lambda pair: (abs(pair[0].skeleton.rest_rotations[:, 3]) < 0.9).any(),
        )
    ]

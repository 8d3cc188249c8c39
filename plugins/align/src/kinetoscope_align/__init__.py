"""Cues for every voice: words, phonemes and visemes, and the hook `aligner`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="aligner")
def providers() -> Sequence[Provider]:
    """Offer `sphinx`, and after all others `estimate`, which listens to nothing but loudness."""
    return [
        Provider(
            "sphinx",
            "the voice's own times, else forced alignment (English), else estimates",
            load="kinetoscope_align.aligner:SphinxAligner",
            licence="Apache-2.0 AND BSD-2-Clause",
            requires=("module:pocketsphinx",),
            omits=(
                "the_rate_does_not_matter: a sound that could be either of two is heard as the other where "
                "samples differ a little; where a word ended moved by 50 ms in one drawn example",
            ),
        ),
        Provider(
            "estimate",
            "the voice's own times, else estimates from phonemes and silences",
            load="kinetoscope_align.aligner:EstimateAligner",
            order=-1,
        ),
    ]

"""Cues for every voice: words, phonemes and visemes, who moves with them, and the hooks of both."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["movers", "providers"]


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


@hookimpl(specname="lipsync")
def movers() -> Sequence[Provider]:
    """Offer `speaker`: a mouth by visemes, head and hands by the stresses of the speech."""
    return [
        Provider(
            "speaker",
            "visemes on mouth or jaw, nods and beats with the stresses",
            load="kinetoscope_align.speaker:Speaker",
        )
    ]

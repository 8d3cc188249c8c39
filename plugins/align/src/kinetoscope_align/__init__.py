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
        ),
        Provider(
            "estimate",
            "the voice's own times, else estimates from phonemes and silences",
            load="kinetoscope_align.aligner:EstimateAligner",
            order=-1,
        ),
    ]

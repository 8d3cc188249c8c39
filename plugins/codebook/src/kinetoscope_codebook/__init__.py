"""Models that learn motion: codebook matching, and a plain network to compare it with."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="model")
def providers() -> Sequence[Provider]:
    """Return the models of this distribution."""
    return [
        Provider(
            "codebook-matching",
            "categorical codebook matching (Starke et al. 2024)",
            load="kinetoscope_codebook.model:CodebookMatching",
            devices=("cpu", "cuda", "mps"),
            requires=("module:torch",),
            order=1,
        ),
        Provider(
            "mlp",
            "a plain feed-forward network, the baseline",
            load="kinetoscope_codebook.model:Mlp",
            devices=("cpu", "cuda", "mps"),
            requires=("module:torch",),
        ),
    ]

"""Models that learn motion: codebook matching, and simpler networks to compare it with."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]

_MODELS = (
    ("codebook-matching", "CodebookMatching", "categorical codebook matching (Starke et al. 2024)", 1),
    ("mlp", "Mlp", "a plain feed-forward network, the baseline", 0),
    ("autoencoder", "Autoencoder", "a narrow place in the middle, plain or variational", 0),
    (
        "periodic-autoencoder",
        "PeriodicAutoencoder",
        "a window as sinusoids: DeepPhase (Starke et al. 2022)",
        0,
    ),
    ("vq", "Vq", "codebooks of vectors (van den Oord et al. 2017)", 0),
    ("fsq", "Fsq", "codes by rounding (Mentzer et al. 2024)", 0),
)


@hookimpl(specname="model")
def providers() -> Sequence[Provider]:
    """Return the models of this distribution."""
    return [
        Provider(
            name,
            summary,
            load=f"kinetoscope_codebook.model:{home}",
            devices=("cpu", "cuda", "mps"),
            requires=("module:torch", "module:lightning_fabric"),
            order=order,
            contract="kinetoscope_codebook.contract:PeriodicContract"
            if name == "periodic-autoencoder"
            else None,
        )
        for name, home, summary, order in _MODELS
    ]

"""The models, each from its own file."""

from __future__ import annotations

from kinetoscope_codebook.autoencoder import Autoencoder
from kinetoscope_codebook.fsq import Fsq
from kinetoscope_codebook.matching import CodebookMatching
from kinetoscope_codebook.mlp import Mlp
from kinetoscope_codebook.periodic import PeriodicAutoencoder
from kinetoscope_codebook.vq import Vq

__all__ = ["Autoencoder", "CodebookMatching", "Fsq", "Mlp", "PeriodicAutoencoder", "Vq"]

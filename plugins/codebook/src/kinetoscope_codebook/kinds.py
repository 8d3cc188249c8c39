"""From the name of a kind to its network."""

from __future__ import annotations

from importlib import import_module

from kinetoscope_codebook.network import Architecture, Network

__all__ = ["build"]

_NETWORKS = {
    "codebook-matching": "matching:MatchingNetwork",
    "mlp": "mlp:MlpNetwork",
    "autoencoder": "autoencoder:AutoencoderNetwork",
    "periodic-autoencoder": "periodic:PeriodicNetwork",
    "vq": "vq:VqNetwork",
    "fsq": "fsq:FsqNetwork",
}


def build(architecture: Architecture) -> Network:
    """Return an untrained network of this architecture.

    Raises:
        ValidationError: sizes that do not fit together.
    """
    home, _, name = _NETWORKS[architecture.kind].partition(":")
    kind: type[Network] = getattr(import_module(f"kinetoscope_codebook.{home}"), name)
    return kind(architecture)

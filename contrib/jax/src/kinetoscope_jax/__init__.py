"""Features compiled by JAX: `host.feature("features-jax").configured(features=["joint-velocities"])`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["feature"]


@hookimpl
def feature() -> Sequence[Provider]:
    """Offer the provider `features-jax`."""
    return [
        Provider(
            "features-jax",
            "other features' rows, compiled by JAX",
            load="kinetoscope_jax.provider:JaxFeatures",
            devices=("cpu", "cuda"),
            needs=("feature",),
            requires=("module:jax",),
            contract="kinetoscope_jax.contract:JaxContract",
            order=-1,
        )
    ]

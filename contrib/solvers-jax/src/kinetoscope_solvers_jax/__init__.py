"""FABRIK in JAX: compiled by XLA for the device that JAX runs on."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="solver")
def providers() -> Sequence[Provider]:
    """Offer FABRIK compiled by XLA, tried after all others."""
    return [
        Provider(
            "fabrik-jax", "FABRIK in JAX", load="kinetoscope_solvers_jax.solver:JaxFabrikSolver", order=-1
        )
    ]

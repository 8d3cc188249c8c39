"""Inverse kinematics: FABRIK on any chain, and feet planted on the ground."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="solver")
def providers() -> Sequence[Provider]:
    """Offer FABRIK, compiled where Numba is installed."""
    return [
        Provider(
            "fabrik", "FABRIK on any chain, and foot planting", load="kinetoscope_fabrik.solver:FabrikSolver"
        )
    ]

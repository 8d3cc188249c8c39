"""The other providers of the hook `solver`: asked for by name, since FABRIK comes before them."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="solver", trylast=True)
def providers() -> Sequence[Provider]:
    """Offer the law of cosines, cyclic coordinate descent and damped least squares."""
    return [
        Provider(
            "two-bone", "two bones by the law of cosines", load="kinetoscope_fabrik.two_bone:TwoBoneSolver"
        ),
        Provider("ccd", "cyclic coordinate descent on any chain", load="kinetoscope_fabrik.ccd:CcdSolver"),
        Provider(
            "jacobian", "damped least squares on any chain", load="kinetoscope_fabrik.jacobian:JacobianSolver"
        ),
    ]

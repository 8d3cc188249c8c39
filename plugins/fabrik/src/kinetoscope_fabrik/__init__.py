"""Inverse kinematics: FABRIK and other solvers for any chain or rig, and feet planted on the ground."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="solver")
def providers() -> Sequence[Provider]:
    """Offer FABRIK, compiled where Numba is installed, and, tried after all others, its alternatives."""
    home = "kinetoscope_fabrik"
    return [
        Provider("fabrik", "FABRIK on any chain or rig, foot planting", load=f"{home}.solver:FabrikSolver"),
        Provider(
            "two-bone",
            "two bones by the law of cosines",
            load=f"{home}.two_bone:TwoBoneSolver",
            contract=f"{home}.contract_exact:ExactContract",
            order=-1,
        ),
        Provider("ccd", "cyclic coordinate descent", load=f"{home}.ccd:CcdSolver", order=-1),
        Provider(
            "fabrik-torch",
            "FABRIK in PyTorch, differentiable",
            load=f"{home}.torch_solver:TorchFabrikSolver",
            order=-1,
        ),
        Provider("jacobian", "damped least squares", load=f"{home}.jacobian:JacobianSolver", order=-1),
    ]

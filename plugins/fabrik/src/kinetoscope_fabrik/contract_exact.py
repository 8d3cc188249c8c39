"""The contract of the hook `solver`, of solvers that do not iterate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kinetoscope_fabrik.contract import SolverContract

__all__ = ["ExactContract"]


class ExactContract(SolverContract):
    """All laws, of a solver that reaches to the last digit, or not at all, whatever is asked for."""

    unfelt: ClassVar[Mapping[str, str]] = {
        "marks converged only what came ten times as near as was asked for": "it comes nearer than that",
        "has a tolerance of its own, a millimetre at most, whatever is asked for": "it needs none",
    }

from kinetoscope_fabrik.hooks import SolverContract
from kinetoscope_fabrik.solver import FabrikSolver


class TestFabrik(SolverContract):
    provider = FabrikSolver()


class TestFabrikWithoutNumba(SolverContract):
    provider = FabrikSolver(compiled=False)

from kinetoscope_fabrik.hooks import SolverContract
from kinetoscope_solvers_jax.solver import JaxFabrikSolver


class TestFabrikInJax(SolverContract):
    provider = JaxFabrikSolver()

from kinetoscope_fabrik.ccd import CcdSolver
from kinetoscope_fabrik.hooks import SolverContract
from kinetoscope_fabrik.jacobian import JacobianSolver
from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_fabrik.torch_solver import TorchFabrikSolver
from kinetoscope_fabrik.two_bone import TwoBoneSolver


class TestFabrik(SolverContract):
    provider = FabrikSolver()


class TestFabrikWithoutNumba(SolverContract):
    provider = FabrikSolver(compiled=False)


class TestTwoBone(SolverContract):
    provider = TwoBoneSolver()


class TestCcd(SolverContract):
    provider = CcdSolver()


class TestJacobian(SolverContract):
    provider = JacobianSolver()


class TestFabrikInTorch(SolverContract):
    provider = TorchFabrikSolver()

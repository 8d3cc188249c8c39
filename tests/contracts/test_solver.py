"""The contract of solvers over our own, compiled and plain, and its mutants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.spatial.transform import Rotation

from kinetoscope_fabrik.contract import _matrix, turns
from kinetoscope_fabrik.contract_mutants import MUTANTS
from kinetoscope_fabrik.hooks import SolverContract
from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_spec.contracts import Mutant, check


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    broken = []
    for law in SolverContract.laws():
        mutated = SolverContract.of(mutant.wrap(FabrikSolver(compiled=False)), name="mutated")
        examples = 200 if law.name == mutant.law else 30  # what a mutant does may be rare
        report = check(mutated, examples=examples, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in SolverContract.laws()} == {mutant.law for mutant in MUTANTS}


@given(turns())
@settings(max_examples=50, deadline=None)
def test_turns_are_scipys(turn: np.ndarray) -> None:
    np.testing.assert_allclose(Rotation.from_quat(turn).as_matrix(), _matrix(turn), atol=1e-12)

"""Every law of the contract notices what breaks it, and nothing else."""

from __future__ import annotations

import pytest

from kinetoscope_retarget.contract_mutants import MUTANTS
from kinetoscope_retarget.hooks import RetargeterContract
from kinetoscope_retarget.retargeter import AnatomicRetargeter
from kinetoscope_spec.contracts import Mutant, check


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    broken = []
    for law in RetargeterContract.laws():
        mutated = RetargeterContract.of(mutant.wrap(AnatomicRetargeter()), name="mutated")
        examples = 60 if law.name == mutant.law else 8
        report = check(mutated, examples=examples, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in RetargeterContract.laws()} == {mutant.law for mutant in MUTANTS}

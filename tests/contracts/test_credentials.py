"""The contract of credentials over our own, and its mutants."""

from __future__ import annotations

import pytest

from kinetoscope_c2pa.contract_mutants import MUTANTS
from kinetoscope_c2pa.hooks import CredentialsContract
from kinetoscope_c2pa.manifests import Manifests
from kinetoscope_spec.contracts import Mutant, check


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    broken = []
    for law in CredentialsContract.laws():
        mutated = CredentialsContract.of(mutant.wrap(Manifests()), name="mutated")
        report = check(mutated, examples=10, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in CredentialsContract.laws()} == {mutant.law for mutant in MUTANTS}

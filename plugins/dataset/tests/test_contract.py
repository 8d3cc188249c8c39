"""The provider `zarr` keeps the contract of the hook that this plugin brings, and the laws have teeth."""

from __future__ import annotations

import pytest

from kinetoscope_dataset.contract import DatasetContract
from kinetoscope_dataset.contract_mutants import MUTANTS
from kinetoscope_dataset.provider import ZarrDatasets
from kinetoscope_spec.contracts import Mutant, check


class TestZarr(DatasetContract):
    pass


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    broken = []
    for law in DatasetContract.laws():
        mutated = DatasetContract.of(mutant.wrap(ZarrDatasets()), name="mutated")
        examples = 10 if law.name == mutant.law else 2
        report = check(mutated, examples=examples, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in DatasetContract.laws()} == {mutant.law for mutant in MUTANTS}

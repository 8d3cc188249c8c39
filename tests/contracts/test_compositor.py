"""The contract of compositors over our own, and its mutants."""

from __future__ import annotations

import pytest

from kinetoscope_composite.compositor import PlateCompositor
from kinetoscope_composite.contract_mutants import MUTANTS
from kinetoscope_composite.hooks import CompositorContract
from kinetoscope_spec.contracts import Mutant, check


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    broken = []
    for law in CompositorContract.laws():
        mutated = CompositorContract.of(mutant.wrap(PlateCompositor()), name="mutated")
        report = check(mutated, examples=30, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in CompositorContract.laws()} == {mutant.law for mutant in MUTANTS}

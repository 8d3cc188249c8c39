"""Every law of both hooks catches its mutants, and no other law does."""

from __future__ import annotations

from typing import Any

import pytest
from quadmask_discs import Beneath, Flood

from kinetoscope_quadmask.contract_mutants import REASONERS, SEGMENTERS
from kinetoscope_quadmask.hooks import ReasonerContract, SegmenterContract
from kinetoscope_spec.contracts import Contract, Mutant, check

CASES = [(SegmenterContract, Flood(), m) for m in SEGMENTERS] + [
    (ReasonerContract, Beneath(), m) for m in REASONERS
]


@pytest.mark.parametrize(("contract", "real", "mutant"), CASES, ids=[m.wrap.__name__ for *_, m in CASES])
def test_only_its_law_notices_a_mutant(contract: type[Contract], real: Any, mutant: Mutant) -> None:
    broken = []
    for law in contract.laws():
        mutated = contract.of(mutant.wrap(real), name="mutated")
        report = check(mutated, examples=30, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


@pytest.mark.parametrize(
    ("contract", "mutants"), [(SegmenterContract, SEGMENTERS), (ReasonerContract, REASONERS)]
)
def test_every_law_has_a_mutant(contract: type[Contract], mutants: list[Mutant]) -> None:
    assert {law.name for law in contract.laws()} == {mutant.law for mutant in mutants}

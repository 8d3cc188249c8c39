from __future__ import annotations

import pytest

from kinetoscope_spec.contracts import check
from kinetoscope_stage.contract_mutants import MUTANTS
from kinetoscope_stage.hooks import SystemContract
from kinetoscope_stage.transforms import TransformSystem


class TestTransforms(SystemContract):
    provider = TransformSystem


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda held: held.law)
def test_mutants_break_their_laws(mutant) -> None:
    contract = SystemContract.of(mutant.wrap(TransformSystem()), name="mutant")
    assert check(contract, examples=30, seed=0, laws=[mutant.law], shrink=False).broken

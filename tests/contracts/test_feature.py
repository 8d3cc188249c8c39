"""Mutants of real features break their law and no other; laws of playing are kept by `locomotion` alone."""

from __future__ import annotations

import pytest

from kinetoscope_features.basic import JointPositions, JointVelocities
from kinetoscope_features.contract import LocomotionContract
from kinetoscope_spec.contracts import Contract, FeatureContract, Mutant, check

EXAMPLES = 12
PLAYING = [
    "training_rows_match_their_schemas",
    "a_restored_feature_makes_equal_rows",
    "playing_counts_its_frames",
]
POSITIONS = FeatureContract.of(JointPositions(), name="joint-positions")
VELOCITIES = FeatureContract.of(JointVelocities(), name="joint-velocities")
LOCOMOTION = LocomotionContract()


def mutants(contract: Contract) -> list[Mutant]:
    laws = {law.name: law for law in contract.laws()}
    return [mutant for mutant in contract.known_mutants() if contract.why_not(laws[mutant.law]) is None]


def pairs() -> list[object]:
    return [
        pytest.param(contract, mutant, id=f"{contract.name}-{mutant.law}")
        for contract in (POSITIONS, VELOCITIES, LOCOMOTION)
        for mutant in mutants(contract)
    ]


@pytest.mark.parametrize(("contract", "mutant"), pairs())
def test_a_mutant_breaks_its_law_and_no_other(contract: Contract, mutant: Mutant) -> None:
    broken: list[str] = []
    for law in contract.laws():
        mutated = contract.of(mutant.wrap(contract.subject), name="mutant")
        report = check(mutated, examples=EXAMPLES, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_provider_that_it_applies_to() -> None:
    applied = {
        law.name
        for contract in (POSITIONS, VELOCITIES, LOCOMOTION)
        for law in contract.laws()
        if contract.why_not(law) is None
    }
    assert applied == {law.name for law in FeatureContract.laws()}


def test_what_a_feature_cannot_do_is_left_out_with_a_reason() -> None:
    laws = {law.name: law for law in FeatureContract.laws()}
    assert all("training_set" in (POSITIONS.why_not(laws[name]) or "") for name in PLAYING)
    assert "per second" in (POSITIONS.why_not(laws["a_reversed_clip_has_negated_velocities"]) or "")
    assert "mirrored" in (LOCOMOTION.why_not(laws["mirroring_twice_is_identity"]) or "")
    assert "rows" in (LOCOMOTION.why_not(laws["array_libraries_agree"]) or "")

"""The contract of detectors over our own, and what it says of some that are wrong in other ways."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import attrs
import pytest

from kinetoscope_magika.contract import MagikaContract
from kinetoscope_spec import Detection
from kinetoscope_spec.contracts import DetectorContract, Mutant, Wrapper, check, detector
from kinetoscope_spec.contracts.mutants.detector import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    """That its law notices it in `magika-onnx`, too, is seen where all providers are checked."""
    contract, broken = MagikaContract, []
    for law in contract.laws():
        mutated = contract.of(mutant.wrap(contract().subject), name="mutated")
        report = check(mutated, examples=10, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in DetectorContract.laws()} == {mutant.law for mutant in MUTANTS}


def says(provider: Any, law: str) -> str:
    report = check(MagikaContract.of(provider), examples=10, seed=0, laws=[law])
    (broken,) = report.broken
    return broken.message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_detector_that_waits_for_a_pipe_is_told_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    class Opens(Wrapper):
        def detect(self, source: Any, mode: str = "high-confidence") -> Detection:
            if isinstance(source, Path) and source.name == "pipe.png":
                with source.open("rb") as stream:
                    source = stream.read()
            found: Detection = self.real.detect(source, mode)
            return found

    monkeypatch.setattr(detector, "PIPE_S", 0.2)
    assert "'pipe.png', a pipe without a writer or a folder, was waited for" in says(
        Opens(MagikaContract().subject), "any_path_has_an_answer"
    )


def test_a_folder_is_not_unknown() -> None:
    class Puzzled(Wrapper):
        def detect(self, source: Any, mode: str = "high-confidence") -> Detection:
            found: Detection = self.real.detect(source, mode)
            return attrs.evolve(found, label="unknown") if found.label == "directory" else found

    said = says(Puzzled(MagikaContract().subject), "any_path_has_an_answer")
    assert "'folder.png' is no file but 'unknown', expected a label or an error" in said


def test_without_known_files_that_law_is_left_out() -> None:
    report = check(DetectorContract.of(MagikaContract().subject), examples=1, laws=["known_files_are_told"])
    assert [(result.outcome, result.reason) for result in report.results] == [
        ("omitted", "the contract names no known files")
    ]

"""The contract of executors over the host's own, and its mutants."""

from __future__ import annotations

import pytest

from kinetoscope import Host
from kinetoscope.executors.hooks import ExecutorContract, Executors
from kinetoscope.executors.mutants import MUTANTS
from kinetoscope.executors.processes import Processes
from kinetoscope_spec.contracts import Mutant, check


class TestProcesses(ExecutorContract):
    pass


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    broken = []
    for law in ExecutorContract.laws():
        mutated = ExecutorContract.of(mutant.wrap(Processes()), name="mutated")
        report = check(mutated, examples=20, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in ExecutorContract.laws()} == {mutant.law for mutant in MUTANTS}


def test_the_host_brings_the_hook() -> None:
    with Host() as host:
        assert isinstance(host.provider("executor", "processes"), Executors)
        assert host.hook("executor").contract == "kinetoscope.executors.hooks:ExecutorContract"

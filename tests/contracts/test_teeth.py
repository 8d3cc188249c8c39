"""Every law has a mutant; a mutant breaks its law, says so in words, and breaks no other.

The providers that are mutated are those that `kinetoscope new` writes: they pass every law, which is
shown first.
"""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name

import pytest

from kinetoscope import Host
from kinetoscope_spec import HOOKS
from kinetoscope_spec.contracts import Contract, Mutant, check

with Host() as _host:
    ALL = {name: _host.hook(name) for name in _host.hooks()}
EXAMPLES = 20


def contract_class(hook: str) -> type[Contract]:
    held: type[Contract] = resolve_name(ALL[hook].contract or "")
    return held


def pairs() -> list[tuple[str, Mutant]]:
    return [(hook, mutant) for hook in HOOKS for mutant in contract_class(hook).known_mutants()]


@pytest.mark.parametrize("hook", ALL)
def test_every_law_has_a_mutant(hook: str) -> None:
    contract = contract_class(hook)
    laws = {law.name for law in contract.laws()}
    mutants = {mutant.law for mutant in contract.known_mutants()}
    assert laws - mutants == set(), "laws without a mutant"
    assert mutants - laws == set(), "mutants of no law"


@pytest.mark.parametrize("hook", ALL)
def test_every_law_says_what_it_promises(hook: str) -> None:
    for law in contract_class(hook).laws():
        assert law.promise.endswith("."), f"{law.name}: {law.promise}"
        assert len(law.promise) < 180, f"{law.name}: {law.promise}"


@pytest.mark.parametrize("hook", HOOKS)
def test_what_is_scaffolded_keeps_every_law(hook: str, template: Callable[[str], Contract]) -> None:
    report = check(template(hook), examples=EXAMPLES, seed=0)
    report.require()


@pytest.mark.parametrize(
    ("hook", "mutant"),
    [pytest.param(*pair, id=f"{pair[0]}-{pair[1].law}-{pair[1].summary[:30]}") for pair in pairs()],
)
def test_a_mutant_breaks_its_law_and_no_other(
    hook: str, mutant: Mutant, template: Callable[[str], Contract]
) -> None:
    contract = template(hook)
    broken: dict[str, str] = {}
    for law in contract.laws():
        # A mutant of its own for each law: some of them remember.
        mutated = contract.of(mutant.wrap(contract.subject), name="mutant")
        examples = 10 * EXAMPLES if law.name == mutant.law else EXAMPLES
        report = check(mutated, examples=examples, seed=0, laws=[law.name], shrink=False)
        broken.update({result.law: result.message for result in report.broken})
    law = next(law for law in contract.laws() if law.name == mutant.law)
    if contract.why_not(law) is not None:
        # The template does not do what the law is about; those in the tests of these hooks do.
        assert hook in ("feature", "voice", "detector")
        assert set(broken) <= {mutant.law}
        return
    assert set(broken) == {mutant.law}
    assert f"broke the law {mutant.law}\n  promised: {law.promise}\n  found: " in broken[mutant.law]

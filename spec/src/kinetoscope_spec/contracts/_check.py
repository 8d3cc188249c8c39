"""Running a whole contract without a test runner, and what came of it."""

from __future__ import annotations

import random
import time
import unittest
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import attrs
from hypothesis import settings

from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import Law, run_law
from kinetoscope_spec.contracts.mutants import Mutant
from kinetoscope_spec.errors import ContractError

__all__ = ["LawResult", "MutantResult", "Report", "check", "check_mutants"]

Told = Callable[[int, int, str], Any]
"""`told(done, total, law)`, called before each law."""


@attrs.frozen
class LawResult:
    """What came of one law.

    Attributes:
        law: its name.
        promise: its first sentence.
        outcome: `held`, `broken` or `omitted`.
        examples: how many were tried.
        seconds: how long it took.
        reason: why it was left out, where it was.
        message: what was promised and what was found, where it was broken.
        example: the smallest example that breaks it, as far as one was found.
    """

    law: str
    promise: str
    outcome: str
    examples: int = 0
    seconds: float = 0.0
    reason: str = ""
    message: str = ""
    example: str = ""


@attrs.frozen
class MutantResult:
    """Whether a law noticed a provider that breaks it; `caught` is None where the law was left out."""

    law: str
    summary: str
    caught: bool | None
    message: str = ""


@attrs.frozen
class Report:
    """What came of a contract.

    Attributes:
        hook, provider: whose.
        seed: with which it can be run again.
        results: of each law, in order.
        mutants: of each mutant, where they were asked for.
    """

    hook: str
    provider: str
    seed: int
    results: tuple[LawResult, ...]
    mutants: tuple[MutantResult, ...] = ()

    @property
    def examples(self) -> int:
        """How many examples were tried in all."""
        return sum(result.examples for result in self.results)

    @property
    def broken(self) -> tuple[LawResult, ...]:
        """The laws that were broken."""
        return tuple(result for result in self.results if result.outcome == "broken")

    @property
    def missed(self) -> tuple[MutantResult, ...]:
        """The mutants that their laws did not notice."""
        return tuple(result for result in self.mutants if result.caught is False)

    @property
    def ok(self) -> bool:
        """Whether every law that applies held and caught its mutants."""
        return not self.broken and not self.missed

    def require(self) -> None:
        """Raise if a law was broken or a mutant missed.

        Raises:
            ContractError: with the message of each.
        """
        texts = [f"{result.message}\n{result.example}".rstrip() for result in self.broken]
        texts += [f"law {miss.law} of {self.hook} did not notice: {miss.summary}" for miss in self.missed]
        if texts:
            raise ContractError("\n".join(texts))


def check(
    contract: Contract | type[Contract],
    *,
    examples: int | None = None,
    seed: int | None = None,
    laws: Collection[str] | None = None,
    shrink: bool = True,
    told: Told | None = None,
) -> Report:
    """Run the laws of `contract` and report on each; nothing is raised for a broken law.

    Args:
        contract: the contract, over its provider.
        examples: how many a plain law tries; the hypothesis profile in force says by default.
        seed: makes the run repeatable; one is drawn (and reported) by default.
        laws: names of the laws to run; all by default.
        shrink: look for the smallest example of a failure.
        told: called before each law; False stops the run.

    Raises:
        ContractError: the contract leaves out a law that there is not, or without a reason.
    """
    subject = contract() if isinstance(contract, type) else contract
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    subject.left_out()
    wanted = [law for law in subject.laws() if laws is None or law.name in laws]
    results: list[LawResult] = []
    for i, law in enumerate(wanted):
        if told is not None and told(i, len(wanted), law.name) is False:
            break
        results.append(_run(subject, law, examples=examples, seed=seed, shrink=shrink))
    return Report(subject.hook, subject.name, seed, tuple(results))


def _run(contract: Contract, law: Law, *, examples: int | None, seed: int, shrink: bool) -> LawResult:
    tried = 0

    def tally() -> None:
        nonlocal tried
        tried += 1

    begun = time.perf_counter()
    outcome, reason, message, example = "held", "", "", ""
    try:
        run_law(contract, law, examples=examples, seed=seed, shrink=shrink, tally=tally)
    except unittest.SkipTest as skip:
        outcome, reason = "omitted", str(skip)
    except ContractError as error:
        outcome, message = "broken", str(error)
        example = "\n".join(getattr(error, "__notes__", ()))
    seconds = time.perf_counter() - begun
    return LawResult(law.name, law.promise, outcome, tried, seconds, reason, message, example)


MUTANT_PATIENCE: Final = 10
"""How many times the examples of its law a mutant is tried on before it counts as missed."""


def check_mutants(
    contract: Contract | type[Contract],
    *,
    mutants: Sequence[Mutant] | None = None,
    examples: int | None = None,
    seed: int = 0,
    laws: Collection[str] | None = None,
) -> tuple[MutantResult, ...]:
    """Run each mutant of the contract's provider against the law that it breaks.

    A law that cannot tell a mutant from the real thing has no teeth. `mutants` are the contract's
    own by default. What they do may be rare: each is tried until it is caught, on up to
    `MUTANT_PATIENCE` times the examples.
    """
    most = settings.default.max_examples if examples is None else examples  # type: ignore[union-attr]
    subject = contract() if isinstance(contract, type) else contract
    by_name = {law.name: law for law in subject.laws()}
    found: list[MutantResult] = []
    for mutant in subject.known_mutants() if mutants is None else mutants:
        if laws is not None and mutant.law not in laws:
            continue
        mutated = subject.of(mutant.wrap(subject.subject), name=f"{subject.name} mutated")
        result = _run(mutated, by_name[mutant.law], examples=MUTANT_PATIENCE * most, seed=seed, shrink=False)
        caught = None if result.outcome == "omitted" else result.outcome == "broken"
        found.append(MutantResult(mutant.law, mutant.summary, caught, result.message))
    return tuple(found)

"""The kit itself: how laws are found, run, left out, and what a broken one says."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from kinetoscope_spec import ContractError
from kinetoscope_spec.contracts import Contract, Mutant, check, check_mutants, law, require


class Doubler:
    def double(self, x: int) -> int:
        return 2 * x


class Late(Doubler):
    def double(self, x: int) -> int:
        return 2 * x if x < 1000 else 0


class Crashing(Doubler):
    def double(self, x: int) -> int:
        raise KeyError("boom")


class DoublerContract(Contract):
    hook: ClassVar[str] = "doubler"

    @law("numbers")
    def test_twice(self, x: int) -> None:
        """Doubling gives twice the number.

        A second paragraph says more.
        """
        require(self.subject.double(x) == x + x, f"double({x}) is {self.subject.double(x)}, expected {x + x}")

    @law(st.integers(), cost=10)
    def test_even(self, x: int) -> None:
        """What is doubled is even."""
        require(self.subject.double(x) % 2 == 0, "it is odd")

    @law(unless="cannot_halve")
    def test_halving(self) -> None:
        """Halving undoes doubling."""
        require(self.subject.halve(4) == 2, "it does not")

    def numbers(self) -> st.SearchStrategy[int]:
        return st.integers(0, 5000)

    def cannot_halve(self) -> str | None:
        return None if hasattr(self.subject, "halve") else "it does not halve"


class TestAsATestClass(DoublerContract):
    provider = Doubler


def test_laws_stand_in_order_with_their_texts() -> None:
    laws = DoublerContract.laws()
    assert [held.name for held in laws] == ["twice", "even", "halving"]
    assert laws[0].promise == "Doubling gives twice the number."
    assert "second paragraph" in laws[0].text


def test_examples_follow_cost_profile_and_seed() -> None:
    report = check(DoublerContract.of(Doubler()), examples=40, seed=1)
    assert [(r.law, r.outcome, r.examples) for r in report.results] == [
        ("twice", "held", 40),
        ("even", "held", 4),
        ("halving", "omitted", 0),
    ]
    assert report.results[2].reason == "it does not halve"
    assert report.ok
    assert report.examples == 44


def test_a_broken_law_says_who_what_was_promised_and_found_and_the_smallest_example() -> None:
    report = check(DoublerContract.of(Late()), examples=100, seed=1, laws=["twice"])
    (broken,) = report.broken
    assert broken.message.splitlines() == [
        "doubler 'Late' broke the law twice",
        "  promised: Doubling gives twice the number.",
        "  found: double(1000) is 0, expected 2000",
    ]
    assert "x=1000" in broken.example
    with pytest.raises(ContractError, match="broke the law twice"):
        report.require()


def test_the_same_seed_finds_the_same_example() -> None:
    def found(seed: int) -> str:
        report = check(DoublerContract.of(Late()), examples=30, seed=seed, laws=["twice"], shrink=False)
        return report.results[0].example

    assert found(5) == found(5)
    assert len({found(seed) for seed in range(8)}) > 1


def test_what_a_provider_raises_breaks_the_law_and_is_placed() -> None:
    report = check(DoublerContract.of(Crashing()), examples=5, seed=0, laws=["twice"])
    assert "KeyError at test_law.py:" in report.broken[0].message
    assert "'boom'" in report.broken[0].message


def test_a_class_is_made_once_and_named() -> None:
    made: list[Any] = []

    class Counted(Doubler):
        def __init__(self) -> None:
            made.append(self)

    class Mine(DoublerContract):
        provider = Counted

    assert check(Mine, examples=3, seed=0).provider == "Counted"
    assert len(made) == 1


def test_laws_are_left_out_with_a_reason_only() -> None:
    class Mine(DoublerContract):
        provider = Late
        omits = ("twice: it stops at a thousand",)

    report = check(Mine, examples=5, seed=0)
    assert report.ok
    assert report.results[0].reason == "it stops at a thousand"
    Mine.omits = ("twice",)
    with pytest.raises(ContractError, match="'twice' is left out without a reason"):
        check(Mine, examples=5, seed=0)
    Mine.omits = ("twize: typing error",)
    with pytest.raises(ContractError, match="'twize', which is no law; did you mean 'twice'"):
        check(Mine, examples=5, seed=0)


def test_a_law_needs_a_docstring_a_name_and_its_arguments() -> None:
    with pytest.raises(TypeError, match="docstring"):

        @law()
        def test_nothing(self: Any) -> None:
            pass

    with pytest.raises(TypeError, match="test_"):

        @law()
        def nothing(self: Any) -> None:
            """Something."""

    with pytest.raises(TypeError, match="2 drawn arguments"):

        @law(st.none(), st.none())
        def test_one(self: Any, x: Any) -> None:
            """Something."""


def test_a_contract_with_a_constructor_is_refused_since_test_runners_pass_it_over() -> None:
    with pytest.raises(TypeError, match="Mine has an __init__"):

        class Mine(DoublerContract):
            def __init__(self) -> None:
                self.ready = True


def test_a_law_that_can_draw_nothing_is_broken_not_held() -> None:
    class Picky(DoublerContract):
        provider = Doubler

        def numbers(self) -> st.SearchStrategy[int]:
            return st.integers().filter(lambda _: False)

    report = check(Picky, examples=5, seed=0, laws=["twice"])
    assert report.results[0].outcome == "broken"


def test_mutants_are_caught_missed_or_left_out() -> None:
    class Blind(DoublerContract):
        provider = Doubler

        def numbers(self) -> st.SearchStrategy[int]:
            return st.integers(0, 10)

    mutants = [
        Mutant("twice", "stops at a thousand", lambda _: Late()),
        Mutant("halving", "halves wrongly", lambda _: Late()),
    ]
    sharp = check_mutants(DoublerContract.of(Doubler()), mutants=mutants, examples=100)
    assert [result.caught for result in sharp] == [True, None]
    blunt = check_mutants(Blind, mutants=mutants, examples=100)
    assert [result.caught for result in blunt] == [False, None]


def test_under_unittest_a_law_is_a_test_and_an_omitted_one_is_skipped() -> None:
    contract = DoublerContract.of(Doubler())
    contract.test_even()
    with pytest.raises(unittest.SkipTest, match="does not halve"):
        contract.test_halving()


def test_pytest_shows_the_promise_and_the_example(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_law import DoublerContract, Late\n\n\n"
        "class TestMine(DoublerContract):\n    provider = Late\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=120,
    )
    assert run.returncode == 1
    assert "doubler 'Late' broke the law twice" in run.stdout
    assert "promised: Doubling gives twice the number." in run.stdout
    assert "x=1000" in run.stdout
    assert "1 failed, 1 passed, 1 skipped" in run.stdout


def test_the_profiles_come_with_hypothesis() -> None:
    assert settings.get_profile("kinetoscope-quick").max_examples == 10
    assert settings.get_profile("kinetoscope-ci").derandomize
    assert (
        settings.get_profile("kinetoscope-nightly").max_examples
        == 20 * settings.get_profile("kinetoscope-ci").max_examples
    )

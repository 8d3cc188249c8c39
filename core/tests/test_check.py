"""`kinetoscope check` and the pytest plugin: over plugins that hold, break, are missing things, cheat."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.checking import Checked, check_providers, matching
from kinetoscope.cli import main
from kinetoscope_spec import Hook, Provider, ProviderNotFound, hookimpl, hookspec
from kinetoscope_spec.contracts import Contract, law, require
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant

MUTANTS: list[Mutant] = []


class Grader:
    def __init__(self, offset: int = 0) -> None:
        self.offset = offset

    def grade(self, value: int) -> int:
        return value + self.offset


@mutant(MUTANTS, "grading_nothing_changes_nothing")
class Brightens(Wrapper):
    """adds one"""

    def grade(self, value: int) -> int:
        return int(self.real.grade(value)) + 1


class GraderContract(Contract):
    hook = "grader"
    mutants = "test_check_plugin:MUTANTS"
    __test__ = False

    @law()
    def test_grading_nothing_changes_nothing(self) -> None:
        """Zero stays zero."""
        require(self.subject.grade(0) == 0, f"grade(0) is {self.subject.grade(0)}, expected 0")

    @law()
    def test_grading_is_deterministic(self) -> None:
        """The same value is graded the same way."""
        require(self.subject.grade(3) == self.subject.grade(3), "two grades differ")


class WeakContract(GraderContract):
    def test_grading_nothing_changes_nothing(self) -> None:
        """Anything goes."""


class Hooks:
    """Stands in for the module of a plugin that brings a hook."""

    HOOKS = (Hook("grader", "grades", "test_check_plugin:Grader", "test_check_plugin:GraderContract"),)

    @staticmethod
    @hookspec
    def grader() -> Any:
        """Grades."""


class Plugin:
    def __init__(self, *providers: Provider) -> None:
        self.providers = providers

    @hookimpl
    def addhooks(self) -> list[object]:
        return [Hooks]

    @hookimpl
    def grader(self) -> list[Provider]:
        return list(self.providers)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[Checked]]:
    """Return what checks providers of the made-up hook in a host of their own."""
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "test_check_plugin", sys.modules[__name__])

    def run(*providers: Provider, **options: Any) -> list[Checked]:
        with Host(plugins=[Plugin(*providers)], autoload=False) as host:
            return check_providers(host, matching(host, ()), seed=0, **options)

    return run


def test_a_provider_that_holds_and_one_that_does_not(checked: Callable[..., list[Checked]]) -> None:
    good, off = checked(
        Provider("good", "g", load=Grader), Provider("off", "o", load=lambda: Grader(1)), mutants=True
    )
    assert good.ok
    assert good.report is not None
    assert [result.caught for result in good.report.mutants] == [True]
    assert not off.ok
    assert off.report is not None
    assert [broken.law for broken in off.report.broken] == ["grading_nothing_changes_nothing"]
    assert off.report.broken[0].message.splitlines() == [
        "grader 'off' broke the law grading_nothing_changes_nothing",
        "  promised: Zero stays zero.",
        "  found: grade(0) is 1, expected 0",
    ]
    assert off.report.mutants == ()  # a law that is broken as it is can't tell a mutant


def test_what_is_missing_is_unavailable_and_no_failure(checked: Callable[..., list[Checked]]) -> None:
    (row,) = checked(Provider("far", "f", load=Grader, requires=("env:KINETOSCOPE_NO_SUCH_KEY",)))
    assert (row.state, row.ok) == ("unavailable", True)
    assert "KINETOSCOPE_NO_SUCH_KEY" in row.reason


def test_laws_left_out_by_the_provider_are_counted_with_their_reasons(
    checked: Callable[..., list[Checked]],
) -> None:
    omits = ("grading_nothing_changes_nothing: it adds one on purpose",)
    (row,) = checked(Provider("off", "o", load=lambda: Grader(1), omits=omits))
    assert row.ok
    assert row.report is not None
    assert [(r.outcome, r.reason) for r in row.report.results] == [
        ("omitted", "it adds one on purpose"),
        ("held", ""),
    ]


def test_a_contract_of_ones_own_may_not_replace_laws(checked: Callable[..., list[Checked]]) -> None:
    (row,) = checked(Provider("weak", "w", load=lambda: Grader(1), contract="test_check_plugin:WeakContract"))
    assert (row.state, row.ok) == ("broken", False)
    assert "replaces grading_nothing_changes_nothing" in row.reason


def test_a_contract_that_is_not_there_is_named(checked: Callable[..., list[Checked]]) -> None:
    (row,) = checked(Provider("lost", "l", load=Grader, contract="test_check_plugin:Nowhere"))
    assert (row.state, row.ok) == ("broken", False)
    assert "test_check_plugin:Nowhere" in row.reason


def test_shards_share_the_laws_and_leave_none_out(checked: Callable[..., list[Checked]]) -> None:
    providers = (Provider("a", "a", load=Grader), Provider("b", "b", load=Grader))

    def laws(shard: tuple[int, int]) -> set[tuple[str, str]]:
        return {
            (row.info.name, result.law)
            for row in checked(*providers, shard=shard)
            if row.report is not None
            for result in row.report.results
        }

    parts = [laws((i, 3)) for i in (1, 2, 3)]
    assert set.union(*parts) == laws((1, 1))
    assert sum(len(part) for part in parts) == len(laws((1, 1))) == 4


def test_names_select_and_unknown_ones_are_answered_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path))
    plugin = Plugin(Provider("warm", "w", load=Grader), Provider("noir", "n", load=Grader))
    with Host(plugins=[plugin], autoload=False) as host:
        assert [info.name for info in matching(host, ["warm"])] == ["warm"]
        assert [info.name for info in matching(host, ["grader:noir", "noir"])] == ["noir"]
        assert [info.name for info in matching(host, (), hook="grader")] == ["noir", "warm"]
        with pytest.raises(ProviderNotFound, match="no provider 'wram'; did you mean 'warm'"):
            matching(host, ["wram"])


def test_a_broken_bringer_of_a_hook_keeps_nobody_else_from_being_checked(shelf: Any) -> None:
    shelf.provide("acme-bvh", "importer", "plain")
    shelf.add("acme-juggling", {"kinetoscope": {"juggling": "juggling_gone"}}, {})
    shelf.provide("acme-balls", "juggler", "balls")
    with Host() as host:
        assert [info.distribution for info in matching(host, ["plain"])] == ["acme-bvh"]
        (held,) = matching(host, ["juggler:balls"])
        assert held.state == "broken"
        assert "juggling_gone" in held.reason
        assert [info.name for info in matching(host, ()) if info.distribution.startswith("acme")] == [
            "plain",
            "balls",
        ]
        with pytest.raises(ProviderNotFound, match="juggler"):
            matching(host, (), hook="juggler")
        with pytest.raises(ProviderNotFound, match="no hook 'jugler'"):
            matching(host, (), hook="jugler")


def test_a_host_without_hypothesis_says_what_to_install(
    checked: Callable[..., list[Checked]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kinetoscope_spec import KinetoscopeError

    def missing(target: str) -> Any:
        raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")

    monkeypatch.setattr("kinetoscope.checking.resolve_name", missing)
    with pytest.raises(KinetoscopeError, match=r"pip install 'kinetoscope-spec\[contracts\]'"):
        checked(Provider("good", "g", load=Grader))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "expected the names of providers, or --all"),
        (["bvh", "--all"], "expected the names of providers, or --all"),
        (["bvh", "--shard", "3/2"], "'3/2' is no shard"),
        (["bvh", "--shard", "half"], "'half' is no shard"),
    ],
)
def test_usage(words: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path))
    result = CliRunner().invoke(main, ["check", *words])
    assert result.exit_code == 2
    assert complaint in result.output


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, cwd=folder, check=False, timeout=300
    )


def test_the_command_over_an_installed_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    done = run(tmp_path, "kinetoscope", "check", "bvh", "--examples", "4", "--seed", "7", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (row,) = told["providers"]
    assert (row["name"], row["hook"], row["failures"], told["seed"]) == ("bvh", "importer", [], 7)
    assert row["laws"] >= 9
    assert row["examples"] >= row["laws"]
    shared = run(
        tmp_path, "kinetoscope", "check", "bvh", "--examples", "4", "--seed", "7", "--jobs", "2", "--json"
    )
    both = json.loads(shared.stdout)
    assert both["laws"] == told["laws"]
    assert both["examples"] == told["examples"]  # the same seed draws the same examples
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_pytest_runs_the_contract_of_an_installed_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    words = ("-p", "no:cacheprovider", "-v", "--hypothesis-profile=kinetoscope-quick")
    done = run(tmp_path, "pytest", "--kinetoscope-check=importer:bvh", *words)
    assert done.returncode == 0, done.stdout
    assert "importer:bvh::names_survive" in done.stdout
    assert "9 passed" in done.stdout
    wrong = run(tmp_path, "pytest", "--kinetoscope-check=bhv", *words)
    assert wrong.returncode != 0
    assert "did you mean 'bvh'" in wrong.stdout + wrong.stderr

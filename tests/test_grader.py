"""The example of a hook of one's own: two distributions, built, installed side by side, and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

GRADER = Path(__file__).parents[1] / "docs" / "examples" / "grader"
NAMES = ("acme-grade", "acme-noir")
OWNER = "[providers.grader]\nwarm = {!r}\n"
GREY = "np.full((2, 3, 3), 128, np.uint8)"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels unpacked, as pip leaves them; what is built is a copy."""
    folder = tmp_path_factory.mktemp("grader")
    for name in NAMES:
        source = folder / "source" / name
        shutil.copytree(GRADER / name, source, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheels")]
        subprocess.run(build, cwd=source, check=True, capture_output=True, timeout=120)
    for wheel in (folder / "wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, folder: Path, *arguments: str) -> str:
    """Run Python in `folder`, with what is in `site` installed; return what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KINETOSCOPE")}
    environment |= {"PYTHONPATH": str(site), "KINETOSCOPE_HOME": str(folder / "home")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(site: Path, folder: Path, code: str) -> Any:
    """Run `code` with a host; return what it puts into `told`."""
    lines = [
        "import json, sys, numpy as np",
        "from kinetoscope import Host",
        f"grey = {GREY}",
        "with Host() as host:",
        *(f"    {line}" for line in code.splitlines()),
        "print(json.dumps(told))",
    ]
    return json.loads(run(site, folder, "-c", "\n".join(lines)))


def test_a_grade_of_another_distribution_is_found_by_its_entry_point(site: Path, tmp_path: Path) -> None:
    code = "graded = host.provider('grader', 'noir').grade(grey)\n"
    code += "told = graded[0, 0].tolist(), sorted(sys.modules), host.hook('grader').summary"
    colour, modules, summary = ask(site, tmp_path, code)
    assert colour == [128] * 3, "a middle grey stays grey"
    assert summary == "colour grades"
    ours = [name for name in modules if name.startswith("acme")]
    assert "acme_grade.hooks" in ours
    assert {"acme_grade.warm", "acme_grade.contract", "hypothesis"} & set(modules) == set()


def test_without_the_users_word_nobody_has_a_name_that_two_claim(site: Path, tmp_path: Path) -> None:
    code = "try: host.provider('grader', 'warm')\nexcept Exception as error: told = type(error).__name__, str(error)"
    kind, text = ask(site, tmp_path, code)
    assert kind == "PluginError"
    assert "acme-grade 1.0.0" in text
    assert "acme-noir 2.0.0" in text
    assert "providers.grader.warm" in text


@pytest.mark.parametrize(
    ("owner", "module", "colour"),
    [("acme-grade", "acme_grade.warm", [135, 128, 114]), ("acme-noir", "acme_noir.prints", [134, 114, 87])],
)
def test_the_users_configuration_says_whose_name_it_is(
    site: Path, tmp_path: Path, owner: str, module: str, colour: list[int]
) -> None:
    (tmp_path / "kinetoscope.toml").write_text(OWNER.format(owner))
    code = "warm = host.provider('grader', 'warm')\n"
    code += "told = type(warm).__name__, warm.__class__.__module__, warm.grade(grey)[0, 0].tolist()\n"
    _, where, graded = ask(site, tmp_path, code)
    assert where == module
    assert graded == colour
    states = ask(
        site,
        tmp_path,
        "told = {i.distribution: i.state for i in host.providers('grader') if i.name == 'warm'}",
    )
    other = next(name for name in NAMES if name != owner)
    assert states == {owner: "loaded", other: "blocked"}


def test_who_has_the_hook_alone_has_its_grade(site: Path, tmp_path: Path) -> None:
    (tmp_path / "kinetoscope.toml").write_text("block = ['acme-noir']\n")
    assert ask(site, tmp_path, "told = type(host.provider('grader')).__name__") == "Warm"
    code = "try: host.provider('grader', 'noir')\nexcept Exception as error: told = str(error)"
    assert "acme-noir 2.0.0 is blocked by configuration" in ask(site, tmp_path, code)


def test_without_who_brings_the_hook_a_grade_says_that_it_is_missing(site: Path, tmp_path: Path) -> None:
    (tmp_path / "kinetoscope.toml").write_text("block = ['acme-grade']\n")
    code = "try: host.provider('grader', 'noir')\nexcept Exception as error: told = type(error).__name__, str(error)"
    kind, text = ask(site, tmp_path, code)
    assert kind == "ProviderNotFound"
    assert "there is no hook 'grader'" in text


CONTRACTS = """
from kinetoscope_spec.contracts import check
from pkgutil import resolve_name
contract = resolve_name(host.hook('grader').contract)
told = {}
for name in ('warm', 'noir'):
    subject = contract.of(host.provider('grader', name), name=name)
    check(subject, examples=20, seed=0).require()
    for held in subject.known_mutants():
        fresh = lambda: contract.of(held.wrap(host.provider('grader', name)), name='mutant')
        broken = [law.name for law in contract.laws() if check(fresh(), examples=20, seed=0, laws=[law.name]).broken]
        told[name + ' ' + held.law] = broken
"""


@pytest.mark.parametrize("owner", NAMES)
def test_the_contract_holds_for_all_grades_and_each_law_catches_its_mutant(
    site: Path, tmp_path: Path, owner: str
) -> None:
    (tmp_path / "kinetoscope.toml").write_text(OWNER.format(owner))
    told = ask(site, tmp_path, CONTRACTS)
    assert {key: [key.partition(" ")[2]] for key in told} == told
    assert len(told) == 2 * 5


def test_the_command_line_checks_them(site: Path, tmp_path: Path) -> None:
    (tmp_path / "kinetoscope.toml").write_text(OWNER.format("acme-noir"))
    told = run(
        site, tmp_path, "-m", "kinetoscope", "check", "noir", "grader:warm", "--mutants", "--examples", "20"
    )
    assert told.count("5 laws") == 2
    assert told.count(" 5 of 5 mutants caught") == 2


@pytest.mark.parametrize("name", NAMES)
def test_their_own_tests_pass(site: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(GRADER / name / "tests", tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    out = run(site, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert "passed" in out
    assert "failed" not in out

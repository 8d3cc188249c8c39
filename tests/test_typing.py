"""The spec's types help: mypy --strict passes what is right and complains, in the place, of what is not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from kinetoscope.scaffold import kinds, scaffold
from kinetoscope_spec.hooks import Hook

SAMPLES = Path(__file__).parent / "typing"
COMPLAINT = re.compile(r"^(.+?):(\d+)(?::\d+)?: (error|note): (.*?)(?:  \[([\w-]+)\])?$")
SOLVER = Hook("solver", "", "kinetoscope_fabrik.hooks:Solver", "kinetoscope_fabrik.hooks:SolverContract")

pytestmark = pytest.mark.slow


class Complaints(dict[tuple[str, int], list[tuple[str, str]]]):
    """What mypy said: by file and line, (code, words); notes have the code of what they belong to."""

    def of(self, folder: Path) -> list[str]:
        """Return what was said of the files in `folder`, for people."""
        return [
            f"{Path(path).relative_to(folder)}:{line}: {words} [{code}]"
            for (path, line), told in self.items()
            if Path(path).is_relative_to(folder)
            for code, words in told
        ]


def complaints(paths: list[Path], folder: Path) -> Complaints:
    """Run mypy --strict over all `paths` at once, as their authors would: without our configuration."""
    command = ["--strict", "--config-file=", f"--cache-dir={folder / 'cache'}", "--no-color-output"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *command, *map(str, paths)],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith(("MYPY", "PYTHON"))},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = Complaints()
    for line in done.stdout.splitlines():
        if match := COMPLAINT.match(line):
            place = (str((folder / match[1]).resolve()), int(match[2]))
            told = found.setdefault(place, [])
            told.append((match[5] or (told[-1][0] if told else ""), match[4]))
    return found


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A scaffolded distribution of every kind, and the skeleton for a hook that a plugin brought."""
    folder = tmp_path_factory.mktemp("plugins").resolve()
    made = {kind: scaffold(kind, f"typed-{kind}", folder).path for kind in kinds()}
    return made | {"solver": scaffold("solver", "typed-solver", folder, hook=SOLVER).path}


@pytest.fixture(scope="module")
def told(plugins: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Complaints:
    """What mypy says of them all, and of the samples: one run, since most of it is reading NumPy."""
    paths = [SAMPLES / "correct.py", SAMPLES / "wrong.py"]
    for kind, path in plugins.items():
        paths.append(path / "src")
        tests = sorted((path / "tests").glob("test_*.py"))
        # Modules of one run need names of their own.
        paths += [test.rename(test.with_name(f"{test.stem}_{kind}.py")) for test in tests]
    return complaints(paths, tmp_path_factory.mktemp("mypy").resolve())


def test_the_spec_and_the_host_are_typed() -> None:
    for package in ("kinetoscope_spec", "kinetoscope"):
        assert (files(package) / "py.typed").is_file()


def test_a_correct_plugin_is_clean(told: Complaints) -> None:
    assert [line for line in told.of(SAMPLES) if line.startswith("correct")] == []


@pytest.mark.parametrize("kind", [*kinds(), "solver"])
def test_scaffolded_plugins_are_clean(kind: str, plugins: Mapping[str, Path], told: Complaints) -> None:
    assert told.of(plugins[kind]) == []


def test_wrong_plugins_are_complained_of(told: Complaints) -> None:
    path = str((SAMPLES / "wrong.py").resolve())
    wanted = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if match := re.search(r"  # says ([\w-]+): (.+)$", line):
            wanted[number] = (match[1], match[2])
    assert len(wanted) > 25
    for number, (code, words) in wanted.items():
        said = told.get((path, number), [])
        assert any(held == code for held, _ in said), (number, code, said)
        assert any(words in text for held, text in said if held == code), (number, words, said)
    lines = {line for file, line in told if file == path}
    assert lines == set(wanted)

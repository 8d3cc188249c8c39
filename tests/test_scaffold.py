"""A stranger's first plugin, of every kind: begun, built, installed, seen, proven, and caught when it breaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

from kinetoscope.scaffold import OWN, kinds
from kinetoscope_spec.hooks import HOOKS

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / ".setup" / "constraints.txt"
PREFIXES = ("COVERAGE", "HYPOTHESIS", "KINETOSCOPE", "PIP_USER", "PYTEST", "PYTHON", "VIRTUAL_ENV")


class Break(NamedTuple):
    """One line of a template's provider, what a slip makes of it, and the law that must notice."""

    line: str
    slip: str
    law: str


BREAKS = {
    "detector": Break("stream.seek(place)", "stream.seek(0)", "a_stream_keeps_its_place"),
    "feature": Break("OTHER_SIDE = [1, 0, 3, 2]", "OTHER_SIDE = [1, 0, 2, 3]", "mirroring_twice_is_identity"),
    "importer": Break(
        "framerate, name, scales", "framerate + 1, name, scales", "what_is_written_is_read_again"
    ),
    "hook": Break("if amount == 0:", "if amount == 1:", "an_amount_of_nothing_changes_nothing"),
    "inpainter": Break(
        "made[seen] = other[0][seen]", "made[:] = other[0]", "what_is_outside_the_mask_is_untouched"
    ),
    "model": Break("default_rng(seed)", "default_rng()", "the_same_seed_gives_the_same_weights"),
    "renderer": Break("(depth < self.depth)", "(depth < np.inf)", "the_nearer_surface_wins"),
    "voice": Break("before += piece.duration", "before = piece.duration", "a_stream_is_what_is_spoken"),
}


def run(python: Path, folder: Path, *arguments: str, status: int = 0) -> str:
    """Run `python` with nothing of this environment in its own; return what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIXES)}
    done = subprocess.run(
        [str(python), *arguments],
        cwd=folder,
        env={**environment, "KINETOSCOPE_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def build(source: Path, folder: Path) -> Path:
    """Build the wheel of the distribution in `source` into `folder`."""
    run(Path(sys.executable), source, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (wheel,) = folder.glob(f"{source.name.replace('-', '_')}-*.whl")
    return wheel


class Venv:
    """A virtual environment of its own; `base` lends it what is installed there."""

    def __init__(self, folder: Path, *, base: Venv | None = None) -> None:
        venv.create(folder, with_pip=base is None, symlinks=os.name != "nt")
        self.folder = folder
        self.python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.packages = Path(run(self.python, folder, "-c", code).strip())
        self.installer = base or self
        if base is not None:
            (self.packages / "base.pth").write_text(str(base.packages))

    def install(self, *arguments: str) -> None:
        pip = ("-m", "pip", "--python", str(self.python), "install", "-q", "--disable-pip-version-check")
        run(self.installer.python, self.folder, *pip, *arguments)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """What a stranger has: the host, the spec, and what marks voices, from their wheels; what tests need."""
    folder = tmp_path_factory.mktemp("base")
    wheels = folder / "wheels"
    for name in ("spec", "core", "plugins/perth"):
        run(Path(sys.executable), ROOT / name, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels))
    made = Venv(folder / "venv")
    needs = ["kinetoscope", "kinetoscope-spec[contracts]", "kinetoscope-perth", "pytest"]
    made.install("-c", str(CONSTRAINTS), "--find-links", str(wheels), *needs)
    return made


class Plugin(NamedTuple):
    """A scaffolded distribution, and the environment that it is installed in."""

    kind: str
    hook: str
    source: Path
    venv: Venv

    @property
    def provider(self) -> Path:
        """The installed provider's source."""
        return self.venv.packages / self.source.name.replace("-", "_") / "provider.py"

    def test(self, *only: str, status: int = 0) -> str:
        """Run the plugin's own tests, or those of a name, as its author would."""
        options = ("-q", "-p", "no:cacheprovider", "--hypothesis-profile=kinetoscope-ci", *only)
        return run(self.venv.python, self.source, "-m", "pytest", *options, status=status)


@pytest.fixture(scope="module")
def plugin(request: pytest.FixtureRequest, base: Venv, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    folder = tmp_path_factory.mktemp(f"my-{request.param}")
    # By the installed command, so that the templates are those of the wheel.
    words = ("-m", "kinetoscope", "new", request.param, f"my-{request.param}", "--json")
    told = json.loads(run(base.python, folder, *words))
    made = Venv(folder / "venv", base=base)
    made.install("--no-deps", "--no-index", str(build(Path(told["path"]), folder / "wheels")))
    return Plugin(request.param, told["hook"], Path(told["path"]), made)


every_kind = pytest.mark.parametrize("plugin", kinds(), indirect=True)
pytestmark = pytest.mark.slow


@every_kind
def test_nothing_of_this_environment_is_there(plugin: Plugin) -> None:
    code = "import sys, importlib.util as u; print(sys.path, u.find_spec('kinetoscope_bvh'), u.find_spec('torch'))"
    told = run(plugin.venv.python, plugin.source, "-c", code)
    assert told.strip().endswith("] None None")
    assert str(ROOT) not in told


@every_kind
def test_the_host_sees_and_checks_it(plugin: Plugin) -> None:
    host = (plugin.venv.python, plugin.source, "-m", "kinetoscope")
    for options, state in (((), "available"), (("--load",), "loaded")):
        listed = json.loads(run(*host, "plugins", *options, "--json"))
        assert listed["notes"] == []
        (row,) = (row for row in listed["providers"] if row["hook"] == plugin.hook)
        assert (row["name"], row["distribution"], row["state"]) == (*(plugin.source.name,) * 2, state)
    told = json.loads(run(*host, "check", f"{plugin.hook}:{plugin.source.name}", "--examples", "3", "--json"))
    assert (told["failures"], told["providers"][0]["state"]) == (0, "checked")
    assert told["laws"] >= 3


@every_kind
def test_mypy_has_nothing_to_say(plugin: Plugin, base: Venv) -> None:
    options = ("--python-executable", str(plugin.venv.python), "--cache-dir", str(base.folder / "mypy"))
    run(Path(sys.executable), plugin.source, "-m", "mypy", *options, "src", "tests")


@every_kind
def test_its_tests_are_green_and_red_when_a_line_breaks(plugin: Plugin) -> None:
    assert " passed" in plugin.test()
    broken = BREAKS[plugin.kind]
    text = plugin.provider.read_text(encoding="utf-8")
    assert text.count(broken.line) == 1
    plugin.provider.write_text(text.replace(broken.line, broken.slip), encoding="utf-8")
    told = plugin.test("-k", f"test_{broken.law}", status=1)
    assert f"broke the law {broken.law}" in told
    assert f"test_{broken.law}" in told


def test_every_hook_has_a_template() -> None:
    assert kinds() == sorted([*HOOKS, OWN])
    assert sorted(BREAKS) == kinds()

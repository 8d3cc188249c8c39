"""The house: what stands where, and what every distribution must have."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
EXAMPLES = ROOT / "docs" / "examples"
"""Distributions that others could have made: none of the house's."""
DISTRIBUTIONS = sorted(
    path.parent
    for path in FILES
    if path.name == "pyproject.toml" and path.parent != ROOT and EXAMPLES not in path.parents
)


COPYLEFT = {"kinetoscope-espeak"}
"""Alone of all under the GPL, as eSpeak NG is; nothing requires it, an extra names it."""
ASKED_FOR = COPYLEFT | {"kinetoscope-piper"}
"""What the umbrella has as extras alone: weights whose ancestor's licence a user has to check are one too."""
VOICES = {"kinetoscope-espeak", "kinetoscope-gemini", "kinetoscope-piper"}
"""They may require what marks all that they say: without it none of them speaks."""


def project(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def test_top_level_holds_rooms_and_the_usual_small_files() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in FILES}
    rooms = {"pyproject.toml", "core", "plugins", "contrib", "spec", "tests", "docs", "README.md"}
    usual = {"LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "conftest.py"}
    assert {name for name in names if not name.startswith(".")} <= rooms | usual
    assert rooms - {"contrib"} <= names


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)
def test_every_distribution_is_whole(folder: Path) -> None:
    told = project(folder)
    package = str(told["name"]).replace("-", "_")
    if told["name"] in COPYLEFT:
        assert told["license"] == "GPL-3.0-or-later"
        assert "GNU GENERAL PUBLIC LICENSE" in (folder / "LICENSE").read_text()
    else:
        assert told["license"] == "Apache-2.0"
    assert told["requires-python"] == ">=3.11"
    assert (folder / "README.md").read_text().startswith(f"# {told['name']}")
    assert (folder / "src" / package / "__init__.py").is_file()
    assert (folder / "src" / package / "py.typed").is_file()
    assert list((folder / "tests").glob("test_*.py"))


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)
def test_plugins_require_the_spec_and_no_other_room(folder: Path) -> None:
    ours = [name for name in project(folder).get("dependencies", []) if name.startswith("kinetoscope")]
    name = str(project(folder)["name"])
    spec = ["kinetoscope-spec>=0.1,<0.2"]
    # What a voice says is to be marked; who fills a hook of another distribution needs its module `hooks`.
    expected = {
        "kinetoscope-spec": [],
        "kinetoscope-mujoco": [*spec, "kinetoscope-stage>=0.1,<0.2"],
        "kinetoscope-solvers-jax": [*spec, "kinetoscope-fabrik>=0.1,<0.2"],
    }
    expected |= {voice: [*spec, "kinetoscope-perth>=0.1,<0.2"] for voice in VOICES}
    expected["kinetoscope-gemini"].append("kinetoscope-quadmask>=0.1,<0.2")
    expected["kinetoscope-propagate"] = [*spec, "kinetoscope-quadmask>=0.1,<0.2"]
    expected["kinetoscope-sam2"] = [*spec, "kinetoscope-quadmask>=0.1,<0.2"]
    assert ours == expected.get(name, spec)


def test_the_umbrella_requires_every_distribution() -> None:
    required = {re.split(r"[\[><= ]", name)[0] for name in project(ROOT)["dependencies"]}
    assert required == {str(project(folder)["name"]) for folder in DISTRIBUTIONS} - ASKED_FOR
    assert project(ROOT)["optional-dependencies"]["espeak"] == list(COPYLEFT)
    assert project(ROOT)["optional-dependencies"]["piper"] == ["kinetoscope-piper"]


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in FILES if path.suffix == ".py"}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n >= 800} == {}


def test_no_function_needs_scrolling() -> None:
    long = {}
    for path in FILES:
        if path.suffix == ".py" and "tests" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                    body = node.body[1:] if ast.get_docstring(node) else node.body
                    lines = node.end_lineno - body[0].lineno + 1 if body else 0
                    if lines > 60:
                        long[f"{path.relative_to(ROOT)}:{node.name}"] = lines
    assert long == {}


def test_no_real_data_is_committed() -> None:
    suffixes = {
        ".bvh",
        ".fbx",
        ".glb",
        ".gltf",
        ".mp4",
        ".mov",
        ".wav",
        ".npz",
        ".npy",
        ".safetensors",
        ".onnx",
    }
    assert [path for path in FILES if path.suffix.lower() in suffixes] == []


def test_the_layers_name_every_distribution() -> None:
    layers = (ROOT / ".setup" / "layers.ini").read_text()
    for folder in DISTRIBUTIONS:
        package = str(project(folder)["name"]).replace("-", "_")
        assert re.search(rf"^ +{package}$", layers, re.MULTILINE), package

"""`kinetoscope new`: names, folders, and what is written; tests/test_scaffold.py builds and runs it."""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib

import pytest
from click.testing import CliRunner

from kinetoscope.cli import main
from kinetoscope.scaffold import OWN, _brought, _template, _write, kinds, scaffold
from kinetoscope.scaffold._names import Words
from kinetoscope_spec.errors import PluginError, ValidationError
from kinetoscope_spec.hooks import Hook

ODD = """
    import collections.abc as cabc
    from pathlib import Path
    from typing import Protocol, TYPE_CHECKING
    if TYPE_CHECKING:
        from kinetoscope_spec import Motion
    from kinetoscope_spec import Hook, Provider, hookimpl, hookspec
    import sys
    class Closes(Protocol):
        def close(self) -> None: ...
    class Odd(Closes, Protocol):
        \"\"\"Has all that a protocol may have.\"\"\"
        rate: float
        @property
        def size(self) -> tuple[int, int]:
            \"\"\"A size.\"\"\"
            ...
        async def go(
            self,
            motion: "Motion",
            *,
            to: Path = Path("there"),
        ) -> cabc.Iterator[Closes]:
            \"\"\"Go.\"\"\"
            ...
    HOOKS = (Hook("odd", "odd things", "acme_odd:Odd"),)
    @hookspec
    def odd(): ...
    @hookimpl
    def addhooks():
        return [sys.modules[__name__]]
"""


@pytest.fixture
def run(shelf):
    def run(*words, status=0):
        result = CliRunner().invoke(main, ["new", *map(str, words)])
        assert result.exit_code == status, (result.output, result.stderr, result.exception)
        return result

    return run


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", kinds())
def test_what_is_written_is_whole(kind, tmp_path):
    made = scaffold(kind, "my-own-2", tmp_path)
    assert made.path == tmp_path / "my-own-2"
    assert files_in(made.path) == set(made.files)
    common = {
        "pyproject.toml",
        "README.md",
        ".gitignore",
        ".github/workflows/ci.yml",
        "tests/test_contract.py",
    }
    assert common | {"src/my_own_2/__init__.py", "src/my_own_2/py.typed"} <= set(made.files)
    for name in made.files:
        text = (made.path / name).read_text(encoding="utf-8")
        assert not re.search(r"acme|@[a-z_]+@", text, re.IGNORECASE), name
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), name
        if name.endswith(".py"):
            ast.parse(text)
    told = tomllib.loads((made.path / "pyproject.toml").read_text())["project"]
    hook = "my_own_2" if kind == OWN else kind
    assert told["name"] == "my-own-2"
    assert told["dependencies"][0] == "kinetoscope-spec>=0.1,<0.2"
    assert all(re.fullmatch(r"[a-z-]+[<>=.,\d]+", requirement) for requirement in told["dependencies"])
    assert told["entry-points"][f"kinetoscope.{hook}"] == {"my-own-2": "my_own_2"}
    assert ("kinetoscope" in told["entry-points"]) == (kind == OWN)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "My-format",
        "my_format",
        "my format",
        "3d",
        "-x",
        "x-",
        "x--y",
        "../x",
        "x/y",
        "x.y",
        "é",
        "x" * 49,
    ],
)
def test_names_that_are_none(name):
    with pytest.raises(ValidationError, match="expected lower-case letters, digits and single dashes"):
        Words.of(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("json", "standard library"),
        ("class", "word of Python"),
        ("none", "word of Python"),
        ("numpy", "a package 'numpy' is installed"),
        ("kinetoscope-spec", "a package 'kinetoscope_spec' is installed"),
        ("pytest-timeout", "is installed"),
        ("tests", "taken for the folder"),
    ],
)
def test_names_that_are_taken(name, why):
    with pytest.raises(ValidationError, match=why):
        Words.of(name)


def test_a_folder_of_that_name_in_sight_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "my_format").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Words.of("my-format-2") == Words("my-format-2", "my_format_2", "MyFormat2")
    assert Words.of("my-format").package == "my_format"


@pytest.mark.parametrize("name", ["motion", "hook", "protocol", "provider"])
def test_names_that_mean_something_in_the_template(name, tmp_path):
    with pytest.raises(ValidationError, match="already means something else in"):
        scaffold(OWN, name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_hooks_of_the_specification_are_not_brought_again(tmp_path):
    for name in ("importer", "addhooks", "before-use"):
        with pytest.raises(ValidationError, match="the specification has a hook"):
            scaffold(OWN, name, tmp_path)


def test_only_an_empty_folder_is_filled(tmp_path):
    target = tmp_path / "my-format"
    target.mkdir()
    scaffold("importer", "my-format", tmp_path)
    before = files_in(tmp_path)
    with pytest.raises(FileExistsError, match=re.escape(str(target))):
        scaffold("importer", "my-format", tmp_path)
    assert files_in(tmp_path) == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        scaffold("importer", "file", tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for to in (elsewhere, tmp_path / "nowhere"):
        link = tmp_path / "my-format"
        link.symlink_to(to)
        with pytest.raises(FileExistsError):
            scaffold("importer", "my-format", tmp_path)
        link.unlink()
    assert not list(elsewhere.iterdir())


def test_nothing_is_left_of_what_fails(tmp_path, monkeypatch):
    def fail(_from, _to):
        raise OSError("no space")

    monkeypatch.setattr(_write.os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        scaffold("importer", "my-format", tmp_path / "new" / "folders")
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_outside(tmp_path):
    for path in ("../x", "/x", "a/../../x"):
        with pytest.raises(ValueError, match="leads out"):
            _write.write_folder(tmp_path / "a", {"fine": "", path: ""})
    assert not list(tmp_path.iterdir())


def test_what_tools_leave_in_templates_is_not_copied(tmp_path):
    for name in (".mypy_cache/x.json", "__pycache__/x.pyc", "acme_thing/x.py"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text("")
    assert [path for path, _ in _template._walk(tmp_path)] == ["acme_thing/x.py"]


def test_the_command_says_where_and_what_to_type_next(run, tmp_path):
    result = run("importer", "my-format", "--in", tmp_path / "a folder")
    path = tmp_path / "a folder" / "my-format"
    assert str(path) in result.output
    assert f"cd '{path}'" in result.output
    assert 'pip install -e ".[test]"' in result.output
    assert "kinetoscope check importer:my-format" in result.output
    told = json.loads(run(OWN, "my-kind", "--json").output)
    assert told["path"] == os.path.join(os.getcwd(), "my-kind")
    assert (told["hook"], told["package"]) == ("my_kind", "my_kind")
    assert files_in(tmp_path / "work" / "my-kind") == set(told["files"])


def test_the_command_names_what_there_is(run):
    assert "no hook 'importr'; did you mean 'importer'?" in run("importr", "x-y", status=2).stderr
    assert "there are templates for" in run("grader", "x-y", status=2).stderr
    assert "'x_y' is no name for a plugin" in run("importer", "x_y", status=1).stderr


def test_names_of_providers_are_not_given_twice(run, shelf):
    shelf.provide("acme-toy", "importer", "my-format")
    stderr = run("importer", "my-format", status=2).stderr
    assert "acme-toy 1.2 has the importer 'my-format' already" in stderr
    run("feature", "my-format")


def test_a_hook_that_a_plugin_brought_gives_a_skeleton(run, shelf, tmp_path):
    shelf.add("acme-odd", {"kinetoscope": {"odd": "acme_odd"}}, {"acme_odd": ODD})
    told = json.loads(run("odd", "my-odd", "--json").output)
    folder = tmp_path / "work" / "my-odd"
    source = (folder / "src" / "my_odd" / "provider.py").read_text()
    assert (
        "import collections.abc as cabc\nfrom acme_odd import Closes\nfrom kinetoscope_spec import Motion\n"
        in source
    )
    assert "class MyOddOdd:" in source
    assert "    rate: float\n" in source
    assert "    @property\n    def size(self) -> tuple[int, int]:\n" in source
    assert (
        '        to: Path = Path("there"),\n    ) -> cabc.Iterator[Closes]:\n        """See `Odd.go`."""\n'
        in source
    )
    assert "    def close(self) -> None:\n" in source
    assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"] == [
        "kinetoscope-spec>=0.1,<0.2",
        "acme-odd>=1.2",
    ]
    assert "has no contract" in (folder / "tests" / "test_contract.py").read_text()
    assert told["hook"] == "odd"
    assert "its methods are to be filled in" in run("odd", "my-odd-2").output
    assert "there is a hook 'odd' already" in run(OWN, "odd", status=2).stderr


def test_a_protocol_that_can_not_be_read_is_said(tmp_path):
    for protocol in ("acme_nowhere:Odd", "json:Odd"):
        with pytest.raises(PluginError, match="can't be read"):
            _brought.sources(Hook("odd", "", protocol))
    with pytest.raises(ValidationError, match="no template 'odd'"):
        scaffold("odd", "my-odd", tmp_path)

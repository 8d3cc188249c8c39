"""What a command imports. Counts of modules are stable where times are not."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "torch", "jax", "scipy", "numba", "pandas", "moderngl", "onnxruntime"}
SLOW = {"attrs", "attr", "pluggy", "rich", "cattrs", "packaging", "importlib.metadata", "asyncio", "ctypes"}


def modules(*words):
    """Return the modules that a run of the command line imports, as `-X importtime` names them."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kinetoscope", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = {
        line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")
    }
    return found, ran.stdout


def startup():
    """Return what the interpreter itself imports here: `.pth` files and `sitecustomize` may bring anything."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", ""], capture_output=True, text=True, check=True
    )
    return {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}


@pytest.fixture
def plugin(shelf):
    shelf.provide("acme-anim", "importer", "acme")
    shelf.add(
        "acme-command",
        {"kinetoscope.command": {"juggle": "acme_command:command"}},
        {
            "acme_command": """
                import click
                @click.command()
                @click.pass_obj
                def command(host):
                    "Juggle."
                    click.echo(host.importer("acme").work(1))
            """
        },
    )
    return shelf


def test_help_imports_click_and_little_else(plugin):
    modules("--help")  # the first run fills the cache
    found, text = modules("--help")
    assert found & (HEAVY | SLOW) - startup() == set()
    assert plugin.imported() == []
    assert "juggle" in text
    assert "acme-command" in text
    for name in (
        "plugins",
        "explain",
        "config",
        "doctor",
        "detect",
        "inspect",
        "convert",
        "train",
        "generate",
        "render",
        "speak",
        "voices",
        "tags",
        "shoot",
    ):
        assert f"\n  {name} " in text


def test_listing_plugins_imports_none_of_them(plugin):
    modules("plugins")
    found, text = modules("plugins")
    assert (
        found & (HEAVY | {"rich", "pluggy", "cattrs", "packaging", "importlib.metadata"}) - startup() == set()
    )
    ours = {name for name in found if name.startswith("kinetoscope_")} - {"kinetoscope_spec"}
    assert {name for name in ours if not name.startswith("kinetoscope_spec.")} == set()
    assert plugin.imported() == []
    assert "acme-anim" in text


def test_a_plugins_command_gets_the_host_and_is_imported_when_it_runs(plugin):
    found, text = modules("juggle")
    assert text == "2\n"
    assert "numpy" not in found
    assert plugin.imported() == ["acme_command", "acme_anim_importer_acme"]


def test_importing_kinetoscope_imports_next_to_nothing():
    code = (
        "import sys; before = set(sys.modules); import kinetoscope; print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = {name.partition(".")[0] for name in ran.stdout.split()} - set(sys.stdlib_module_names)
    assert new == {"kinetoscope", "kinetoscope_spec"}


def test_the_public_names_are_all_there():
    import kinetoscope

    assert {getattr(kinetoscope, name) is not None for name in kinetoscope.__all__} == {True}
    assert set(kinetoscope.__all__) == set(dir(kinetoscope))

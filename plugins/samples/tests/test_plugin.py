"""Importing the plugin is light, and the host finds it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pluggy

from kinetoscope_samples import HEADER, is_recipe
from kinetoscope_spec import hooks


def test_importing_is_light() -> None:
    code = (
        "import sys, kinetoscope_samples; kinetoscope_samples.importers(); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_entry_point_offers_the_provider_even_after_it_was_used() -> None:
    (entry,) = entry_points(group="kinetoscope.importer", name="samples")
    import kinetoscope_samples.importer  # noqa: F401 - a submodule named like the hook

    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(entry.load())
    ((provider,),) = manager.hook.importer()
    assert (provider.name, provider.load) == (entry.name, "kinetoscope_samples.importer:SampleImporter")


def test_signature_knows_recipes() -> None:
    for head, expected in [
        (f"{HEADER}\nspeed = 1\n", True),
        (f"\ufeff{HEADER}\r\n", True),
        (HEADER, True),
        (f"{HEADER}s\n", False),
        (f" {HEADER}\n", False),
        ("", False),
        (f"{HEADER}\n\0", False),
    ]:
        data = head.encode()
        assert is_recipe(data, data, len(data)) is expected

"""What the host sees of the plugin, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pluggy

from kinetoscope_spec import hooks as spec_hooks

_HEAVY = ("numpy", "av", "PIL")


def test_hook_is_brought_and_filled() -> None:
    manager = pluggy.PluginManager(spec_hooks.PROJECT)
    manager.add_hookspecs(spec_hooks)
    (brings,) = entry_points(group="kinetoscope", name="av")
    manager.register(brings.load())
    ((module,),) = manager.hook.addhooks()
    manager.add_hookspecs(module)
    assert [hook.name for hook in module.HOOKS] == ["media"]
    (fills,) = entry_points(group="kinetoscope.media", name="av")
    manager.register(fills.load())
    manager.check_pending()
    ((provider,),) = manager.hook.media()
    assert provider.name == "av"


def test_importing_is_light() -> None:
    code = (
        "import sys, kinetoscope_av, kinetoscope_av.addhooks, kinetoscope_av.hooks; kinetoscope_av.media();"
        f"sys.exit(','.join(m for m in {_HEAVY} if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""What the plugin costs to import, and what it lets others import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kinetoscope_quadmask import hooks


def test_importing_the_hooks_is_light() -> None:
    code = (
        "import sys, kinetoscope_quadmask, kinetoscope_quadmask.hooks;"
        "assert not {'numpy', 'click', 'hypothesis', 'kinetoscope'} & set(sys.modules), sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_that_is_named_is_there() -> None:
    for name in hooks.__all__:
        assert getattr(hooks, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Masks'"):
        hooks.Masks  # noqa: B018

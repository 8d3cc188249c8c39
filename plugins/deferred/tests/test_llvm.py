"""Mesa's LLVM and Triton's in one process, in the order that crashed it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

RENDER = """
from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec import Camera, Scene
with DeferredRenderer().open((16, 16), "draft") as session:
    session.render(Scene(), Camera((0, 1, 3), (0, 1, 0)))
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.gl
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
def test_triton_is_imported_after_rendering() -> None:
    done = run(RENDER + "import triton; print('fine')")
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


@pytest.mark.gl
def test_rendering_imports_no_triton_and_works_without() -> None:
    without = "import sys; sys.modules['triton'] = None\n"
    assert run(without + RENDER).returncode == 0
    done = run(RENDER + "import sys; assert not {'triton', 'torch'} & set(sys.modules)")
    assert done.returncode == 0, done.stderr

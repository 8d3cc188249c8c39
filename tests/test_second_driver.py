"""The run of the renderer's laws on softpipe runs on softpipe, and tells of each law."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("second_driver.py")
LAWS = ("ids_agree_with_geometry", "skinning_equals_the_reference")


@pytest.mark.gl
def test_laws_run_on_another_driver_than_those_of_the_suite() -> None:
    asked = ["--examples", "2", "--laws", *LAWS]
    environment = {**os.environ, "GALLIUM_DRIVER": "llvmpipe"}
    run = subprocess.run(
        [sys.executable, str(SCRIPT), *asked],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
    )
    if "no OpenGL" in run.stderr:
        pytest.skip(run.stderr.splitlines()[-1])
    assert run.returncode == 0, run.stderr
    driver, *told = run.stdout.splitlines()
    assert "softpipe" in driver
    assert [line.split()[:3] for line in told] == [
        ["held", quality, law] for quality in ("draft", "high") for law in LAWS
    ]

"""A small install stays small, and works without the clone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 95 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Head
  {
    OFFSET 0 75 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 10 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 95 0 0 0 0 0 0 0
0 95 10 0 0 45 0 0 0
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv that holds the host, the spec and the BVH importer, built as wheels from a copy."""
    folder = tmp_path_factory.mktemp("small")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    paths = [str(ROOT / name) for name in ("spec", "core", "plugins/bvh")]
    command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run(
        [*command, "-c", str(ROOT / ".setup" / "constraints.txt"), *paths],
        check=True,
        cwd=folder,
        timeout=300,
    )
    return python


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("KINETOSCOPE", "PYTHON"))
    }
    environment["KINETOSCOPE_HOME"] = str(folder / "home")
    return subprocess.run(
        [str(python), *arguments],
        check=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_host_and_bvh_alone_read_a_clip(python: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.txt").write_text(BVH)
    told = json.loads(run(python, tmp_path, "-m", "kinetoscope", "inspect", "clip.txt", "--json").stdout)
    assert [joint["name"] for joint in told["joints"]] == ["Hips", "Head"]
    assert told["motions"][0]["frames"] == 2
    code = "from kinetoscope import Host\nwith Host() as h: print(h.open('clip.txt').motions[0].positions[1, 0].tolist())"
    assert json.loads(run(python, tmp_path, "-c", code).stdout) == pytest.approx([0, 0.95, 0.1])


@pytest.mark.slow
def test_nothing_heavy_came_along(python: Path, tmp_path: Path) -> None:
    listed = json.loads(run(python, tmp_path, "-m", "pip", "list", "--format", "json").stdout)
    names = {entry["name"].lower() for entry in listed}
    assert {"kinetoscope", "kinetoscope-spec", "kinetoscope-bvh"} <= names
    assert not names & {"torch", "moderngl", "av", "scipy", "jax", "onnxruntime", "magika"}
    assert sys.version_info >= (3, 11)

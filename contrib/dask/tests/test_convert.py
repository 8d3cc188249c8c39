"""A folder converted on a cluster, while a worker is killed: nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest
from click.testing import CliRunner
from distributed import Client

from kinetoscope.cli import main
from kinetoscope_dataset import Dataset

BVH = """HIERARCHY
ROOT Hips
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  End Site
  {{
    OFFSET 0 10 0
  }}
}}
MOTION
Frames: {frames}
Frame Time: 0.0333333
{lines}
"""

COUNT = 240


@pytest.fixture
def folder(tmp_path):
    for i in range(COUNT):
        frames = 40 + i % 5
        lines = "\n".join(f"{i} {frame} 0 {frame} {i % 90} 0" for frame in range(frames))
        path = tmp_path / "takes" / f"{i % 7}" / f"take {i}.bvh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BVH.format(frames=frames, lines=lines))
    (tmp_path / "takes" / "broken.bvh").write_text(BVH.format(frames=3, lines="1 2 oh"))
    return tmp_path


def convert(*words, status):
    done = CliRunner().invoke(main, ["convert", *map(str, words), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


def held(where):
    data = Dataset.open(where)
    return [
        (clip.id, clip.source, motion.positions.tobytes())
        for clip, motion in zip(data.clips, data, strict=True)
    ]


def killer(address, where, killed):
    """Kill a worker when a third of the clips is stored."""
    with Client(address, set_as_default=False) as client:
        pids = client.run(os.getpid)
        end = time.monotonic() + 60
        while len(list(where.glob("clips/*/zarr.json"))) < COUNT // 3 and time.monotonic() < end:
            time.sleep(0.002)
        killed.append((sorted(pids.values())[0], len(list(where.glob("clips/*/zarr.json")))))
        os.kill(killed[0][0], signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL")
def test_a_worker_is_killed_half_way(cluster, folder, monkeypatch):
    monkeypatch.chdir(folder)  # the workers are at home elsewhere: paths are made absolute for them
    convert("takes", "here.zarr", status=1)
    killed = []
    thread = threading.Thread(target=killer, args=(cluster.scheduler_address, folder / "there.zarr", killed))
    thread.start()
    address = cluster.scheduler_address.removeprefix("tcp://")
    data = convert("takes", "there.zarr", "--executor", f"dask://{address}", status=1)
    thread.join()
    ((pid, stored),) = killed
    assert stored < COUNT - 20, "the worker was killed while there was work"
    with Client(cluster, set_as_default=False) as client:
        assert pid not in client.run(os.getpid).values()
    assert (data["converted"], data["skipped"]) == (COUNT, 0)
    assert [item["path"] for item in data["failed"]] == [os.path.join("takes", "broken.bvh")]
    assert held("there.zarr") == held("here.zarr")
    assert convert("takes", "there.zarr", "--executor", f"dask://{address}", status=1)["skipped"] == COUNT


def test_files_to_files(cluster, folder, monkeypatch):
    monkeypatch.chdir(folder)
    words = ("takes/3", "out", "--to", "npz", "--executor", f"dask://{cluster.scheduler_address}")
    data = convert(*words, status=0)
    assert data["converted"] == len(list((folder / "takes" / "3").iterdir()))
    assert len(list((folder / "out").glob("*.npz"))) == data["converted"]

"""Two processes share the windows of a shot, and both get the frames that one alone makes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
from void_weights import SMALL

from kinetoscope_spec import Mask, Video
from kinetoscope_void.inpainter import VoidInpainter

WORK = """
import sys, numpy as np, torch.distributed as dist
from kinetoscope_spec import Cancelled, Mask, Video
from kinetoscope_void.inpainter import VoidInpainter
sys.path.insert(0, sys.argv[3])
from void_weights import SMALL

dist.init_process_group("gloo")
rank = dist.get_rank()
held = np.load(sys.argv[2])
video, mask = Video.from_frames(held["video"], 12), Mask.from_frames(held["mask"], 12)
inpainter = VoidInpainter(folder=sys.argv[1], device="cpu", memory="full", **SMALL)
windows = []
inpainter._network = network = __import__("kinetoscope_void._network", fromlist="x").Network.find(inpainter.settings)
for number in (1, 2):
    with network.transformer(number) as transformer:
        transformer.register_forward_pre_hook(lambda *_: windows.append(1))
np.save(f"{sys.argv[2]}.{rank}.npy", np.stack(list(inpainter.inpaint(video, mask, seed=4).frames())))
count = len(windows)
stop = inpainter.inpaint(video, mask, progress=lambda done, *_: rank == 0 or done < 9)
try:
    list(stop.frames())
    print("went on")
except Cancelled:
    print(count)
dist.destroy_process_group()
"""


def test_two_processes_share_windows_and_make_the_same_film(weights: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (29, 24, 32, 3), dtype=np.uint8)
    held = np.zeros((29, 24, 32), np.uint8)
    held[:, 4:16, 8:24] = 255
    path = tmp_path / "shot.npz"
    np.savez(path, video=frames, mask=held)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", WORK, str(weights), str(path), str(Path(__file__).parent)]
    started = [
        subprocess.Popen(
            command,
            env={**os.environ, **told, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    # Eight latents in windows of four: three windows a step, two steps a pass; and when the second process
    # is cancelled, the first is, too.
    assert [out.split() for out, _ in said] == [["8"], ["4"]], said
    inpainter = VoidInpainter(folder=weights, device="cpu", memory="full", **SMALL)
    video, mask = Video.from_frames(frames, 12), Mask.from_frames(held, 12)
    alone = np.stack(list(inpainter.inpaint(video, mask, seed=4).frames()))
    for rank in range(2):
        np.testing.assert_array_equal(np.load(f"{path}.{rank}.npy"), alone)

"""What ufbx makes of files, printed as JSON, a line each; run as a child process, for that package can crash.

    python ufbx_oracle.py < JOBS
    python ufbx_oracle.py --seconds FILE TIME

`JOBS` is JSON: a list of `[path, stack index, [time, ...]]`. Its Python binding forgets to count
references: an element must not be fetched twice, so each scene's nodes are listed once, everything is kept,
and the process ends without tearing anything down.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter
from typing import Any

import ufbx

kept: list[Any] = []


def nodes_at(path: str, stack: int, times: list[float]) -> list[Any]:
    """Return for each time `[name, is_root, four columns of the matrix to world]` of every node."""
    scene = ufbx.load_file(path)
    stacks = list(scene.anim_stacks)
    anim = stacks[stack].anim if stacks else scene.anim
    kept.extend([scene, stacks, anim])
    found = []
    for time in times:
        held = scene.evaluate(anim, time)
        nodes = list(held.nodes)
        kept.extend([held, nodes])
        rows = []
        for node in nodes:
            m = node.node_to_world
            rows.append([node.name, bool(node.is_root), [[c.x, c.y, c.z] for c in (m.c0, m.c1, m.c2, m.c3)]])
        found.append(rows)
    return found


def seconds(path: str, time: float) -> float:
    """Return the shortest of ten times from a file to its nodes and skinned vertices at a time."""
    found = []
    for _ in range(10):
        began = perf_counter()
        scene = ufbx.load_file(path)
        stacks = list(scene.anim_stacks)
        anim = stacks[0].anim if stacks else scene.anim
        held = scene.evaluate(anim, time, evaluate_skinning=True)
        found.append(perf_counter() - began)
        kept.extend([scene, stacks, anim, held])
    return min(found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seconds"]:
        print(seconds(sys.argv[2], float(sys.argv[3])), flush=True)
        os._exit(0)
    for job in json.load(sys.stdin):
        print(json.dumps(nodes_at(*job)), flush=True)
    os._exit(0)

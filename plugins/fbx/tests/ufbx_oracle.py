"""What ufbx makes of files, printed as JSON, a line each; run as a child process, for that package can crash.

    python ufbx_oracle.py < JOBS

`JOBS` is JSON: a list of `[path, stack index, [time, ...]]`. Its Python binding forgets to count
references: an element must not be fetched twice, so each scene's nodes are listed once, everything is kept,
and the process ends without tearing anything down.
"""

from __future__ import annotations

import json
import os
import sys
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


if __name__ == "__main__":
    for job in json.load(sys.stdin):
        print(json.dumps(nodes_at(*job)), flush=True)
    os._exit(0)

"""What jobs do in tests, in their processes: told by the shot file's name, so that a test can say it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from kinetoscope_serve.working import Task
from kinetoscope_spec import Cancelled, FormatError

FILM = bytes(range(256)) * 40


def work(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Do what the shot file's first comment says."""
    works = {"make": make, "threads": threads, "go on": go_on, "sleep": sleep, "die": die, "fill": fill}
    return (works | {"fail": fail})[task.shot.read_text().partition("\n")[0].removeprefix("# ")](task, tell)


def event(share: float) -> dict[str, Any]:
    return {"stage": "train", "fraction": share, "whole": share, "message": f"step {share}"}


def make(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Write a film, and a report that names files of the service."""
    tell(event(0.5))
    task.out.write_bytes(FILM)
    report = task.out.with_suffix(".report.json")
    report.write_text(f'{{"path": "{task.shot}", "film": "{task.out}"}}')
    page = task.out.with_suffix(".report.html")
    page.write_text("<!doctype html><script>alert(1)</script>")
    held = {"film": task.out, "report": report, "page": page}
    return {
        "files": {kind: str(path) for kind, path in held.items()},
        "stages": [],
        "warnings": [f"{task.shot}:3: so"],
    }


def threads(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Say, in a warning, how many threads libraries have that are loaded now."""
    import numba
    import numpy as np
    import threadpoolctl

    task.out.write_bytes(FILM)
    np.eye(2) @ np.eye(2)
    pools = {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
    told = {"blas": sorted(pools), "numba": numba.get_num_threads(), "cores": task.cores}
    return {"files": {"film": str(task.out)}, "stages": [], "warnings": [json.dumps(told)]}


def go_on(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Work until it is told to stop, with something half-written."""
    (task.out.parent / "half.mp4").write_bytes(FILM)
    for step in range(10_000):
        if not tell(event(step / 10_000)):
            raise Cancelled("cancelled")
        time.sleep(0.01)
    return {"files": {}, "stages": [], "warnings": []}


def sleep(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Hear nothing."""
    tell(event(0.1))
    time.sleep(300)
    return {"files": {}, "stages": [], "warnings": []}


def die(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """End as a library does that falls over a file."""
    tell(event(0.1))
    os._exit(7)


def fill(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Need more room than there is."""
    (task.scratch / "large").write_bytes(b"x" * 3_000_000)
    return go_on(task, tell)


def fail(task: Task, tell: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Find something wrong with a file."""
    raise FormatError("is no clip", path=task.shot.with_name("walk.bvh"))

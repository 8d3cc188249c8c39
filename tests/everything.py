"""Uses all that a host offers, once, in a process of its own, and tells what of the process has changed.

Run by test_embedding.py: prints JSON, topic to what was before and what is afterwards, for the topics
that changed. What a library of others does when it is imported is not ours: they are imported first.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

OTHERS = (
    "numpy",
    "torch",
    "av",
    "cv2",
    "PIL",
    "moderngl",
    "onnxruntime",
    "jax",
    "scipy.linalg",
    "torch._dynamo",
    "lightning_fabric",
    "magika",
    "numba",
    "numcodecs",
    "threadpoolctl",
    "zarr",
)
SOWN: list[int] = []
"""Seeds that the random generators of all GPUs were given."""


def snapshot() -> dict[str, Any]:
    """Return what an embedding application has the say over."""
    import numpy as np
    import threadpoolctl
    import torch

    return {
        "signal handlers": {int(n): str(signal.getsignal(n)) for n in sorted(signal.valid_signals())},
        "root logger": [str(logging.root.handlers), logging.root.level, logging.root.disabled],
        "disabled levels": logging.root.manager.disable,
        "logger class": str(logging.getLoggerClass()),
        "handlers of loggers": handlers(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "child processes": children(),
        "warning filters": [str(held) for held in warnings.filters],
        "showwarning": str(warnings.showwarning),
        "excepthooks": [str(sys.excepthook), str(threading.excepthook), str(sys.unraisablehook)],
        "displayhook": str(sys.displayhook),
        "sys.path": list(sys.path),
        "import machinery": [str(sys.meta_path), str(sys.path_hooks)],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "umask": umask(),
        "recursion limit": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "tracing": [str(sys.gettrace()), str(sys.getprofile())],
        "streams": [str(sys.stdout), str(sys.stderr), str(sys.stdin)],
        "garbage collection": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()],
        "locale": str(import_module("locale").setlocale(import_module("locale").LC_ALL)),
        "files open": files(),
        "temporary files": sorted(os.listdir(tempfile.gettempdir())),
        "random": digest(str(random.getstate())),
        "numpy random": digest(*map(str, np.random.get_state(legacy=False)["state"]["key"])),
        "numpy errors": str(np.geterr()),
        "numpy printing": str(np.get_printoptions()),
        "torch random": digest(str(torch.get_rng_state().tolist())),
        "torch threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "torch seeds of GPUs": list(SOWN),
        "BLAS threads": sorted(
            [held["internal_api"], held["num_threads"]] for held in threadpoolctl.threadpool_info()
        ),
        "torch default type": str(torch.get_default_dtype()),
        "torch determinism": [torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled()],
    }


def digest(*words: str) -> str:
    """Return a short word for long ones."""
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def umask() -> int:
    """Return the umask; it can only be read by setting it."""
    held = os.umask(0)
    os.umask(held)
    return held


def handlers() -> dict[str, list[str]]:
    """Return the handlers of every logger but the root; a NullHandler is none."""
    found = {}
    for name, held in logging.root.manager.loggerDict.items():
        if isinstance(held, logging.Logger):
            kept = [str(handler) for handler in held.handlers if not isinstance(handler, logging.NullHandler)]
            told = ([str(held.level)] if held.level else []) + kept
            if told:
                found[name] = told
    return found


def children() -> list[str]:
    """Return the command lines of the processes that this one started."""
    tasks = Path("/proc/self/task").glob("*/children")
    numbers = [number for task in tasks for number in task.read_text().split()]
    return [Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ") for number in numbers]


def files() -> list[str]:
    """Return what is open, by name; pipes and devices have none that stays."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            name = os.readlink(entry)
        except OSError:
            continue
        if name.startswith("/") and not name.startswith(("/proc", "/dev")):
            found.append(name)
    return sorted(found)


def play_on_a_stage(host: Any, motion: Any) -> None:
    """Let a character play on a stage with threads."""
    from kinetoscope_stage import Library, Loop, Schedule, World
    from kinetoscope_stage.character import character

    world = World()
    character(world, motion.skeleton, clip=world.resource(Library).clip(motion)).spawn(world, 3)
    schedule = Schedule([host.provider("system", info.name) for info in host.providers("system")], threads=2)
    Loop(world, schedule).headless(3)
    schedule.close()


def mask_something(folder: Path, media: Any) -> None:
    """Make a quadmask of a film, edit it, and serve the page."""
    from kinetoscope_quadmask.hooks import MaskEditor, MaskPipeline, removed_mask
    from kinetoscope_quadmask.server import EditorServer
    from kinetoscope_quadmask.streams import blank

    film = media.open(folder / "film.mp4")
    editor = MaskEditor(blank(film))
    editor.brush(0, [(20, 10)], 5)
    made = MaskPipeline(media).run(film, folder=folder / "stages", mask=removed_mask(editor.quadmask()))
    with EditorServer(film, MaskEditor(made.quadmask), lambda _: None) as server:
        server.picture(0)


def use_everything(folder: Path) -> None:
    """Use detector, importer, feature, model, solver, renderer, media and voice of one host."""
    from kinetoscope import Host
    from kinetoscope.shot import film, settings
    from kinetoscope_spec import Script

    clip = folder / "walk"
    clip.write_bytes(b"# kinetoscope sample\nseconds = 2.0\n")
    with Host(trace=True) as host:
        host.load_all()
        noise = [random.Random(i).randbytes(2048) for i in range(24)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(host.detector().detect, noise))
        asset = host.open(clip)
        host.writer("bvh").write(asset, folder / "walk.bvh")
        motion = host.open(folder / "walk.bvh").motions[0]
        for info in host.providers("feature"):
            host.feature(info.name).compute(motion)
        rows = host.feature("locomotion").training_set([motion])
        for info in host.providers("model"):
            if info.name == "periodic-autoencoder":  # whose rows are windows, which these are not
                continue
            fitted = host.model(info.name).fit(rows, seed=1, budget={"steps": 1})
            fitted.save(folder / info.name)
            host.model(info.name).load(folder / info.name)
        host.provider("solver").plant(asset.motions[0])
        play_on_a_stage(host, motion)
        shown, character = film.stand_in(asset, 0)
        output = settings.Output(file="film.mp4", size=(64, 36), framerate=30.0, quality="draft")
        views = film.cameras(settings.Camera(), shown, None)[:4]
        drawn = film.draw(host.renderer(), output, settings.Light(), character, shown.slice(0, 4), views)
        media = host.provider("media")
        media.write(folder / "film.mp4", drawn, rate=30)
        frames = list(media.open(folder / "film.mp4").frames())
        media.write_image(folder / "frame.png", frames[0])
        said = host.voice("espeak").speak(Script.of("[whispers] Hello. *There* you are."))
        host.write_audio(folder / "said.flac", said)
        host.provider("watermarker").verify(said)
        host.provider("aligner").align(said, Script.of("[whispers] Hello. *There* you are."))
        mask_something(folder, media)
        host.explain("importer", clip)
        host.diagnostics()


def used() -> dict[str, int]:
    """Use everything; return how many threads (those of libraries, too) and files are there afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        use_everything(Path(folder))
    gc.collect()
    return {name: len(os.listdir(f"/proc/self/{name}")) for name in ("task", "fd")}


def main() -> None:
    """Use everything twice: the pools that libraries start on first use are there once, not per host."""
    for name in OTHERS:
        import_module(name)
    sys.modules["torch"].cuda.manual_seed_all = SOWN.append
    before = snapshot()
    first, second = used(), used()
    after = {**snapshot(), "threads of libraries": second["task"], "descriptors": second["fd"]}
    before |= {"threads of libraries": first["task"], "descriptors": first["fd"]}
    changed = {topic: [held, after[topic]] for topic, held in before.items() if after[topic] != held}
    sys.stdout.write(json.dumps({"changed": changed, "topics": list(before)}))


if __name__ == "__main__":
    main()

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
    "fast_simplification",
    "jax",
    "scipy.linalg",
    "scipy.optimize",
    "scipy.sparse.linalg",
    "torch._dynamo",
    "lightning_fabric",
    "magika",
    "numba",
    "numba.np.ufunc.omppool",
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


def remove_and_cover(host: Any) -> None:
    """Take something out of a plate, find how its camera turned, and put something else over it."""
    import numpy as np

    from kinetoscope_composite.hooks import Layer
    from kinetoscope_spec import Mask, Video

    wall = np.kron(np.random.default_rng(0).integers(0, 255, (20, 40, 3)), np.ones((6, 6, 1)))
    plate = Video.from_frames(
        np.stack([wall[:96, 2 * i : 2 * i + 160] for i in range(6)]).astype(np.uint8), 25
    )
    covered = np.zeros((6, 96, 160), np.uint8)
    covered[:, 40:50, 60:80] = 255
    clean = host.inpainter("propagate").inpaint(plate, Mask.from_frames(covered, 25))
    compositor = host.provider("compositor")
    compositor.solve(clean)
    layer = Layer(np.full((96, 160, 3), 0.1), np.full((96, 160), 0.5))
    list(compositor.composite(clean, [layer] * 6).frames())


def windows() -> Any:
    """Return windows of two waves, five frames each, to be learned from as they are."""
    import numpy as np

    from kinetoscope_spec import Column, TrainingSet

    waves = np.sin(np.arange(60)[:, None] * (0.3, 0.5))
    rows = np.stack([waves[i : i + 5].ravel() for i in range(56)])
    columns = [Column(name, offset=i / 30) for i in range(-2, 3) for name in ("a", "b")]
    schema = TrainingSet.measured(columns, rows)
    return TrainingSet(rows, rows, schema, schema)


def use_everything(folder: Path) -> None:
    """Use detector, importer, feature, model, solver, renderer, media, inpainter, compositor and voice of one host."""
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
            # What periodic autoencoders learn from are windows of a curve.
            given = windows() if info.name.startswith("periodic") else rows
            fitted = host.model(info.name).fit(given, seed=1, budget={"steps": 1})
            fitted.save(folder / info.name)
            host.model(info.name).load(folder / info.name)
        host.provider("solver").plant(asset.motions[0])
        play_on_a_stage(host, motion)
        shown, character = film.stand_in(asset, 0)
        output = settings.Output(file="film.mp4", size=(64, 36), framerate=30.0, quality="draft")
        views = film.cameras(settings.Camera(), shown, None)[:4]
        media = host.provider("media")
        for info in host.providers("renderer"):
            renderer = host.renderer(info.name)
            drawn = film.draw(renderer, output, settings.Light(), character, shown.slice(0, 4), views)
            media.write(folder / "film.mp4", drawn, rate=30)
        remove_and_cover(host)
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

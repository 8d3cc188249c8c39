"""From BVH text to shuffled float32 batches, in frames a second, with its parts; one process.

The locomotion example of the field: 22 joints, 264 inputs (positions, rotations and velocities), 1,212
outputs (six future poses, and where the root will be and face then), mirrored at random, the root
smoothed; on ten minutes of clips made here. The peer of each part is the plain NumPy version of the same
formulas, in the same run.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_features import assemble, fused
from kinetoscope_features.build import build
from kinetoscope_features.recipe import recipe_of
from kinetoscope_features.sources import Clips, Source, source_of
from kinetoscope_features.store import TrainingStore
from kinetoscope_spec import Asset, Motion, Skeleton, rotation

kinetoscope = pytest.importorskip("kinetoscope", reason="the host reads the BVH files")
pytestmark = pytest.mark.bench

CLIPS, FRAMES, FRAMERATE = 10, 1800, 30.0
HOURS = 20
AHEAD = [round(0.1 * i, 1) for i in range(1, 7)]
RECIPE = recipe_of(
    {
        "mirror": True,
        "framerate": FRAMERATE,
        "inputs": [{"feature": f"joint-{what}"} for what in ("positions", "rotations", "velocities")],
        "outputs": [
            {"feature": "joint-positions", "offsets_s": AHEAD},
            {"feature": "joint-rotations", "offsets_s": AHEAD},
            {"feature": "trajectory-window", "options": {"offsets_s": AHEAD}},
        ],
    }
)
CENTRE = [("Hips", -1, (0, 0.95, 0)), ("Spine", 0, (0, 0.12, 0)), ("Spine1", 1, (0, 0.12, 0)),
          ("Spine2", 2, (0, 0.12, 0)), ("Neck", 3, (0, 0.14, 0)), ("Head", 4, (0, 0.1, 0))]  # fmt: skip
LIMBS = {"UpLeg": ("Hips", (0.1, -0.05, 0)), "Leg": (None, (0, -0.42, 0)), "Foot": (None, (0, -0.4, 0)),
         "ToeBase": (None, (0, -0.06, 0.14)), "Shoulder": ("Spine2", (0.06, 0.1, 0)),
         "Arm": (None, (0.12, 0, 0)), "ForeArm": (None, (0.28, 0, 0)), "Hand": (None, (0.25, 0, 0))}  # fmt: skip


def body() -> Skeleton:
    joints: list[tuple[str, int, tuple[float, float, float]]] = list(CENTRE)
    place = {name: i for i, (name, _, _) in enumerate(joints)}
    for side, sign in (("Left", 1), ("Right", -1)):
        for limb, (above, (x, y, z)) in LIMBS.items():
            joints.append((f"{side}{limb}", place[above] if above else len(joints) - 1, (sign * x, y, z)))
    names, parents, offsets = zip(*joints, strict=True)
    return Skeleton(names, parents, np.array(offsets, float))


def walk(seed: int) -> Motion:
    random, skeleton = np.random.default_rng(seed), body()
    t = np.arange(FRAMES) / FRAMERATE
    shape = (1, len(skeleton), 3)
    size, pace = random.uniform(0, 0.3, shape), random.uniform(0.5, 1.5, shape)
    phase = random.uniform(0, 6, shape)
    swing = size * np.sin(2 * np.pi * pace * t[:, None, None] + phase)
    positions = np.repeat(skeleton.rest_positions[None], FRAMES, axis=0)
    positions[:, 0, 2] += 1.2 * t
    return Motion(
        skeleton, positions, rotation.from_rotation_vector(swing), FRAMERATE, name=f"walk_{seed:03}"
    )


def written(host: Any, clip: Motion, path: Path) -> None:
    """Write a clip as BVH with six decimals, as mocap comes; in full, numbers of 17 digits are slower."""
    host.writer("bvh").write(Asset(clip.name, clip.skeleton, (clip,)), path)
    text = re.sub(r"-?\d+\.\d{7,}", lambda found: f"{float(found[0]):.6f}", path.read_text())
    path.write_text(text)


def said(benchmark: Any, frames: int, peer: str | None = None) -> None:
    """Note the rate, and how long twenty hours would take at it."""
    rate = frames / benchmark.stats.stats.min
    hours = HOURS * 3600 * FRAMERATE / rate
    benchmark.extra_info |= {
        "value": rate,
        "unit": "frames/s",
        "peer_test": peer,
        "note": f"{hours:.0f} s for {HOURS} h at {FRAMERATE:g} Hz, {2 * hours:.0f} s at twice that, one process",
    }


@pytest.fixture(scope="module")
def host() -> Any:
    with kinetoscope.Host() as held:
        yield held


@pytest.fixture(scope="module")
def files(host: Any, tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("clips")
    for seed in range(CLIPS):
        clip = walk(seed)
        written(host, clip, folder / f"{clip.name}.bvh")
    return folder


def everything(source: Source, out: Path, host: Any) -> int:
    """Build a training set anew and read every window once; return how many there were."""
    shutil.rmtree(out, ignore_errors=True)
    report = build(source, out, RECIPE, host.feature)
    assert report.columns == (264, 1212)
    store = TrainingStore(out)
    seen = sum(len(inputs) for inputs, _ in store.batches(32, normalised=True))
    seen += sum(len(inputs) for inputs, _ in store.batches(32, normalised=True, training=False))
    assert seen == report.windows
    return seen


@pytest.fixture(params=["compiled", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether this plugin computes by compiled code, or by the formulas in plain NumPy."""
    if request.param == "plain":
        monkeypatch.setattr(fused, "available", lambda: False)
        monkeypatch.setattr(assemble, "_compiled", lambda: None)
    return str(request.param)


def test_text_to_batches(benchmark: Any, host: Any, files: Path, tmp_path: Path, way: str) -> None:
    source = source_of(str(files), host)
    benchmark.pedantic(everything, args=(source, tmp_path / "set", host), rounds=5, warmup_rounds=2)
    said(benchmark, CLIPS * FRAMES, "test_text_to_batches[plain]" if way == "compiled" else None)


def test_import(benchmark: Any, host: Any, files: Path) -> None:
    source = source_of(str(files), host)
    benchmark.pedantic(lambda: [source.read(i) for i in range(CLIPS)], rounds=3, warmup_rounds=1)
    said(benchmark, CLIPS * FRAMES)


@pytest.fixture(scope="module")
def clips() -> list[Motion]:
    return [walk(seed) for seed in range(CLIPS)]


def test_store(benchmark: Any, host: Any, clips: list[Motion], tmp_path: Path, way: str) -> None:
    def store() -> None:
        shutil.rmtree(tmp_path / "set", ignore_errors=True)
        build(Clips(clips), tmp_path / "set", RECIPE, host.feature)

    benchmark.pedantic(store, rounds=5, warmup_rounds=2)
    said(benchmark, CLIPS * FRAMES, "test_store[plain]" if way == "compiled" else None)


def test_assemble(benchmark: Any, host: Any, clips: list[Motion], tmp_path: Path, way: str) -> None:
    build(Clips(clips), tmp_path / "set", RECIPE, host.feature)
    store = TrainingStore(tmp_path / "set")
    order, flags = store.order()

    def read() -> None:
        for start in range(0, len(order), 4096):
            stop = start + 4096
            store.windows(order[start:stop], mirrored=flags[start:stop], normalised=True)

    benchmark.pedantic(read, rounds=5, warmup_rounds=1)
    said(benchmark, len(order), "test_assemble[plain]" if way == "compiled" else None)

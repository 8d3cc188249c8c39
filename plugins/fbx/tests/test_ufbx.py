"""Global transforms against ufbx, a reader in C that shares nothing with ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fbx_scenes import (
    AUTO,
    BREAK,
    CLAMP,
    CLAMP_PROGRESSIVE,
    CONSTANT,
    CUBIC,
    LINEAR,
    NEXT,
    TCB,
    TIME_INDEPENDENT,
    USER,
    WEIGHTED_NEXT_LEFT,
    WEIGHTED_RIGHT,
    Key,
    Scene,
)
from ufbx_answers import ask, moments, worst

from kinetoscope_fbx.importer import FbxImporter

pytest.importorskip("ufbx", reason="the oracle ufbx has no wheel for this platform")

DATA = Path(os.environ.get("KINETOSCOPE_DATA", ""))
FILES = sorted([*DATA.glob("fbx/*.fbx"), *DATA.glob("characters/*.fbx")])
TOLERANCE = 1e-5


@pytest.mark.realdata
@pytest.mark.skipif(not FILES, reason="KINETOSCOPE_DATA is not set, or has no folders fbx and characters")
def test_every_node_of_every_file_stands_where_ufbx_has_it() -> None:
    assets = {path: FbxImporter().read(path) for path in FILES}
    asked = [(path, *moment) for path, asset in assets.items() for moment in moments(asset)]
    said = ask([[str(path), number, times] for path, number, _, times in asked])
    for (path, number, frames, _), answer in zip(asked, said, strict=True):
        assert worst(assets[path], number, frames, answer) < TOLERANCE, (path.name, number)


def random_keys(random: np.random.Generator, size: float) -> list[Key]:
    count = int(random.integers(2, 6))
    times = np.cumsum(random.uniform(0.1, 0.6, count))
    keys = []
    for time in times:
        kinds = ["constant", "linear", "user", "broken", "weighted", "auto", "free", "clamped", "tcb", "next"]
        # A repetition may end on the very first key, and rounding decides there whether "next" has begun.
        kind = random.choice(kinds[: len(kinds) if keys else -1])
        flags = {
            "constant": CONSTANT, "next": CONSTANT | NEXT, "linear": LINEAR, "user": CUBIC | USER,
            "broken": CUBIC | USER | BREAK, "auto": CUBIC | AUTO, "free": CUBIC | AUTO | TIME_INDEPENDENT,
            "clamped": CUBIC | AUTO | CLAMP | CLAMP_PROGRESSIVE, "tcb": CUBIC | TCB,
            "weighted": CUBIC | USER | BREAK | WEIGHTED_RIGHT | WEIGHTED_NEXT_LEFT,
        }[str(kind)]  # fmt: skip
        slopes = random.uniform(-3, 3, 2) * size
        weights = tuple(random.uniform(0.05, 0.95, 2)) if kind == "weighted" else (1 / 3, 1 / 3)
        bias = None
        if kind == "tcb":
            *slopes, bias = random.uniform(-1, 1, 3).tolist()
        keys.append(Key(float(time), float(random.uniform(-size, size)), flags, list(slopes), weights, bias))
    return keys


def random_scene(random: np.random.Generator, *, inherit: tuple[int, ...], uneven: bool) -> Scene:
    """Return nodes in a random tree, with pivots, orders and curves of every kind."""
    scene = Scene(TimeMode=3, UnitScaleFactor=float(random.choice([1.0, 2.54, 100.0])))
    vector = lambda size: tuple(float(v) for v in random.uniform(-size, size, 3))  # noqa: E731
    ids = []
    for i in range(int(random.integers(2, 7))):
        parent = int(random.choice([0, *ids])) if ids else 0
        given: dict[str, Any] = {"InheritType": int(random.choice(inherit)), "RotationActive": 1}
        given["RotationOrder"] = int(random.integers(0, 6))
        for name, size in (
            ("Lcl_Translation", 10.0), ("Lcl_Rotation", 180.0), ("PreRotation", 180.0), ("PostRotation", 180.0),
            ("RotationPivot", 5.0), ("RotationOffset", 5.0), ("ScalingPivot", 5.0), ("ScalingOffset", 5.0),
        ):  # fmt: skip
            if random.random() < 0.6:
                given[name] = vector(size)
        if random.random() < 0.5:
            even = not uneven or random.random() < 0.5
            given["Lcl_Scaling"] = (
                (float(random.uniform(0.5, 2)),) * 3 if even else tuple(map(float, random.uniform(0.4, 2, 3)))
            )
        ids.append(scene.node(f"node{i}", parent, **given))
    layer = scene.layer(scene.stack("clip", 0.0, 3.0))
    for held in ids:
        for prop, size in (("Lcl Translation", 10.0), ("Lcl Rotation", 120.0)):
            if random.random() < 0.5:
                channel = scene.channel(layer, held, prop, **dict(zip("XYZ", vector(size), strict=True)))
                for axis in "XYZ":
                    if random.random() < 0.7:
                        ends = [
                            str(random.choice(["", "C", "R2", "R", "M", "M3", "K", "A", "A2"]))
                            for _ in range(2)
                        ]
                        scene.curve(channel, axis, random_keys(random, size), *ends)
    return scene


# ufbx simplifies what uneven scales do through the two other ways to inherit them: `test_transforms.py`
# compares those with the formula of the FBX SDK.
@pytest.mark.parametrize(("inherit", "uneven"), [((1,), True), ((0, 1, 2), False)], ids=["uneven", "even"])
def test_generated_scenes_are_baked_as_ufbx_evaluates_them(
    tmp_path: Path, inherit: tuple[int, ...], uneven: bool
) -> None:
    random = np.random.default_rng(20_26)
    assets, jobs = [], []
    for i in range(40):
        scene = random_scene(random, inherit=inherit, uneven=uneven)
        path = tmp_path / f"{i}.fbx"
        forms = (
            scene.text,
            scene.binary,
            lambda scene=scene: scene.binary(7500),
            lambda scene=scene: scene.binary(7400, big_endian=True),
        )
        path.write_bytes(forms[i % 4]())
        asset = FbxImporter().read(path)
        ((number, frames, times),) = moments(asset)
        assets.append((asset, number, frames))
        jobs.append([str(path), number, times])
    for i, ((asset, number, frames), said) in enumerate(zip(assets, ask(jobs), strict=True)):
        assert worst(asset, number, frames, said) < TOLERANCE, f"scene {i}"

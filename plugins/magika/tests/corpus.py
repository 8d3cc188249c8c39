"""The recipe of the mixed corpus that the benchmark and its peers detect: made here, and of this Python.

A tenth is BVH, another tenth GLB, FBX, safetensors, NPY and NPZ together: what a folder of a project
with characters holds beside its code, pictures, notes and programs.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import sysconfig
from itertools import islice
from pathlib import Path

import numpy as np

__all__ = ["SHARES", "make"]

SHARES = {
    "bvh": 10,
    "glb": 3,
    "fbx": 2,
    "safetensors": 1,
    "npy": 2,
    "npz": 2,
    "python": 50,
    "compiled": 7,
    "native": 7,
    "text": 16,
}
"""Per cent of each kind."""


def make(folder: Path, count: int) -> list[Path]:
    """Write the files that are made, choose those that are there, and return all, well mixed."""
    paths: list[Path] = []
    for kind, share in SHARES.items():
        wanted = count * share // 100
        if kind in MADE:
            for i in range(wanted):
                path = folder / f"{i}.{kind}"
                path.write_bytes(MADE[kind](np.random.default_rng(i)))
                paths.append(path)
        else:
            found = sorted(_there(kind))
            paths += found[:: max(1, len(found) // wanted)][:wanted]
    np.random.default_rng(0).shuffle(paths)  # type: ignore[arg-type]
    return paths


def _there(kind: str) -> list[Path]:
    """Files of this Python's own library and installation."""
    roots = [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))]
    suffixes = {
        "python": {".py"},
        "compiled": {".pyc"},
        "native": {".so"},
        "text": {".txt", ".json", ".md", ".toml", ".rst", ""},
    }
    files = (p for root in roots for p in root.rglob("*") if p.suffix in suffixes[kind] and p.is_file())
    return list(islice((p for p in files if p.stat().st_size > 0), 8000))


def _bvh(rng: np.random.Generator) -> bytes:
    joints = "".join(
        f"JOINT j{i}\n{{\nOFFSET 0 {i} 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n" for i in range(20)
    )
    rows = "\n".join(" ".join(f"{v:.6f}" for v in row) for row in rng.uniform(-180, 180, (60, 66)))
    head = "HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
    return f"{head}{joints}{'}' * 21}\nMOTION\nFrames: 60\nFrame Time: 0.0333333\n{rows}\n".encode()


def _glb(rng: np.random.Generator) -> bytes:
    text = json.dumps({"asset": {"version": "2.0"}, "buffers": [{"byteLength": 4096}]}).encode()
    text += b" " * (-len(text) % 4)
    chunks = (
        struct.pack("<I", len(text)) + b"JSON" + text + struct.pack("<I", 4096) + b"BIN\0" + rng.bytes(4096)
    )
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def _fbx(rng: np.random.Generator) -> bytes:
    return b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400) + rng.bytes(9000)


def _safetensors(rng: np.random.Generator) -> bytes:
    text = json.dumps({"w": {"dtype": "F32", "shape": [1024], "data_offsets": [0, 4096]}}).encode()
    return struct.pack("<Q", len(text)) + text + rng.bytes(4096)


def _npy(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    np.save(stream, rng.normal(size=(60, 22, 3)))
    return stream.getvalue()


def _npz(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, poses=rng.normal(size=(60, 66)), rate=np.array(30.0))
    return stream.getvalue()


MADE = {"bvh": _bvh, "glb": _glb, "fbx": _fbx, "safetensors": _safetensors, "npy": _npy, "npz": _npz}

if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print("\n".join(map(str, make(Path(sys.argv[1]), int(sys.argv[2])))))

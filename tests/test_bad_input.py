"""Every importer, and the host in front of them: whatever the file, a clear error in bounded memory."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pytest

from kinetoscope import Host
from kinetoscope_spec import Asset, FormatError, Motion, Skeleton, rotation

PEAK_BYTES = 200 << 20
IMPORTERS = ("asf", "bvh", "c3d", "fbx", "glb", "npz", "samples", "usd")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host()


def good(name: str, path: Path, host: Host) -> None:
    """Write a valid file for the importer."""
    if name == "samples":
        from kinetoscope_samples.recipes import write_mocap

        write_mocap(path.parent, names=("walk-straight",))[0].rename(path)
        return
    info = next(info for info in host.providers("importer") if info.name == name)
    if not info.provider.writes:
        contract = resolve_name(info.provider.contract)
        path.write_bytes(next(sample.data for sample in contract.samples if not sample.files))
        return
    skeleton = Skeleton(["Hips", "Head"], [-1, 0], np.array([[0, 1.0, 0], [0, 0.7, 0]]))
    positions = np.repeat(skeleton.rest_positions[None], 20, axis=0)
    motion = Motion(skeleton, positions, rotation.identity(np.zeros((20, 2, 4))), 30.0)
    written = path.with_suffix(f".{info.provider.signatures[0].extensions[0]}")
    host.importer(name).write(Asset("a", skeleton, (motion,)), written)  # type: ignore[attr-defined]
    written.rename(path)


def make(kind: str, name: str, path: Path, host: Host) -> None:
    match kind:
        case "empty":
            path.touch()
        case "random bytes":
            path.write_bytes(np.random.default_rng(0).bytes(100_000))
        case "folder":
            path.mkdir()
        case "sparse":
            with path.open("wb") as file:
                file.truncate(10 * 2**30)
        case "sparse behind a good head":
            good(name, path, host)
            os.truncate(path, 10 * 2**30)
        case "a million braces":
            path.write_text("{" * 1_000_000)
        case "a million braces behind a good head":
            good(name, path, host)
            path.write_bytes(path.read_bytes().splitlines(keepends=True)[0][:64] + b"{" * 1_000_000)
        case "truncated":
            good(name, path, host)
            path.write_bytes(path.read_bytes()[:-40])
        case "missing":
            pass


KINDS = (
    "empty", "random bytes", "folder", "sparse", "sparse behind a good head", "a million braces",
    "a million braces behind a good head", "missing",
)  # fmt: skip


@pytest.mark.parametrize("name", IMPORTERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("through", ["importer", "host"])
def test_a_bad_file_is_refused_by_name(
    host: Host, tmp_path: Path, name: str, kind: str, through: str
) -> None:
    path = tmp_path / "some.file"
    make(kind, name, path, host)
    before = sorted(tmp_path.rglob("*"))
    tracemalloc.start()
    try:
        with pytest.raises((FormatError, OSError), match=r"some\.file"):
            host.importer(name).read(path) if through == "importer" else host.open(path)
        assert tracemalloc.get_traced_memory()[1] < PEAK_BYTES
    finally:
        tracemalloc.stop()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_truncated_clip_says_so(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "some.file"
    make("truncated", "bvh", path, host)
    assert any("20" in warning for warning in host.importer("bvh").read(path).warnings)


def test_every_importer_is_here(host: Host) -> None:
    assert {info.name for info in host.providers("importer")} == set(IMPORTERS)

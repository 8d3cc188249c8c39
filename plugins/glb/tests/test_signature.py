"""How glTF files are known by their bytes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from typing import Any

import pluggy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kinetoscope_glb
from kinetoscope_glb.signature import is_glb, is_gltf
from kinetoscope_spec import hooks

GLB = b"glTF\x02\0\0\0\x40\0\0\0\x10\0\0\0JSON{"
V2: dict[str, Any] = {"asset": {"version": "2.0"}}
SCENE = {"scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"name": "a"}]}


def seen(data: bytes) -> tuple[bytes, bytes, int]:
    return data[:4096], data[-4096:], len(data)


def test_the_provider() -> None:
    (provider,) = kinetoscope_glb.providers()
    assert (provider.name, provider.reads, provider.writes) == ("glb", ("glb", "gltf"), ("glb", "gltf"))
    assert [signature.extensions for signature in provider.signatures] == [("glb",), ("gltf",)]


def test_the_hook_is_found_before_and_after_the_submodule_is_imported() -> None:
    importlib.import_module("kinetoscope_glb.importer")
    manager = pluggy.PluginManager("kinetoscope")
    manager.add_hookspecs(hooks)
    manager.register(kinetoscope_glb)
    manager.check_pending()
    assert [provider.name for found in manager.hook.importer() for provider in found] == ["glb"]


@pytest.mark.parametrize("data", [GLB, GLB + bytes(5000), b"glTF\x01\0\0\0" + bytes(12)])
def test_what_is_a_glb(data: bytes) -> None:
    assert is_glb(*seen(data))


@pytest.mark.parametrize(
    "data",
    [b"", b"glTF", b"glTF is a format of Khronos", GLB.replace(b"\2", b"\7"), GLB.replace(b"JSON", b"BIN\0")],
)
def test_what_is_no_glb(data: bytes) -> None:
    assert not is_glb(*seen(data))


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(V2).encode(),
        json.dumps(V2 | SCENE, indent=2).encode(),
        json.dumps(SCENE | V2).encode(),
        b"\xef\xbb\xbf \n" + json.dumps(V2 | SCENE).encode(),
        json.dumps(V2 | SCENE | {"nodes": [{"name": f"node {i}"} for i in range(1000)]}).encode(),
        json.dumps(SCENE | {"nodes": [{"name": f"node {i}"} for i in range(1000)]} | V2).encode(),
        json.dumps({"asset": {"generator": "x", "copyright": "y", "version": "2.0"}} | SCENE).encode(),
        json.dumps({"asset": {"version": "1.0"}} | {"nodes": {}, "scene": "s", "meshes": {}}).encode(),
    ],
)
def test_what_is_a_gltf(data: bytes) -> None:
    assert is_gltf(*seen(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"version": "2.0"}',
        b'{"asset": "version 2.0"}',
        b'{"asset": {"version": 2}}',
        b'{"asset": {"version": "5.1"}}',
        b'["asset", {"version": "2.0"}]',
        b'x{"asset": {"version": "2.0"}}',
        json.dumps({"asset": {"version": "2.0"}, "licence": "x" * 10_000, "colour": "red"}).encode(),
        json.dumps(V2).encode("utf-16"),
    ],
)
def test_what_is_no_gltf(data: bytes) -> None:
    assert not is_gltf(*seen(data))


@given(st.binary(max_size=4096), st.binary(max_size=64), st.integers(0))
@settings(deadline=None)
def test_any_bytes_are_answered(head: bytes, tail: bytes, size: int) -> None:
    for rule in (is_glb, is_gltf):
        assert rule(head, tail, size) in (True, False)
    assert is_glb(GLB + head, tail, size)


@pytest.mark.parametrize(
    "part", [b'"asset":{', b'"asset":{"version":', b'"asset": {"version" : "2.', b"{", b" ", b'"nodes":[']
)
def test_hostile_heads_cost_little(part: bytes) -> None:
    head = (b"{" + part * 4096)[:4096]
    for _ in range(100):
        is_gltf(head, head, 10**9)


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, kinetoscope_glb, kinetoscope_glb.signature; kinetoscope_glb.providers();"
        "print({'numpy', 'PIL', 'DracoPy', 'meshoptimizer', 'scipy', 'kinetoscope'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

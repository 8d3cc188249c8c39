"""How a BVH file is known by its bytes."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pluggy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kinetoscope_bvh
from kinetoscope_bvh.signature import is_bvh
from kinetoscope_spec import hooks

HEAD = b"HIERARCHY\nROOT Hips\n{\n\tOFFSET 0 0 0\n\tCHANNELS 3 Xposition Yposition Zposition\n"


def test_the_provider() -> None:
    (provider,) = kinetoscope_bvh.providers()
    assert (provider.name, provider.reads, provider.writes) == ("bvh", ("bvh",), ("bvh",))
    assert provider.signatures[0].extensions == ("bvh",)


def test_the_hook_is_found_before_and_after_the_submodule_is_imported() -> None:
    importlib.import_module("kinetoscope_bvh.importer")
    manager = pluggy.PluginManager("kinetoscope")
    manager.add_hookspecs(hooks)
    manager.register(kinetoscope_bvh)
    manager.check_pending()
    assert [provider.name for found in manager.hook.importer() for provider in found] == ["bvh"]


@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        b"\xef\xbb\xbf" + HEAD,
        b" \r\n\t\n" + HEAD,
        HEAD.replace(b"\n", b"\r\n"),
        HEAD.replace(b"\n", b"\r"),
        HEAD.replace(b"Hips\n{", b"left hip{"),
        HEAD.replace(b"OFFSET 0 0 0\n\t", b""),
        HEAD.lower(),
    ],
)
def test_what_is_one(head: bytes) -> None:
    assert is_bvh(head, head, len(head))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HIERARCHY",
        b"HIERARCHY\n",
        b"HIERARCHYX\nROOT a { OFFSET",
        b"The HIERARCHY\nROOT a { OFFSET 0",
        b"HIERARCHY of needs\nROOT a { OFFSET 0",
        b"HIERARCHY\nJOINT a { OFFSET 0",
        b"HIERARCHY\nROOT {\nOFFSET 0",
        b"HIERARCHY\nROOT a\nOFFSET 0",
        b"HIERARCHY\nROOT a\n{\nOFFSETS 0",
        b"\x7fELF" + HEAD,
        HEAD.decode().encode("utf-16"),
        b"HIERARCHY\nROOT " + b" " * 4000,
        b"HIERARCHY\nROOT a" + b" " * 4000,
    ],
)
def test_what_is_none(head: bytes) -> None:
    assert not is_bvh(head, head, len(head))


@given(st.binary(max_size=4096), st.binary(max_size=64), st.integers(0))
def test_any_bytes_are_answered(head: bytes, tail: bytes, size: int) -> None:
    assert is_bvh(head, tail, size) in (True, False)
    assert is_bvh(HEAD + head, tail, size)


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, kinetoscope_bvh, kinetoscope_bvh.signature; kinetoscope_bvh.providers();"
        "print({'numpy', 'numba', 'scipy', 'torch', 'kinetoscope'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

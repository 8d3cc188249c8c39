"""How an FBX file is known by its bytes."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pluggy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kinetoscope_fbx
from kinetoscope_fbx.signature import is_ascii_fbx, starts_as_fbx
from kinetoscope_spec import hooks

HEAD = b"; FBX 7.4.0 project file\n; ---\n\nFBXHeaderExtension:  {\n\tFBXVersion: 7400\n}\n"


def test_the_provider() -> None:
    (provider,) = kinetoscope_fbx.providers()
    assert (provider.name, provider.reads, provider.writes) == ("fbx", ("fbx",), ())


def test_the_hook_is_found_before_and_after_the_submodule_is_imported() -> None:
    importlib.import_module("kinetoscope_fbx.importer")
    manager = pluggy.PluginManager("kinetoscope")
    manager.add_hookspecs(hooks)
    manager.register(kinetoscope_fbx)
    manager.check_pending()
    assert [provider.name for found in manager.hook.importer() for provider in found] == ["fbx"]


@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        b"\xef\xbb\xbf" + HEAD,
        b"\r\n " + HEAD.replace(b"\n", b"\r\n"),
        b"; made by hand\n" + HEAD,
        HEAD.partition(b"\n\n")[2],
    ],
)
def test_what_is_one(head: bytes) -> None:
    assert is_ascii_fbx(head, head, len(head))
    assert starts_as_fbx(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"; a comment\n",
        b"; FBX is a format of Autodesk's\n",
        b"To read text files begin with\n" + HEAD,
        b"data = b'" + HEAD,
        b"FBXHeaderExtension is a record\n; FBX 7.4.0 project file",
        b"{" + HEAD,
        b";" * 4096,
        b" " * 4096,
    ],
)
def test_what_is_none(head: bytes) -> None:
    assert not is_ascii_fbx(head, head, len(head))


@given(head=st.binary(max_size=200))
def test_any_bytes_give_an_answer(head: bytes) -> None:
    assert is_ascii_fbx(head, head, len(head)) in (True, False)


def test_knowing_a_file_loads_no_reader() -> None:
    code = (
        "import sys; from kinetoscope_fbx import providers; [p.signatures for p in providers()]; "
        "sys.exit('kinetoscope_fbx._read' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

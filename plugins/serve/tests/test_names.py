"""Names of uploads."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_serve.limits import Refused
from kinetoscope_serve.names import checked


@pytest.mark.parametrize(
    "name", ["walk.bvh", "clips/walk 1.bvh", "a/b/c/d.txt", "Gänge/Läufe (2).bvh", "7.mp4"]
)
def test_plain_names_are_kept(name: str) -> None:
    assert str(checked(name)) == name


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../a", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", ".hidden", "a/.hidden", "a\\b", "C:x",
        "C:\\x", "\\\\host\\x", "a\0b", "a\nb", "a:b", "a*", "a?", "nul", "CON.txt", "com1.bvh", "end.", "end ",
        "a/b/c/d/e", "x" * 101, "ä" * 60, "samples/walk.bvh", "Samples", "-rf", "_x", "~/x", "%2e%2e", "a|b", "a\u202eb",
    ],
)  # fmt: skip
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(Refused, match=r"name for an upload|service's own"):
        checked(name)


@given(
    st.text(max_size=40) | st.lists(st.sampled_from([".", "/", "\\", "a", ":", " ", "..", "\0"])).map("".join)
)
def test_what_is_taken_stays_below_the_folder(name: str) -> None:
    try:
        path = checked(name)
    except Refused:
        return
    folder = Path("/jobs/in")
    assert folder in (folder / path).resolve().parents
    assert not PurePosixPath(path).is_absolute()
    assert PureWindowsPath(str(path)).drive == PureWindowsPath(str(path)).root == ""
    assert ".." not in PureWindowsPath(str(path)).parts

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope import _cache, discovery
from kinetoscope.discovery import Entry, is_used, scan


def ours(entries):
    return [entry for entry in entries if entry.distribution.startswith("acme")]


def test_names_hooks_distributions_and_versions_are_known_without_import(shelf):
    shelf.provide("acme-anim", "importer", "acme", version="2.5")
    [entry] = ours(discovery.entries())
    assert entry == Entry("kinetoscope.importer", "acme", "acme_anim_importer_acme", "acme-anim", "2.5")
    assert entry.hook == "importer"
    assert shelf.imported() == []


def test_it_finds_what_the_standard_library_finds(shelf):
    shelf.provide("acme-one", "importer", "one")
    shelf.provide("acme-two", "voice", "two")
    # The oracle is importlib.metadata over the same sys.path, the installed plugins included.
    theirs = {
        (point.group, point.name, point.value)
        for group in importlib.metadata.entry_points().groups
        if group == "kinetoscope" or group.startswith("kinetoscope.")
        for point in importlib.metadata.entry_points(group=group)
    }
    assert {(entry.group, entry.name, entry.value) for entry in scan().entries} == theirs


def test_the_first_folder_on_the_path_that_has_a_distribution_wins(shelf, tmp_path, monkeypatch):
    shelf.provide("acme-anim", "importer", "acme", version="1.0")
    second = type(shelf)(tmp_path / "second")
    second.folder.mkdir()
    second.provide("acme-anim", "importer", "acme", version="9.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(second.folder)])
    assert [entry.version for entry in ours(discovery.entries())] == ["1.0"]


def test_the_cache_is_used_and_a_new_distribution_ends_it(shelf, monkeypatch):
    shelf.provide("acme-one", "importer", "one")
    assert len(ours(discovery.entries())) == 1
    with monkeypatch.context() as patched:
        patched.setattr(_cache, "scan", lambda: pytest.fail("scanned although nothing had changed"))
        assert len(ours(discovery.entries())) == 1
    shelf.provide("acme-two", "importer", "two")
    assert len(ours(discovery.entries())) == 2


def test_entry_points_edited_in_place_are_noticed(shelf):
    shelf.provide("acme-one", "importer", "one")
    assert [entry.name for entry in ours(discovery.entries())] == ["one"]
    points = shelf.folder / "acme_one-1.2.dist-info" / "entry_points.txt"
    points.write_text(points.read_text().replace("one =", "uno ="))
    os.utime(points, ns=(1, 1))
    assert [entry.name for entry in ours(discovery.entries())] == ["uno"]


@pytest.mark.parametrize(
    "held",
    [b"", b"{", b"[1]", b'{"a": 1}', b"\xff\xfe", b"[" * 100_000, b'[{"key": [[1], [2]]}]', b"null"],
)
def test_a_cache_that_is_anything_else_is_scanned_anew(shelf, held):
    shelf.provide("acme-one", "importer", "one")
    file = Path(os.environ["KINETOSCOPE_HOME"]) / "cache" / "discovery.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(held)
    assert len(ours(discovery.entries())) == 1
    assert len(json.loads(file.read_text())[0]["entries"]) >= 1


def test_a_cache_with_the_right_key_and_wrong_entries_is_scanned_anew(shelf):
    shelf.provide("acme-one", "importer", "one")
    discovery.entries()
    file = Path(os.environ["KINETOSCOPE_HOME"]) / "cache" / "discovery.json"
    held = json.loads(file.read_text())
    for wrong in ([[1, 2, 3, 4, 5, 6]], [["a"]], 7, [None]):
        held[0]["entries"] = wrong
        file.write_text(json.dumps(held))
        assert len(ours(discovery.entries())) == 1


def test_a_home_that_cannot_be_written_is_silent(shelf, tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("a file where a folder should be; root may write anywhere, so no permission is tried")
    monkeypatch.setenv("KINETOSCOPE_HOME", str(blocker / "home"))
    shelf.provide("acme-one", "importer", "one")
    assert len(ours(discovery.entries())) == 1
    assert len(ours(discovery.entries())) == 1


def test_the_cache_does_not_grow_with_environments(shelf, tmp_path, monkeypatch):
    for number in range(20):
        folder = tmp_path / f"path{number}"
        folder.mkdir()
        monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
        discovery.entries()
    file = Path(os.environ["KINETOSCOPE_HOME"]) / "cache" / "discovery.json"
    assert len(json.loads(file.read_text())) == _cache.KEPT
    assert [item.name for item in file.parent.iterdir()] == ["discovery.json"]


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [
        ("kinetoscope-spec>=0.1,<0.2", True),
        ("kinetoscope_spec (>=0.1)", True),
        ("Kinetoscope.Spec>=99", False),
        ("kinetoscope-spec>=99", False),
        ("kinetoscope-spec<0.1", False),
        ("kinetoscope-spec>=99; python_version < '3'", True),
        ("kinetoscope-spec[contracts]>=99; extra == 'test'", True),
        ("kinetoscope-specials>=99", True),
        ("kinetoscope-spec ~~ nonsense", True),
    ],
)
def test_the_specification_that_a_plugin_targets_is_read_from_its_requirements(shelf, requirement, fits):
    shelf.provide("acme-one", "importer", "one", requires=["numpy", requirement])
    [entry] = ours(discovery.entries())
    assert (entry.problem is None) == fits
    if not fits:
        assert ">=99" in entry.problem or "<0.1" in entry.problem


def test_metadata_that_is_missing_leaves_the_folder_name(shelf):
    shelf.provide("acme-one", "importer", "one", version="3.4")
    (shelf.folder / "acme_one-3.4.dist-info" / "METADATA").unlink()
    [entry] = ours(discovery.entries())
    assert (entry.distribution, entry.version) == ("acme-one", "3.4")


@given(
    block=st.lists(st.sampled_from(["bvh", "importer:bvh", "voice:bvh", "Acme_Anim", "acme.anim", "fbx"])),
    allow=st.none() | st.lists(st.sampled_from(["bvh", "importer:bvh", "voice:bvh", "ACME-anim", "fbx"])),
)
def test_block_beats_allow(block, allow):
    entry = Entry("kinetoscope.importer", "bvh", "m", "acme-anim", "1")
    naming = {"bvh", "importer:bvh", "Acme_Anim", "acme.anim", "ACME-anim"}
    expected = not naming & set(block) and (allow is None or bool(naming & set(allow)))
    assert is_used(entry, block=block, allow=allow) == expected

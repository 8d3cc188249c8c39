"""The detector is total, names nothing by its name, and never blocks."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pluggy
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kinetoscope_magika.detect import MagikaDetector
from kinetoscope_spec import ConfigError, Detection, Detector, Signature, hooks
from kinetoscope_spec.detection import MODES


def starts_as_bvh(head: bytes, tail: bytes, size: int) -> bool:
    words = head.split(None, 3)
    return len(words) > 2 and words[0].upper() == b"HIERARCHY" and words[1].upper() == b"ROOT"


BVH = Signature("bvh", "model/x-bvh", "animation", rule=starts_as_bvh, is_text=True)
WALK = b"HIERARCHY\nROOT Hips\n{\n\tOFFSET 0 0 0\n\tCHANNELS 3 Zrotation Xrotation Yrotation\n}\nMOTION\nFrames: 1\n"
ELF = Path(sys.executable).resolve().read_bytes()[:40_000]
SHELL = (
    b'#!/bin/bash\nset -e\nfor file in *.txt; do\n  rm -f "$file"\ndone\nexport PATH=/usr/bin\necho done\n'
    * 4
)


class Importers:
    """What a host hands to the detector."""

    def __init__(self, *signatures: Signature) -> None:
        self._signatures = signatures

    def provider(self, hook: str, name: str | None = None) -> object:
        raise AssertionError("the detector asks for no provider")

    def signatures(self) -> Sequence[Signature]:
        return self._signatures


DETECTOR = MagikaDetector(Importers(BVH))


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


def test_is_a_detector() -> None:
    assert isinstance(DETECTOR, Detector)


def test_entry_point_offers_the_provider_even_after_it_was_used() -> None:
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    (entry,) = entry_points(group="kinetoscope.detector", name="magika")
    manager.register(entry.load())
    manager.check_pending()
    ((provider, *_),) = manager.hook.detector()
    assert provider.name == "magika"
    assert provider.needs == ("signatures",)


def test_importing_is_light() -> None:
    heavy = ("numpy", "onnxruntime", "magika")
    code = (
        f"import sys, kinetoscope_magika as k; k.detector(); sys.exit(any(m in sys.modules for m in {heavy}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


edges = st.sampled_from([0, 1, 7, 8, 9, 1023, 1024, 1025, 2048, 4095, 4096, 4097, 9000])
some_bytes = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda n, b: (b * n)[:n], edges, st.binary(min_size=1, max_size=40)),
    st.builds(lambda n, b: b" " * n + b, edges, st.binary(max_size=60)),
    st.builds(
        lambda magic, rest: magic + rest,
        st.sampled_from(
            [
                b"glTF",
                b"\x93NUMPY",
                b"PK\x03\x04",
                b"Kaydara FBX Binary  \0\x1a",
                b"MZ",
                b"{",
                b"ply",
                b"RIFF",
            ]
        ),
        st.binary(max_size=80),
    ),
)


@settings(max_examples=120, deadline=None)
@given(data=some_bytes, mode=st.sampled_from(MODES))
@example(data=b"\0" * 1024, mode="high-confidence")
@example(data=b" " * 10_000, mode="high-confidence")
def test_any_bytes_have_an_answer(data: bytes, mode: str) -> None:
    found = DETECTOR.detect(data, mode)
    assert isinstance(found, Detection)
    assert found.label
    assert 0 <= found.score <= 1
    assert found.error is None
    assert found == DETECTOR.detect(data, mode)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some_bytes, before=st.integers(0, 10))
def test_path_bytes_and_stream_agree(tmp_path: Path, data: bytes, before: int) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    as_bytes = DETECTOR.detect(data)
    stream = io.BytesIO(data)
    stream.seek(before)
    as_stream = DETECTOR.detect(stream)
    assert stream.tell() == before
    assert as_stream == as_bytes
    as_path = DETECTOR.detect(path)
    assert (as_path.label, as_path.score, as_path.decided_by, as_path.alarms) == (
        as_bytes.label,
        as_bytes.score,
        as_bytes.decided_by,
        as_bytes.alarms,
    )
    with path.open("rb", buffering=0) as raw:
        assert DETECTOR.detect(raw) == as_bytes


def test_the_name_never_matters(tmp_path: Path) -> None:
    for i, (data, label) in enumerate([(WALK, "bvh"), (ELF, "elf"), (SHELL, "shell")]):
        for name in ("a.bvh", "b.png", "c.exe", "ünï\n code", "d" * 200, "e\udcff"):
            path = tmp_path / f"{i}{name}"
            path.write_bytes(data)
            found = DETECTOR.detect(path)
            assert found.label == label
            assert found.path == str(path)


def test_the_middle_never_matters() -> None:
    for content in (WALK, ELF, SHELL):
        front = content.ljust(4096, b"\n")[:4096]
        one, other = (DETECTOR.detect(front + middle * 3000 + front) for middle in (b"\0\0\0", b"abc"))
        assert one == other


def test_many_keep_order_and_errors(tmp_path: Path) -> None:
    good = tmp_path / "walk"
    good.write_bytes(WALK)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    locked = tmp_path / "gone"
    paths = [good, tmp_path / "missing", good, "x" * 5000, loop, "nul\0byte", locked, good]
    found = DETECTOR.detect_many(paths)
    assert [f.label for f in found] == ["bvh", "unknown", "bvh", *["unknown"] * 4, "bvh"]
    assert [f.error is not None for f in found] == [False, True, False, True, True, True, True, False]
    assert [f.path for f in found] == [str(p) for p in paths]


def test_what_is_no_file(tmp_path: Path) -> None:
    """A pipe without a writer would block who opens it; the test would then run into its timeout."""
    pipe = tmp_path / "pipe.bvh"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "empty").touch()
    wanted = {
        pipe: "fifo",
        tmp_path: "directory",
        tmp_path / "link": "directory",
        tmp_path / "empty": "empty",
        Path("/dev/null"): "device",
    }
    for path, label in wanted.items():
        found = DETECTOR.detect(path)
        assert (found.label, found.decided_by, found.error) == (label, "filesystem", None)


def test_files_that_claim_to_be_empty() -> None:
    if not Path("/proc/cpuinfo").is_file():
        pytest.skip("no /proc here")
    assert DETECTOR.detect("/proc/cpuinfo").is_text


def test_sparse_tebibyte(tmp_path: Path) -> None:
    path = tmp_path / "sparse.bvh"
    path.touch()
    try:
        os.truncate(path, 1 << 40)
    except OSError:
        pytest.skip("this file system has no sparse files that large")
    assert DETECTOR.detect(path).label != "bvh"
    with path.open("r+b") as file:
        file.write(WALK)
    assert DETECTOR.detect(path).label == "bvh"


def test_file_that_shrinks_while_it_is_read() -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, max(0, 5000 - self.tell())))

    found = DETECTOR.detect(Shrinking(WALK + bytes(20_000)))
    assert found.label == "bvh"
    assert any("shrank" in alarm for alarm in found.alarms)


@pytest.mark.parametrize(
    "front", [b"", b"\xef\xbb\xbf", b" \t\r\n" * 1250, b"\n" * 4096, b"\xef\xbb\xbf" + b" " * 9000]
)
def test_text_is_known_behind_blanks(front: bytes) -> None:
    found = DETECTOR.detect(front + WALK)
    assert (found.label, found.decided_by) == ("bvh", "rule")
    assert bool(found.alarms) == (len(front) >= 4096)


def test_executable_behind_blanks_is_not_text() -> None:
    """The package calls both plain text with score 1."""
    for content, label in ((SHELL, "shell"), (ELF, "elf")):
        found = DETECTOR.detect(b" " * 4096 + content)
        assert found.label == label
        assert any("blank" in alarm for alarm in found.alarms)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 1023, 1024, 1025, 4095, 4096, 4097])
def test_edge_sizes(size: int) -> None:
    for data in (b"a" * size, b"\xff" * size, (b"key: value\n" * 400)[:size]):
        found = DETECTOR.detect(data)
        if size < 8:
            assert (found.decided_by, found.score) == ("size", 1)
            assert found.label == ("unknown" if data[0] == 0xFF else "txt")
        else:
            assert found.decided_by == "model"


def test_wrong_requests() -> None:
    with pytest.raises(ConfigError, match="'high-confidence'"):
        DETECTOR.detect(b"", "high-confidance")
    with pytest.raises(TypeError, match="int"):
        DETECTOR.detect(3)  # type: ignore[arg-type]
    for text in ("", "words and words"):
        with pytest.raises(TypeError, match="StringIO can't be detected"):
            DETECTOR.detect(io.StringIO(text))  # type: ignore[arg-type]


def test_strangers_rules_may_fail() -> None:
    def broken(head: bytes, tail: bytes, size: int) -> bool:
        raise ZeroDivisionError

    detector = MagikaDetector(
        Importers(
            Signature("broken", rule=broken),
            Signature("absent", rule="no_such_module_at_all:rule"),
            Signature("mine", magic=b"MINE", offset=4, group="animation"),
            BVH,
        )
    )
    assert detector.detect(WALK).label == "bvh"
    assert detector.detect(b"1234MINE5678").label == "mine"
    assert detector.detect(b"1234MIN").label == "txt"


def test_importers_come_before_our_own_table() -> None:
    theirs = Signature("glb-of-theirs", magic=b"glTF", rule=lambda head, tail, size: True)
    glb = b"glTF" + np.array([2, 28, 8], "<u4").tobytes() + b"JSON" + b'{"a":1} '
    assert DETECTOR.detect(glb).label == "glb"
    assert MagikaDetector(Importers(theirs)).detect(glb).label == "glb-of-theirs"


def test_zip_at_the_end_alarms() -> None:
    archive = zipped(a=b"1")
    for front, label in ((WALK, "bvh"), (ELF, "elf"), (b"\x76\x2f\x31\x01\x02\0\0\0channels\0", "exr")):
        found = DETECTOR.detect(front + archive)
        assert found.label == label
        assert any("zip" in alarm for alarm in found.alarms)
        assert not any("zip" in alarm for alarm in DETECTOR.detect(front).alarms)
    assert DETECTOR.detect(archive).alarms == ()
    # A mere mention of the end record is none.
    assert not DETECTOR.detect(WALK + b"PK\x05\x06 and then some more words").alarms


def test_archives_with_strange_members_alarm() -> None:
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    clean = zipped(**{"positions.npy": array.getvalue()})
    assert (DETECTOR.detect(clean).label, DETECTOR.detect(clean).alarms) == ("npz", ())
    for name, word in (("..__pose.npy", "outside"), ("run.sh", "no array"), ("__etc__passwd", "outside")):
        found = DETECTOR.detect(zipped(**{"a.npy": array.getvalue(), name: b"x"}))
        assert found.label == "npz"
        assert any(word in alarm for alarm in found.alarms), name


def test_arrays_of_objects_alarm() -> None:
    for values, alarmed in (
        (np.zeros(4), False),
        (np.array([{}, None]), True),
        (np.zeros(2, [("a", "O")]), True),
    ):
        stream = io.BytesIO()
        np.save(stream, values)
        found = DETECTOR.detect(stream.getvalue())
        assert found.label == "npy"
        assert bool(found.alarms) == alarmed


@pytest.mark.parametrize(
    ("header", "alarmed"),
    [
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", True),
        ("{'fortran_order': False, 'shape': (1,), 'descr': '|O'}", True),
        ('{"descr": "|O", "fortran_order": False, "shape": (1,)}', True),
        ("{'descr': '|\\x4f', 'fortran_order': False, 'shape': (1,)}", True),
        ("{'descr': 'object', 'fortran_order': False, 'shape': (1,)}", True),
        ("{'descr': [('a', [('b', '|' 'O')])], 'fortran_order': False, 'shape': (1,)}", True),
        ("{'descr': [('O', '<f8')], 'fortran_order': False, 'shape': (1,)}", False),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}" + " " * 5000, True),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}" + " " * 5000, False),
        ("{'descr': " + "-" * 4000, False),
    ],
)
def test_arrays_of_objects_alarm_however_the_header_is_written(header: str, alarmed: bool) -> None:
    data = header.encode() + b"\n"
    found = DETECTOR.detect(b"\x93NUMPY\1\0" + len(data).to_bytes(2, "little") + data + bytes(16))
    assert found.label == "npy"
    assert any("Python objects" in alarm for alarm in found.alarms) == alarmed


def test_bytes_behind_an_appended_zip_hide_it_not() -> None:
    for behind in (b"\0", b"\n", bytes(500)):
        data = ELF + zipped(a=b"1") + behind
        assert zipfile.is_zipfile(io.BytesIO(data))
        assert any("zip" in alarm for alarm in DETECTOR.detect(data).alarms)


def test_script_behind_a_picture_alarms() -> None:
    picture = b"\x76\x2f\x31\x01\x02\0\0\0channels\0chlist\0" + bytes(range(256)) * 40
    found = DETECTOR.detect(picture + b"\n<?php system($_GET['c']); ?>")
    assert found.label == "exr"
    assert any("script" in alarm for alarm in found.alarms)


def test_audit_hears_the_network_too() -> None:
    everything = Signature("everything", rule=lambda head, tail, size: True, is_text=True)
    detector = MagikaDetector(Importers(everything))
    assert detector.detect(SHELL).alarms == ()
    (alarm,) = detector.detect(SHELL, audit=True).alarms
    assert "shell" in alarm


def test_through_the_host(tmp_path: Path) -> None:
    kinetoscope = pytest.importorskip("kinetoscope")
    pytest.importorskip("kinetoscope_bvh")
    path = tmp_path / "picture.png"
    path.write_bytes(WALK)
    with kinetoscope.Host() as host:
        found = host.detector("magika").detect(path)
        assert (found.label, found.decided_by) == ("bvh", "rule")

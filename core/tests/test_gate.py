"""The gate: what configuration says may come in does, and nothing else."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope import Config, Host
from kinetoscope._detection import UnreadableFile, check_readable
from kinetoscope.convert import FileReader
from kinetoscope.gate import Gate, extensions_of, mismatch
from kinetoscope_spec import ConfigError, Detection, FormatError, Provider, Signature, hookimpl

AA = Signature("aa", magic=b"aa!", group="animation", extensions=("aa",))
BB = Signature("bb", magic=b"bb!", group="image", extensions=(".BB",))


@attrs.frozen
class Read:
    """What an importer returns, as far as the gate looks at it."""

    content: bytes
    warnings: tuple[str, ...] = ()


class Importer:
    def read(self, path):
        return Read(Path(path).read_bytes())


class Sniffer:
    def detect(self, source, mode="high-confidence"):
        head = Path(source).read_bytes()
        alarms = ("a zip is appended",) if b"PK" in head else ()
        for signature in (AA, BB):
            if head.startswith(signature.magic):
                return Detection(signature.label, group=signature.group, alarms=alarms)
        return Detection("unknown", score=0.3, decided_by="model")


class Plugin:
    @hookimpl
    def importer(self):
        return [
            Provider("aa", "test", load=Importer, reads=("aa",), signatures=(AA,)),
            Provider("bb", "test", load=Importer, reads=("bb",), signatures=(BB,)),
        ]

    @hookimpl
    def detector(self):
        return [Provider("sniffer", "test", load=Sniffer)]


class Teller(Sniffer):
    def extensions(self):
        return {"txt": frozenset({"txt"}), "aa": frozenset({"aa"})}


class Telling(Plugin):
    @hookimpl
    def detector(self):
        return [Provider("teller", "test", load=Teller)]


def host(**gate) -> Host:
    return Host(plugins=[Plugin()], autoload=False, config=Config(gate=gate))


@pytest.fixture
def file(tmp_path):
    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def test_what_fits_comes_in_without_a_word(file):
    for policy in ("strict", "warn", "off"):
        assert host(policy=policy).open(file("x.aa", b"aa!")) == Read(b"aa!")
        assert host(policy=policy).open(file("no suffix", b"bb!")) == Read(b"bb!")
        assert host(policy=policy).open(file("x.other", b"bb!")) == Read(b"bb!")


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [("walk.BB", b"aa!", "named .bb but is aa (1.00"), ("walk.aa", b"aa! PK", "zip is appended")],
)
def test_what_looks_wrong_is_refused_told_or_not_looked_at(file, caplog, name, content, word):
    path = file(name, content)
    with pytest.raises(FormatError, match=r"policy is strict") as caught:
        host(policy="strict").open(path)
    assert word in str(caught.value)
    with caplog.at_level(logging.WARNING, "kinetoscope"):
        (warning,) = host().open(path).warnings
    assert word in warning
    assert word in caplog.text
    assert host(policy="off").open(path).warnings == ()


@pytest.mark.parametrize(
    ("gate", "word"),
    [
        ({"block_labels": ["aa"]}, "gate.block_labels"),
        ({"allow_labels": ["bb"]}, "gate.allow_labels (bb)"),
        ({"allow_labels": []}, "gate.allow_labels (none)"),
        ({"block_groups": ["animation"]}, "gate.block_groups"),
        ({"allow_groups": ["image", "text"]}, "gate.allow_groups (image, text)"),
        ({"max_bytes": 4}, "5 bytes, more than gate.max_bytes = 4"),
        ({"max_bytes_of": {"aa": 4}}, "gate.max_bytes_of.aa = 4"),
    ],
)
def test_what_configuration_excludes_is_refused_unless_the_gate_is_off(file, gate, word):
    path = file("x.aa", b"aa!12")
    for policy in ("strict", "warn"):
        with pytest.raises(FormatError) as caught:
            host(policy=policy, **gate).open(path)
        assert word in str(caught.value)
        assert "x.aa" in str(caught.value)
        assert "aa (score 1.00" in str(caught.value)
    assert host(policy="off", **gate).open(path) == Read(b"aa!12")


def test_a_detector_that_knows_more_names_is_heard(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("aa! content")
    with host() as plain:
        assert plain.extensions() == extensions_of([AA, BB])
        assert plain.open(path).warnings == ()
    with Host(plugins=[Telling()], autoload=False, config=Config()) as told:
        assert told.extensions() == Teller().extensions()
        assert told.open(path).warnings == ("is named .txt but is aa (1.00, by signature)",)


def test_what_configuration_allows_comes_in(file):
    gate = {
        "allow_labels": ["aa"],
        "block_groups": ["image"],
        "max_bytes": 5,
        "max_bytes_of": {"bb": 0, "aa": 5},
    }
    assert host(policy="strict", **gate).open(file("x.aa", b"aa!12")) == Read(b"aa!12")


def test_a_file_that_nobody_reads_is_refused_with_name_and_content(file):
    with pytest.raises(FormatError, match=r"is named \.aa and is unknown \(score 0\.30, by model\)"):
        host().open(file("x.aa", b"MZ"))


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ({"polcy": "off"}, ["polcy", "'policy'"]),
        ({"policy": "harsh"}, ["harsh", "strict, warn, off"]),
        ({"block_labels": "aa"}, ["block_labels", "a list of labels"]),
        ({"max_bytes": -1}, ["max_bytes", "a number of bytes"]),
        ({"max_bytes": True}, ["max_bytes", "a number of bytes"]),
        ({"max_bytes_of": {"aa": "1"}}, ["max_bytes_of", "a table"]),
        ("strict", ["'strict'", "a table", "policy"]),
        (["strict"], ["['strict']", "a table"]),
    ],
)
def test_wrong_settings_are_named(gate, words):
    with pytest.raises(ConfigError) as caught:
        Config.load({"gate": gate}, environ={}, folder="/")
    assert all(word in str(caught.value) for word in ("gate", *words))


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "strikt"},
        {"policy": None},
        {"block_labels": "aa"},
        {"allow_groups": "animation"},
        {"max_bytes": "9"},
        {"max_bytes_of": {"aa": -1}},
        {"max_bytes_of": 9},
    ],
)
def test_a_gate_made_in_python_is_checked_too(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Gate(**wrong)


def test_settings_join_key_by_key(tmp_path):
    (tmp_path / "kinetoscope.toml").write_text('[gate]\npolicy = "strict"\nmax_bytes = 9\n')
    variables = {"KINETOSCOPE_GATE__MAX_BYTES": "7", "KINETOSCOPE_GATE__BLOCK_LABELS": '["aa"]'}
    config = Config.load({"gate": {"block_labels": ["bb"]}}, environ=variables, folder=tmp_path)
    assert config.gate == Gate(policy="strict", max_bytes=7, block_labels=("bb",))
    assert config.sources["gate.max_bytes"] == "KINETOSCOPE_GATE__MAX_BYTES"
    assert Config.load(environ={}, folder=tmp_path).gate == Gate(policy="strict", max_bytes=9)


class Signed(Plugin):
    """Without a detector: the importers' signatures decide, of bytes at hand too."""

    detector = None


@pytest.mark.parametrize("held", [False, True], ids=["path", "bytes"])
def test_files_that_are_converted_pass_the_gate_too(file, held):
    def read(path: Path, **gate):
        reader = FileReader(Host(plugins=[Signed()], autoload=False, config=Config(gate=gate)))
        return reader.read_bytes(path, path.read_bytes()) if held else reader(path)

    good, wrong = file("x.aa", b"aa!"), file("y.bb", b"aa!")
    assert read(good, policy="strict").warnings == ()
    assert "is named .bb but is aa" in read(wrong).warnings[0]
    with pytest.raises(FormatError, match=r"gate\.policy is strict"):
        read(wrong, policy="strict")
    for refusing in ({"block_groups": ["animation"]}, {"max_bytes": 2}):
        with pytest.raises(FormatError, match="may not be opened"):
            read(good, **refusing)


labels = st.sampled_from(["aa", "bb", "unknown", "txt"])
words = st.none() | st.lists(labels, max_size=3)


@given(
    label=labels,
    allowed=words,
    blocked=st.lists(labels, max_size=3),
    most=st.none() | st.integers(0, 9),
    size=st.integers(0, 9),
)
def test_a_file_comes_in_if_and_only_if_nothing_excludes_it(label, allowed, blocked, most, size):
    gate = Gate(allow_labels=allowed, block_labels=blocked, max_bytes=most)
    fits = label not in blocked and (allowed is None or label in allowed) and (most is None or size <= most)
    assert (gate.refusal(Detection(label), size) is None) == fits


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_that_takes_a_files_place_is_refused_and_not_waited_for(tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    regular = Path(__file__).stat()
    # Whoever waits for a writer gets one in the end, so that the test ends too.
    writer = threading.Timer(3, lambda: os.close(os.open(pipe, os.O_RDWR)))
    writer.start()
    began = time.monotonic()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "stat", lambda self: regular)
            with pytest.raises(UnreadableFile, match="is a pipe"):
                check_readable(pipe)
        assert time.monotonic() - began < 2
    finally:
        writer.cancel()


def test_a_name_contradicts_only_what_is_sure():
    table = extensions_of([AA, BB, Signature("vrm", magic=b"v", extensions=("aa",))])
    assert table == {"aa": {"aa", "vrm"}, "bb": {"bb"}}
    assert mismatch(Detection("aa"), "x.bb", table) == "is named .bb but is aa (1.00, by signature)"
    for label, name in (
        ("vrm", "x.aa"),
        ("aa", "x.AA"),
        ("txt", "x.aa"),
        ("unknown", "x.aa"),
        ("aa", "bb"),
        ("aa", "x.c"),
    ):
        assert mismatch(Detection(label), name, table) is None
    assert mismatch(Detection("directory", group="inode"), "x.aa", table) is None
    two = extensions_of([Signature("recipe", magic=b"r", extensions=("sample.aa",)), AA])
    for label, named in (("recipe", "x.sample.aa"), ("aa", "x.sample.aa"), ("aa", ".aa"), ("bb", ".aa")):
        assert mismatch(Detection(label), named, two) is None
    for label, named in (("recipe", "x.aa"), ("bb", "x.sample.aa"), ("bb", ".x.aa")):
        assert "named .aa" in mismatch(Detection(label), named, two)
    assert mismatch(Detection("pebin", error="gone"), "x.aa", table) is None

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope import Config, Host
from kinetoscope._rows import Row
from kinetoscope._selection import choose
from kinetoscope.config import Choice
from kinetoscope_spec import (
    Asset,
    Detection,
    FormatError,
    Provider,
    ProviderNotFound,
    Signature,
    Skeleton,
    hookimpl,
)

LABELS = ("aa", "bb", "cc")


def row(name, *, reads=(), order=0, requires=(), broken="", blocked="", distribution="acme"):
    provider = Provider(name, "test", load=dict, reads=reads, order=order, requires=requires)
    return Row(
        "importer", name, distribution, "1", None, provider, loaded=True, broken=broken, blocked=blocked
    )


@st.composite
def tables(draw):
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6))
    return [
        row(
            name,
            reads=tuple(draw(st.lists(st.sampled_from(LABELS), unique=True))),
            order=draw(st.sampled_from((-1, 0, 1))),
            requires=draw(st.sampled_from(((), ("env:NOT_SET_ANYWHERE",)))),
            broken=draw(st.sampled_from(("", "it fell"))),
            blocked=draw(st.sampled_from(("", "blocked by configuration"))),
        )
        for name in names
    ]


def fits(held, wanted):
    usable = not (held.blocked or held.broken or held.provider.requires)
    return usable and (wanted is None or wanted in (*held.provider.reads, "cpu"))


@given(
    rows=tables(),
    wanted=st.none() | st.sampled_from((*LABELS, "cpu")),
    default=st.none() | st.sampled_from("abcdefgh"),
    seed=st.integers(),
)
def test_a_choice_follows_the_rules_and_never_the_order_of_installation(rows, wanted, default, seed):
    choice = Choice(default) if default else None
    chosen, why = choose("importer", rows, choice=choice, wanted=wanted)
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    again, why_again = choose("importer", shuffled, choice=choice, wanted=wanted)
    assert again is chosen
    assert why_again == why

    # The model: written from the rules alone, not from the code.
    by_name = {held.name: held for held in rows}
    able = [held for held in rows if fits(held, wanted)]
    if default in by_name and (by_name[default] in able or wanted is None):
        assert chosen is by_name[default]
    elif (default is not None and wanted is None) or not able:
        assert chosen is None
    else:
        assert chosen in able
        assert chosen.provider.order == max(held.provider.order for held in able)
    assert len(why.candidates) == len(rows)
    assert all(candidate.reason for candidate in why.candidates)
    assert [candidate.info.name for candidate in why.candidates if candidate.chosen] == (
        [chosen.name] if chosen else []
    )
    assert str(why)


@given(rows=tables(), name=st.sampled_from("abcdefgh"), wanted=st.none() | st.sampled_from(LABELS))
def test_a_name_beats_everything(rows, name, wanted):
    chosen, why = choose("importer", rows, name=name, choice=Choice("a"), wanted=wanted)
    expected = next((held for held in rows if held.name == name), None)
    assert chosen is expected
    assert why.chosen == (name if expected else None)


def test_the_one_that_names_the_label_first_comes_first_then_the_name():
    able = [row("zz", reads=("aa", "bb")), row("yy", reads=("bb", "aa")), row("xx", reads=("bb", "aa"))]
    assert choose("importer", able, wanted="aa")[0].name == "zz"
    assert choose("importer", able, wanted="bb")[0].name == "xx"


def test_first_and_last_come_before_names():
    able = [row("aa", order=-1), row("bb"), row("zz", order=1)]
    assert choose("importer", able)[0].name == "zz"
    assert choose("importer", able[:2])[0].name == "bb"
    keen, apt = row("keen", reads=("bb", "aa"), order=1), row("apt", reads=("aa",))
    assert choose("importer", [apt, keen], wanted="aa")[0] is keen


def test_the_readable_explanation_names_all_and_why():
    rows = [
        row("good", reads=("aa",)),
        row("other", reads=("bb",)),
        row("bad", reads=("aa",), broken="it fell"),
    ]
    text = str(choose("importer", rows, wanted="aa")[1])
    assert text.splitlines()[0] == "importer: good, the only one that takes 'aa'"
    assert "* good (acme 1)" in text
    assert "does not take 'aa' (but bb)" in text
    assert "broken: it fell" in text


# -- files, by what they are and not by their names


@attrs.frozen
class Kind:
    """An importer of files that begin with a magic."""

    label: str

    def read(self, path, **options):
        if b"damaged" in Path(path).read_bytes():
            raise FormatError("damaged", path=path)
        return Asset(f"{self.label} {options}", Skeleton(("root",), (-1,), [[0, 0, 0]]))


class Importers:
    @hookimpl
    def importer(self):
        return [
            Provider(
                label,
                "test",
                load=lambda label=label: Kind(label),
                reads=(label,),
                signatures=(Signature(label, magic=label.encode() + b"!"),),
            )
            for label in LABELS
        ]


class Sniffer:
    def detect(self, source, mode="high-confidence"):
        with Path(source).open("rb") as stream:
            head = stream.read(1)
        return Detection({b"a": "aa", b"b": "bb"}.get(head, "unknown"), score=0.5, decided_by="model")

    def detect_many(self, paths, mode="high-confidence"):
        return [self.detect(path) for path in paths]


class Detectors:
    @hookimpl
    def detector(self):
        return [Provider("sniffer", "test", load=Sniffer)]


@pytest.fixture(params=["signatures", "detector"])
def host(request):
    plugins = [Importers(), Detectors()] if request.param == "detector" else [Importers()]
    return Host(plugins=plugins, autoload=False, config=Config())


def test_a_file_is_read_by_the_importer_for_its_bytes_whatever_its_name(host, tmp_path):
    path = tmp_path / "walk.cc"
    path.write_bytes(b"aa! and more")
    assert host.open(path).name == "aa {}"
    assert host.open(str(path), unit=3).name == "aa {'unit': 3}"
    assert host.importer(for_=path) is host.importer("aa")
    explanation = host.explain("importer", path)
    assert explanation.chosen == "aa"
    assert "aa" in explanation.detected


def test_a_file_that_nobody_reads_is_refused_with_both_facts(host, tmp_path):
    path = tmp_path / "walk.aa"
    path.write_bytes(b"something else")
    with pytest.raises(FormatError) as caught:
        host.open(path)
    assert "walk.aa" in str(caught.value)
    assert "unknown (score" in str(caught.value)
    assert "aa (aa), bb (bb), cc (cc)" in str(caught.value)


def test_a_damaged_file_says_what_it_was_taken_for_and_by_whom(host, tmp_path):
    path = tmp_path / "walk"
    path.write_bytes(b"bb! damaged")
    with pytest.raises(FormatError) as caught:
        host.open(path)
    notes = " ".join(caught.value.__notes__)
    assert "detected as bb" in notes
    assert "in importer 'bb' of embedded" in notes


def test_a_detector_may_ask_the_host_from_threads_of_its_own(tmp_path):
    class Threaded:
        def __init__(self, services):
            self.services = services

        def detect(self, source, mode="high-confidence"):
            with ThreadPoolExecutor(1) as pool:
                signatures = pool.submit(self.services.signatures).result(timeout=30)
            return Detection(signatures[0].label)

    class Plugin:
        @hookimpl
        def detector(self):
            return [Provider("threaded", "test", load=Threaded, needs=("signatures",))]

    path = tmp_path / "file"
    path.write_bytes(b"whatever")
    host = Host(plugins=[Importers(), Plugin()], autoload=False)
    assert host.importer(for_=path).label == "aa"
    assert host.explain("importer", path).chosen == "aa"


@pytest.mark.parametrize("what", ["empty", "folder", "missing", "null"])
def test_what_cannot_be_read_is_a_format_error_with_its_name(host, tmp_path, what):
    path = tmp_path / what
    if what == "empty":
        path.touch()
    elif what == "folder":
        path.mkdir()
    elif what == "null":
        path = Path(f"{path}\0")
    with pytest.raises(FormatError, match=what):
        host.open(path)
    if what in ("folder", "missing"):
        with pytest.raises(OSError, match=what):
            host.open(path)


def test_a_huge_sparse_file_is_looked_at_from_both_ends_only(host, tmp_path):
    path = tmp_path / "huge"
    path.touch()
    os.truncate(path, 10 << 30)
    with pytest.raises(FormatError, match="unknown"):
        host.open(path)


def test_signature_rules_see_head_tail_and_size_where_the_magic_fits(tmp_path):
    seen = []

    def rule(head, tail, size):
        seen.append((head[:2], tail[-3:], size, len(head), len(tail)))
        return size > 5000

    class One:
        @hookimpl
        def importer(self):
            signature = Signature("rr", magic=b"r", offset=1, rule=rule)
            return [Provider("rr", "test", load=lambda: Kind("rr"), reads=("rr",), signatures=(signature,))]

    host = Host(plugins=[One()], autoload=False)
    path = tmp_path / "file"
    path.write_bytes(b"xr" + b"." * 9000 + b"end")
    assert host.open(path).name == "rr {}"
    assert seen == [(b"xr", b"end", 9005, 4096, 4096)]
    path.write_bytes(b"rx" + b"." * 9000)
    with pytest.raises(FormatError):
        host.open(path)
    assert len(seen) == 1


def test_labels_and_paths_are_told_apart(host, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("aa").write_bytes(b"bb! this file is named like a label")
    assert host.importer(for_="aa") is host.importer("aa")
    assert host.importer(for_=Path("aa")) is host.importer("bb")
    assert host.importer(for_="./aa") is host.importer("bb")
    with pytest.raises(ProviderNotFound, match="takes 'zz'"):
        host.importer(for_="zz")


def test_a_writer_is_chosen_by_what_it_writes():
    class Plugin:
        @hookimpl
        def importer(self):
            return [
                Provider("r", "test", load=lambda: Kind("r"), reads=("xx",)),
                Provider("w", "test", load=lambda: Kind("w"), reads=("yy",), writes=("xx",)),
            ]

    host = Host(plugins=[Plugin()], autoload=False)
    assert host.writer("xx").label == "w"
    assert host.importer(for_="xx").label == "r"
    with pytest.raises(ProviderNotFound, match="writes 'yy'"):
        host.writer("yy")

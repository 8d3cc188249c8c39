"""The number parser: equal to Python's `float` to the last bit, on both of its roads."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kinetoscope_bvh import _numbers
from kinetoscope_bvh._numbers import parse_table
from kinetoscope_bvh.importer import BvhImporter
from kinetoscope_spec import FormatError

ROADS = [pytest.param(False, id="plain"), pytest.param(True, id="compiled")]

spelled = st.one_of(
    st.floats(-1e30, 1e30).map(repr),
    st.floats(-1000, 1000, width=32).map(lambda x: f"{x:.6g}"),
    st.integers(-(10**25), 10**25).map(str),
    st.from_regex(r"[+-]?[0-9]{0,22}\.[0-9]{1,22}([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[+-]?[0-9]{1,8}\.?[eE]-[0-9]{1,3}", fullmatch=True),
).filter(lambda word: abs(float(word)) <= 1e30)


@pytest.mark.parametrize("compiled", ROADS)
@given(words=st.lists(spelled, min_size=1, max_size=40))
@example(
    words=["9007199254740993", "9007199254740992", "9007199254740991", "-0", "-0.0", "+0", "1e22", "1e-22"]
)
@example(
    words=[
        "0.1",
        "123456789012345678901234567890",
        "1e-23",
        "4.35",
        "1e-400",
        "0e99",
        "00000000000000000000001",
    ]
)
@example(words=["18446744073709551617", "184467440737095516170.5", "0.18446744073709551617"])  # 2^64 + 1
@example(words=["-1.7976931348623157e-308", "5e-324", "2.2250738585072011e-308", ".5", "5.", "1E+05"])
@settings(max_examples=200, deadline=None)
def test_every_number_is_the_one_python_reads(compiled: bool, words: list[str]) -> None:
    found = parse_table(" ".join(words).encode(), 0, len(words), compiled=compiled).values
    wanted = np.array([float(word) for word in words])
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("compiled", ROADS)
@given(
    rows=st.lists(st.lists(st.integers(-999, 999), min_size=3, max_size=3), max_size=30),
    blank=st.sampled_from([" ", "\t", "  ", " \t "]),
    newline=st.sampled_from(["\n", "\r\n", "\r", "\n\n", " \n\t"]),
    tail=st.sampled_from(["", "\n", "\r\n \t\r\n"]),
)
@settings(deadline=None)
def test_blanks_and_line_ends_do_not_matter(
    compiled: bool, rows: list[list[int]], blank: str, newline: str, tail: str
) -> None:
    content = newline.join(blank.join(map(str, row)) for row in rows) + tail
    table = parse_table(content.encode(), 0, 3, compiled=compiled)
    assert table.values.tolist() == rows
    assert table.wrapped == 0


@given(
    data=st.one_of(st.binary(max_size=200), st.text("0123456789.-+eE \n\r\tx", max_size=200).map(str.encode))
)
@example(data=b"1 2 3 4\n5 6")
@example(data=b"1 2 3\n4 5 6 7\n")
@example(data=b"1 2\n3\n4 5 6")
@settings(max_examples=500, deadline=None)
def test_both_roads_agree_on_any_bytes(data: bytes) -> None:
    results = []
    for compiled in (False, True):
        try:
            table = parse_table(data, 0, 3, compiled=compiled)
            results.append((table.values.tobytes(), table.wrapped))
        except FormatError as error:
            results.append(str(error))
    assert results[0] == results[1]


@pytest.mark.parametrize("compiled", ROADS)
def test_a_frame_may_go_on_over_several_lines(compiled: bool) -> None:
    table = parse_table(b"1 2\n3\n4 5\n6\n", 0, 3, compiled=compiled)
    assert table.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert table.wrapped == 2


@pytest.mark.parametrize("compiled", ROADS)
@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"1 2 3\n4 5 6 7\n8 9 10\n", 2, "4 numbers"),
        (b"1 2 3\n\n4 5\n6 7 8\n", 3, "2 numbers"),
        (b"1 2 3\r\n4 5 x\r\n", 2, "'x'"),
        (b"1 2 3\r4 5 nan\r", 2, "'nan'"),
        (b"1 2 3\n4 5 6\n7", 3, "the last frame has 1 numbers"),
        (b"1 2 3 4 5 6\n", 1, "6 numbers"),
        (b"1 2 3\n4 5\x006 7\n", 2, "x00"),
        (b"1 2 1e" + b"0" * 1000 + b"1", 1, "…"),
        (b"1 2 2e30", 1, "'2e30'"),
        (b"1 2 -9000000000e22", 1, "'-9000000000e22'"),
        (b"1 2 " + b"9" * 400, 1, "…"),
    ],
)
def test_what_is_wrong_and_where(compiled: bool, data: bytes, line: int, words: str) -> None:
    with pytest.raises(FormatError, match=re.escape(words)) as caught:
        parse_table(data, 0, 3, compiled=compiled)
    assert caught.value.line == line


@pytest.mark.parametrize("compiled", ROADS)
def test_more_numbers_than_one_block_and_more_hard_ones_than_the_table_holds(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_numbers, "_BLOCK", 1000)
    monkeypatch.setattr(_numbers, "_HARD", 16)
    values = np.random.default_rng(0).normal(size=(500, 7)) * 1e-3
    content = "\n".join(" ".join(map(repr, row)) for row in values.tolist()).encode()
    assert (parse_table(content, 0, 7, compiled=compiled).values == values).all()


def test_numba_is_imported_only_when_much_text_has_been_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_numbers, "_seen", 0)
    assert not _numbers._worth_compiling(1000)
    assert _numbers._worth_compiling(64 * 1024 * 1024) == _numbers._installed()
    assert _numbers._worth_compiling(1000) == _numbers._installed()
    monkeypatch.setattr(_numbers, "_installed", lambda: False)
    assert not _numbers._worth_compiling(64 * 1024 * 1024)


def test_much_text_that_is_announced_is_parsed_by_numba_from_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_numbers, "_seen", 0)
    BvhImporter().prepare(1000)
    assert not _numbers._worth_compiling(1000)
    BvhImporter().prepare(64 * 1024 * 1024)
    assert _numbers._worth_compiling(1) == _numbers._installed()

"""Records say what was written into them, whatever stands between; errors name the line or byte they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fbx_scenes import Scene
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_fbx._ascii import parse_ascii
from kinetoscope_fbx._binary import parse_binary
from kinetoscope_fbx._node import Node
from kinetoscope_fbx.contract import encode_binary
from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec import FormatError

HEAD = b"; FBX 7.4.0 project file\n"
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False, width=64)
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters='"\x00\x01&:'), max_size=8)
WORDS = st.sampled_from(["Y", "T", "U", "e", "E5", "nan", "next_1"])
GAPS = st.sampled_from([",", " , ", ",\n\t", "\r\n,", " ,; no value: 7, { }\n"])


def written(value: int | float | str, *, is_word: bool) -> str:
    return repr(value) if not isinstance(value, str) else value if is_word else f'"{value}"'


@given(st.data())
def test_text_holds_the_values_that_were_written(data: st.DataObject) -> None:
    rows = data.draw(
        st.lists(
            st.lists(st.one_of(st.tuples(st.one_of(NUMBERS, TEXTS), st.just(False)), st.tuples(WORDS, st.just(True)))),
            min_size=1,
            max_size=5,
        )
    )  # fmt: skip
    text = "".join(
        "Row: "
        + "".join(
            (data.draw(GAPS) if i else "") + written(value, is_word=is_word)
            for i, (value, is_word) in enumerate(row)
        )
        + "\n"
        for row in rows
    )
    root, _ = parse_ascii(HEAD + b"Objects: {\n" + text.encode() + b"}\n", Path("x"))
    nodes = root.find("Objects").children
    assert [flat(node) for node in nodes] == [[value for value, _ in row] for row in rows]
    lines = (HEAD + b"Objects: {\n" + text.encode()).split(b"\n")
    for node in nodes:
        assert lines[node.place.line - 1].startswith(b"Row:")


def flat(node: Node) -> list[Any]:
    return [
        value for held in node.values for value in (held.tolist() if isinstance(held, np.ndarray) else [held])
    ]


@given(st.lists(st.tuples(TEXTS, NUMBERS)), st.booleans())
def test_blocks_of_properties_are_the_same_in_text_and_binary(
    rows: list[tuple[str, int | float]], big_endian: bool
) -> None:
    block = "".join(f'P: "{name}", "double", "", "A",{value!r}\n' for name, value in rows)
    block += 'P: "said", "KString", "", "", "a, b"\nP: "nothing", "", "", ""\n'
    text = HEAD + f"Objects: {{\nModel: 1 {{\nProperties70:  {{\n{block}}}\n}}\n}}\n".encode()
    as_text, _ = parse_ascii(text, Path("x"))
    again, _ = parse_binary(encode_binary(as_text, big_endian=big_endian), Path("x"))
    want = {name: (value,) for name, value in rows} | {"said": ("a, b",)}
    for root in (as_text, again):
        held = root.find("Objects").find("Model").find("Properties70")
        assert held.properties(4) == want
        known = held.by_name()
        assert set(known) == {*want, "nothing"}
        assert all(held.row(known[name], 4) == (name, values) for name, values in want.items())
        assert len(held.children) == len(rows) + 2


@pytest.mark.parametrize("encoding", ["text", "binary"])
def test_what_nobody_asks_for_is_not_read(tmp_path: Path, encoding: str) -> None:
    scene = Scene()
    scene.node("node")
    scene.add("Constraint", "Constraint::c", "", "Strength: 1.5")
    data = scene.text() if encoding == "text" else scene.binary()
    broken = data.replace(b"Strength: 1.5", b"Strength: 1.5.5").replace(b"StrengthD", b"Strength?")
    assert broken != data
    path = tmp_path / "x.fbx"
    path.write_bytes(broken)
    assert FbxImporter().read(path).skeleton.names == ("node",)


def test_numbers_that_are_none_are_told_with_their_line(tmp_path: Path) -> None:
    scene = Scene()
    scene.mesh(scene.node("mesh", subtype="Mesh"), np.eye(3), [[0, 1, 2]])
    for values in ("0.0,0.0,1.0", ",".join(["0.5"] * 30)):
        text = scene.text().replace(b"0.0,0.0,1.0 }", f"\n{values},1.2.3,0.5,0.5\n}}".encode())
        path = tmp_path / "x.fbx"
        path.write_bytes(text)
        with pytest.raises(FormatError, match="no list of numbers") as caught:
            FbxImporter().read(path)
        line = text.split(b"\n")[caught.value.line - 1]
        assert b"Vertices" in line


def test_a_property_that_ends_beyond_its_block_is_told(tmp_path: Path) -> None:
    scene = Scene()
    scene.node("node", Lcl_Translation=(1.0, 2.0, 3.0))
    data = bytearray(scene.binary())
    at = data.rindex(b"Properties70") + len("Properties70")
    data[at : at + 4] = (len(data) - 1).to_bytes(4, "little")
    path = tmp_path / "x.fbx"
    path.write_bytes(data)
    with pytest.raises(FormatError, match="ends at byte") as caught:
        FbxImporter().read(path)
    assert caught.value.offset == at

"""The network in NumPy against ONNX Runtime, plain and compiled."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_magika import _loops
from kinetoscope_magika._fastnet import NumpyNetwork
from kinetoscope_magika._knowledge import model_file
from kinetoscope_magika._network import OnnxNetwork, tokens
from kinetoscope_magika._weights import initializers
from kinetoscope_magika.detect import MagikaDetector, OnnxDetector
from kinetoscope_spec import FormatError
from kinetoscope_spec.detection import MODES

FAST, COMPILED, REFERENCE = NumpyNetwork(compiled=False), NumpyNetwork(compiled=True), OnnxNetwork()

ANY_BYTES = 1e-4
"""How far a probability may be from ONNX Runtime's at batch 1: its own differ by 3.8e-3 between
batches of 1 and 4."""

contents = st.one_of(
    st.binary(min_size=8, max_size=5000),
    st.text(min_size=20, max_size=400).map(str.encode),
    st.sampled_from(sorted(Path(__file__).parent.glob("*.py"))).map(Path.read_bytes),
    st.builds(lambda unit, n: unit * n, st.binary(min_size=1, max_size=20), st.integers(100, 900)),
)


@settings(max_examples=60, deadline=None)
@given(data=contents)
def test_both_networks_agree(data: bytes) -> None:
    row = tokens(data[:4096], data[-4096:])
    if row is None:
        return
    fast, reference = FAST(row[None])[0], REFERENCE(row[None])[0]
    assert fast.shape == reference.shape == (214,)
    assert np.abs(fast - reference).max() < ANY_BYTES
    first, second = np.sort(reference)[::-1][:2]
    if first - second > 0.01:
        assert fast.argmax() == reference.argmax()


@settings(max_examples=15, deadline=None)
@given(data=contents, mode=st.sampled_from(MODES))
def test_both_providers_agree(data: bytes, mode: str) -> None:
    ours, theirs = MagikaDetector().detect(data, mode), OnnxDetector().detect(data, mode)
    assert abs(ours.score - theirs.score) < ANY_BYTES
    if min(abs(theirs.score - t) for t in (0.5, 0.75, 0.9, 0.95)) > ANY_BYTES and theirs.score > 0.51:
        assert (ours.label, ours.overwrite_reason) == (theirs.label, theirs.overwrite_reason)


def test_both_networks_agree_closely_on_real_text() -> None:
    for path in sorted(Path(np.__file__).parent.glob("*.py"))[:25]:
        data = path.read_bytes()
        row = tokens(data[:4096], data[-4096:])
        if row is not None:
            assert np.abs(FAST(row[None]) - REFERENCE(row[None])).max() < 1e-5


@pytest.mark.parametrize("data", [b"glcontext\n", b"0" * 30, struct.pack("<7i", *range(7)) * 9])
def test_what_hardly_varies_keeps_its_score(data: bytes) -> None:
    """Its norm takes the difference of nearly equal squares: with a true tanh scores were 3e-4 off."""
    row = tokens(data, data)
    assert np.abs(FAST(row[None]) - REFERENCE(row[None])).max() < 1e-5


def test_activations_of_all_bytes_are_the_runtimes() -> None:
    """To the last bit where the processor has fused multiply-add, in nearly all elsewhere."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(model_file("model.onnx")))
    (name,) = (o for node in model.graph.node for o in node.output if o.endswith("ApplyActivation_0/Mul_5:0"))
    model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    every = np.resize(np.arange(257, dtype=np.int32), 2048)[None]
    wanted = session.run([name], {"bytes": every})[0][0][:257]
    table = FAST._loaded().table[:257]
    assert np.mean(table == wanted) > 0.99
    assert np.abs(table - wanted).max() <= 1.2e-7


@settings(max_examples=40, deadline=None)
@given(data=contents)
def test_compiled_and_plain_are_the_same_bits(data: bytes) -> None:
    """So an answer does not depend on how many files were asked about before."""
    row = tokens(data[:4096], data[-4096:])
    if row is not None:
        assert np.array_equal(COMPILED(row[None]), FAST(row[None]))


def test_many_files_turn_to_compiled_code_and_few_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []

    def noted() -> _loops.Loops:
        used.append(True)
        return _loops.PLAIN

    monkeypatch.setattr(_loops, "compiled", noted)
    network = NumpyNetwork()
    rows = np.repeat(tokens(b"words and words", b"words and words")[None], 150, axis=0)
    network(rows)
    assert not used
    network(rows)
    assert used


def test_few_files_never_import_numba() -> None:
    code = (
        "import sys; from kinetoscope_magika.detect import MagikaDetector as D; D().detect(b'words ' * 99);"
        "sys.exit(any(m in sys.modules for m in ('numba', 'onnxruntime', 'magika')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_numba_it_stays_with_plain_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_loops, "available", lambda: False)
    row = tokens(b"words and words", b"words and words")
    assert np.array_equal(NumpyNetwork(compiled=True)(row[None]), FAST(row[None]))


def test_with_a_numba_that_does_not_work_it_stays_with_plain_code(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs another NumPy')\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from kinetoscope_magika import _loops;"
        "sys.exit(not (_loops.available() and _loops.compiled() is _loops.PLAIN))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-300:]
    assert "Numba needs another NumPy" in done.stderr


def test_a_batch_is_its_rows() -> None:
    rows = np.stack([tokens(bytes([i]) * 3000, bytes([i]) * 3000) for i in (65, 0, 255)])
    for network in (FAST, REFERENCE):
        assert np.array_equal(network(rows), np.concatenate([network(rows[i : i + 1]) for i in range(3)]))


@pytest.mark.parametrize(
    "data", [b"", b"\x3a", b"\x3a\xff\xff\xff\xff\x0f", b"words and words", b"\x3a\x02\x2a\x7f"]
)
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"model\.onnx"):
        initializers(path)

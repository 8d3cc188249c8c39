"""The network in NumPy against ONNX Runtime, and the algebra it rests on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kinetoscope_magika._fastnet import NumpyNetwork, toom_cook
from kinetoscope_magika._network import OnnxNetwork, tokens
from kinetoscope_magika._weights import initializers
from kinetoscope_magika.detect import MagikaDetector, OnnxDetector
from kinetoscope_spec import FormatError
from kinetoscope_spec.detection import MODES

FAST, REFERENCE = NumpyNetwork(), OnnxNetwork()

ANY_BYTES = 4e-3
"""Of bytes that repeat, positions hardly vary, and the first norm divides rounding by next to nothing:
ONNX Runtime differs from itself by 3.8e-3 between batches of 1 and 4. Real files agree within 1e-4
(test_oracle.py)."""

numbers = st.floats(-10, 10)


@given(taps=hnp.arrays(float, 5, elements=numbers), inputs=hnp.arrays(float, 8, elements=numbers))
def test_toom_cook_correlates(taps: np.ndarray, inputs: np.ndarray) -> None:
    a, g, b = toom_cook()
    assert np.allclose(a.T @ ((g @ taps) * (b @ inputs)), np.correlate(inputs, taps, "valid"), atol=1e-9)


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
            assert np.abs(FAST(row[None]) - REFERENCE(row[None])).max() < 1e-4


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

"""Against the magika package itself, and a slow reading of its features."""

from __future__ import annotations

import hashlib
import os
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magika import ContentTypeLabel, Magika, MagikaResult, PredictionMode

from kinetoscope_magika._fastnet import NumpyNetwork
from kinetoscope_magika._knowledge import settings as package_settings
from kinetoscope_magika._network import Network, OnnxNetwork, tokens
from kinetoscope_magika._verdict import Guess, verdict
from kinetoscope_magika.detect import MagikaDetector, OnnxDetector
from kinetoscope_spec import Detection, Signature
from kinetoscope_spec.detection import MODES

DATA = os.environ.get("KINETOSCOPE_DATA")
NETWORK, REFERENCE = MagikaDetector(formats=()), OnnxDetector(formats=())
"""Without signatures: every file goes through the network, as in the package."""

EXACT = {NETWORK: 1e-4, REFERENCE: 1e-6}
"""How far a score may be from the package's."""

MANY = int(os.environ.get("KINETOSCOPE_FILES", "1500"))
"""Files compared; the figure in the README is of 5,000."""

needs_data = pytest.mark.skipif(not DATA, reason="KINETOSCOPE_DATA is not set")


@cache
def package(mode: str) -> Magika:
    return Magika(prediction_mode=PredictionMode(mode.replace("-", "_")))


def agree(ours: Detection, theirs: MagikaResult, within: float) -> bool:
    output, prediction = theirs.output, theirs.prediction
    return (
        ours.label == str(output.label)
        and abs(ours.score - prediction.score) <= within
        and ours.overwrite_reason.replace("-", "_") == str(prediction.overwrite_reason)
        and (ours.mime, ours.group, ours.is_text) == (output.mime_type, output.group, output.is_text)
    )


def in_mode(theirs: MagikaResult, mode: str) -> MagikaResult:
    """Return the package's answer in another mode, by its own rules for what its network said."""
    guess, score = theirs.dl.label, theirs.prediction.score
    if guess == ContentTypeLabel.UNDEFINED:
        return theirs  # nothing was asked of the network
    label, reason = package(mode)._get_output_label_from_dl_label_and_score(guess, score)
    return package(mode)._get_result_from_labels_and_score(theirs.path, guess, label, score, reason)


def python_files(count: int) -> list[Path]:
    """Return files of the running installation, of many sizes and kinds."""
    roots = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platlib")}
    everything = sorted({path for root in roots for path in root.rglob("*") if path.is_file()})
    return everything[:: max(1, len(everything) // count)][:count]


class Once:
    """A network that is asked about the same bytes once, for all modes."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.held: dict[bytes, np.ndarray] = {}

    def __call__(self, tokens: np.ndarray, jobs: int = 1) -> np.ndarray:
        keys = [hashlib.sha256(row.tobytes()).digest() for row in tokens]
        new = [i for i, key in enumerate(keys) if key not in self.held]
        if new:
            for i, row in zip(new, self.network(tokens[new], jobs), strict=True):
                self.held[keys[i]] = row
        return np.stack([self.held[key] for key in keys])


@pytest.mark.parametrize("mode", MODES)
def test_answers_of_the_package_on_this_python(mode: str) -> None:
    paths = python_files(40)
    assert len(paths) == 40
    for path in paths:
        theirs = package(mode).identify_path(path)
        for detector, within in EXACT.items():
            assert agree(detector.detect(path, mode), theirs, within), (path, detector)


@pytest.mark.slow
def test_answers_of_the_package_on_many_files_of_this_python() -> None:
    """Every file through three networks: compiled, on ONNX Runtime, and the package's."""
    paths = python_files(MANY)
    assert len(paths) > 1000
    theirs = [package(MODES[-1]).identify_path(path) for path in paths]
    for network, within in ((NumpyNetwork(compiled=True), 1e-4), (OnnxNetwork(), 1e-6)):
        detector = MagikaDetector(formats=(), network=Once(network))
        for mode in MODES:
            told = [in_mode(answer, mode) for answer in theirs]
            ours = detector.detect_many(paths, mode)
            pairs = zip(paths, ours, told, strict=True)
            unlike = [path for path, mine, its in pairs if not agree(mine, its, within)]
            assert not unlike, (network, mode, len(unlike), unlike[:5])


@pytest.mark.realdata
@needs_data
@pytest.mark.parametrize("mode", MODES)
def test_answers_of_the_package_on_its_own_samples(mode: str) -> None:
    paths = sorted(p for p in Path(str(DATA), "files").rglob("*") if p.is_file())
    assert len(paths) > 70
    for detector, within in EXACT.items():
        for path, ours in zip(paths, detector.detect_many(paths, mode), strict=True):
            assert ours.decided_by in ("model", "size", "filesystem")
            assert agree(ours, package(mode).identify_path(path), within), (path, detector)


@pytest.mark.realdata
@needs_data
def test_signatures_settle_what_the_network_would_have_said() -> None:
    detector = MagikaDetector()
    paths = sorted(p for p in Path(str(DATA), "files").rglob("*") if p.is_file())
    settled = 0
    for path, ours in zip(paths, detector.detect_many(paths), strict=True):
        settled += ours.decided_by == "signature"
        assert ours.label == str(package(MODES[-1]).identify_path(path).output.label), path
        assert not ours.alarms
    assert settled >= 4


@pytest.mark.realdata
@needs_data
def test_animation_files_get_their_labels() -> None:
    pytest.importorskip("kinetoscope_bvh")
    bvh = Signature("bvh", "model/x-bvh", "animation", rule="kinetoscope_bvh.signature:is_bvh", is_text=True)

    class Importers:
        def signatures(self) -> Sequence[Signature]:
            return (bvh,)

    detector = MagikaDetector(Importers())  # type: ignore[arg-type]
    wanted = {".bvh": "bvh", ".fbx": "fbx", ".glb": "glb", ".obj": "obj", ".mp4": "mp4"}
    paths = [p for p in Path(str(DATA)).rglob("*") if p.suffix in wanted and "files" not in p.parts]
    assert len(paths) > 200
    wrong = [
        p
        for p, found in zip(paths, detector.detect_many(paths), strict=True)
        if found.label != wanted[p.suffix]
    ]
    assert not wrong


def slow_tokens(data: bytes) -> list[int] | None:
    """The features by lists, byte by byte, as the package's documentation tells them."""
    blanks = set(b" \t\n\r\v\f")
    head, tail = list(data[:4096]), list(data[-4096:])
    while head and head[0] in blanks:
        head.pop(0)
    while tail and tail[-1] in blanks:
        tail.pop()
    head, tail = head[:1024], tail[max(0, len(tail) - 1024) :]
    if len(head) < 8:
        return None
    return head + [256] * (1024 - len(head)) + [256] * (1024 - len(tail)) + tail


lengths = st.one_of(
    st.integers(0, 12),
    st.integers(1020, 1030),
    st.integers(2040, 2056),
    st.integers(4090, 4110),
    st.just(9000),
)


@settings(max_examples=150, deadline=None)
@given(
    before=lengths,
    count=lengths,
    after=lengths,
    blank=st.sampled_from([b" ", b"\n", b"\t\v", b"\r\n", b"\f"]),
    filler=st.binary(min_size=1, max_size=9),
)
def test_features_are_those_of_a_slow_reading(
    before: int, count: int, after: int, blank: bytes, filler: bytes
) -> None:
    data = (blank * before)[:before] + (filler * count)[:count] + (blank * after)[:after]
    row = tokens(data[:4096], data[-4096:])
    slow = slow_tokens(data)
    assert (row is None) == (slow is None)
    if row is not None:
        assert row.dtype == np.int32
        assert row.tolist() == slow


@settings(max_examples=400, deadline=None)
@given(
    label=st.sampled_from(package_settings().labels),
    score=st.sampled_from([0.0, 0.4999, 0.5, 0.7499, 0.75, 0.8999, 0.9, 0.9499, 0.95, 1.0]),
    mode=st.sampled_from(MODES),
)
def test_thresholds_and_overwriting_are_the_packages(label: str, score: float, mode: str) -> None:
    ours = verdict(Guess(label, score), mode)
    theirs, reason = package(mode)._get_output_label_from_dl_label_and_score(ContentTypeLabel(label), score)
    assert (ours.label, ours.overwrite_reason.replace("-", "_")) == (str(theirs), str(reason))

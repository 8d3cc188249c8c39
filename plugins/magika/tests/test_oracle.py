"""Against the magika package itself, and a slow reading of its features."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magika import ContentTypeLabel, Magika, PredictionMode

from kinetoscope_magika._knowledge import settings as package_settings
from kinetoscope_magika._network import tokens
from kinetoscope_magika._verdict import Guess, verdict
from kinetoscope_magika.detect import MagikaDetector
from kinetoscope_spec import Detection, Signature
from kinetoscope_spec.detection import MODES

DATA = os.environ.get("KINETOSCOPE_DATA")
DETECTOR = MagikaDetector()

needs_data = pytest.mark.skipif(not DATA, reason="KINETOSCOPE_DATA is not set")


@cache
def package(mode: str) -> Magika:
    return Magika(prediction_mode=PredictionMode(mode.replace("-", "_")))


def agree(ours: Detection, theirs: object) -> bool:
    output, prediction = theirs.output, theirs.prediction  # type: ignore[attr-defined]
    return (
        ours.label == str(output.label)
        and abs(ours.score - prediction.score) < 1e-4
        and ours.overwrite_reason.replace("-", "_") == str(prediction.overwrite_reason)
        and (ours.mime, ours.group, ours.is_text) == (output.mime_type, output.group, output.is_text)
    )


def python_files() -> Iterator[Path]:
    """Forty files of the running installation, of many sizes and kinds."""
    everything = sorted(Path(os.__file__).parent.glob("*/*"))
    return (path for path in everything[:: max(1, len(everything) // 40)] if path.is_file())


@pytest.mark.parametrize("mode", MODES)
def test_answers_of_the_package_on_this_python(mode: str) -> None:
    compared = 0
    for path in python_files():
        ours = DETECTOR.detect(path, mode)
        if ours.decided_by in ("model", "size"):
            compared += 1
            assert agree(ours, package(mode).identify_path(path)), path
    assert compared > 20


@pytest.mark.realdata
@needs_data
@pytest.mark.parametrize("mode", MODES)
def test_answers_of_the_package_on_its_own_samples(mode: str) -> None:
    paths = sorted(p for p in Path(str(DATA), "files").rglob("*") if p.is_file())
    assert len(paths) > 70
    for path, ours in zip(paths, DETECTOR.detect_many(paths, mode), strict=True):
        assert ours.decided_by in ("model", "size", "filesystem")
        assert agree(ours, package(mode).identify_path(path)), path


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

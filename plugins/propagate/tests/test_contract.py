"""The contracts over our own."""

from __future__ import annotations

from kinetoscope_propagate.inpainter import PropagateInpainter
from kinetoscope_propagate.reasoner import MotionReasoner, NoneReasoner
from kinetoscope_propagate.segmenter import GrabcutSegmenter
from kinetoscope_quadmask.hooks import ReasonerContract, SegmenterContract
from kinetoscope_spec.contracts import InpainterContract


class TestPropagate(InpainterContract):
    provider = PropagateInpainter()


class TestGrabcut(SegmenterContract):
    provider = GrabcutSegmenter()


class TestMotion(ReasonerContract):
    provider = MotionReasoner()


class TestNone(ReasonerContract):
    provider = NoneReasoner()

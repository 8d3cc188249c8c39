"""The contract of inpainters over our own."""

from __future__ import annotations

from kinetoscope_propagate.inpainter import PropagateInpainter
from kinetoscope_spec.contracts import InpainterContract


class TestPropagate(InpainterContract):
    provider = PropagateInpainter()

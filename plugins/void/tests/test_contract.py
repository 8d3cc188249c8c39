"""The contract of inpainters over VOID with tiny random weights."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kinetoscope_spec.contracts import InpainterContract
from kinetoscope_void.inpainter import VoidInpainter


class SmallVoid(VoidInpainter):
    """VOID with weights of its own, made on first use and gone with it."""

    def __init__(self) -> None:
        from void_weights import SMALL, publish

        self.folder = tempfile.TemporaryDirectory(prefix="kinetoscope-void-")
        folder = publish(Path(self.folder.name))
        small = {**SMALL, "size": (16, 16), "steps": (1, 1), "guidance": (1, 1)}
        super().__init__(folder=folder, memory="full", **small)


class TestVoid(InpainterContract):
    provider = SmallVoid
    omits = {  # noqa: RUF012 - as the contract has it
        "a_background_seen_in_other_frames_is_recovered": "random weights have learnt nothing: needs VOID's own"
    }

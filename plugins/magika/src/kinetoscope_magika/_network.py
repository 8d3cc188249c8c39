"""Magika's network: from the two ends of a file to a probability for each label."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import numpy as np

from kinetoscope_magika._knowledge import model_file, settings
from kinetoscope_magika._source import BLANKS

__all__ = ["Network", "OnnxNetwork", "tokens"]


class Network(Protocol):
    """Anything that gives the model's probabilities."""

    def __call__(self, tokens: np.ndarray, jobs: int = 1) -> np.ndarray:
        """Return probabilities float32 `[N, labels]` for tokens int32 `[N, 2048]`, on up to `jobs` threads."""
        ...


def tokens(head: bytes, tail: bytes) -> np.ndarray | None:
    """Return the model's input int32 `[2048]`, or None where too little is left without blanks.

    The head without leading blanks is padded behind, the tail without trailing ones in front.
    """
    s = settings()
    first = head[: s.block].lstrip(BLANKS)[: s.head]
    last = tail[-s.block :].rstrip(BLANKS)[-s.tail :]
    if len(first) < s.least:
        return None
    row = np.full(s.head + s.tail, s.padding, np.int32)
    row[: len(first)] = np.frombuffer(first, np.uint8)
    if last:
        row[-len(last) :] = np.frombuffer(last, np.uint8)
    return row


class OnnxNetwork:
    """The network on ONNX Runtime, loaded when it is first asked; may be asked from many threads."""

    def __init__(self) -> None:
        self._session: Any = None
        self._lock = threading.Lock()

    def __call__(self, tokens: np.ndarray, jobs: int = 1) -> np.ndarray:
        """Return probabilities, one row at a time: larger batches are no faster and less exact.

        On one thread whatever `jobs` says: this is the reference, its order of sums is to stay.
        """
        session = self._loaded()
        rows = [session.run(["target_label"], {"bytes": tokens[i : i + 1]})[0] for i in range(len(tokens))]
        return np.concatenate(rows)

    def _loaded(self) -> Any:
        with self._lock:
            if self._session is None:
                import onnxruntime

                onnxruntime.disable_telemetry_events()
                options = onnxruntime.SessionOptions()
                # One thread that does not spin: detection runs beside other work.
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                self._session = onnxruntime.InferenceSession(
                    str(model_file("model.onnx")), options, providers=["CPUExecutionProvider"]
                )
            return self._session

"""The number of threads that BLAS uses is the application's."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import threadpoolctl

from kinetoscope_magika._blas import _controller, one_blas_thread
from kinetoscope_magika.detect import MagikaDetector


def threads() -> list[int]:
    """Those of NumPy's BLAS, not of what other libraries brought since."""
    return [held["num_threads"] for held in _controller().info() if held["user_api"] == "blas"]


def test_it_is_one_inside_and_what_it_was_afterwards() -> None:
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads()
        with one_blas_thread():
            assert set(threads()) <= {1}
        with pytest.raises(RuntimeError), one_blas_thread():
            raise RuntimeError
        assert threads() == before


def test_detecting_from_many_threads_leaves_it_as_it_was() -> None:
    before = threads()
    detectors = [MagikaDetector(), MagikaDetector()]
    noise = [random.Random(i).randbytes(2048) for i in range(32)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: detectors[i % 2].detect(noise[i]), range(len(noise))))
    finally:
        sys.setswitchinterval(interval)
    assert threads() == before

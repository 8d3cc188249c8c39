"""Bounds of time and memory: what is over them is told, what is under them is left alone."""

from __future__ import annotations

import contextlib
import itertools
import threading

import numpy as np
import pytest

from kinetoscope_spec import ContractError, FormatError
from kinetoscope_spec.contracts._bounds import bounded_memory, bounded_time


def test_a_loop_without_end_is_interrupted() -> None:
    with (
        pytest.raises(ContractError, match=r"spinning took longer than 0\.2 s"),
        bounded_time(0.2, "spinning"),
    ):
        for _ in itertools.count():
            pass


def test_a_provider_that_swallows_every_exception_is_interrupted_too() -> None:
    def swallow() -> None:
        while True:
            with contextlib.suppress(Exception):
                sum(range(1000))

    with pytest.raises(ContractError, match="took longer"), bounded_time(0.2, "swallowing"):
        swallow()


def test_what_is_quick_goes_through_with_its_result_and_its_errors() -> None:
    with bounded_time(60, "counting"):
        total = sum(range(10))
    assert total == 45
    with pytest.raises(FormatError, match="line"), bounded_time(60, "reading"):
        raise FormatError("a wrong line")
    assert not [thread for thread in threading.enumerate() if "contract-clock" in thread.name]


def test_memory_is_counted_at_its_peak() -> None:
    with (
        pytest.raises(ContractError, match=r"took 8,\d{3},\d{3} bytes, expected at most 1,000,000"),
        bounded_memory(1_000_000, "filling"),
    ):
        np.zeros(1_000_000).sum()
    with bounded_memory(20_000_000, "filling"):
        np.zeros(1_000_000).sum()

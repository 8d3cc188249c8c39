"""Every parser against its own files, damaged: what `make fuzz` does for long, done for a moment."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinetoscope_spec.contracts import strategies
from tests.fuzz.targets import PACKAGES, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_end_in_a_result_or_the_right_error(name: str) -> None:
    target = TARGETS[name]()
    seeds = list(target.seeds())
    for seed in seeds:
        target.parse(seed)  # our own files are read without any error

    @given(strategies.file_bytes(seeds) | st.binary(max_size=64))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def damaged(data: bytes) -> None:
        target(data)

    damaged()


def test_every_target_is_instrumented() -> None:
    assert set(PACKAGES) == set(TARGETS)

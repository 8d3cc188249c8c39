"""Lets the tests import what stands beside them, and makes the tiny weights once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of random weights, as VOID's are published."""
    from void_weights import publish

    return publish(tmp_path_factory.mktemp("void"))

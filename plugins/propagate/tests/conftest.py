"""The scenes, for tests that can't import their neighbours."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def scenes() -> Any:
    return neighbour("scenes")


@pytest.fixture(scope="session")
def things() -> Any:
    return neighbour("things")


def neighbour(name: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        return importlib.import_module(name)

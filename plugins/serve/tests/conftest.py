"""The tests share a service whose jobs do what the tests say, and helpers that lie beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kinetoscope import Host

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    with Host() as held:
        yield held


@pytest.fixture(scope="module")
def hasty(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A service that does not wait for long, for uploads that never come to their end."""
    import attrs
    from serve_page import SMALL, Page
    from serve_work import work

    limits = attrs.evolve(SMALL, stall_s=0.5)
    held = Page.of(host, Host, tmp_path_factory.mktemp("jobs"), work, limits)
    with held.server:
        yield held


@pytest.fixture(scope="module")
def page(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A service that runs."""
    from serve_page import Page
    from serve_work import work

    held = Page.of(host, Host, tmp_path_factory.mktemp("jobs"), work)
    with held.server:
        yield held

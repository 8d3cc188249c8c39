"""Templates as providers: what `kinetoscope new` writes, imported under names of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kinetoscope.scaffold import scaffold
from kinetoscope_spec import Provider
from kinetoscope_spec.contracts import Contract

Templates = Callable[[str], Contract]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    """Return what gives the contract over the provider of a freshly scaffolded plugin."""
    folder = tmp_path_factory.mktemp("templates")
    made: dict[str, Contract] = {}

    def contract(hook: str) -> Contract:
        if hook not in made:
            made[hook] = _contract(hook, folder)
        return made[hook]

    yield contract
    for path in [path for path in sys.path if path.startswith(str(folder))]:
        sys.path.remove(path)


def _contract(hook: str, folder: Path) -> Contract:
    from kinetoscope_spec import HOOKS

    name = f"shelf-{hook}"
    path = scaffold(hook, name, folder).path / "src"
    sys.path.insert(0, str(path))
    package = importlib.import_module(f"shelf_{hook}")
    (record,) = package.providers()
    assert isinstance(record, Provider)
    target = record.contract or HOOKS[hook].contract
    assert target is not None
    assert isinstance(record.load, str)
    kind = _resolved(target)
    if record.contract:
        held: Contract = kind()
        return held
    over: Contract = kind.of(_resolved(record.load)(), name=name)
    return over


def _resolved(target: str) -> type:
    module, _, name = target.partition(":")
    found: type = getattr(importlib.import_module(module), name)
    return found

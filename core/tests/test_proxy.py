from __future__ import annotations

import asyncio
import inspect
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import attrs
import pytest

from kinetoscope._proxy import stand_in, target_of
from kinetoscope_spec import Importer, Renderer, Voice

NOTE = "in importer 'x' of acme 1"


class Everything:
    """A provider with every kind of method."""

    label = "held"

    def __init__(self):
        self.count = 0

    def read(self, path, *, unit=1):
        """Read it."""
        self.count += 1
        if path is None:
            raise ValueError("no path")
        return path, unit

    def stream(self, n):
        yield from range(n)
        raise ValueError("ran out")

    async def aspeak(self, n):
        if n < 0:
            raise ValueError("negative")
        return n

    async def astream(self, n):
        for i in range(n):
            yield i
        raise ValueError("ran out")

    @staticmethod
    def static(x):
        return x

    @classmethod
    def kind(cls):
        return cls

    @property
    def twice(self):
        return self.count * 2

    def __call__(self, x):
        return x

    def __len__(self):
        return 5

    def nested(self):
        return self.read(None)


@pytest.fixture
def made():
    return stand_in(Everything(), NOTE)


def noted(caught):
    assert caught.value.__notes__ == [NOTE]


def test_calls_go_through_and_state_is_the_providers_own(made):
    assert made.read("a", unit=2) == ("a", 2)
    assert (made.count, made.twice, made.label) == (1, 2, "held")
    made.count = 7
    assert target_of(made).count == 7
    assert made.static(3) == 3
    assert made.kind() is Everything
    assert made(4) == 4
    assert len(made) == 5
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        made.nothing_of_the_kind  # noqa: B018


def test_every_kind_of_failure_carries_the_note_once(made):
    with pytest.raises(ValueError, match="no path") as caught:
        made.read(None)
    noted(caught)
    with pytest.raises(ValueError, match="no path") as caught:
        made.nested()
    noted(caught)
    stream = made.stream(2)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(ValueError, match="ran out") as caught:
        next(stream)
    noted(caught)
    with pytest.raises(ValueError, match="negative") as caught:
        asyncio.run(made.aspeak(-1))
    noted(caught)

    async def drain():
        return [item async for item in made.astream(2)]

    with pytest.raises(ValueError, match="ran out") as caught:
        asyncio.run(drain())
    noted(caught)


def test_it_passes_for_the_class_and_its_protocols(made):
    @runtime_checkable
    class Reads(Protocol):
        def read(self, path, *, unit=1): ...

    assert isinstance(made, Everything)
    assert isinstance(made, Importer)
    assert isinstance(made, Reads)
    assert not isinstance(made, Renderer)
    assert not isinstance(made, Voice)
    # From 3.12 on a protocol looks with getattr_static, past __getattr__.
    assert inspect.getattr_static(made, "read")
    assert inspect.signature(made.read) == inspect.signature(Everything().read)
    assert made.read.__doc__ == "Read it."
    assert type(made).__doc__ == Everything.__doc__


def test_a_generator_can_be_closed_through_it(made):
    stream = made.stream(3)
    next(stream)
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)


def test_frozen_and_slotted_providers_work_too():
    @attrs.frozen
    class Slotted:
        unit: int = 3

        def read(self, path):
            return self.unit

    made = stand_in(Slotted(), NOTE)
    assert made.read("x") == 3
    assert made == Slotted()
    assert hash(made) == hash(Slotted())


def test_observed_calls_are_entered_and_left():
    seen = []

    @contextmanager
    def observe(operation):
        seen.append(operation)
        try:
            yield
        finally:
            seen.append(f"/{operation}")

    made = stand_in(Everything(), NOTE, observe)
    made.read(1)
    assert list(zip(range(2), made.stream(9), strict=False)) == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="no path") as caught:
        made.read(None)
    noted(caught)
    assert seen[:3] == ["read", "/read", "stream"]
    assert seen[-2:] == ["read", "/read"]

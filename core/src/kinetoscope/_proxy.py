"""A thin stand-in for a provider, whose calls say in which plugin they failed.

The methods are wrapped once, when the stand-in is built, and put where Python finds them first: a
call costs a plain function call more. Inside the provider nothing is wrapped.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["Observe", "Wrap", "annotate", "stand_in", "target_of"]

Observe = Callable[[str], AbstractContextManager[None]]
"""`observe(operation)`: entered around each call; for tracing."""

Wrap = Callable[[str, Callable[..., Any]], Callable[..., Any]]
"""`wrap(name, method)`: returns what is called in its place."""

_FORWARDED = ("__call__", "__enter__", "__exit__", "__iter__", "__len__", "__contains__", "__getitem__")


class StandIn:
    """Base of the stand-ins; attributes that are not methods are the provider's own."""

    _kinetoscope_target: Any
    _kinetoscope_wrap: Wrap | None
    _kinetoscope_note: str

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_kinetoscope_target"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._kinetoscope_target, name, value)

    def __dir__(self) -> list[str]:
        return dir(self._kinetoscope_target)

    def __repr__(self) -> str:
        return repr(self._kinetoscope_target)

    def __eq__(self, other: object) -> bool:
        return bool(self._kinetoscope_target == target_of(other))

    def __hash__(self) -> int:
        return hash(self._kinetoscope_target)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process gets the provider itself: the host does not travel with it. What wraps it does.
        if self._kinetoscope_wrap is not None:
            return stand_in, (self._kinetoscope_target, self._kinetoscope_note, None, self._kinetoscope_wrap)
        return _itself, (self._kinetoscope_target,)


def _itself(target: Any) -> Any:
    return target


def target_of(provider: Any) -> Any:
    """Return what stands behind a stand-in, or the object itself."""
    return provider._kinetoscope_target if isinstance(provider, StandIn) else provider


def annotate(error: BaseException, note: str) -> None:
    """Add `note` to an exception once."""
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def stand_in(target: Any, note: str, observe: Observe | None = None, wrap: Wrap | None = None) -> Any:
    """Return a stand-in for `target`: exceptions from its public methods carry `note`.

    With `wrap` its methods are what that returns for them, in other processes too. It passes
    `isinstance` for the class of `target` and for protocols that `target` fulfils.
    """
    kind = type(target)
    methods = {name: _method(target, name, note, observe, wrap) for name in _method_names(kind)}
    forwarded = {name: _bound(methods.pop(name)) for name in _FORWARDED if name in methods}
    # A protocol looks for methods on the class (and in 3.12 nowhere else); calls find them in the instance.
    body = {name: getattr(kind, name) for name in methods} | forwarded
    body["__class__"] = property(lambda _self: kind)
    body["__doc__"] = kind.__doc__
    made: Any = object.__new__(type(kind.__name__, (StandIn,), body))
    made.__dict__.update(methods, _kinetoscope_target=target, _kinetoscope_wrap=wrap, _kinetoscope_note=note)
    return made


def _method_names(kind: type) -> list[str]:
    public = (name for name in dir(kind) if not name.startswith("_") or name in _FORWARDED)
    return [name for name in public if _is_method(inspect.getattr_static(kind, name))]


def _is_method(held: Any) -> bool:
    return inspect.isroutine(held) or isinstance(held, staticmethod | classmethod | functools.partialmethod)


def _bound(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _self, *args, **options: call(*args, **options)


def _method(
    target: Any, name: str, note: str, observe: Observe | None, wrap: Wrap | None
) -> Callable[..., Any]:
    call = getattr(target, name)
    if wrap is not None:
        call = wrap(name, call)
    watch: Callable[[], AbstractContextManager[None]] | None = None
    if observe is not None:
        watch = functools.partial(observe, name)
    if inspect.isasyncgenfunction(call):
        wrapped = _async_stream(call, note, watch or nullcontext)
    elif inspect.iscoroutinefunction(call):
        wrapped = _coroutine(call, note, watch or nullcontext)
    elif inspect.isgeneratorfunction(call):
        wrapped = _stream(call, note, watch or nullcontext)
    else:
        wrapped = _plain(call, note) if watch is None else _watched(call, note, watch)
    return functools.update_wrapper(wrapped, call)


Call = Callable[..., Any]
Watch = Callable[[], AbstractContextManager[None]]


def _plain(call: Call, note: str) -> Call:
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            return call(*args, **options)
        except Exception as error:
            annotate(error, note)
            raise

    return wrapped


def _watched(call: Call, note: str, watch: Watch) -> Call:
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            with watch():
                return call(*args, **options)
        except Exception as error:
            annotate(error, note)
            raise

    return wrapped


def _stream(call: Call, note: str, watch: Watch) -> Call:
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            with watch():
                return (yield from call(*args, **options))
        except Exception as error:
            annotate(error, note)
            raise

    return wrapped


def _coroutine(call: Call, note: str, watch: Watch) -> Call:
    async def wrapped(*args: Any, **options: Any) -> Any:
        try:
            with watch():
                return await call(*args, **options)
        except Exception as error:
            annotate(error, note)
            raise

    return wrapped


def _async_stream(call: Call, note: str, watch: Watch) -> Call:
    async def wrapped(*args: Any, **options: Any) -> Any:
        try:
            with watch():
                async for item in call(*args, **options):
                    yield item
        except Exception as error:
            annotate(error, note)
            raise

    return wrapped

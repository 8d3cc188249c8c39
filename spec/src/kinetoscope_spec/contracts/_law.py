"""Laws: what a contract is made of, how one is run, and what it says when it is broken."""

from __future__ import annotations

import functools
import inspect
import unittest
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisException, HypothesisWarning, Unsatisfiable
from hypothesis.strategies import SearchStrategy

from kinetoscope_spec.errors import ContractError

if TYPE_CHECKING:
    from kinetoscope_spec.contracts._contract import Contract

__all__ = ["Law", "law", "require", "run_law"]

Drawn = SearchStrategy[Any] | str


@attrs.frozen
class Law:
    """One law of a contract.

    Attributes:
        name: the method's name without `test_`.
        text: the method's docstring: what the law is, in full.
        drawn: argument name to strategy, or to the name of a contract's method that returns one.
        cost: how many plain examples one of this law is worth: a law of cost 10 gets a tenth of
            the examples that a profile gives.
        unless: name of a contract's method that says why the law does not apply, or None.
        check: the law itself: `check(contract, **arguments)`.
    """

    name: str
    text: str
    drawn: Mapping[str, Drawn]
    cost: float
    unless: str | None
    check: Callable[..., None]

    @property
    def promise(self) -> str:
        """The first sentence of the law, on one line."""
        return " ".join(self.text.split("\n\n")[0].split())

    def examples(self, most: int) -> int:
        """Return how many examples to try where a plain law gets `most`."""
        return max(1, round(most / self.cost)) if self.drawn else 1


def law(
    *drawn: Drawn, cost: float = 1.0, unless: str | None = None
) -> Callable[[Callable[..., None]], Callable[[Any], None]]:
    """Make a law of a method `test_...(self, drawn...)`: its docstring is what is promised.

    Each of `drawn` is a strategy, or the name of a method of the contract that returns one (which
    subclasses may override). The method itself calls `require`. What the provider raises, other than
    what the law expects, breaks it too. The law may be run as a test, by pytest or unittest.

    Raises:
        TypeError: the method has no docstring, no `test_` in front, or another number of arguments.
    """

    def mark(method: Callable[..., None]) -> Callable[[Any], None]:
        name = method.__name__
        arguments = list(inspect.signature(method).parameters)[1:]
        if not name.startswith("test_") or not method.__doc__ or len(arguments) != len(drawn):
            raise TypeError(
                f"law {name!r} takes {len(drawn)} drawn arguments; expected a method 'test_...' with as many "
                "beside self, and a docstring"
            )
        text = inspect.cleandoc(method.__doc__)
        pairs = dict(zip(arguments, drawn, strict=True))
        record = Law(name.removeprefix("test_"), text, pairs, cost, unless, method)

        def run(self: Contract) -> None:
            __tracebackhide__ = True
            run_law(self, record)

        functools.update_wrapper(run, method)
        del run.__wrapped__  # type: ignore[attr-defined] # pytest would take its arguments for fixtures
        run.law = record  # type: ignore[attr-defined]
        return run

    return mark


def require(holds: Any, found: str) -> None:
    """Raise `ContractError` with what was `found` unless all of `holds` is true."""
    if not (bool(holds.all()) if hasattr(holds, "all") else bool(holds)):
        raise ContractError(found)


def run_law(
    contract: Contract,
    law: Law,
    *,
    examples: int | None = None,
    seed: int | None = None,
    shrink: bool = True,
    tally: Callable[[], None] | None = None,
) -> None:
    """Run one law: on `examples` drawn examples, or as many as the hypothesis profile in force says.

    Raises:
        ContractError: the law is broken; the message says what was promised and what was found, notes
            hold the smallest example that was found.
        unittest.SkipTest: the law does not apply; the message says why.
    """
    __tracebackhide__ = True  # pytest shows the message, not the kit
    reason = contract.why_not(law)
    if reason:
        raise unittest.SkipTest(reason)

    def guarded(*values: Any, **arguments: Any) -> None:
        __tracebackhide__ = True
        if tally is not None:
            tally()
        try:
            law.check(contract, *values, **arguments)
        except (HypothesisException, unittest.SkipTest):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's code raises breaks the law
            _break(contract, law, error)

    drawn = {name: _strategy(contract, held) for name, held in law.drawn.items()}
    if not drawn:
        guarded()
        return
    test = given(**drawn)(_named(guarded, contract, law))
    test = _settings(law, examples, seed, shrink)(test)
    if seed is not None:
        test = hypothesis.seed(seed)(test)
    try:
        with warnings.catch_warnings():  # a long file in an example is no fault of the provider
            warnings.filterwarnings("ignore", "Generating overly large repr", HypothesisWarning)
            test()
    except Unsatisfiable as error:
        _break(contract, law, error)


def _strategy(contract: Contract, held: Drawn) -> SearchStrategy[Any]:
    made: SearchStrategy[Any] = getattr(contract, held)() if isinstance(held, str) else held
    return made


def _named(guarded: Callable[..., None], contract: Contract, law: Law) -> Callable[..., None]:
    """Give the test a name and a signature, by which hypothesis tells and remembers tests."""
    guarded.__name__ = guarded.__qualname__ = f"{law.name}_of_{contract.hook}"
    guarded.__doc__ = law.text
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in law.drawn]
    guarded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return guarded


def _settings(law: Law, examples: int | None, seed: int | None, shrink: bool) -> settings:
    most = settings.default.max_examples if examples is None else examples  # type: ignore[union-attr]
    phases = (Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if shrink else []))
    options: dict[str, Any] = {} if seed is None else {"derandomize": False, "database": None}
    return settings(
        max_examples=law.examples(most),
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,  # one law, one failure: the smallest
        suppress_health_check=list(HealthCheck),
        **options,
    )


def _break(contract: Contract, law: Law, error: Exception) -> NoReturn:
    """Raise the error that a stranger reads: who broke which law, what it promised, what was found."""
    __tracebackhide__ = True
    found = str(error) if isinstance(error, ContractError) else _unexpected(error)
    indented = "\n    ".join(found.splitlines())
    broken = ContractError(
        f"{contract.hook} {contract.name!r} broke the law {law.name}\n"
        f"  promised: {law.promise}\n"
        f"  found: {indented}"
    )
    broken.law = law.name
    raise broken from (None if isinstance(error, ContractError) else error)


def _unexpected(error: Exception) -> str:
    """Say what was raised, and where in the provider's code."""
    place = ""
    for frame in _frames(error):
        place = f" at {Path(frame[0]).name}:{frame[1]}"
    return f"{type(error).__name__}{place}: {error}"


def _frames(error: BaseException) -> Iterable[tuple[str, int]]:
    trace = error.__traceback__
    here = str(Path(__file__).parent)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(here):
            yield file, trace.tb_lineno
        trace = trace.tb_next

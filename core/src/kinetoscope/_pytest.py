"""The pytest plugin: `--kinetoscope-check=NAME` runs the contract of an installed provider.

Each law is a test of its own. Every pytest run of an environment with the host loads this module, so
it imports nothing before the option is given. How many examples a law gets is hypothesis' affair:
`--hypothesis-profile=kinetoscope-ci`, `--hypothesis-seed=N`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kinetoscope_spec.contracts import Contract, Law

__all__: list[str] = []

_HOST = "_kinetoscope_host"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--kinetoscope-check`."""
    parser.getgroup("kinetoscope").addoption(
        "--kinetoscope-check",
        action="append",
        default=[],
        metavar="NAME",
        help="run the contract of the installed provider NAME (or HOOK:NAME, or 'all'); may be repeated",
    )


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add one test for each law of each provider that was named."""
    names: list[str] = config.getoption("--kinetoscope-check")
    if not names:
        return
    from kinetoscope import Host
    from kinetoscope.checking import contract_of, matching

    host = Host()
    setattr(config, _HOST, host)
    chosen = matching(host, () if "all" in names else names)
    for info in chosen:
        group = ProviderLaws.from_parent(session, name=f"{info.hook}:{info.name}")
        if info.state not in ("available", "loaded"):
            items.append(_Unusable.from_parent(group, name=info.state, reason=info.reason, state=info.state))
            continue
        contract = contract_of(host, info)
        laws = contract.laws() if contract is not None else ()
        items.extend(LawItem.from_parent(group, name=law.name, law=law, contract=contract) for law in laws)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the host that was made for the checks."""
    host = getattr(config, _HOST, None)
    if host is not None:
        host.close()


class ProviderLaws(pytest.Collector):
    """One provider, whose laws are its items."""

    def collect(self) -> Iterator[pytest.Item]:
        """Return nothing: laws are added to the session when providers are known."""
        return iter(())


class LawItem(pytest.Item):
    """One law, run over one installed provider."""

    def __init__(self, *, law: Law, contract: Contract, **options: Any) -> None:
        super().__init__(**options)
        self.law = law
        self.contract = contract

    def runtest(self) -> None:
        """Run the law on as many examples as the hypothesis profile in force says."""
        from kinetoscope_spec.contracts import run_law

        run_law(self.contract, self.law)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what was promised and found, and the example; the traceback is the kit's own."""
        from kinetoscope_spec.errors import ContractError

        if isinstance(excinfo.value, ContractError):
            return "\n".join([str(excinfo.value), *getattr(excinfo.value, "__notes__", ())])
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Name the law in reports."""
        return self.path, None, f"{self.parent.name if self.parent else ''}: {self.law.name}"


class _Unusable(pytest.Item):
    """A provider that cannot be checked: skipped where something is missing, failed where it is broken."""

    def __init__(self, *, reason: str, state: str, **options: Any) -> None:
        super().__init__(**options)
        self.reason = reason
        self.state = state

    def runtest(self) -> None:
        """Skip, or fail, with the reason."""
        if self.state == "broken":
            pytest.fail(self.reason, pytrace=False)
        pytest.skip(f"{self.state}: {self.reason}")

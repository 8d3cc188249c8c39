"""Running the contracts of installed providers: who is judged, by which laws, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import attrs

from kinetoscope_spec.errors import KinetoscopeError, PluginError, ProviderNotFound, nearest

if TYPE_CHECKING:
    from kinetoscope.host import Host
    from kinetoscope.infos import ProviderInfo
    from kinetoscope_spec.contracts import Contract, MutantResult, Report

__all__ = ["Checked", "check_provider", "check_providers", "contract_of", "matching"]

PROFILES = {"quick": 10, "ci": 50, "nightly": 1000}
"""Examples of a plain law, by profile: as hypothesis' profiles `kinetoscope-...` have them."""

Told = Callable[[int, int, str], Any]


@attrs.frozen
class Checked:
    """What came of one provider.

    Attributes:
        info: whose.
        state: `checked`; `unavailable` (it lacks weights, a key, a driver or a library); `broken`;
            `unproven` (its hook has no contract); `blocked`.
        reason: why it was not checked.
        report: what its laws and mutants came to, or None.
    """

    info: ProviderInfo
    state: str
    reason: str = ""
    report: Report | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong: every law held, or the provider can't work on this machine."""
        if self.report is not None:
            return self.report.ok
        return self.state in ("unavailable", "blocked")


def matching(host: Host, names: Iterable[str], *, hook: str | None = None) -> list[ProviderInfo]:
    """Return the installed providers called `names` (`name` or `hook:name`), all of them without names.

    A hook that can't be known, since the plugin that brings it is broken, keeps nobody else from being
    found: its providers are among those returned, with that reason.

    Raises:
        ProviderNotFound: a name that nothing has, or no such hook; says the nearest.
    """
    hooks = host.hooks()  # plugins that only bring hooks or commands provide nothing
    known = [info for info in host.providers(hook) if info.hook in hooks]
    known.sort(key=lambda info: (info.hook, info.name))
    wanted = list(names)
    if not wanted:
        return known
    found: list[ProviderInfo] = []
    for name in wanted:
        fits = [info for info in known if name in (info.name, f"{info.hook}:{info.name}")]
        if not fits:
            there = sorted({info.name for info in known})
            hint = nearest(name, there) or f"; there are {', '.join(there)}"
            raise ProviderNotFound(f"no provider {name!r}{hint}")
        found += [info for info in fits if info not in found]
    return found


def contract_of(host: Host, info: ProviderInfo) -> Contract | None:
    """Return the contract over the provider as the host hands it out, or None where its hook has none.

    Raises:
        PluginError: the contract can't be imported, or changes laws of its hook's.
        KinetoscopeError: hypothesis is not installed.
    """
    record = host.hook(info.hook)
    if record.contract is None:
        return None
    base: type[Contract] = _imported(record.contract, f"hook {info.hook!r}")
    own = info.provider.contract if info.provider else None
    kind: type[Contract] = _imported(own, f"provider {info.name!r}") if own else base
    changed = _changed_laws(base, kind)
    if changed:
        raise PluginError(
            f"the contract {own} of {info.hook} {info.name!r} replaces {', '.join(changed)}: laws are the "
            "hook's; leave one out with a reason (omits) or narrow what it draws"
        )
    attributes: dict[str, Any] = {"name": info.name}
    if info.provider and info.provider.omits:
        attributes["omits"] = info.provider.omits
    if hasattr(kind, "marker"):
        attributes["marker"] = _watermarker(host)
    return kind.of(host.provider(info.hook, info.name), **attributes)


def _imported(target: str, whose: str) -> Any:
    try:
        return resolve_name(target)
    except ImportError as error:
        if error.name == "hypothesis":
            raise KinetoscopeError(
                "checking contracts needs hypothesis: pip install 'kinetoscope-spec[contracts]'"
            ) from error
        raise PluginError(f"the contract {target!r} of {whose} can't be imported: {error}") from error
    except AttributeError as error:
        raise PluginError(f"the contract {target!r} of {whose} is not there: {error}") from error


def _changed_laws(base: type[Contract], kind: type[Contract]) -> list[str]:
    held = {law.name: law.check for law in kind.laws()}
    return [law.name for law in base.laws() if held.get(law.name) is not law.check]


def _watermarker(host: Host) -> Any:
    """Return what finds watermarks again, if a plugin brings such a hook and there is one."""
    try:
        return host.provider("watermarker")
    except KinetoscopeError:
        return None


def check_providers(
    host: Host,
    chosen: Sequence[ProviderInfo],
    *,
    examples: int | None = None,
    seed: int | None = None,
    mutants: bool = False,
    shard: tuple[int, int] = (1, 1),
    told: Told | None = None,
) -> list[Checked]:
    """Run the contract of each of `chosen`, or of its shard `(i, n)`: every n-th law from the i-th on.

    `told(done, total, "hook name: law")` is called before each law.
    """
    found: list[Checked] = []
    index = 0
    contracts = [_contract(host, info) for info in chosen]
    total = sum(len(held.laws()) for held, _ in contracts if held is not None)
    for info, (contract, failed) in zip(chosen, contracts, strict=True):
        if contract is None:
            assert failed is not None
            if shard[0] == 1:
                found.append(failed)
            continue
        laws = [law.name for law in contract.laws()]
        mine = {law for i, law in enumerate(laws, index) if i % shard[1] == shard[0] - 1}
        index += len(laws)
        if mine:
            found.append(
                check_provider(
                    info,
                    contract,
                    laws=mine,
                    examples=examples,
                    seed=seed,
                    mutants=mutants,
                    told=_shifted(told, index - len(laws), total, info),
                )
            )
    return found


def check_provider(
    info: ProviderInfo,
    contract: Contract,
    *,
    laws: Collection[str] | None = None,
    examples: int | None = None,
    seed: int | None = None,
    mutants: bool = False,
    told: Told | None = None,
) -> Checked:
    """Run one contract; with `mutants` each law is also run against providers that break it."""
    from kinetoscope_spec.contracts import check, check_mutants

    report = check(contract, laws=laws, examples=examples, seed=seed, told=told)
    held = {result.law for result in report.results if result.outcome == "held"}
    caught: tuple[MutantResult, ...] = ()
    if mutants:
        caught = check_mutants(contract, laws=held, examples=examples, seed=report.seed)
    return Checked(info, "checked", report=attrs.evolve(report, mutants=caught))


def _contract(host: Host, info: ProviderInfo) -> tuple[Contract | None, Checked | None]:
    """Return the contract of a provider, or why there is none."""
    if info.state not in ("available", "loaded"):
        return None, Checked(info, info.state, info.reason)
    try:
        contract = contract_of(host, info)
    except PluginError as error:
        return None, Checked(info, "broken", str(error))
    if contract is None:
        return None, Checked(info, "unproven", f"the hook {info.hook!r} has no contract")
    return contract, None


def _shifted(told: Told | None, done: int, total: int, info: ProviderInfo) -> Told | None:
    if told is None:
        return None
    return lambda i, _total, law: told(done + i, total, f"{info.hook} {info.name}: {law}")

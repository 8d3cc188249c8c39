"""Write the reference of hooks and laws from the contracts themselves: `python docs/laws.py`."""

from __future__ import annotations

import inspect
from pathlib import Path
from pkgutil import resolve_name

from kinetoscope import Host
from kinetoscope_spec import Hook
from kinetoscope_spec.contracts import Contract

PAGE = Path(__file__).parent / "pages" / "reference" / "laws.md"
_HEAD = """\
# Laws

What every provider of a hook is held to. `kinetoscope check NAME` runs them over an installed provider; a
test class of three lines runs them in a plugin's own tests ([how](../how-to/prove-a-plugin.md)). Under each
law stand the *mutants* that show it has teeth: providers with that one thing wrong, which the law, and no
other, must catch.

This page is made from the contracts' own docstrings by `docs/laws.py`.
"""


def hooks() -> list[Hook]:
    """Return the hooks that have a contract: the spec's, then those that plugins of ours bring."""
    with Host() as host:
        found = [host.hook(name) for name in host.hooks()]
    return [hook for hook in found if hook.contract]


def page() -> str:
    """Return the page as it should be."""
    parts = [_HEAD]
    total = mutants = 0
    for hook in hooks():
        assert hook.contract is not None
        contract: type[Contract] = resolve_name(hook.contract)
        parts.append(_section(hook, contract))
        total += len(contract.laws())
        mutants += len(contract.known_mutants())
    return "\n".join([parts[0], f"{total} laws and {mutants} mutants in all.\n", *parts[1:]])


def _section(hook: Hook, contract: type[Contract]) -> str:
    lines = [f"## {hook.name}", "", f"{hook.summary.capitalize()}. `{hook.contract}`", ""]
    lines += [_listed(inspect.cleandoc(contract.__doc__ or "")), ""]
    mutants = contract.known_mutants()
    for law in contract.laws():
        lines += [f"### {hook.name}: {law.name}", "", law.text, ""]
        lines += [f"- *mutant:* {mutant.summary}" for mutant in mutants if mutant.law == law.name]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _listed(text: str) -> str:
    """Return a docstring with its attributes as a list."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("        "):
            lines[-1] += f" {line.strip()}"
        elif line.startswith("    "):
            name, _, told = line.strip().partition(":")
            lines.append(f"- `{name}`:{told}")
        else:
            lines += [line, ""] if line == "Attributes:" else [line]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""A plugin's first distribution, from the template of its kind."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from kinetoscope.scaffold import _brought, _template
from kinetoscope.scaffold._names import Words
from kinetoscope.scaffold._write import write_folder
from kinetoscope_spec.errors import ValidationError, nearest
from kinetoscope_spec.hooks import HOOKS, Hook

__all__ = ["OWN", "Made", "kinds", "scaffold"]

OWN = "hook"
"""The kind of a plugin that brings a hook of its own."""

_OWN_CONTRACT = (f"{_template.PACKAGE}.contract", "AcmeThingContract")

_TAKEN = {*HOOKS, "addhooks", "after_use", "before_use", "command", "configured"}
"""What stands in entry-point groups and in the specification already."""

kinds = _template.kinds


@attrs.frozen
class Made:
    """What was written: where, for which hook, the names it got, and its files by their paths in it.

    `works` is False of a skeleton whose methods are to be filled in.
    """

    path: Path
    hook: str
    words: Words
    files: tuple[str, ...]
    works: bool


def scaffold(kind: str, name: str, folder: str | Path, *, hook: Hook | None = None) -> Made:
    """Write the distribution `name` with a provider of the hook `kind` into `folder`/`name`.

    Args:
        kind: a hook that there is a template for (`kinds`), `hook` for a hook of one's own, or the
            name of `hook`.
        name: of the distribution: `my-format`; package and classes are named after it.
        folder: in which it is made; the distribution's own folder may be there if it is empty.
        hook: what a plugin's hook says of itself: its protocol is what a skeleton is made of.

    Raises:
        ValidationError: no such kind, or a name that is none or is taken.
        PluginError: the protocol of `hook` can't be read.
        OSError: the folder is not empty, or can't be written; nothing is left then.
    """
    words = Words.of(name)
    sources, plan = _planned(kind, words, hook)
    _template.check_clashes(sources, words.prefix, words.package)
    marks = plan.marks(sources)
    shared = {path: _marked(text, marks) for path, text in _template.read_shared().items()}
    files = {words.put(path): words.put(text) for path, text in {**shared, **sources}.items()}
    target = Path(folder) / name
    write_folder(target, files)
    return Made(target, words.put(plan.hook), words, tuple(sorted(files)), works=kind in kinds())


def _marked(text: str, marks: Mapping[str, str]) -> str:
    for mark, held in marks.items():
        text = text.replace(f"@{mark}@", held)
    return text.rstrip() + "\n"


@attrs.frozen
class _Plan:
    """What the shared files of one kind say: where its provider, contract and protocol are."""

    summary: str
    hook: str
    groups: Sequence[tuple[str, str]]
    provider: tuple[str, str]
    protocol: tuple[str, str]
    contract: tuple[str, str] | None
    requires: Mapping[str, str] = attrs.field(factory=dict)

    def marks(self, sources: Mapping[str, str]) -> dict[str, str]:
        """Return what stands for `@mark@` in the shared files."""
        needed = ["kinetoscope-spec>=0.1,<0.2", *_template.requirements(sources, self.requires)]
        points = [f'[project.entry-points."{group}"]\nacme-thing = "{value}"' for group, value in self.groups]
        used = [self.provider, self.protocol, *([self.contract] if self.contract else ())]
        return {
            "summary": self.summary,
            "hook": self.hook,
            "dependencies": ", ".join(f'"{requirement}"' for requirement in needed),
            "overrides": _overrides(_template.optional(sources)),
            "entry_points": "\n\n".join(points),
            "listing": _listing(sources),
            "imports": _imports(used),
            "provider": self.provider[1],
            "protocol": self.protocol[1],
            "contract": self.contract[1] if self.contract else "",
            "given": "" if self.contract == _OWN_CONTRACT else "\n    provider = PROVIDER",
        }


def _planned(kind: str, words: Words, hook: Hook | None) -> tuple[dict[str, str], _Plan]:
    if kind not in kinds():
        if hook is None:
            known = [*HOOKS, OWN]
            raise ValidationError(
                f"no template {kind!r}{nearest(kind, known)}; there are {', '.join(kinds())}"
            )
        return _from_protocol(hook)
    sources = _template.read_kind(kind)
    provider = _template.target_of(sources, "load")
    assert provider is not None, f"the template {kind!r} names no provider"
    has_own = f"src/{_template.PACKAGE}/contract.py" in sources
    if kind == OWN:
        if words.package in _TAKEN:
            raise ValidationError(f"the specification has a hook {words.package!r}, choose another name")
        groups = [("kinetoscope", "acme_thing.hooks"), ("kinetoscope.acme_thing", "acme_thing")]
        summary = "The hook `acme_thing` for Kinetoscope, and a first provider of it."
        return sources, _Plan(
            summary, "acme_thing", groups, provider, ("acme_thing.hooks", "AcmeThing"), _OWN_CONTRACT
        )
    record = HOOKS[kind]
    assert record.contract is not None
    return sources, _Plan(
        _summary(kind),
        kind,
        [(f"kinetoscope.{kind}", "acme_thing")],
        provider,
        ("kinetoscope_spec", record.protocol.partition(":")[2]),
        _OWN_CONTRACT if has_own else ("kinetoscope_spec.contracts", record.contract.partition(":")[2]),
    )


def _from_protocol(hook: Hook) -> tuple[dict[str, str], _Plan]:
    protocol, contract = hook.protocol.partition(":"), (hook.contract or "").partition(":")
    plan = _Plan(
        _summary(hook.name),
        hook.name,
        [(f"kinetoscope.{hook.name}", "acme_thing")],
        ("acme_thing.provider", f"AcmeThing{protocol[2]}"),
        (protocol[0], protocol[2]),
        (contract[0], contract[2]) if hook.contract else None,
        requires=_brought.requirements(hook),
    )
    return _brought.sources(hook), plan


def _summary(kind: str) -> str:
    return f"{'An' if kind[0] in 'aeiou' else 'A'} {kind} for Kinetoscope: acme-thing."


def _overrides(packages: Sequence[str]) -> str:
    """Let mypy pass over packages that may be missing."""
    if not packages:
        return ""
    names = ", ".join(f'"{name}.*"' for name in packages)
    return f"\n[[tool.mypy.overrides]]\nmodule = [{names}]\nignore_missing_imports = true\n"


def _listing(sources: Mapping[str, str]) -> str:
    """Say of each module what the first line of its docstring says."""
    lines = []
    for path, text in sources.items():
        told = ast.get_docstring(ast.parse(text)) if path.endswith(".py") else None
        if told:
            lines.append(f"- `{path}`: {told.splitlines()[0]}")
    return "\n".join(lines)


def _imports(used: Iterable[tuple[str, str]]) -> str:
    """Return the imports of these (module, name), those of other distributions first."""
    by_module: dict[str, set[str]] = {}
    for module, name in used:
        by_module.setdefault(module, set()).add(name)
    lines = {True: list[str](), False: list[str]()}
    for module, names in sorted(by_module.items()):
        ours = module.startswith(_template.PACKAGE)
        lines[ours].append(f"from {module} import {', '.join(sorted(names))}")
    return "\n\n".join("\n".join(group) for group in (lines[False], lines[True]) if group)

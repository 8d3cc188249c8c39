"""The skeleton of a provider whose hook a plugin brought: the methods of its protocol, to be filled in."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import attrs

from kinetoscope import discovery
from kinetoscope_spec.errors import PluginError
from kinetoscope_spec.hooks import Hook

__all__ = ["requirements", "sources"]

_INIT = '''\
"""The {hook} `acme-thing` for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="{hook}")
def providers() -> Sequence[Provider]:
    """Return the {hook} `acme-thing`; nothing else is imported yet."""
    return [Provider("acme-thing", "what lists say of it", load="acme_thing.provider:AcmeThing{kind}")]
'''

_PROVIDER = '''\
"""The {hook} `acme-thing`: its methods are to be filled in."""

from __future__ import annotations

{imports}

__all__ = ["AcmeThing{kind}"]


class AcmeThing{kind}:
    """A {hook}: see `{kind}` in `{module}` for what callers rely on."""

{methods}
'''

_TEST = '''\
"""The hook `{hook}` has no contract: what callers of its providers rely on is to be written here."""

from {module} import {kind}

from acme_thing.provider import AcmeThing{kind}

PROVIDER: {kind} = AcmeThing{kind}()
"""mypy checks by this type what the methods take and return."""


def test_it_has_what_the_protocol_asks_for() -> None:
    assert {{name for name in vars({kind}) if not name.startswith("_")}} <= set(dir(PROVIDER))
'''


def sources(hook: Hook) -> dict[str, str]:
    """Return the package's files for a provider of `hook`.

    Raises:
        PluginError: the protocol can't be imported, or has no source to read.
    """
    module_name, _, kind = hook.protocol.partition(":")
    try:
        protocol: type[Any] = getattr(import_module(module_name), kind)
        module = import_module(protocol.__module__)
        members = list(_members(protocol))
        imports = _imports(module, members)
    except (ImportError, AttributeError, OSError, TypeError) as error:
        raise PluginError(
            f"the protocol {hook.protocol!r} of the hook {hook.name!r} can't be read: {error}"
        ) from error
    words = {"hook": hook.name, "kind": kind, "module": module_name, "imports": imports}
    methods = "\n\n".join(member.filled(kind) for member in members)
    tests = {} if hook.contract else {"tests/test_contract.py": _TEST.format(**words)}
    return {
        **tests,
        "src/acme_thing/__init__.py": _INIT.format(**words),
        "src/acme_thing/provider.py": _PROVIDER.format(**words, methods=methods),
        "src/acme_thing/py.typed": "",
    }


def requirements(hook: Hook) -> dict[str, str]:
    """Return, by its package, the requirement of the distribution that brings the hook, if entry points tell."""
    top = re.split("[.:]", hook.protocol)[0]
    for entry in discovery.entries():
        if entry.group == discovery.PREFIX and re.split("[.:]", entry.value)[0] == top:
            return {top: f"{entry.distribution}>={entry.version}"}
    return {}


@attrs.frozen
class _Member:
    """A method or an attribute that a protocol asks for, and its source without the body."""

    name: str
    text: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.AnnAssign

    def filled(self, kind: str) -> str:
        if isinstance(self.node, ast.AnnAssign):
            return f"    {self.text}"
        body = (
            f'"""See `{kind}.{self.name}`."""',
            f'raise NotImplementedError("{self.name} is to be written")',
        )
        return "\n".join([textwrap.indent(self.text, "    "), *(f"        {line}" for line in body)])

    def names(self) -> Iterator[str]:
        """Yield what the signature names, in annotations that are quoted, too."""
        node = self.node
        types: list[ast.expr | None] = []
        values: list[ast.expr | None] = []
        if isinstance(node, ast.AnnAssign):
            types = [node.annotation]
        else:
            types = [
                node.returns,
                *(held.annotation for held in ast.walk(node.args) if isinstance(held, ast.arg)),
            ]
            values = [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]
        quoted = [_expression(held) for held in _parts(types) if isinstance(held, ast.Constant)]
        for held in _parts([*types, *quoted, *values]):
            if isinstance(held, ast.Name):
                yield held.id


def _parts(nodes: Iterable[ast.AST | None]) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node) if node is not None else ()


def _expression(quoted: ast.Constant) -> ast.AST | None:
    try:
        return ast.parse(quoted.value, mode="eval") if isinstance(quoted.value, str) else None
    except SyntaxError:  # a word of `Literal[...]`
        return None


def _members(protocol: type[Any]) -> Iterator[_Member]:
    """Yield what the protocol and those it extends ask for, each once, the nearest first."""
    seen: set[str] = set()
    for base in protocol.__mro__:
        if not getattr(base, "_is_protocol", False) or base.__module__ == "typing":
            continue
        source = textwrap.dedent(inspect.getsource(base))
        (tree,) = ast.parse(source).body
        assert isinstance(tree, ast.ClassDef)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = node.name
            elif isinstance(node, ast.AnnAssign):
                name = ast.unparse(node.target)
            else:
                continue
            if name not in seen:
                seen.add(name)
                yield _Member(name, _header(node, source.splitlines()), node)


def _header(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.AnnAssign, lines: list[str]) -> str:
    """Return a method's source up to its body, as it was laid out."""
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node)
    first, body = min([node, *node.decorator_list], key=lambda held: held.lineno), node.body[0]
    if body.lineno > node.lineno and lines[body.lineno - 2].rstrip().endswith(":"):
        return textwrap.dedent("\n".join(lines[first.lineno - 1 : body.lineno - 1]))
    node.body = [ast.Pass()]
    return ast.unparse(node).rpartition("\n")[0]


def _imports(module: ModuleType, members: list[_Member]) -> str:
    """Return the imports of what the members' signatures name, as `module` has them."""
    homes = _homes(module)
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for name in {name for member in members for name in member.names()}:
        if hasattr(builtins, name):
            continue
        start, text = homes.get(name, (f"from {module.__name__} import ", name))
        if start == "import ":
            plain.add(start + text)
        else:
            names.setdefault(start, set()).add(text)
    return "\n".join([*sorted(plain), *(start + ", ".join(sorted(names[start])) for start in sorted(names))])


def _homes(module: ModuleType) -> dict[str, tuple[str, str]]:
    """Return by name how `module` imports it: `from x import ` and what stands behind that."""
    found = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            start = "import "
            if isinstance(node, ast.ImportFrom):
                package = (module.__package__ or "").split(".")
                above = package[: len(package) - node.level + 1] if node.level else []
                start = f"from {'.'.join([*above, *filter(None, [node.module])])} import "
            for alias in node.names:
                text = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                found[alias.asname or alias.name.partition(".")[0]] = (start, text)
    return found

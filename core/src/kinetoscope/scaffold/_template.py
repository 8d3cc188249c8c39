"""Reading templates: the files of a kind, and what their source says of itself."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from kinetoscope_spec.errors import ValidationError

__all__ = ["check_clashes", "kinds", "optional", "read_kind", "read_shared", "requirements", "target_of"]

PACKAGE = "acme_thing"
_VERSIONS = {
    "array_api_compat": "array-api-compat>=1.9",
    "attr": "attrs>=23.2",
    "attrs": "attrs>=23.2",
    "numpy": "numpy>=1.26",
}
_PROVERS = (f"src/{PACKAGE}/contract.py", f"src/{PACKAGE}/mutants.py")
"""What these import comes with the extra `test`."""


def kinds() -> list[str]:
    """Return the hooks that there are templates for, sorted; `hook` is one for a hook of one's own."""
    return sorted(
        held.name for held in files(__package__).iterdir() if (held / PACKAGE / "__init__.py").is_file()
    )


def read_kind(kind: str) -> dict[str, str]:
    """Return the files of a kind's template: path in the distribution to text."""
    found = {}
    for path, text in _walk(files(__package__) / kind):
        inside = path.startswith(f"{PACKAGE}/")
        found[f"src/{path}" if inside else _renamed(path)] = text
    return found


def read_shared() -> dict[str, str]:
    """Return the files that the distributions of all kinds have."""
    return {_renamed(path): text for path, text in _walk(files(__package__) / "shared")}


def _walk(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for held in sorted(folder.iterdir(), key=lambda held: held.name):
        if held.name.startswith((".", "__pycache__")):  # what tools leave
            continue
        if held.is_dir():
            yield from _walk(held, f"{above}{held.name}/")
        else:
            yield above + held.name, held.read_text(encoding="utf-8")


def _renamed(path: str) -> str:
    """`dot-github/ci.yml.in` is `.github/ci.yml`: neither packers nor linters shall take it for ours."""
    return re.sub(r"(^|/)dot-", r"\1.", path.removesuffix(".in"))


def requirements(sources: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """Return the requirements, beside the spec, of what the package imports when it is imported.

    `known` are requirements by package, which are all among them.
    """
    versions = {**_VERSIONS, **known}
    found = {name for tree in _modules(sources) for name in _imported(tree.body)}
    return sorted({versions.get(name, name.replace("_", "-")) for name in {*found, *known}})


def optional(sources: Mapping[str, str]) -> list[str]:
    """Return the packages that are imported where they are used and may be missing."""
    trees = list(_modules(sources))
    always = {name for tree in trees for name in _imported(tree.body)}
    return sorted({name for tree in trees for name in _imported(ast.walk(tree))} - always)


def _modules(sources: Mapping[str, str]) -> Iterator[ast.Module]:
    for path, text in sources.items():
        if path.endswith(".py") and path.startswith("src/") and path not in _PROVERS:
            yield ast.parse(text)


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the packages of others that these statements import."""
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        for name in (name.partition(".")[0] for name in names):
            if name not in sys.stdlib_module_names and name not in ("kinetoscope_spec", PACKAGE):
                yield name


def target_of(sources: Mapping[str, str], field: str) -> tuple[str, str] | None:
    """Return the module and the attribute that `load=` or `contract=` of the template's provider names."""
    found = re.search(rf'\b{field}="([\w.]+):(\w+)"', sources[f"src/{PACKAGE}/__init__.py"])
    return (found[1], found[2]) if found else None


def bound_names(text: str) -> set[str]:
    """Return the names that a module's source binds or reads; modules it imports from are none."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return found


def check_clashes(sources: Mapping[str, str], prefix: str, package: str) -> None:
    """Refuse words that stand for something else in the template: a class `Motion` beside ours.

    Raises:
        ValidationError: naming the word.
    """
    for path, text in sources.items():
        if not path.endswith(".py"):
            continue
        names = bound_names(text)
        marked = {name for name in names if PACKAGE in name or "AcmeThing" in name}
        made = {name.replace(PACKAGE, package).replace("AcmeThing", prefix) for name in marked}
        for name in sorted(made & (names - marked)):
            raise ValidationError(
                f"{name!r} already means something else in {path.rpartition('/')[2]}, choose another name"
            )

"""What a plugin may be called, and what its package and its classes are called then."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

import attrs

from kinetoscope_spec.errors import ValidationError

__all__ = ["Words"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 48
_FOLDERS = {"build", "dist", "docs", "site", "src", "test", "tests"}
"""Packages of these names would hide, or be hidden by, what usually lies in such folders."""


@attrs.frozen
class Words:
    """The three words that stand for a plugin: `my-format`, `my_format` and `MyFormat`."""

    distribution: str
    package: str
    prefix: str

    @classmethod
    def of(cls, name: str) -> Words:
        """Return the words of the distribution `name`.

        Raises:
            ValidationError: it is no name for a distribution, or its package would hide another.
        """
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            raise ValidationError(
                f"{name!r} is no name for a plugin, expected lower-case letters, digits and single dashes, "
                f"a letter first, at most {_LONGEST} characters: my-format"
            )
        package = name.replace("-", "_")
        taken = _taken(name, package)
        if taken:
            raise ValidationError(f"{name!r} can't name a plugin: {taken}; choose another name")
        return cls(name, package, "".join(part.capitalize() for part in name.split("-")))

    def put(self, text: str) -> str:
        """Return a template's text with these words in it."""
        for word, ours in (
            ("acme_thing", self.package),
            ("acme-thing", self.distribution),
            ("AcmeThing", self.prefix),
        ):
            text = text.replace(word, ours)
        return text


def _taken(name: str, package: str) -> str | None:
    """Return why another thing has the name already, or None."""
    capital = "".join(part.capitalize() for part in name.split("-"))
    if keyword.iskeyword(package) or keyword.iskeyword(capital):
        return f"{package!r} is a word of Python"
    if package in _FOLDERS:
        return f"a package {package!r} would be taken for the folder of that name"
    if package in sys.stdlib_module_names:
        return f"{package!r} is a module of Python's standard library"
    found = _spec(package)
    if found is not None and found.origin is not None:  # a folder that merely lies there has none
        return f"a package {package!r} is installed ({found.origin})"
    try:
        version = distribution(name).version
    except PackageNotFoundError:
        return None
    return f"a distribution {name!r} is installed (version {version})"


def _spec(package: str) -> ModuleSpec | None:
    try:
        return find_spec(package)
    except (ImportError, ValueError):  # something half imported: it is there
        return ModuleSpec(package, None, origin="imported")

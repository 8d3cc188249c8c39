"""Names that USD accepts, from names of any letters."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Namer", "identifier", "joint_paths"]


def identifier(name: str) -> str:
    """Return `name` with an underscore for every character that a prim's name can't have.

    Since 24.03 USD takes the letters of all languages (Unicode's XID classes), Python's too.
    """
    from pxr import Sdf

    kept = "".join(c if f"a{c}".isidentifier() else "_" for c in name)
    kept = kept if kept[:1].isidentifier() else f"_{kept}"
    if Sdf.Path.IsValidIdentifier(kept):
        return kept
    # A letter that Python's table of Unicode has and the library's lacks.
    return "_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in name)


class Namer:
    """Gives each name once: a second `arm` is `arm_2`. A thousand of them cost a thousand steps."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def __call__(self, wanted: str) -> str:
        """Return `wanted`, with a number if it is taken, and take it."""
        name, count = wanted, self._counts.get(wanted, 1)
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._counts[wanted] = count
        self._taken.add(name)
        return name


def joint_paths(names: Sequence[str], parents: Sequence[int]) -> list[str]:
    """Return the path of each joint, such as `Hips/Spine`, by which UsdSkel tells the hierarchy."""
    namers: dict[int, Namer] = {}
    paths: list[str] = []
    for name, parent in zip(names, parents, strict=True):
        own = namers.setdefault(parent, Namer())(identifier(name))
        paths.append(own if parent < 0 else f"{paths[parent]}/{own}")
    return paths

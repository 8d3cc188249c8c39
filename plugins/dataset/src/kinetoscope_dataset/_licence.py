"""The licence texts that lie beside files: who converts a folder takes its terms along."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Licences"]

NAMES = ("licence", "license", "copying")
"""What such a file is called, whatever follows a dot or dash."""

LONGEST = 256 * 1024
"""Bytes of a text; more is cut off."""


class Licences:
    """Finds for a file the nearest licence text in its folder or one above, up to `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._found: dict[Path, str] = {}

    def beside(self, path: Path) -> str:
        """Return the text that applies to the file at `path`, or nothing."""
        return self._of(path.parent)

    def _of(self, folder: Path) -> str:
        if folder not in self._found:
            above = folder != self._root and folder.is_relative_to(self._root)
            self._found[folder] = _text_in(folder) or (self._of(folder.parent) if above else "")
        return self._found[folder]


def is_licence(path: Path) -> bool:
    """Whether a file is called as licence texts are."""
    word = path.name.lower().partition(".")[0].partition("-")[0]
    return word in NAMES and path.suffix.lower() in ("", ".txt", ".md", ".rst")


def _text_in(folder: Path) -> str:
    try:
        held = sorted(path for path in folder.iterdir() if is_licence(path) and path.is_file())
        texts = []
        for path in held:
            with path.open("rb") as file:
                texts.append(file.read(LONGEST).decode("utf-8", "replace").strip())
        return "\n\n".join(texts)
    except OSError:
        return ""

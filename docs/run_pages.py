"""Run the code of the how-to pages: `python docs/run_pages.py [PAGE...]`; the docs build does it too.

Blocks with a title are files: they are written to a folder. Python blocks with a class `run` are then
executed there, in order, in one process. A page whose code fails, fails the build.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages"
_BLOCK = re.compile(r"^```(?P<head>[^\n]*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
_SNIPPET = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)


def blocks(page: Path) -> tuple[dict[str, str], list[str]]:
    """Return a page's files, by title, and the code that is to be run."""
    files: dict[str, str] = {}
    runs: list[str] = []
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        head, code = found["head"], _SNIPPET.sub(_included, found["code"])
        title = re.search(r'title="([^"]+)"', head)
        if title:
            files[title[1]] = code
        elif ".run" in head:
            runs.append(code)
    return files, runs


def _included(found: re.Match[str]) -> str:
    return (ROOT / found[1]).read_text(encoding="utf-8").rstrip("\n")


def runnable() -> list[Path]:
    """Return the pages that have code to run."""
    return [page for page in sorted(PAGES.rglob("*.md")) if blocks(page)[1]]


def run(page: Path) -> None:
    """Run a page's code in an empty folder.

    Raises:
        RuntimeError: it fails; what it said is in the message.
    """
    files, runs = blocks(page)
    with tempfile.TemporaryDirectory(prefix="kinetoscope-docs-") as name:
        folder = Path(name)
        for title, code in files.items():
            path = folder / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code + "\n", encoding="utf-8")
        code = "import sys; sys.path.insert(0, 'src')\n" + "\n".join(runs)
        done = subprocess.run(
            [sys.executable, "-W", "error::SyntaxWarning", "-c", code],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    if done.returncode:
        raise RuntimeError(f"the code of {page.relative_to(ROOT)} fails:\n{done.stdout}\n{done.stderr}")


def on_pre_build(**_: object) -> None:
    """Run every page's code before the site is built (a hook of MkDocs)."""
    for page in runnable():
        run(page)


if __name__ == "__main__":
    for given in [Path(word).resolve() for word in sys.argv[1:]] or runnable():
        run(given)
        sys.stdout.write(f"{given.relative_to(ROOT)} runs\n")

"""The documentation says what is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kinetoscope_spec import HOOKS

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages"


def test_the_reference_of_the_command_line_is_current(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path))
    page = (PAGES / "reference" / "command-line.md").read_text(encoding="utf-8")
    # In a process of its own: Click keeps the first help option a command was asked for, and another
    # test may have run a command outside its group, where the option has no short name.
    script = str(ROOT / "docs" / "commands.py")
    told = "import runpy, sys; sys.stdout.write(runpy.run_path(sys.argv[1])['page']())"
    words = [sys.executable, "-X", "utf8", "-c", told, script]
    made = subprocess.run(words, capture_output=True, check=True, encoding="utf-8").stdout
    assert made == page, "run: python docs/commands.py"


def test_every_hook_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {hook for hook in HOOKS if f"`{hook}`" not in readme} == set()


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *PAGES.rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        local = [target for target in targets if not target.startswith("http")]
        broken += [
            f"{page.relative_to(ROOT)}: {target}" for target in local if not (page.parent / target).exists()
        ]
    assert broken == []


def blocks(page: Path) -> list[tuple[str, str]]:
    """The Python blocks of a page with their titles."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'```(?:python|toml)(?: title="([^"]*)")?\n(.*?)```', text, re.DOTALL)
    return [(title, code) for title, code in found if title]


def test_the_plugin_of_the_how_to_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page prints is written to files, and the host reads a file by its bytes with it."""
    for title, code in blocks(PAGES / "how-to" / "write-a-plugin.md"):
        path = tmp_path / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    import acme_tracks

    from kinetoscope import Host
    from kinetoscope_spec import FormatError

    tracks = tmp_path / "points.unknown"
    tracks.write_text("# tracks\n0,1,2\n3,4,5\n")
    with Host(plugins=[acme_tracks], autoload=False) as host:
        motion = host.open(tracks).motions[0]
        assert motion.positions[:, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
        tracks.write_text("# tracks\n0,1\n")
        with pytest.raises(FormatError, match=r"points\.unknown.*expected finite rows"):
            host.open(tracks)

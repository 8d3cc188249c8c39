"""Distributions made for a test: folders of modules and `dist-info` on `sys.path`, as pip leaves them."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no defect: no test here is judged by a clock.
settings.register_profile("kinetoscope", deadline=None)
settings.load_profile("kinetoscope")


class Shelf:
    """A folder on `sys.path` in which distributions can be put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.imported_log = folder / "imported.txt"

    def add(
        self,
        distribution: str,
        entries: Mapping[str, Mapping[str, str]],
        modules: Mapping[str, str],
        *,
        version: str = "1.2",
        requires: Sequence[str] = (),
    ) -> None:
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
        lines += [f"Requires-Dist: {text}" for text in requires]
        (info / "METADATA").write_text("\n".join([*lines, "", "A description: with a colon"]))
        points = [
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in e.items()) for group, e in entries.items()
        ]
        (info / "entry_points.txt").write_text("\n".join(points))
        for name, text in modules.items():
            # Every import leaves a line, so that a test can say what was imported, in any process.
            trace = f"with open({str(self.imported_log)!r}, 'a') as log: log.write({name!r} + '\\n')\n"
            (self.folder / f"{name}.py").write_text(trace + textwrap.dedent(text))
        importlib.invalidate_caches()

    def provide(
        self,
        distribution: str,
        hook: str,
        name: str,
        *,
        version: str = "1.2",
        options: str = "",
        body: str = "",
        requires: Sequence[str] = (),
    ) -> str:
        """Put a distribution with one provider here; return the module's name."""
        module = f"{distribution.replace('-', '_')}_{hook}_{name}".replace("-", "_").replace(".", "_")
        text = f"""
            from kinetoscope_spec import Provider, hookimpl
            class Thing:
                def read(self, path, **options):
                    raise RuntimeError("boom")
                def write(self, asset, path):
                    raise NotImplementedError
                def work(self, x):
                    return x + 1
                def fail(self):
                    raise ValueError("no good")
            @hookimpl
            def {hook}():
                return [Provider({name!r}, "made for a test", load={module + ":Thing"!r}, {options})]
        """
        self.add(
            distribution,
            {f"kinetoscope.{hook}": {name: module}},
            {module: textwrap.dedent(text) + textwrap.dedent(body)},
            version=version,
            requires=requires,
        )
        return module

    def imported(self) -> list[str]:
        return self.imported_log.read_text().split() if self.imported_log.exists() else []


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A shelf, an empty home, an empty current folder, and no settings from outside."""
    for name in [name for name in os.environ if name.startswith("KINETOSCOPE_")]:
        monkeypatch.delenv(name)
    folder, work = tmp_path / "site", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(work)
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Shelf(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]
